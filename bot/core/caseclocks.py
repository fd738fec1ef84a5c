"""What the clocks of a case say after each step of its life."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.core.clocks import Calendar
from bot.core.escalation import Case, Rules, SlaStatus


def waits(case: Case, since: datetime, rules: Rules) -> Case:
    """`case` without an owner, its clocks begun at `since`."""
    calendar = rules.calendar
    due = calendar.add(since, rules.acknowledge_within[case.level])
    review_due = calendar.add_days(since, rules.review_within_days[case.level])
    begun = case.status != "resolved"
    waiting = replace(
        case,
        status="new",
        assignee="",
        acknowledged_at=None,
        acknowledged_by="",
        acknowledge_due_at=_sooner(due, case.acknowledge_due_at if case.status == "new" else None),
        review_due_at=_sooner(review_due, case.review_due_at if begun else None),
        return_due_at=None,
        snoozed_at=None,
        snoozed_until=None,
        waiting_since=since,
        alert_since=since,
        alert_status="pending",
    )
    return replace(waiting, sla_status=sla(waiting, since, rules))


def sla(case: Case, now: datetime, rules: Rules) -> SlaStatus:
    """How the clock for acknowledging stands at `now`, for a case that nobody took yet."""
    if case.acknowledge_due_at is not None and now > case.acknowledge_due_at:
        return "missed"
    return "active" if rules.calendar.is_open(now) else "not_staffed"


def awake(case: Case, now: datetime, rules: Rules) -> Case:
    """`case` back with its owner; the review clock stood still while it rested."""
    due = _resumed(case.review_due_at, case.snoozed_at, now, rules.calendar)
    return replace(
        case, status="acknowledged", snoozed_at=None, snoozed_until=None, review_due_at=due
    )


def keep_owner(case: Case, actor: str, now: datetime, rules: Rules) -> Case:
    """`case` with the time at which an owner who does nothing more loses it."""
    if case.status != "acknowledged":
        return replace(case, return_due_at=None)
    if case.return_due_at is not None and actor != case.assignee:
        return case
    clock = 2 * rules.acknowledge_within[case.level]
    return replace(case, return_due_at=rules.calendar.add(now, clock))


def _sooner(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((each for each in (one, other) if each is not None), default=None)


def _resumed(
    due: datetime | None, stopped: datetime | None, now: datetime, calendar: Calendar
) -> datetime | None:
    if due is None or stopped is None or due <= stopped:
        return due
    return calendar.add(now, calendar.elapsed(stopped, due))
