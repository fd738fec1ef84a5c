"""The history of everything: read in pages, checked on request, changed by nobody."""

from __future__ import annotations

import json

from starlette.responses import Response

from bot.console.visit import Visit
from bot.core.escalation import parse_number
from bot.store.audit import Verified

PAGE = 100
TYPES = (
    *("created", "signal_linked", "level_raised", "alert_sent", "alert_failed", "viewed"),
    *("acknowledged", "assigned", "unassigned", "returned", "note_added", "snoozed", "unsnoozed"),
    *(
        "reply_sent",
        "reply_failed",
        "person_wrote",
        "reviewed",
        "review_resolved",
        "resolved",
        "reopened",
    ),
    *("tagged", "exported", "redacted", "settings_changed", "signed_in"),
)


async def show(visit: Visit) -> Response:
    """A page of the history, the newest first."""
    return await _draw(visit, None)


async def verify(visit: Visit) -> Response:
    """The same, and whether the chain holds."""
    return await _draw(visit, await visit.store.verify_audit())


async def _draw(visit: Visit, verified: Verified | None) -> Response:
    actor, type_, case = visit.asked("actor"), visit.asked("type"), visit.asked("case")
    before = visit.asked("before")
    lines = await visit.store.history.page(
        actor=actor,
        type_=type_ if type_ in TYPES else "",
        number=parse_number(case) if case else None,
        before=int(before) if before.isdigit() and len(before) < 16 else None,
        limit=PAGE + 1,
    )
    return await visit.draw(
        "audit.html",
        lines=[
            (line, _change(line.record.event.before, line.record.event.after))
            for line in lines[:PAGE]
        ],
        more=lines[PAGE - 1].record.seq if len(lines) > PAGE else None,
        types=TYPES,
        actor=actor,
        type_=type_,
        case_asked=case,
        verified=verified,
    )


def _change(before: object, after: object) -> str:
    """What changed, as the history keeps it."""
    told = [json.dumps(each, ensure_ascii=False) for each in (before, after) if each]
    return " → ".join(told)
