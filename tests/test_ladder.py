"""The ladder of alerts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.core.actions import Acknowledge, Signal, Unassign
from bot.core.clocks import NEVER, Calendar
from bot.core.escalation import Rules
from bot.core.ladder import alert_text, climbs, ladder, retry_gap
from bot.core.lifecycle import step
from bot.core.model import Level
from tests.escalation_values import HOUR, MINUTE, NOW, RULES, TEXT, a_case, allowed, an_entry

LONDON = ZoneInfo("Europe/London")
OFFICE = Rules(calendar=Calendar.parse("mon-fri 09:00-17:00", LONDON))


def climb(case: object, duty: tuple[str, ...], rules: Rules = RULES) -> list[tuple[object, ...]]:
    return [(rung.at - NOW, *rung.to) for rung in ladder(case, duty, rules)]  # type: ignore[arg-type]


def test_one_after_the_other_is_told_and_at_last_everybody() -> None:
    assert climb(a_case(), ("ana", "ben", "cleo")) == [
        (0 * MINUTE, "ana"),
        (2.5 * MINUTE, "ana"),
        (5 * MINUTE, "ben"),
        (10 * MINUTE, "ana", "ben", "cleo"),
    ]


@pytest.mark.parametrize(
    ("level", "minutes"),
    [(Level.SUICIDE_CRISIS, [0, 7.5, 15, 30]), (Level.URGENT, [0, 120, 240, 480])],
)
def test_the_rungs_keep_the_clock_of_the_level(level: Level, minutes: list[float]) -> None:
    case = a_case(level=level)

    assert [rung.at - NOW for rung in ladder(case, (), RULES)] == [m * MINUTE for m in minutes]


def test_one_volunteer_is_told_each_time() -> None:
    assert [rung.to for rung in ladder(a_case(), ("ana",), RULES)] == [("ana",)] * 4


def test_nobody_on_the_list_is_an_alert_to_the_channels() -> None:
    assert [rung.to for rung in ladder(a_case(), (), RULES)] == [()] * 4


def test_outside_staffed_hours_the_ladder_begins_at_opening() -> None:
    friday = datetime(2026, 11, 27, 16, 58, tzinfo=LONDON)
    case = a_case(alert_since=friday)

    times = [rung.at.astimezone(LONDON) for rung in ladder(case, ("ana",), OFFICE)]

    monday = datetime(2026, 11, 30, 9, 0, tzinfo=LONDON)
    assert times == [friday, monday + 0.5 * MINUTE, monday + 3 * MINUTE, monday + 8 * MINUTE]


def test_the_ladder_keeps_local_hours_when_the_clocks_change() -> None:
    saturday = datetime(2026, 3, 28, 12, 0, tzinfo=LONDON)

    first = ladder(a_case(alert_since=saturday), ("ana",), OFFICE)[0]

    assert first.at == datetime(2026, 3, 30, 8, 0, tzinfo=ZoneInfo("UTC"))


def test_where_no_hours_are_set_everybody_is_told_once_and_at_once() -> None:
    assert climb(a_case(), ("ana", "ben"), Rules(calendar=NEVER)) == [(0 * MINUTE, "ana", "ben")]


def test_acknowledging_stops_the_ladder() -> None:
    case = a_case()
    assert climbs(case, case.alert_since)

    taken = allowed(step(case, Acknowledge("ana"), NOW, RULES))

    assert not climbs(taken, case.alert_since)


def test_a_raised_level_begins_the_ladder_again_and_ends_the_old_one() -> None:
    case = a_case(entry=an_entry(level=Level.URGENT))
    worse = an_entry(update_id="2", received_at=NOW + HOUR)

    raised = allowed(step(case, Signal("bot", worse), NOW + HOUR, RULES))

    assert not climbs(raised, case.alert_since)
    assert climbs(raised, NOW + HOUR)
    assert climb(raised, ("ana",))[0] == (HOUR, "ana")


def test_a_repeat_that_raises_nothing_leaves_the_ladder_alone() -> None:
    case = a_case()

    again = allowed(step(case, Signal("bot", an_entry(update_id="2")), NOW + MINUTE, RULES))

    assert climbs(again, case.alert_since)


def test_a_case_that_was_let_go_is_alerted_about_again() -> None:
    taken = allowed(step(a_case(), Acknowledge("ana"), NOW, RULES))

    freed = allowed(step(taken, Unassign("ana"), NOW + MINUTE, RULES))

    assert climbs(freed, NOW + MINUTE)


def test_failed_alerts_are_tried_again_with_growing_gaps() -> None:
    gaps = [retry_gap(attempt).total_seconds() for attempt in range(1, 8)]

    assert gaps == [5, 15, 45, 135, 405, 600, 600]


def test_a_channel_that_is_dead_for_an_hour_is_tried_until_it_is_back() -> None:
    spent, attempts = timedelta(), 0
    while spent < HOUR:
        attempts += 1
        spent += retry_gap(attempts)

    assert attempts == 10
    assert spent - HOUR <= timedelta(minutes=10)


def test_an_alert_says_what_is_needed_and_nothing_that_was_written() -> None:
    case = replace(a_case(), signals=2)

    text = alert_text(case, NOW + 3 * MINUTE, "https://bot.example/staff/cases/1042")

    assert text == (
        "EMERGENCY E-1042 · GB · waiting 3 min · 2 messages\nhttps://bot.example/staff/cases/1042"
    )
    assert TEXT not in text
