"""Figures about escalations, from plain facts: counts, times, shares with their uncertainty."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot.core.escalation import Review, Verdict
from bot.core.model import Level

Grouping = Literal["all", "level", "rule", "language", "week", "day"]
Z = 1.959964  # standard deviations: 95 %
SAMPLE_MIN = 100  # reviewed samples below which a miss rate would say nothing
PAIRS_MIN = 20  # pairs of reviews below which an agreement would say nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What the figures need of one case."""

    level: Level
    rule: str
    language: str
    created_at: datetime
    alert_since: datetime
    acknowledged_at: datetime | None
    missed: bool
    delivery_failed: bool
    reviewed: bool
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `total`, with the 95 % interval (Wilson's) of the share behind it."""

    count: int
    total: int

    @property
    def value(self) -> float | None:
        """The share, 0 to 1; None of nothing."""
        return self.count / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the true share lies, 19 times of 20."""
        if not self.total:
            return None
        n, share = self.total, self.count / self.total
        middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
        half = Z * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one group of cases. Times are None where nothing was acknowledged.

    `precision` is the share of judged cases that were not too high: the alarm was right.
    """

    group: str
    count: int
    acknowledge_median: timedelta | None
    acknowledge_p95: timedelta | None
    missed: Share
    delivery_failed: Share
    reviewed: Share
    precision: Share
    verdicts: Mapping[str, int]


def figures(facts: Iterable[Fact], by: Grouping = "all") -> tuple[Figures, ...]:
    """The figures of each group: levels the worst first, rules the most frequent first."""
    groups: defaultdict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        groups[_group(fact, by)].append(fact)
    found = [_figures(name, members) for name, members in groups.items()]
    if by == "level":
        return tuple(sorted(found, key=lambda each: -Level.parse(each.group)))
    if by in ("rule", "language"):
        return tuple(sorted(found, key=lambda each: (-each.count, each.group)))
    return tuple(sorted(found, key=lambda each: each.group))


def false_alarms(facts: Iterable[Fact]) -> tuple[Figures, ...]:
    """The rules with the most verdicts `too_high`, the worst first."""
    found = [each for each in figures(facts, "rule") if each.verdicts.get("too_high")]
    return tuple(sorted(found, key=lambda each: (-each.verdicts["too_high"], each.group)))


def misses_per_1000(reviewed: int, missed: int) -> tuple[float, float, float] | None:
    """Misses among 1,000 messages that were not escalated: estimate, lower, upper bound.

    From the random sample alone. None where it is too small to say anything.
    """
    share = Share(missed, reviewed)
    if reviewed < SAMPLE_MIN or share.value is None or share.interval is None:
        return None
    low, high = share.interval
    return 1000 * share.value, 1000 * low, 1000 * high


def first_two(reviews: Iterable[tuple[str, Review]]) -> list[tuple[Level, Level]]:
    """The levels of the first two readers of each case; `reviews` are (case id, review)."""
    by_case: defaultdict[str, dict[str, Level]] = defaultdict(dict)
    for case_id, review in reviews:
        if not review.is_authoritative:
            by_case[case_id].setdefault(review.reviewer, review.reviewed_level)
    levels = (tuple(readers.values())[:2] for readers in by_case.values())
    return [(pair[0], pair[1]) for pair in levels if len(pair) == 2]


def kappa(pairs: Sequence[tuple[Level, Level]]) -> float | None:
    """Cohen's kappa: how far two readers agree beyond chance, 1 is always.

    None where there are too few pairs, or where chance alone would agree.
    """
    if len(pairs) < PAIRS_MIN:
        return None
    total = len(pairs)
    agreed = sum(one == other for one, other in pairs) / total
    ones, others = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    chance = sum(ones[level] * others[level] for level in ones) / total**2
    return None if chance == 1 else (agreed - chance) / (1 - chance)


def _group(fact: Fact, by: Grouping) -> str:
    if by == "level":
        return fact.level.label
    if by == "rule":
        return fact.rule or "(none)"
    if by == "language":
        return fact.language
    if by == "week":
        year, week, _ = fact.created_at.isocalendar()
        return f"{year}-W{week:02}"
    return fact.created_at.date().isoformat() if by == "day" else "all"


def _figures(name: str, facts: list[Fact]) -> Figures:
    total = len(facts)
    times = sorted(
        max(fact.acknowledged_at - fact.alert_since, timedelta())
        for fact in facts
        if fact.acknowledged_at is not None
    )
    verdicts: Counter[str] = Counter(fact.verdict for fact in facts if fact.verdict)
    judged = verdicts.total()
    return Figures(
        group=name,
        count=total,
        acknowledge_median=_quantile(times, 0.5),
        acknowledge_p95=_quantile(times, 0.95),
        missed=Share(sum(fact.missed for fact in facts), total),
        delivery_failed=Share(sum(fact.delivery_failed for fact in facts), total),
        reviewed=Share(sum(fact.reviewed for fact in facts), total),
        precision=Share(judged - verdicts["too_high"], judged),
        verdicts=dict(verdicts),
    )


def _quantile(ordered: list[timedelta], share: float) -> timedelta | None:
    """The smallest time that at least `share` of all do not exceed."""
    if not ordered:
        return None
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]
