"""One case: its page, and its text, which stays covered until somebody opens it."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bot.console import sessions
from bot.console.case_view import conversation, moments
from bot.console.visit import CHANNEL, Visit
from bot.core.actions import Refusal, View
from bot.core.casefilter import CaseFilter
from bot.core.escalation import Case, Resolution
from bot.store.records import CaseFile

SNOOZES = {"30": "30 minutes", "60": "1 hour", "240": "4 hours", "720": "12 hours", "1440": "1 day"}
RESOLUTIONS: dict[Resolution, str] = {
    "reviewed_no_action": "Reviewed, no action needed",
    "followed_up": "Followed up",
    "emergency_services_contacted": "Emergency services contacted",
    "false_alarm": "False alarm",
    "test": "A test",
    "could_not_reach": "Could not reach the person",
}


def number_of(visit: Visit) -> int:
    """The number in the address."""
    return int(visit.request.path_params["number"])


def path_of(case: Case) -> str:
    """The address of a case."""
    return f"/case/{case.number}"


async def found(visit: Visit) -> CaseFile:
    """The case of the address, or a page that says that there is none."""
    file = await visit.store.show(number_of(visit))
    if file is None:
        raise HTTPException(404, f"There is no case E-{number_of(visit)}.")
    return file


async def show(visit: Visit) -> Response:
    """The page of the case."""
    file = await found(visit)
    case = file.case
    is_open = sessions.is_open(visit.request, str(case.number), visit.now)
    rerun = visit.desk.rerun if is_open else None
    shown = await asyncio.to_thread(conversation, file, rerun, visit.desk.reasons)
    staff = [each for each in await visit.store.staff.all() if each.active]
    return await visit.draw(
        "case.html",
        file=file,
        case=case,
        conversation=shown,
        reasons=visit.desk.reasons,
        is_open=is_open,
        moments=moments(file.events),
        others=visit.desk.live.presence.others(case.number, visit.member.id),
        previous=next((each for each in file.earlier if each.id == case.previous_id), None),
        staff=[each for each in staff if each.role != "editor"],
        names={each.id: each.name for each in staff},
        snoozes=SNOOZES,
        resolutions=RESOLUTIONS,
        numbers=sorted({number for each in file.signals for number in each.numbers_shown}),
        readers=visit.desk.rules.readers.get(case.level, 1),
        can_reply=await _can_reply(visit, case),
        approved=visit.desk.takeover.texts(case) if visit.desk.takeover else (),
        taken_over=await visit.store.talk.taken_over(case),
        has_rerun=visit.desk.rerun is not None,
    )


async def open_(visit: Visit) -> Response:
    """Uncover the text; the history says who did."""
    case = await visit.store.find(number_of(visit))
    if case is None:
        raise HTTPException(404, "There is no such case.")
    outcome = await visit.store.act(case.id, View(visit.member.id), channel=CHANNEL)
    if isinstance(outcome, Refusal):
        visit.tell(outcome.reason, refused=True)
    else:
        sessions.uncover(visit.request, str(case.number), visit.now)
    return visit.to(path_of(case))


async def cover(visit: Visit) -> Response:
    """Cover the text again."""
    sessions.cover(visit.request, str(number_of(visit)))
    return visit.to(f"/case/{number_of(visit)}")


async def jump(visit: Visit) -> Response:
    """The case of a number that was typed."""
    wanted = visit.asked("number").lower().removeprefix("e").lstrip("-")
    if wanted.isdigit() and len(wanted) < 13:
        cases = await visit.store.list(CaseFilter(number=int(wanted)), limit=1)
        if cases:
            return visit.to(path_of(cases[0]))
    visit.tell("There is no such case.", refused=True)
    return visit.to("/")


async def _can_reply(visit: Visit, case: Case) -> bool:
    takeover = visit.desk.takeover
    return takeover is not None and visit.may("reply") and await takeover.can_reach(case)
