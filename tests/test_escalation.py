"""The record and the life of a case."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import plain
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
from bot.core.escalation import (
    Case,
    Entry,
    Event,
    Review,
    Status,
    in_list_order,
    judge,
    parse_number,
    verdict,
)
from bot.core.joining import joins, open_case
from bot.core.lifecycle import TABLE, due, step
from bot.core.model import Button, GuideState, Level, Message, Person, State
from tests.escalation_values import HOUR, MINUTE, NOW, RULES, a_case, allowed, an_entry

STATUSES: tuple[Status, ...] = ("new", "acknowledged", "snoozed", "resolved")


def a_review(**changes: object) -> Review:
    review = Review(
        reviewer="ana",
        reviewed_level=Level.EMERGENCY,
        level_then=Level.EMERGENCY,
        created_at=NOW + MINUTE,
    )
    return replace(review, **changes)  # type: ignore[arg-type]


def a_case_that_is(status: Status) -> Case:
    owned = {"assignee": "ana", "acknowledged_by": "ana", "acknowledged_at": NOW + MINUTE}
    case = a_case(review_status="reviewed")
    if status == "new":
        return case
    taken = replace(case, status="acknowledged", return_due_at=NOW + 10 * MINUTE, **owned)
    if status == "acknowledged":
        return taken
    if status == "snoozed":
        return replace(
            taken, status="snoozed", snoozed_at=NOW + 2 * MINUTE, snoozed_until=NOW + HOUR
        )
    return replace(taken, status="resolved", resolved_at=NOW + 5 * MINUTE, resolution="followed_up")


LATER = NOW + 2 * HOUR
ACTIONS: dict[str, Action] = {
    "signal": Signal("bot", an_entry(update_id="2", received_at=LATER)),
    "acknowledge": Acknowledge("ben"),
    "assign": Assign("ana", "ben"),
    "unassign": Unassign("ana"),
    "snooze": Snooze("ana", LATER + HOUR),
    "wake": Wake("system"),
    "resolve": Resolve("ana", "followed_up"),
    "return": Return("system"),
    "miss": Miss("system"),
    "view": View("ben"),
    "tag": Tag("ben", ("call back",)),
    "note": Note("ben", "n-1"),
    "judge": Judge("ben", (a_review(),)),
    "alert": Alert("bot", "ana", sent=True),
    "answer": Answer("ana", sent=True),
    "hear": Hear("bot"),
    "redact": Redact("system", "retention"),
}

# For each action the status that a case has after it, by the status before; None is refused.
AFTER: dict[str, tuple[Status | None, Status | None, Status | None, Status | None]] = {
    #               new            acknowledged    snoozed         resolved
    "signal": ("new", "acknowledged", "acknowledged", "new"),
    "acknowledge": ("acknowledged", None, None, None),
    "assign": (None, "acknowledged", None, None),
    "unassign": (None, "new", None, None),
    "snooze": (None, "snoozed", None, None),
    "wake": (None, None, "acknowledged", None),
    "hear": (None, "acknowledged", None, None),
    "resolve": (None, "resolved", None, None),
    "return": (None, "new", None, None),
    "miss": ("new", None, None, None),
    "view": ("new", "acknowledged", "snoozed", "resolved"),
    "tag": ("new", "acknowledged", "snoozed", "resolved"),
    "note": ("new", "acknowledged", "snoozed", "resolved"),
    "judge": ("new", "acknowledged", "snoozed", "resolved"),
    "alert": ("new", "acknowledged", "snoozed", "resolved"),
    "answer": ("new", "acknowledged", "snoozed", "resolved"),
    "redact": ("new", "acknowledged", "snoozed", "resolved"),
}
TRANSITIONS = [
    pytest.param(before, name, after, id=f"{before}-{name}-{after or 'refused'}")
    for name, row in AFTER.items()
    for before, after in zip(STATUSES, row, strict=True)
]


@pytest.mark.parametrize(("before", "name", "after"), TRANSITIONS)
def test_a_transition_is_allowed_or_refused_as_the_table_says(
    before: Status, name: str, after: Status | None
) -> None:
    outcome = step(a_case_that_is(before), ACTIONS[name], LATER, RULES)

    found = outcome.case.status if isinstance(outcome, Step) else None
    assert found == after


def test_the_table_of_transitions_has_every_action() -> None:
    assert {type(action) for action in ACTIONS.values()} | {Undo} == set(TABLE)


@pytest.mark.parametrize(("before", "name", "after"), TRANSITIONS)
def test_a_refusal_is_a_sentence_that_names_the_case(
    before: Status, name: str, after: Status | None
) -> None:
    outcome = step(a_case_that_is(before), ACTIONS[name], LATER, RULES)

    if isinstance(outcome, Refusal):
        assert "E-1042" in outcome.reason
        assert outcome.reason.endswith(".")


def test_the_first_to_acknowledge_wins_and_the_second_is_told_by_whom() -> None:
    taken = allowed(step(a_case(), Acknowledge("ana"), NOW + MINUTE, RULES))

    second = step(taken, Acknowledge("ben"), NOW + MINUTE, RULES)

    assert (taken.assignee, taken.sla_status, taken.waiting_since) == ("ana", "met", None)
    assert second == Refusal("E-1042 is ana's already.")


def test_a_case_acknowledged_too_late_has_missed_its_clock() -> None:
    taken = allowed(step(a_case(), Acknowledge("ana"), NOW + 6 * MINUTE, RULES))

    assert taken.sla_status == "missed"


def test_an_emergency_does_not_rest_without_a_review() -> None:
    taken = replace(a_case_that_is("acknowledged"), review_status="unreviewed")

    outcome = step(taken, Snooze("ana", LATER), NOW + MINUTE, RULES)

    assert outcome == Refusal("E-1042 is an emergency; review it before it rests.")


def test_an_urgent_case_may_rest_without_a_review() -> None:
    taken = replace(a_case_that_is("acknowledged"), level=Level.URGENT, review_status="unreviewed")

    assert allowed(step(taken, Snooze("ana", LATER), NOW + MINUTE, RULES)).status == "snoozed"


def test_a_rest_that_is_over_already_is_refused() -> None:
    outcome = step(a_case_that_is("acknowledged"), Snooze("ana", NOW), NOW + MINUTE, RULES)

    assert isinstance(outcome, Refusal)


def test_a_clock_wakes_no_case_before_its_time_but_staff_may() -> None:
    resting = a_case_that_is("snoozed")

    assert isinstance(step(resting, Wake("system"), NOW + 30 * MINUTE, RULES), Refusal)
    assert isinstance(step(resting, Wake("ana"), NOW + 30 * MINUTE, RULES), Step)


def test_the_review_clock_stands_still_while_a_case_rests() -> None:
    resting = a_case_that_is("snoozed")
    assert resting.review_due_at == NOW + 24 * HOUR

    woken = allowed(step(resting, Wake("system"), NOW + HOUR + 2 * MINUTE, RULES))

    assert woken.review_due_at == NOW + 25 * HOUR


def test_a_case_is_resolved_with_a_review_or_knowingly_without() -> None:
    taken = replace(a_case_that_is("acknowledged"), review_status="unreviewed")

    refused = step(taken, Resolve("ana", "followed_up"), LATER, RULES)
    done = allowed(step(taken, Resolve("ana", "followed_up", unreviewed=True), LATER, RULES))

    assert isinstance(refused, Refusal)
    assert (done.resolution, done.resolved_by, done.resolved_unreviewed) == (
        "followed_up",
        "ana",
        True,
    )


def test_a_case_is_not_resolved_without_a_resolution() -> None:
    assert isinstance(step(a_case_that_is("acknowledged"), Resolve("a", ""), LATER, RULES), Refusal)


def test_an_idle_owner_loses_the_case_after_twice_the_clock_and_not_before() -> None:
    taken = allowed(step(a_case(), Acknowledge("ana"), NOW, RULES))

    early = step(taken, Return("system"), NOW + 9 * MINUTE, RULES)
    late = step(taken, Return("system"), NOW + 10 * MINUTE, RULES)

    assert isinstance(early, Refusal)
    assert isinstance(late, Step)
    assert (late.case.status, late.case.assignee) == ("new", "")
    assert [event.type for event in late.events] == ["returned"]


def test_an_owner_who_does_something_keeps_the_case() -> None:
    taken = allowed(step(a_case(), Acknowledge("ana"), NOW, RULES))

    busy = allowed(step(taken, Note("ana", "n-1"), NOW + 8 * MINUTE, RULES))

    assert busy.return_due_at == NOW + 18 * MINUTE


def test_what_others_do_gives_the_owner_no_more_time() -> None:
    taken = allowed(step(a_case(), Acknowledge("ana"), NOW, RULES))

    seen = allowed(step(taken, View("ben"), NOW + 8 * MINUTE, RULES))

    assert seen.return_due_at == NOW + 10 * MINUTE


def test_a_repeat_that_raises_the_level_makes_the_case_new_and_alerts_again() -> None:
    mild = an_entry(level=Level.URGENT, kind="drowsy")
    case = a_case(entry=mild)
    taken = allowed(step(case, Acknowledge("ana"), NOW + MINUTE, RULES))

    worse = an_entry(update_id="2", received_at=NOW + 20 * MINUTE)
    outcome = step(taken, Signal("bot", worse), NOW + 20 * MINUTE, RULES)

    assert isinstance(outcome, Step)
    case = outcome.case
    assert (case.level, case.kind, case.status) == (Level.EMERGENCY, "unresponsive", "new")
    assert (case.alert_status, case.assignee) == ("pending", "")
    assert case.acknowledge_due_at == NOW + 25 * MINUTE
    assert [event.type for event in outcome.events] == [
        "signal_linked",
        "level_raised",
        "unassigned",
    ]


def test_a_raised_level_wakes_a_resting_case_as_new() -> None:
    resting = replace(a_case_that_is("snoozed"), level=Level.URGENT)

    case = allowed(step(resting, ACTIONS["signal"], LATER, RULES))

    assert (case.status, case.snoozed_until) == ("new", None)


def test_a_repeat_never_lowers_the_level() -> None:
    milder = an_entry(update_id="2", level=Level.URGENT, kind="drowsy")

    case = allowed(step(a_case(), Signal("bot", milder), LATER, RULES))

    assert (case.level, case.kind, case.signals) == (Level.EMERGENCY, "unresponsive", 2)


def test_a_repeat_keeps_the_oldest_message_that_nobody_saw() -> None:
    case = allowed(step(a_case(), ACTIONS["signal"], LATER, RULES))

    assert case.waiting_since == NOW


def test_a_new_message_waits_until_its_owner_looks() -> None:
    taken = allowed(step(a_case(), Acknowledge("ana"), NOW, RULES))

    waiting = allowed(step(taken, ACTIONS["signal"], LATER, RULES))
    seen_by_other = allowed(step(waiting, View("ben"), LATER, RULES))
    seen = allowed(step(waiting, View("ana"), LATER, RULES))

    assert waiting.waiting_since == LATER
    assert seen_by_other.waiting_since == LATER
    assert seen.waiting_since is None


@pytest.mark.parametrize(
    ("gap", "joined"), [(timedelta(hours=24), True), (timedelta(hours=24, seconds=1), False)]
)
def test_a_resolved_case_takes_messages_for_24_hours(gap: timedelta, joined: bool) -> None:
    done = a_case_that_is("resolved")
    assert done.resolved_at is not None
    entry = an_entry(update_id="2", received_at=done.resolved_at + gap)

    assert joins(done, entry, RULES) is joined
    assert isinstance(step(done, Signal("bot", entry), LATER, RULES), Step) is joined


def test_a_reopened_case_asks_for_new_reviews_and_says_that_it_was_reopened() -> None:
    outcome = step(a_case_that_is("resolved"), ACTIONS["signal"], LATER, RULES)

    assert isinstance(outcome, Step)
    assert [event.type for event in outcome.events] == ["signal_linked", "reopened"]
    assert outcome.case.review_status == "unreviewed"
    assert (outcome.case.resolution, outcome.case.resolved_at) == ("", None)
    assert outcome.events[1].before["resolution"] == "followed_up"


def test_a_repeat_raises_the_level_inside_a_resolved_case() -> None:
    done = replace(a_case_that_is("resolved"), level=Level.URGENT)

    case = allowed(step(done, ACTIONS["signal"], LATER, RULES))

    assert (case.status, case.level) == ("new", Level.EMERGENCY)


def test_a_clock_is_due_when_its_time_has_come() -> None:
    assert due(a_case_that_is("snoozed"), NOW + HOUR, RULES) == Wake("system")
    assert due(a_case_that_is("acknowledged"), NOW + 10 * MINUTE, RULES) == Return("system")
    assert due(a_case_that_is("new"), NOW + 6 * MINUTE, RULES) == Miss("system")
    assert due(a_case_that_is("new"), NOW + MINUTE, RULES) is None
    assert due(a_case_that_is("resolved"), NOW + 1000 * HOUR, RULES) is None


def test_a_missed_clock_is_marked() -> None:
    assert allowed(step(a_case(), Miss("system"), NOW + 6 * MINUTE, RULES)).sla_status == "missed"


def test_where_nobody_is_on_duty_no_clock_runs() -> None:
    case = open_case(an_entry(), NOW, case_id="c", number=1001, subject_key="s").case

    assert (case.sla_status, case.acknowledge_due_at) == ("not_staffed", None)


def test_a_message_that_was_recorded_late_has_waited_since_it_came() -> None:
    case = open_case(
        an_entry(), NOW + HOUR, case_id="c", number=1001, subject_key="s", rules=RULES
    ).case

    assert case.waiting_since == NOW
    assert case.acknowledge_due_at == NOW + 5 * MINUTE


def test_a_message_from_the_future_waits_since_now() -> None:
    """A clock that jumped must not put a case at the end of the list."""
    case = open_case(
        an_entry(received_at=NOW + 48 * HOUR), NOW, case_id="c", number=1, subject_key="s"
    ).case

    assert case.waiting_since == NOW


def test_an_acknowledgement_is_undone_within_ten_seconds_by_who_gave_it() -> None:
    case = a_case()
    taken = step(case, Acknowledge("ana"), NOW, RULES)
    assert isinstance(taken, Step)
    event = taken.events[0]
    soon, late = NOW + timedelta(seconds=9), NOW + timedelta(seconds=11)

    undone = allowed(step(taken.case, Undo("ana", event, "ana", NOW), soon, RULES))

    assert undone == replace(case, updated_at=soon, row_version=3)
    assert isinstance(step(taken.case, Undo("ben", event, "ana", NOW), soon, RULES), Refusal)
    assert isinstance(step(taken.case, Undo("ana", event, "ana", NOW), late, RULES), Refusal)


def test_what_the_bot_found_cannot_be_undone() -> None:
    raised = Event("level_raised", {"level": "urgent"}, {"level": "emergency"})

    assert isinstance(step(a_case(), Undo("ana", raised, "ana", NOW), NOW, RULES), Refusal)


def test_an_alert_shows_on_the_case_until_it_is_acknowledged() -> None:
    failed = allowed(step(a_case(), Alert("bot", "ana", sent=False), NOW, RULES))
    taken = allowed(step(failed, Acknowledge("ana"), NOW, RULES))
    late = allowed(step(taken, Alert("bot", "ben", sent=True), NOW, RULES))

    assert (failed.alert_status, late.alert_status) == ("failed", "acknowledged")


def test_looking_at_a_case_changes_no_version() -> None:
    assert allowed(step(a_case(), View("ana"), NOW, RULES)).row_version == 1


def test_labels_are_cleaned_and_stay_out_of_the_history() -> None:
    outcome = step(a_case(), Tag("ana", ("Call BACK!", "", "call back")), NOW, RULES)

    assert isinstance(outcome, Step)
    assert outcome.case.tags == ("call-back",)
    assert outcome.events == (Event("tagged", {"tags": 0}, {"tags": 1}),)


def test_a_case_has_twenty_labels_at_most() -> None:
    names = [f"label-{number}" for number in range(21)]

    assert isinstance(step(a_case(), Tag("ana", tuple(names[:20])), NOW, RULES), Step)
    refused = step(a_case(), Tag("ana", tuple(names)), NOW, RULES)
    assert refused == Refusal("A case has at most 20 tags; leave some of the 21 out.")


# ---- reviews -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "reviewed", "expected"),
    [
        (Level.EMERGENCY, Level.EMERGENCY, "correct"),
        (Level.EMERGENCY, Level.INFO, "too_high"),
        (Level.URGENT, Level.SUICIDE_CRISIS, "too_low"),
    ],
)
def test_the_verdict_follows_from_the_two_levels(
    level: Level, reviewed: Level, expected: str
) -> None:
    assert verdict(level, reviewed) == expected


@pytest.mark.parametrize(
    ("reviews", "expected"),
    [
        pytest.param((), ("unreviewed", None), id="none"),
        pytest.param((a_review(),), ("needs_second", Level.EMERGENCY), id="one of two"),
        pytest.param(
            (a_review(), a_review(reviewer="ben")), ("reviewed", Level.EMERGENCY), id="two agree"
        ),
        pytest.param(
            (a_review(), a_review(reviewer="ben", reviewed_level=Level.INFO)),
            ("awaiting_resolution", None),
            id="two differ",
        ),
        pytest.param(
            (
                a_review(),
                a_review(reviewer="ben", reviewed_level=Level.INFO),
                a_review(reviewer="lea", reviewed_level=Level.URGENT, is_authoritative=True),
            ),
            ("reviewed", Level.URGENT),
            id="a lead decides",
        ),
        pytest.param(
            (a_review(reviewed_level=Level.INFO), a_review()),
            ("needs_second", Level.EMERGENCY),
            id="a reader's latest counts",
        ),
        pytest.param(
            (a_review(created_at=NOW - MINUTE),), ("unreviewed", None), id="before it was reopened"
        ),
    ],
)
def test_where_a_review_stands(
    reviews: tuple[Review, ...], expected: tuple[str, Level | None]
) -> None:
    assert judge(a_case(), reviews, readers=2) == expected


def test_a_case_that_needs_one_reader_is_reviewed_by_one() -> None:
    case = a_case(level=Level.URGENT)
    review = a_review(level_then=Level.URGENT, reviewed_level=Level.INFO)

    judged = allowed(step(case, Judge("ana", (review,)), LATER, RULES))

    assert (judged.review_status, judged.reviewed_level, judged.verdict) == (
        "reviewed",
        Level.INFO,
        "too_high",
    )


# ---- values ------------------------------------------------------------------------


def test_the_list_shows_unacknowledged_emergencies_first_then_level_then_longest_waiting() -> None:
    taken = a_case(number=1, status="acknowledged", waiting_since=NOW - HOUR)
    urgent = a_case(number=2, level=Level.URGENT, waiting_since=NOW - HOUR)
    older = a_case(number=3, level=Level.SUICIDE_CRISIS, waiting_since=NOW - MINUTE)
    newer = a_case(number=4, level=Level.SUICIDE_CRISIS)
    rests = a_case(number=6, level=Level.SUICIDE_CRISIS, status="snoozed", waiting_since=None)
    new = a_case(number=5)

    ordered = in_list_order([urgent, rests, newer, taken, older, new])

    assert [case.number for case in ordered] == [5, 1, 3, 4, 6, 2]


@pytest.mark.parametrize("text", ["E-1042", "e-1042", "E1042", " 1042 "])
def test_a_number_is_read_as_people_write_it(text: str) -> None:
    assert parse_number(text) == 1042


@pytest.mark.parametrize("text", ["", "E-", "E-12x", "-5", "x1042"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert parse_number(text) is None


def test_an_entry_survives_the_way_to_json_and_back() -> None:
    entry = an_entry(
        text="\0 \ud83d ‮",
        received_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        delivery_status="blocked",
        reply_latency_ms=12,
    )

    assert plain.loads(Entry, plain.dumps(entry)) == entry


def test_a_person_survives_the_way_to_json_and_back() -> None:
    person = Person(
        country="CA",
        country_source="told",
        state=State(
            level=Level.EMERGENCY,
            kind="overdose",
            subject="other",
            escalated_at=NOW,
            guide=GuideState("overdose", asked="breathing", done=("awake",), help_coming=True),
            buttons=(Button("Yes", "guide:breathing:yes"),),
        ),
    )

    assert plain.loads(Person, plain.dumps(person)) == person


def test_fields_of_another_version_are_dropped_or_take_their_default() -> None:
    assert plain.loads(Button, '{"label":"a","action":"b","new":1}') == Button("a", "b")
    assert plain.loads(State, '{"kind":"pump"}') == State(kind="pump")


@pytest.mark.parametrize("text", ["[]", "{}", "not json", '{"label":1,"action":"b"}', "null"])
def test_what_is_no_such_value_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is json's or ours
        plain.loads(Button, text)


def test_an_entry_without_an_update_id_is_known_by_its_time_and_text() -> None:
    one = an_entry(update_id="")

    assert one.identity == an_entry(update_id="").identity
    assert one.identity != an_entry(update_id="", text="other").identity
    assert one.identity != an_entry(update_id="", chat="tg:1").identity


def test_a_message_and_its_decision_make_an_entry() -> None:
    from bot.core.model import Decision, Reply, Versions

    decision = Decision(
        level=Level.EMERGENCY,
        message_level=Level.URGENT,
        kind="overdose",
        topic="",
        reply=Reply(("Call 999 now.",)),
        person=Person(country="GB", country_source="told"),
        numbers_shown=("999",),
    )

    entry = Entry.of(
        Message(chat="tg:5", text="help", update_id="7", edited=True),
        decision,
        received_at=NOW,
        versions=Versions("e", "c", "h"),
    )

    assert (entry.channel, entry.level, entry.country) == ("tg", Level.EMERGENCY, "GB")
    assert (entry.edited, entry.delivery_status) == (True, None)
    assert len(entry.reply_id) == 16


# ---- a level never falls -----------------------------------------------------------

times = st.integers(0, 60 * 24 * 3).map(lambda minutes: NOW + minutes * MINUTE)
levels = st.sampled_from([Level.URGENT, Level.SUICIDE_CRISIS, Level.EMERGENCY])
signals = st.builds(
    lambda level, at: Signal("bot", an_entry(level=level, received_at=at)), levels, times
)
actions = st.one_of(signals, st.sampled_from(list(ACTIONS.values())))


@given(st.lists(st.tuples(actions, times), max_size=12))
def test_whatever_happens_a_level_never_falls(history: list[tuple[Action, datetime]]) -> None:
    case = a_case(entry=an_entry(level=Level.URGENT))

    for action, at in sorted(history, key=lambda each: each[1]):
        outcome = step(case, action, at, RULES)
        if isinstance(outcome, Step):
            assert outcome.case.level >= case.level
            assert (outcome.case.status == "new") == (not outcome.case.assignee)
            case = outcome.case
