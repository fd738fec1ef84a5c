"""The ladder of alerts for a case that nobody has acknowledged: who is told, and when.

The person on duty first, the same again at half the clock, the next on the list at the full
clock, everybody at twice. Acknowledging ends it; a raised level begins it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.clocks import NEVER
from bot.core.escalation import Case, Rules

STEPS = (0.0, 0.5, 1.0, 2.0)  # in clocks for acknowledging
FIRST_GAP = timedelta(seconds=5)  # before a failed alert is tried again; then three times as long
LAST_GAP = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder: at `at` tell `to`, staff ids, the first first.

    An empty `to` means that nobody is on the list: only the channels of the service are told.
    """

    number: int
    at: datetime
    to: tuple[str, ...]


def ladder(case: Case, duty: tuple[str, ...], rules: Rules) -> tuple[Rung, ...]:
    """Every rung for `case`, the first first. `duty` is the list of staff, the first first.

    Clocks run in staffed hours. Where no hours are set at all, one alert goes out at once,
    since there is no better time to wait for.
    """
    start, calendar = case.alert_since, rules.calendar
    if calendar.week == NEVER.week:
        return (Rung(0, start, duty),)
    clock = rules.acknowledge_within[case.level]
    begins = calendar.opens(start)
    if begins is None:
        return ()
    times = (calendar.add(begins, step * clock) for step in STEPS)
    return tuple(
        Rung(number, at, _told(number, duty)) for number, at in enumerate(times) if at is not None
    )


def climbs(case: Case, since: datetime) -> bool:
    """Whether the ladder that began at `since` goes on: ask before each rung."""
    return case.status == "new" and case.alert_since == since


def retry_gap(attempt: int) -> timedelta:
    """How long to wait before the alert that failed `attempt` times is tried again."""
    return min(FIRST_GAP * 3.0 ** min(max(attempt - 1, 0), 10), LAST_GAP)


def alert_text(case: Case, now: datetime, address: str = "") -> str:
    """What an alert says. It holds nothing of what the person wrote.

    `address` is the case's page in the console, where there is one.
    """
    waits = max(now - (case.waiting_since or case.created_at), timedelta())
    minutes = int(waits.total_seconds() // 60)
    parts = [
        f"{case.level.label.replace('_', ' ').upper()} {case.label}",
        case.country or "country unknown",
        f"waiting {minutes} min",
    ]
    if case.signals > 1:
        parts.append(f"{case.signals} messages")
    return "\n".join(filter(None, (" · ".join(parts), address)))


def _told(number: int, duty: tuple[str, ...]) -> tuple[str, ...]:
    if number >= 3:
        return duty
    if number == 2 and len(duty) > 1:
        return duty[1:2]
    return duty[:1]
