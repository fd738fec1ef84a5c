"""The life of a case: `step(case, action, now)` allows an action or says why not.

| from | action | to |
| --- | --- | --- |
| new | acknowledge | acknowledged |
| acknowledged | assign · unassign · snooze · resolve | same · new · snoozed · resolved |
| acknowledged | an owner who did nothing for twice the clock | new |
| snoozed | time is up, or a new signal | acknowledged |
| any but resolved | a signal that raises the level | new |
| resolved | a signal within 24 hours | new |

Whatever the status, a case can be read, tagged, noted, reviewed, alerted about and redacted.
The level never falls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.actions import (
    Acknowledge,
    Action,
    Alert,
    Answer,
    Assign,
    Hear,
    Judge,
    Miss,
    Note,
    Outcome,
    Redact,
    Refusal,
    Resolve,
    Return,
    Signal,
    Snooze,
    Step,
    Tag,
    Unassign,
    Undo,
    View,
    Wake,
)
from bot.core.caseclocks import awake, keep_owner, sla, waits
from bot.core.escalation import (
    BOT,
    DEFAULT_RULES,
    SYSTEM,
    TAGS_MOST,
    Case,
    Event,
    Rules,
    Status,
    clean_tag,
    judge,
    verdict,
)
from bot.core.joining import join
from bot.core.model import Level
from bot.core.plain import from_plain, to_plain

UNDO_WITHIN = timedelta(seconds=10)
QUIET = frozenset({View, Alert, Note})  # what happens without changing what others decide by

ANY: tuple[Status, ...] = ("new", "acknowledged", "snoozed", "resolved")


def step(case: Case, action: Action, now: datetime, rules: Rules = DEFAULT_RULES) -> Outcome:
    """What becomes of `case` when `action` happens at `now`. Pure and total."""
    allowed, act = TABLE[type(action)]
    if case.status not in allowed:
        return Refusal(_why_not(case, action))
    outcome = act(case, action, now, rules)
    if isinstance(outcome, Refusal):
        return outcome
    changed = keep_owner(outcome.case, action.actor, now, rules)
    version = case.row_version + (type(action) not in QUIET)
    return Step(replace(changed, updated_at=now, row_version=version), outcome.events)


def due(case: Case, now: datetime, rules: Rules = DEFAULT_RULES) -> Action | None:
    """What a clock does to `case` at `now`, if anything."""
    if case.status == "snoozed" and case.snoozed_until and case.snoozed_until <= now:
        return Wake(SYSTEM)
    if case.status == "acknowledged" and case.return_due_at and case.return_due_at <= now:
        return Return(SYSTEM)
    if case.status == "new" and sla(case, now, rules) != case.sla_status:
        return Miss(SYSTEM)
    return None


# ---- one function an action --------------------------------------------------------


def _acknowledge(case: Case, action: Acknowledge, now: datetime, _rules: Rules) -> Outcome:
    in_time = case.acknowledge_due_at is None or now <= case.acknowledge_due_at
    taken = replace(
        case,
        status="acknowledged",
        assignee=action.actor,
        acknowledged_at=now,
        acknowledged_by=action.actor,
        sla_status="met" if in_time else "missed",
        waiting_since=None,
        alert_status="acknowledged",
    )
    return Step(taken, (Event.of("acknowledged", case, taken),))


def _assign(case: Case, action: Assign, _now: datetime, _rules: Rules) -> Outcome:
    if not action.to:
        return Refusal("Say whom the case goes to, or unassign it.")
    if action.to == case.assignee:
        return Refusal(f"{case.label} is theirs already.")
    given = replace(case, assignee=action.to, return_due_at=None)
    return Step(given, (Event.of("assigned", case, given),))


def _unassign(case: Case, _action: Unassign, now: datetime, rules: Rules) -> Outcome:
    freed = waits(case, now, rules)
    return Step(freed, (Event.of("unassigned", case, freed),))


def _return(case: Case, _action: Return, now: datetime, rules: Rules) -> Outcome:
    if case.return_due_at is None or now < case.return_due_at:
        return Refusal(f"The owner of {case.label} still has time.")
    freed = waits(case, now, rules)
    return Step(freed, (Event.of("returned", case, freed),))


def _snooze(case: Case, action: Snooze, now: datetime, _rules: Rules) -> Outcome:
    if action.until <= now:
        return Refusal("That time has passed; choose a later one.")
    if case.level is Level.EMERGENCY and case.review_status == "unreviewed":
        return Refusal(f"{case.label} is an emergency; review it before it rests.")
    resting = replace(
        case, status="snoozed", snoozed_at=now, snoozed_until=action.until, return_due_at=None
    )
    return Step(resting, (Event.of("snoozed", case, resting),))


def _wake(case: Case, action: Wake, now: datetime, rules: Rules) -> Outcome:
    early = case.snoozed_until is not None and now < case.snoozed_until
    if early and action.actor in (BOT, SYSTEM):
        return Refusal(f"{case.label} rests until its time.")
    woken = awake(case, now, rules)
    return Step(woken, (Event.of("unsnoozed", case, woken),))


def _resolve(case: Case, action: Resolve, now: datetime, _rules: Rules) -> Outcome:
    if not action.resolution:
        return Refusal("Say how it ended: a case is resolved with a resolution.")
    unreviewed = case.review_status == "unreviewed"
    if unreviewed and not action.unreviewed:
        return Refusal(f"Review {case.label} first, or resolve it without a review.")
    done = replace(
        case,
        status="resolved",
        resolved_at=now,
        resolved_by=action.actor,
        resolution=action.resolution,
        resolved_unreviewed=unreviewed,
        waiting_since=None,
        return_due_at=None,
    )
    return Step(done, (Event.of("resolved", case, done),))


def _miss(case: Case, _action: Miss, now: datetime, rules: Rules) -> Outcome:
    # The history has no event for a clock: its state follows from the times it names.
    return Step(replace(case, sla_status=sla(case, now, rules)), ())


def _view(case: Case, action: View, _now: datetime, _rules: Rules) -> Outcome:
    seen = case
    if case.assignee and case.assignee == action.actor:
        seen = replace(case, waiting_since=None)
    return Step(seen, (Event("viewed"),))


def _tag(case: Case, action: Tag, _now: datetime, _rules: Rules) -> Outcome:
    # The labels are free text of staff and stay out of the history.
    tags = tuple(sorted({clean_tag(tag) for tag in action.tags} - {""}))
    if len(tags) > TAGS_MOST:
        return Refusal(f"A case has at most {TAGS_MOST} tags; leave some of the {len(tags)} out.")
    tagged = replace(case, tags=tags)
    after = {"tags": len(tagged.tags)}
    return Step(tagged, (Event("tagged", {"tags": len(case.tags)}, after),))


def _note(case: Case, action: Note, _now: datetime, _rules: Rules) -> Outcome:
    return Step(replace(case), (Event("note_added", {}, {"note": action.note_id}),))


def _judge(case: Case, action: Judge, _now: datetime, rules: Rules) -> Outcome:
    if not action.reviews:
        return Refusal("There is no review to count.")
    latest = action.reviews[-1]
    status, level = judge(case, action.reviews, readers=rules.readers.get(case.level, 1))
    found = "" if level is None else verdict(latest.level_then, level)
    judged = replace(case, review_status=status, reviewed_level=level, verdict=found)
    name = "review_resolved" if latest.is_authoritative else "reviewed"
    return Step(judged, (Event.of(name, case, judged, "review_status", "verdict"),))


def _alert(case: Case, action: Alert, _now: datetime, _rules: Rules) -> Outcome:
    after = {"to": action.to, "rung": action.rung}
    name = "alert_sent" if action.sent else "alert_failed"
    if case.status != "new":
        return Step(replace(case), (Event(name, {}, after),))
    told = replace(case, alert_status="sent" if action.sent else "failed")
    return Step(told, (Event(name, {"alert_status": case.alert_status}, after),))


def _answer(case: Case, action: Answer, now: datetime, _rules: Rules) -> Outcome:
    after = {"leaving": True} if action.leaving else {}
    if not action.sent:
        return Step(replace(case), (Event("reply_failed", {}, after),))
    answered = case
    if action.actor not in (BOT, SYSTEM):
        answered = replace(case, first_response_at=case.first_response_at or now)
    if case.status == "acknowledged" and case.assignee == action.actor:
        # Its owner had read what was there when they wrote, not what came before it arrived.
        old, unread = case.waiting_since, action.unread_since
        answered = replace(answered, waiting_since=max(old, unread) if old and unread else None)
    return Step(answered, (Event("reply_sent", {}, after),))


def _hear(case: Case, _action: Hear, now: datetime, _rules: Rules) -> Outcome:
    return Step(replace(case, waiting_since=case.waiting_since or now), (Event("person_wrote"),))


def _redact(case: Case, action: Redact, _now: datetime, _rules: Rules) -> Outcome:
    gone = replace(case, redacted=True)
    return Step(gone, (Event("redacted", {}, {"why": action.why}),))


# What is taken back, and how the history calls that.
UNDOABLE: Mapping[str, str] = {
    "acknowledged": "unassigned",
    "assigned": "assigned",
    "unassigned": "assigned",
    "snoozed": "unsnoozed",
    "resolved": "reopened",
}


def _undo(case: Case, action: Undo, now: datetime, _rules: Rules) -> Outcome:
    name = UNDOABLE.get(action.event.type)
    if name is None:
        return Refusal("That cannot be undone.")
    if action.by != action.actor or now - action.at > UNDO_WITHIN:
        return Refusal("Only what you did in the last ten seconds can be undone.")
    before = from_plain(Case, {**to_plain(case), **action.event.before})
    return Step(before, (Event.of(name, case, before),))


def _why_not(case: Case, action: Action) -> str:
    if isinstance(action, Acknowledge) and case.assignee:
        return f"{case.label} is {case.assignee}'s already."
    if case.status == "resolved":
        return f"{case.label} is resolved."
    if case.status == "new":
        return f"{case.label} has no owner yet; acknowledge it first."
    if case.status == "snoozed":
        return f"{case.label} is snoozed; wake it first."
    return f"{case.label} is {case.status}; that is not possible now."


# Which action is allowed in which status, and what it does.
TABLE: Mapping[type[Action], tuple[tuple[Status, ...], Callable[..., Outcome]]] = {
    Signal: (ANY, join),
    Acknowledge: (("new",), _acknowledge),
    Assign: (("acknowledged",), _assign),
    Unassign: (("acknowledged",), _unassign),
    Snooze: (("acknowledged",), _snooze),
    Wake: (("snoozed",), _wake),
    Resolve: (("acknowledged",), _resolve),
    Return: (("acknowledged",), _return),
    Miss: (("new",), _miss),
    View: (ANY, _view),
    Tag: (ANY, _tag),
    Note: (ANY, _note),
    Judge: (ANY, _judge),
    Alert: (ANY, _alert),
    Answer: (ANY, _answer),
    Hear: (("acknowledged",), _hear),
    Redact: (ANY, _redact),
    Undo: (ANY, _undo),
}
