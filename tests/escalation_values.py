"""Entries and cases as the tests need them; every value can be varied by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.actions import Step
from bot.core.clocks import ALWAYS
from bot.core.escalation import Case, Entry, Rules
from bot.core.exchange import Exchange
from bot.core.joining import open_case
from bot.core.model import Evidence, Level, NearMiss, Versions

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
RULES = Rules(calendar=ALWAYS)
TEXT = "my mum took fifteen of the tens and I can't wake her"


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> None:
        self.now += by


def an_entry(**changes: Any) -> Entry:
    """An emergency that came in at noon."""
    entry = Entry(
        chat="tg:4711",
        channel="tg",
        update_id="900001",
        received_at=NOW,
        text=TEXT,
        level=Level.EMERGENCY,
        kind="unresponsive",
        topic="overdose_signs",
        versions=Versions("1.0", "c0ffee", "2026-11"),
        evidence=(
            Evidence("cannot_be_woken", "trigger", 38, 52, "can't wake her", "not awake"),
            Evidence("somebody_else", "context", 3, 6, "mum"),
        ),
        near_misses=(NearMiss("took_extra", "cannot_be_woken", "took"),),
        decision_path=("signals", "emergency"),
        reply=("Call 999 now.",),
        reply_id="ab12",
        numbers_shown=("999",),
        country="GB",
        country_source="told",
    )
    return replace(entry, **changes)


def an_exchange(**changes: Any) -> Exchange:
    """Something that the person of `an_entry` said at noon."""
    said = Exchange(
        chat="tg:4711",
        channel="tg",
        received_at=NOW,
        said="yes",
        update_id="900002",
        reply=("Lay them on their side.",),
        delivery_status="sent",
    )
    return replace(said, **changes)


def a_case(*, rules: Rules = RULES, entry: Entry | None = None, **changes: Any) -> Case:
    """A new case for an emergency that came in at noon."""
    step = open_case(
        entry or an_entry(), NOW, case_id="c-1", number=1042, subject_key="s", rules=rules
    )
    return replace(step.case, **changes)


def allowed(outcome: object) -> Case:
    """The case after an action that was allowed."""
    assert isinstance(outcome, Step), outcome
    return outcome.case
