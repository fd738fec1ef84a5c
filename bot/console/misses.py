"""Possible misses: messages that were not escalated, kept for a person to judge."""

from __future__ import annotations

from typing import cast, get_args

from starlette.responses import Response

from bot.console import sessions
from bot.console.visit import CHANNEL, Visit
from bot.core.actions import Refusal
from bot.core.escalation import Event, ReplyWasRight
from bot.core.figures import SAMPLE_MIN, misses_per_1000
from bot.core.model import Level
from bot.core.sampling import Stratum

PAGE = 20
NAME = "samples"  # what is uncovered in a session


async def show(visit: Visit) -> Response:
    """Those that wait for a reader, the oldest first."""
    asked = visit.asked("stratum")
    stratum = cast(Stratum, asked) if asked in get_args(Stratum) else None
    reviewed, missed = await visit.store.samples.missed()
    return await visit.draw(
        "misses.html",
        samples=await visit.store.samples.list(stratum=stratum, limit=PAGE),
        stratum=asked,
        strata=get_args(Stratum),
        is_open=sessions.is_open(visit.request, NAME, visit.now),
        reviewed=reviewed,
        missed=missed,
        rate=misses_per_1000(reviewed, missed),
        enough=SAMPLE_MIN,
    )


async def open_(visit: Visit) -> Response:
    """Uncover their text; the history says who did."""
    await visit.store.log(
        Event("viewed", {}, {"samples": True}), actor=visit.member.id, channel=CHANNEL
    )
    sessions.uncover(visit.request, NAME, visit.now)
    return visit.to("/misses")


async def judge(visit: Visit) -> Response:
    """Keep what a reader makes of one."""
    levels = {level.label: level for level in Level}
    level = levels.get(visit.field("level"))
    if level is None:
        visit.tell("Choose a level.", refused=True)
        return visit.to("/misses")
    outcome = await visit.store.samples.judge(
        visit.field("sample", longest=40),
        visit.member.id,
        level,
        topic=visit.field("topic", longest=80),
        reply_was_right=_right(visit.field("reply_was_right")),
        reason=visit.field("reason", longest=5_000),
        channel=CHANNEL,
    )
    if isinstance(outcome, Refusal):
        visit.tell(outcome.reason, refused=True)
    else:
        visit.tell("Kept. It should have been escalated." if level.escalates else "Kept.")
    return visit.to("/misses")


def _right(chosen: str) -> ReplyWasRight:
    """Whether the reply was right, or "" where the reader did not say."""
    return next((each for each in get_args(ReplyWasRight) if each == chosen), "")
