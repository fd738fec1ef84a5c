"""Plots as SVG, made here: no script, no style of their own, and the numbers stand beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil, log10

from markupsafe import Markup

from bot.core.figures import Share
from bot.core.model import Level

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 60, 10, 12, 26  # room for the axes
ROW = 30  # of a horizontal bar
NAME = 200  # room for the name of a rule


def stacked(
    days: Sequence[str], counts: Mapping[tuple[str, Level], int], levels: Sequence[Level]
) -> Markup:
    """Bars, one a day, the worst level at the bottom."""
    top = _round_up(max((sum(counts.get((d, v), 0) for v in levels) for d in days), default=1))
    step = (WIDTH - LEFT - RIGHT) / max(len(days), 1)
    parts = [_grid(top, _whole)]
    for place, day in enumerate(days):
        y = float(HEIGHT - BOTTOM)
        for level in levels:
            count = counts.get((day, level), 0)
            height = (HEIGHT - TOP - BOTTOM) * count / top
            y -= height
            if count:
                parts.append(_bar(LEFT + place * step, y, step * 0.8, height, level, day, count))
    parts.append(_names(days, step))
    return _svg(parts, HEIGHT, "Cases per day and level")


def lines(
    weeks: Sequence[str], middle: Sequence[float | None], high: Sequence[float | None]
) -> Markup:
    """Two lines over weeks, in minutes: the median, and what 95 in 100 do not exceed."""
    known = [each for each in (*middle, *high) if each is not None]
    top = _round_up(max(known, default=1))
    step = (WIDTH - LEFT - RIGHT) / max(len(weeks), 1)
    parts = [_grid(top, lambda value: f"{value:g} min")]
    for name, values in (("high", high), ("mid", middle)):
        points = [
            (LEFT + (place + 0.4) * step, _y(value, top))
            for place, value in enumerate(values)
            if value is not None
        ]
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(Markup('<polyline class="{}" points="{}"/>').format(name, joined))
        parts += [
            Markup('<circle class="dot" cx="{}" cy="{}" r="3"/>').format(f"{x:.1f}", f"{y:.1f}")
            for x, y in points
        ]
    parts.append(_names(weeks, step))
    return _svg(parts, HEIGHT, "Minutes to acknowledge, by week")


def shares(rows: Sequence[tuple[str, Share]], label: str) -> Markup:
    """Horizontal bars from 0 to 100 %, each with the interval in which the share lies."""
    height = ROW * len(rows) + 24
    room = WIDTH - NAME - 60
    parts: list[Markup] = []
    for place, (name, share) in enumerate(rows):
        y = place * ROW + 6
        value, interval = share.value or 0.0, share.interval or (0.0, 0.0)
        parts.append(_text(NAME - 8, y + 13, name if len(name) < 28 else f"{name[:26]}…", "end"))
        parts.append(
            Markup('<rect class="bar" x="{}" y="{}" width="{:.1f}" height="18" rx="3"/>').format(
                NAME, y, room * value
            )
        )
        low, high = (NAME + room * each for each in interval)
        parts.append(_whisker(low, high, y))
        parts.append(_text(NAME + room + 8, y + 13, f"{100 * value:.0f} %"))
    parts.append(_text(NAME, height - 4, "0 %"))
    parts.append(_text(NAME + room, height - 4, "100 %", "end"))
    return _svg(parts, height, label)


def rates(rows: Sequence[tuple[str, tuple[float, float, float] | None]], label: str) -> Markup:
    """Horizontal bars of numbers per 1,000, each with its interval: estimate, lower, upper.

    A row without an estimate says so in place of a bar.
    """
    height, room = ROW * len(rows) + 24, WIDTH - NAME - 60
    top = _round_up(max((rate[2] for _, rate in rows if rate), default=10.0))
    parts: list[Markup] = []
    for place, (name, rate) in enumerate(rows):
        y = place * ROW + 6
        parts.append(_text(NAME - 8, y + 13, name, "end"))
        if rate is None:
            parts.append(_text(NAME, y + 13, "too few read for an estimate"))
            continue
        value, low, high = (room * each / top for each in rate)
        parts.append(
            Markup('<rect class="bar" x="{}" y="{}" width="{:.1f}" height="18" rx="3"/>').format(
                NAME, y, value
            )
        )
        parts.append(_whisker(NAME + low, NAME + high, y))
        parts.append(_text(NAME + room + 8, y + 13, f"{rate[0]:.1f}"))
    parts.append(_text(NAME, height - 4, "0"))
    parts.append(_text(NAME + room, height - 4, f"{top:g} of 1,000", "end"))
    return _svg(parts, height, label)


def _whisker(low: float, high: float, y: float) -> Markup:
    return Markup(
        '<path class="whisker" d="M{0:.1f} {1}v8m0-4H{2:.1f}m0-4v8" fill="none"/>'
    ).format(low, y + 5, high)


def _svg(parts: Sequence[Markup], height: int, label: str) -> Markup:
    return Markup(
        '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(WIDTH, height, label, Markup("").join(parts))


def _bar(
    x: float, y: float, width: float, height: float, level: Level, day: str, count: int
) -> Markup:
    return Markup(
        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
        "<title>{}: {} {}</title></rect>"
    ).format(level.label, x, y, width, height, day, count, level.label.replace("_", " "))


def _grid(top: float, say: Callable[[float], str]) -> Markup:
    parts = []
    for share in (0.0, 0.5, 1.0):
        y = _y(share * top, top)
        parts.append(
            Markup('<line class="axis" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
                LEFT, WIDTH - RIGHT, y, y
            )
        )
        parts.append(_text(LEFT - 6, y + 4, say(share * top), "end"))
    return Markup("").join(parts)


def _names(names: Sequence[str], step: float) -> Markup:
    """A name below each bar, or below every so many where they would touch."""
    every = max(ceil(64 / step), 1) if names else 1
    return Markup("").join(
        _text(LEFT + place * step, HEIGHT - 8, name[5:])
        for place, name in enumerate(names)
        if place % every == 0
    )


def _text(x: float, y: float, said: str, anchor: str = "start") -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        x, y, anchor, said
    )


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top


def _whole(value: float) -> str:
    return f"{value:g}"


def _round_up(value: float) -> float:
    """The next of 2, 4, 10, 20, 40, 100, ... that is not below `value`."""
    size = 10 ** max(ceil(log10(max(value, 1))), 1)
    return next(each for each in (size / 5, size / 2.5, float(size)) if each >= value)
