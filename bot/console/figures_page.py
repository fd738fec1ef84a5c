"""The figures: how many, how fast, how right, and how often something was missed."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from starlette.responses import Response

from bot.console import plots
from bot.console.visit import Visit
from bot.core.casefilter import CaseFilter
from bot.core.escalation import ESCALATING
from bot.core.figures import SAMPLE_MIN, Fact, false_alarms, figures, misses_per_1000

PERIODS = {"30": "30 days", "90": "90 days", "365": "a year"}
RULES_MAX = 12


async def show(visit: Visit) -> Response:
    """The page, over the last days that were asked for."""
    days = int(visit.asked("days")) if visit.asked("days") in PERIODS else 30
    since = visit.now - timedelta(days=days)
    facts = await visit.store.facts(CaseFilter(since=since))
    samples = await visit.store.samples.missed_by_language(since)
    reviewed, missed = (sum(column) for column in zip((0, 0), *samples.values(), strict=True))
    rate = misses_per_1000(reviewed, missed)
    by_rule = [each for each in figures(facts, "rule") if each.precision.total]
    by_week = figures(facts, "week")
    return await visit.draw(
        "figures.html",
        days=days,
        periods=PERIODS,
        whole=figures(facts)[0] if facts else None,
        tables=(
            ("Level", figures(facts, "level")),
            ("Rule", figures(facts, "rule")[: 3 * RULES_MAX]),
            ("Language", figures(facts, "language")),
            ("Week", by_week[::-1]),
        ),
        worst=false_alarms(facts)[:RULES_MAX],
        per_day=_per_day(visit, facts, days),
        times=plots.lines(
            [each.group for each in by_week],
            [_minutes(each.acknowledge_median) for each in by_week],
            [_minutes(each.acknowledge_p95) for each in by_week],
        ),
        precision=plots.shares(
            [(each.group, each.precision) for each in by_rule[:RULES_MAX]],
            "Share of judged cases whose alarm was right, by rule",
        ),
        has_precision=bool(by_rule),
        agreement=await visit.store.agreement(since),
        reviewed=reviewed,
        missed=missed,
        rate=rate,
        misses=plots.rates(
            [("all", rate), *((name, misses_per_1000(*each)) for name, each in samples.items())],
            "Misses per 1,000 messages, by language",
        ),
        enough=SAMPLE_MIN,
    )


def _per_day(visit: Visit, facts: tuple[Fact, ...], days: int) -> str:
    """Bars a day; a week where there are too many days for bars."""
    weekly = days > 31
    counts = Counter((_when(each.created_at.date(), weekly), each.level) for each in facts)
    dates = [visit.now.date() - timedelta(days=back) for back in range(days, -1, -1)]
    names = list(dict.fromkeys(_when(day, weekly) for day in dates))
    return plots.stacked(names, counts, ESCALATING)


def _when(day: date, weekly: bool) -> str:
    monday = day - timedelta(days=day.weekday())
    return (monday if weekly else day).isoformat()


def _minutes(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds() / 60
