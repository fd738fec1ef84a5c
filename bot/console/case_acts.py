"""What staff do to one case. Each is a change of its own, and says how it ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import get_args

from starlette.responses import Response

from bot.console.case import RESOLUTIONS, SNOOZES, number_of
from bot.console.queue import next_
from bot.console.visit import CHANNEL, Visit
from bot.core.actions import (
    Acknowledge,
    Action,
    Assign,
    Outcome,
    Refusal,
    Resolve,
    Snooze,
    Tag,
    Unassign,
    Wake,
)
from bot.core.escalation import ReplyWasRight
from bot.core.model import Level
from bot.core.roles import may

LONGEST_SNOOZE = timedelta(days=30)


async def acknowledge(visit: Visit) -> Response:
    """Take the case. The first wins; whoever comes second is told by whom."""
    outcome = await _act(visit, Acknowledge(visit.member.id))
    visit.settle(outcome, "acknowledged, it is yours.", undoable=True)
    return _back(visit)


async def mine(visit: Visit) -> Response:
    """Make the case one's own: acknowledge a new one, take over another's."""
    case = await visit.store.find(number_of(visit))
    if case is not None and case.status == "new":
        return await acknowledge(visit)
    outcome = await _act(visit, Assign(visit.member.id, visit.member.id))
    visit.settle(outcome, "it is yours now.", undoable=True)
    return _back(visit)


async def assign(visit: Visit) -> Response:
    """Hand the case over, or let go of it."""
    to = visit.field("to")
    if to == "nobody":
        outcome = await _act(visit, Unassign(visit.member.id), versioned=True)
        visit.settle(outcome, "nobody's now; it waits again.", undoable=True)
        return _back(visit)
    member = await visit.store.staff.find(to)
    if member is None or not member.active or not may(member.role, "work"):
        visit.tell("Choose somebody of the staff.", refused=True)
        return _back(visit)
    outcome = await _act(visit, Assign(visit.member.id, to), versioned=True)
    visit.settle(outcome, f"handed over to {member.name}.", undoable=True)
    return _back(visit)


async def snooze(visit: Visit) -> Response:
    """Let the case rest for a while."""
    until = _until(visit)
    if until is None:
        visit.tell("Choose how long it rests, thirty days at most.", refused=True)
        return _back(visit)
    outcome = await _act(visit, Snooze(visit.member.id, until), versioned=True)
    visit.settle(outcome, "snoozed.", undoable=True)
    return _back(visit)


async def wake(visit: Visit) -> Response:
    """End the rest of the case."""
    visit.settle(await _act(visit, Wake(visit.member.id)), "awake again.")
    return _back(visit)


async def tag(visit: Visit) -> Response:
    """Set the labels of the case."""
    tags = tuple(visit.field("tags", longest=500).replace(",", " ").split())
    visit.settle(await _act(visit, Tag(visit.member.id, tags)), "tags kept.")
    return _back(visit)


async def note(visit: Visit) -> Response:
    """Add a private note."""
    number, body = number_of(visit), visit.field("body")
    outcome = await visit.store.add_note(number, visit.member.id, body, channel=CHANNEL)
    visit.settle(outcome, "note added.")
    return _back(visit, "#notes")


async def review(visit: Visit) -> Response:
    """Add a review. Whether the bot was right follows from the levels."""
    levels = {level.label: level for level in Level}
    level, right = visit.field("level"), visit.field("reply_was_right")
    if level not in levels:
        visit.tell("Choose a level first: keys 1 to 6.", refused=True)
        return _back(visit)
    if not right or right not in get_args(ReplyWasRight):
        visit.tell("Say whether the reply was right: yes, partly or no.", refused=True)
        return _back(visit)
    decides = bool(visit.field("is_authoritative"))
    if decides:
        visit.need("settle")
    outcome = await visit.store.add_review(
        number_of(visit),
        visit.member.id,
        levels[level],
        topic=visit.field("topic", longest=80),
        reply_was_right=right,  # type: ignore[arg-type]  # one of ReplyWasRight, see above
        reason=visit.field("reason"),
        is_authoritative=decides,
        channel=CHANNEL,
    )
    visit.settle(outcome, "review kept.")
    return _back(visit)


async def resolve(visit: Visit) -> Response:
    """Close the case, and go on to the next where that was asked for."""
    chosen = visit.field("resolution")
    resolution = next((each for each in RESOLUTIONS if each == chosen), None)
    if resolution is None:
        visit.tell("Choose how it ended.", refused=True)
        return _back(visit)
    action = Resolve(visit.member.id, resolution, unreviewed=bool(visit.field("unreviewed")))
    case = visit.settle(await _act(visit, action, versioned=True), "resolved.", undoable=True)
    if case is not None and visit.field("next"):
        return await next_(visit)
    return _back(visit)


async def undo(visit: Visit) -> Response:
    """Take back what was just done."""
    outcome = await visit.store.undo(number_of(visit), visit.member.id, channel=CHANNEL)
    visit.settle(outcome, "taken back.")
    return _back(visit)


async def _act(visit: Visit, action: Action, *, versioned: bool = False) -> Outcome:
    """Let the action happen; with `versioned`, only if the case is as it was when shown."""
    version = visit.field("row_version")
    seen = int(version) if versioned and version.isdigit() else None
    if versioned and seen is None:
        return Refusal("The page was incomplete; reload it and try again.")
    return await visit.store.act(
        number_of(visit), action, channel=CHANNEL, row_version=seen if versioned else None
    )


def _until(visit: Visit) -> datetime | None:
    minutes = visit.field("minutes")
    if minutes in SNOOZES:
        return visit.now + timedelta(minutes=int(minutes))
    try:
        until = datetime.fromisoformat(visit.field("until"))
    except ValueError:
        return None
    if until.tzinfo is None or until - visit.now > LONGEST_SNOOZE:
        return None
    return until


def _back(visit: Visit, place: str = "") -> Response:
    return visit.to(f"/case/{number_of(visit)}{place}")
