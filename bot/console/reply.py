"""Writing to the person of a case: a preview, a confirmation, and a stop for a second writer."""

from __future__ import annotations

import secrets

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bot.console.case import number_of, path_of
from bot.console.visit import Visit
from bot.core.actions import Refusal
from bot.core.escalation import Case
from bot.core.model import DeliveryStatus
from bot.takeover import Takeover

LONGEST = 3_000  # characters of one text to a person


async def preview(visit: Visit) -> Response:
    """What the person would get. Nothing is sent."""
    case, takeover = await _case(visit)
    text = _text(visit, case, takeover)
    problem = _problem(visit, case) or ("" if text else "Choose or write a text.")
    if problem:
        visit.tell(problem, refused=True)
        return visit.to(path_of(case))
    leaving = bool(visit.field("leaving"))
    once = visit.request.session["reply"] = secrets.token_urlsafe(8)
    return await visit.draw(
        "reply.html",
        case=case,
        template=visit.field("template", longest=80),
        text=text,
        leaving=leaving,
        framed=takeover.framed(case, text, leaving=leaving),
        once=once,
        others=visit.desk.live.presence.others(case.number, visit.member.id),
    )


async def send(visit: Visit) -> Response:
    """Send what was previewed, once, unless the case changed since."""
    case, takeover = await _case(visit)
    text, once = _text(visit, case, takeover), visit.field("once")
    problem = _problem(visit, case)
    if not problem and (not text or once != visit.request.session.pop("reply", None)):
        problem = "That preview was used already; write again."
    if not problem and visit.field("row_version") != str(case.row_version):
        problem = (
            f"{case.label} changed since the preview, or this was sent already: read it first."
        )
    if problem:
        visit.tell(problem, refused=True)
        return visit.to(path_of(case))
    leaving = bool(visit.field("leaving"))
    went = await takeover.write(case, visit.member.id, text, leaving=leaving)
    visit.desk.pen.lay_down(case.number, visit.member.id)
    _tell(visit, case, went)
    return visit.to(path_of(case))


async def leave(visit: Visit) -> Response:
    """Tell the person that nobody of the staff is there any more."""
    case, takeover = await _case(visit)
    _tell(visit, case, await takeover.leave(case, visit.member.id))
    visit.desk.pen.lay_down(case.number, visit.member.id)
    return visit.to(path_of(case))


async def _case(visit: Visit) -> tuple[Case, Takeover]:
    takeover, case = visit.desk.takeover, await visit.store.find(number_of(visit))
    if takeover is None or case is None:
        raise HTTPException(404)
    return case, takeover


def _problem(visit: Visit, case: Case) -> str:
    """Why this person may not write now, or ""."""
    if case.status != "acknowledged" or case.assignee != visit.member.id:
        return "Only the owner of the case writes; assign it to yourself first."
    writer = visit.desk.pen.take(case.number, visit.member.id)
    return f"{writer} is writing to this person; wait, or ask them." if writer else ""


def _text(visit: Visit, case: Case, takeover: Takeover) -> str:
    """Their own words where they may write some, or the approved text that they chose."""
    own = visit.field("text", longest=LONGEST) if takeover.free else ""
    chosen = visit.field("template", longest=80)
    return own or next((each.text for each in takeover.texts(case) if each.id == chosen), "")


def _tell(visit: Visit, case: Case, went: DeliveryStatus | Refusal | None) -> None:
    """Say how the sending went."""
    if isinstance(went, Refusal):
        visit.tell(went.reason, refused=True)
        return
    if went is None:
        visit.tell(f"{case.label}: on its way. The case shows when it has arrived.")
    elif went == "sent":
        visit.tell(f"{case.label}: delivered to the person.")
    else:
        visit.tell(f"{case.label}: NOT delivered ({went}).", refused=True)
    visit.desk.live.stir()
