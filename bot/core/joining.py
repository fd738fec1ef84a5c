"""Which case an escalated message belongs to: it opens a new one, or joins the person's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.core.actions import Outcome, Refusal, Signal, Step
from bot.core.caseclocks import awake, waits
from bot.core.escalation import DEFAULT_RULES, Case, Entry, Event, Rules
from bot.core.plain import to_plain


def open_case(
    entry: Entry,
    now: datetime,
    *,
    case_id: str,
    number: int,
    subject_key: str,
    previous_id: str = "",
    rules: Rules = DEFAULT_RULES,
) -> Step:
    """A new case for `entry`. Its clocks begin when the message came in, never later."""
    case = Case(
        id=case_id,
        number=number,
        subject_key=subject_key,
        level=entry.level,
        channel=entry.channel,
        created_at=now,
        updated_at=now,
        review_since=now,
        alert_since=now,
        versions=entry.versions,
        kind=entry.kind,
        topic=entry.topic,
        also=entry.also,
        country=entry.country,
        country_source=entry.country_source,
        language=entry.language,
        previous_id=previous_id,
        top_rule=entry.top_rule,
        delivery_failed=entry.delivery_status in ("failed", "blocked"),
    )
    case = waits(case, min(entry.received_at, now), rules)
    if rules.first_response is not None:
        case = replace(
            case, first_response_due_at=rules.calendar.add(entry.received_at, rules.first_response)
        )
    after = {"level": to_plain(case.level), "kind": case.kind, "status": case.status}
    return Step(case, (Event("created", {}, after),))


def joins(case: Case, entry: Entry, rules: Rules = DEFAULT_RULES) -> bool:
    """Whether `entry` belongs to `case`: it is open, or was resolved in the last 24 hours."""
    if case.resolved_at is None:
        return True
    return entry.received_at - case.resolved_at <= rules.reopens_within


def is_around(
    case: Case, said_at: datetime, alarm_at: datetime, rules: Rules = DEFAULT_RULES
) -> bool:
    """Whether what is said without alarm is kept with `case`: while it is open, and at most as
    long after its last alarm, at `alarm_at`, as a resolved case would be opened again.

    A case that nobody closes does not make a record of all that its person ever writes.
    """
    return case.status != "resolved" and said_at - alarm_at <= rules.reopens_within


def join(case: Case, action: Signal, now: datetime, rules: Rules) -> Outcome:
    """What a message does to a case that is there: it may raise it, and never lowers it."""
    entry = action.entry
    if not joins(case, entry, rules):
        return Refusal(f"{case.label} was resolved too long ago; a new case begins.")
    raised = entry.level > case.level
    joined = replace(
        case,
        level=max(case.level, entry.level),
        kind=entry.kind if raised else case.kind,
        topic=entry.topic if raised else case.topic,
        top_rule=entry.top_rule if raised else case.top_rule or entry.top_rule,
        also=tuple(dict.fromkeys((*case.also, *entry.also))),
        country=entry.country or case.country,
        country_source=entry.country_source if entry.country else case.country_source,
        language=entry.language,
        signals=case.signals + 1,
        delivery_failed=case.delivery_failed or entry.delivery_status in ("failed", "blocked"),
        redacted=False,
    )
    events = [Event("signal_linked", {}, {"level": to_plain(entry.level)})]
    if raised:
        events.append(Event.of("level_raised", case, joined, "level", "kind"))
    heard = min(entry.received_at, now)
    if raised or case.status in ("new", "resolved"):
        joined = _joins_as_new(case, joined, heard, now, raised=raised, rules=rules)
    elif case.status == "snoozed":
        joined = awake(joined, now, rules)
    if case.status == "resolved":
        events.append(Event.of("reopened", case, joined, "status", "resolution", "resolved_by"))
    if case.status == "snoozed":
        events.append(Event.of("unsnoozed", case, joined, "status", "assignee"))
    elif case.status == "acknowledged" and joined.status == "new":
        events.append(Event.of("unassigned", case, joined, "status", "assignee"))
    return Step(replace(joined, waiting_since=joined.waiting_since or heard), tuple(events))


def _joins_as_new(
    case: Case, joined: Case, heard: datetime, now: datetime, *, raised: bool, rules: Rules
) -> Case:
    if case.status == "new" and not raised:
        return joined
    waited = case.waiting_since or heard
    fresh = replace(waits(joined, heard, rules), waiting_since=min(waited, heard))
    return replace(
        fresh,
        review_since=now,
        review_status="unreviewed",
        reviewed_level=None,
        verdict="",
        resolved_at=None,
        resolved_by="",
        resolution="",
        resolved_unreviewed=False,
    )
