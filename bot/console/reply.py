"""Writing to the person of a case: a preview, a confirmation, and a stop for a second writer."""

from __future__ import annotations

import secrets

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bot.console.case import number_of, path_of
from bot.console.replying import Replying
from bot.console.visit import CHANNEL, Visit
from bot.core.actions import Answer
from bot.core.escalation import Case


async def preview(visit: Visit) -> Response:
    """What the person would get. Nothing is sent."""
    case, replying = await _case(visit)
    text = visit.field("text", longest=3_000) or _template(visit, replying)
    problem = _problem(visit, case, replying) or ("" if text else "Choose or write a text.")
    if problem:
        visit.tell(problem, refused=True)
        return visit.to(path_of(case))
    leaving = bool(visit.field("leaving"))
    once = visit.request.session["reply"] = secrets.token_urlsafe(8)
    return await visit.draw(
        "reply.html",
        case=case,
        text=text,
        leaving=leaving,
        framed=replying.framed(text, leaving=leaving),
        once=once,
        others=visit.desk.live.presence.others(case.number, visit.member.id),
    )


async def send(visit: Visit) -> Response:
    """Send what was previewed, once, unless the case changed since."""
    case, replying = await _case(visit)
    text, once = visit.field("text", longest=3_000), visit.field("once")
    problem = _problem(visit, case, replying)
    if not problem and (not text or once != visit.request.session.pop("reply", None)):
        problem = "That preview was used already; write again."
    if not problem and visit.field("row_version") != str(case.row_version):
        problem = f"{case.label} changed since the preview: read it, then write again."
    if problem:
        visit.tell(problem, refused=True)
        return visit.to(path_of(case))
    framed = replying.framed(text, leaving=bool(visit.field("leaving")))
    status = await replying.send(case, framed)
    answer = Answer(visit.member.id, status == "sent")
    outcome = await visit.store.act(case.id, answer, channel=CHANNEL)
    replying.pen.lay_down(case.number, visit.member.id)
    said = "delivered to the person." if status == "sent" else f"NOT delivered ({status})."
    visit.settle(outcome, said)
    return visit.to(path_of(case))


async def _case(visit: Visit) -> tuple[Case, Replying]:
    replying, case = visit.desk.replying, await visit.store.find(number_of(visit))
    if replying is None or case is None:
        raise HTTPException(404)
    return case, replying


def _problem(visit: Visit, case: Case, replying: Replying) -> str:
    """Why this person may not write now, or ""."""
    if case.status != "acknowledged" or case.assignee != visit.member.id:
        return "Only the owner of the case writes; assign it to yourself first."
    writer = replying.pen.take(case.number, visit.member.id)
    return f"{writer} is writing to this person; wait, or ask them." if writer else ""


def _template(visit: Visit, replying: Replying) -> str:
    chosen = visit.field("template")
    known = replying.templates
    return known[int(chosen)].text if chosen.isdigit() and int(chosen) < len(known) else ""
