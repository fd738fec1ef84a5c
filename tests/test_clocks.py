"""Staffed hours and the clocks that run in them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.core.clocks import ALWAYS, NEVER, Calendar
from tests.escalation_values import HOUR, MINUTE

LONDON = ZoneInfo("Europe/London")
OFFICE = Calendar.parse("mon-fri 09:00-17:00; sat 10:00-14:00", LONDON)
NIGHTS = Calendar.parse("mon-sun 22:00-06:00", LONDON)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("calendar", "at", "is_open"),
    [
        (OFFICE, "2026-11-23 09:00", True),
        (OFFICE, "2026-11-23 08:59", False),
        (OFFICE, "2026-11-23 17:00", False),
        (OFFICE, "2026-11-28 11:00", True),
        (OFFICE, "2026-11-29 11:00", False),
        (OFFICE, "2026-07-06 08:00", True),  # nine in London's summer
        (NIGHTS, "2026-11-23 23:00", True),
        (NIGHTS, "2026-11-23 05:59", True),
        (NIGHTS, "2026-11-23 12:00", False),
        (ALWAYS, "2026-11-29 03:00", True),
        (NEVER, "2026-11-23 12:00", False),
    ],
)
def test_when_somebody_is_on_duty(calendar: Calendar, at: str, is_open: bool) -> None:
    assert calendar.is_open(utc(at)) is is_open


@pytest.mark.parametrize(
    ("calendar", "start", "minutes", "due"),
    [
        pytest.param(OFFICE, "2026-11-23 10:00", 5, "2026-11-23 10:05", id="in hours"),
        pytest.param(OFFICE, "2026-11-23 06:00", 5, "2026-11-23 09:05", id="before opening"),
        pytest.param(OFFICE, "2026-11-23 16:58", 5, "2026-11-24 09:03", id="over closing"),
        pytest.param(OFFICE, "2026-11-28 13:00", 240, "2026-11-30 12:00", id="over a Sunday"),
        pytest.param(ALWAYS, "2026-11-23 23:58", 5, "2026-11-24 00:03", id="over midnight"),
        pytest.param(NIGHTS, "2026-11-23 05:00", 120, "2026-11-23 23:00", id="over the day"),
        # Clocks go forward at 01:00 UTC on 29 March: that night has seven hours.
        pytest.param(NIGHTS, "2026-03-28 22:00", 420, "2026-03-29 05:00", id="short night"),
        pytest.param(NIGHTS, "2026-03-28 22:00", 421, "2026-03-29 21:01", id="after a short night"),
        # They go back at 01:00 UTC on 25 October: that night has nine.
        pytest.param(NIGHTS, "2026-10-24 21:00", 540, "2026-10-25 06:00", id="long night"),
        pytest.param(NIGHTS, "2026-10-24 21:00", 541, "2026-10-25 22:01", id="after a long night"),
        pytest.param(OFFICE, "2026-03-27 16:30", 60, "2026-03-28 10:30", id="before the change"),
        pytest.param(OFFICE, "2026-03-28 13:30", 60, "2026-03-30 08:30", id="over the change"),
    ],
)
def test_when_a_clock_runs_out(calendar: Calendar, start: str, minutes: int, due: str) -> None:
    assert calendar.add(utc(start), minutes * MINUTE) == utc(due)
    assert calendar.elapsed(utc(start), utc(due)) == minutes * MINUTE


@pytest.mark.parametrize(
    ("calendar", "start", "days", "due"),
    [
        pytest.param(OFFICE, "2026-11-23 14:00", 1, "2026-11-24 14:00", id="next day"),
        pytest.param(OFFICE, "2026-11-26 14:00", 3, "2026-11-30 14:00", id="over a weekend"),
        pytest.param(OFFICE, "2026-11-27 16:00", 1, "2026-11-28 14:00", id="short Saturday"),
        pytest.param(OFFICE, "2026-11-28 18:00", 1, "2026-12-01 09:00", id="from a closed hour"),
        pytest.param(OFFICE, "2026-10-23 11:00", 2, "2026-10-26 12:00", id="over the change"),
        pytest.param(ALWAYS, "2026-11-23 14:00", 1, "2026-11-24 14:00", id="always"),
    ],
)
def test_when_staffed_days_have_gone_by(
    calendar: Calendar, start: str, days: int, due: str
) -> None:
    assert calendar.add_days(utc(start), days) == utc(due)


def test_a_service_without_hours_is_never_due() -> None:
    assert NEVER.add(utc("2026-11-23 14:00"), HOUR) is None
    assert NEVER.add_days(utc("2026-11-23 14:00"), 1) is None
    assert NEVER.opens(utc("2026-11-23 14:00")) is None
    assert NEVER.elapsed(utc("2026-11-23 14:00"), utc("2026-11-24 14:00")) == timedelta()


def test_a_closed_day_does_not_count() -> None:
    calendar = Calendar.parse("mon-fri 09:00-17:00", LONDON, frozenset({date(2026, 12, 25)}))

    assert calendar.add(utc("2026-12-24 16:30"), HOUR) == utc("2026-12-28 09:30")
    assert calendar.opens(utc("2026-12-25 12:00")) == utc("2026-12-28 09:00")


@pytest.mark.parametrize("text", ["", "  ", ";"])
def test_no_hours_are_never(text: str) -> None:
    assert Calendar.parse(text) == NEVER


@pytest.mark.parametrize(
    "text", ["mon", "mon 9-17", "xyz 09:00-17:00", "fri-mon 09:00-17:00", "mon 09:00-25:00", "24/7"]
)
def test_hours_that_cannot_be_read_are_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"'.*'"):
        Calendar.parse(text)
