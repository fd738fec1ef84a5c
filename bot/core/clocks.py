"""Staffed hours and the clocks that run in them.

All instants are aware. A calendar without hours is a service that nobody staffs: its
clocks never run out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

Span = tuple[time, time]  # opening and closing time; a close at or before the opening is next day's
Window = tuple[datetime, datetime]  # in UTC

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HORIZON = 400  # days; a calendar that does not open within them never does
ALL_DAY: Span = (time(0), time(0))


@dataclass(frozen=True, slots=True)
class Calendar:
    """The hours in which somebody is on duty. `week` has one tuple of spans a weekday."""

    week: tuple[tuple[Span, ...], ...] = ((),) * 7
    zone: tzinfo = UTC
    closed_on: frozenset[date] = frozenset()

    @classmethod
    def parse(
        cls, hours: str, zone: tzinfo = UTC, closed_on: frozenset[date] = frozenset()
    ) -> Calendar:
        """The calendar that `hours` names: `mon-fri 09:00-17:00; sat 10:00-14:00`.

        `always` is all day and every day, an empty text is never.
        Raises ValueError, naming the part that cannot be read.
        """
        if hours.strip().lower() == "always":
            return cls(((ALL_DAY,),) * 7, zone, closed_on)
        week: list[tuple[Span, ...]] = [()] * 7
        for part in filter(None, (each.strip() for each in hours.split(";"))):
            days, span = _read_hours(part)
            for day in days:
                week[day] = (*week[day], span)
        return cls(tuple(tuple(sorted(spans)) for spans in week), zone, closed_on)

    def is_open(self, at: datetime) -> bool:
        """Whether somebody is on duty at `at`."""
        start, _ = next(self.windows(at), (None, None))
        return start is not None and start <= at

    def opens(self, at: datetime) -> datetime | None:
        """The first staffed instant at or after `at`, or None when there is none."""
        start, _ = next(self.windows(at), (None, None))
        return None if start is None else max(start, at)

    def add(self, start: datetime, duration: timedelta) -> datetime | None:
        """When `duration` of staffed time has gone by since `start`; None is never."""
        left = duration
        for opening, closing in self.windows(start):
            begins = max(opening, start)
            if begins + left <= closing:
                return begins + left
            left -= closing - begins
        return None

    def add_days(self, start: datetime, days: int) -> datetime | None:
        """The same time of day `days` staffed days after `start`, within that day's hours.

        Outside staffed hours the count begins at the next opening. None is never.
        """
        begins = self.opens(start)
        if begins is None:
            return None
        local = begins.astimezone(self.zone)
        for day in range(1, HORIZON):
            on = local.date() + timedelta(days=day)
            spans = self._spans(on)
            days -= bool(spans)
            if spans and days <= 0:
                due = datetime.combine(on, local.time(), self.zone).astimezone(UTC)
                return min(max(due, spans[0][0]), spans[-1][1])
        return None

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """The staffed time between `start` and `end`."""
        total = timedelta()
        for opening, closing in self.windows(start):
            if opening >= end:
                break
            total += min(closing, end) - max(opening, start)
        return total

    def windows(self, after: datetime) -> Iterator[Window]:
        """The staffed spans that end after `after`, in order, in UTC."""
        if not any(self.week):
            return
        first = after.astimezone(self.zone).date() - timedelta(days=1)
        for day in range(HORIZON):
            for window in self._spans(first + timedelta(days=day)):
                if window[1] > after:
                    yield window

    def _spans(self, on: date) -> tuple[Window, ...]:
        if on in self.closed_on:
            return ()
        return tuple(self._window(on, span) for span in self.week[on.weekday()])

    def _window(self, on: date, span: Span) -> Window:
        opening, closing = span
        last = on if closing > opening else on + timedelta(days=1)
        return (
            datetime.combine(on, opening, self.zone).astimezone(UTC),
            datetime.combine(last, closing, self.zone).astimezone(UTC),
        )


ALWAYS = Calendar.parse("always")
NEVER = Calendar()


def _read_hours(part: str) -> tuple[range, Span]:
    found = re.fullmatch(
        r"([a-z]{3})(?:-([a-z]{3}))? (\d\d:\d\d)-(\d\d:\d\d)", " ".join(part.lower().split())
    )
    if found is None or found[1] not in DAYS or (found[2] or found[1]) not in DAYS:
        raise ValueError(f"'{part}' is not like 'mon-fri 09:00-17:00'.")
    first, last = DAYS.index(found[1]), DAYS.index(found[2] or found[1])
    if last < first:
        raise ValueError(f"'{part}' runs backwards; write it as two parts.")
    return range(first, last + 1), (_read_time(found[3], part), _read_time(found[4], part))


def _read_time(text: str, part: str) -> time:
    hour, minute = int(text[:2]), int(text[3:])
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        raise ValueError(f"'{text}' in '{part}' is not a time of day.")
    return time(hour % 24, minute)
