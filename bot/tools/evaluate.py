"""`evaluate`: how often people in danger are noticed, and how often others are alarmed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.core.model import Decision, Level
from bot.tools.labelled import Row

Z = 1.959964  # of the normal distribution, for 95 %
BINS = 10  # of the reliability table
FEWEST = 5  # rows below which a group is not worth a line of its own


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the bot made of a message, as far as it is measured.

    `asks` is the grey zone: an answer, and a question whether it happens now.
    """

    level: Level
    topic: str = ""
    offers: tuple[str, ...] = ()
    asks: bool = False
    confidence: float = 0.0

    @classmethod
    def of(cls, decision: Decision) -> Verdict:
        """The verdict in a decision about a message on its own."""
        return cls(
            level=decision.message_level,
            topic=decision.topic,
            offers=tuple(offer.topic for offer in decision.offers),
            asks=decision.asks,
            confidence=decision.confidence,
        )


Classify = Callable[[str], Verdict]
Judged = tuple[Row, Verdict]


@dataclass(frozen=True, slots=True)
class Measure:
    """A share that is measured: `hit` among the rows that `counts`.

    `wanted` says whether more is better. A row that missed but was asked about is told
    apart.
    """

    name: str
    counts: Callable[[Row], bool]
    hit: Callable[[Row, Verdict], bool]
    wanted: bool = True


def _is_crisis(row: Row) -> bool:
    return row.level is not None and row.level.is_crisis


def _is_calm(row: Row) -> bool:
    return row.level is None or not row.level.escalates


def _falsely_serious(row: Row, verdict: Verdict) -> bool:
    return verdict.level in row.must_not or (row.level is not None and verdict.level.is_crisis)


def _reached(row: Row, verdict: Verdict) -> bool:
    return not verdict.level.escalates and verdict.topic in row.topics


def _offered(row: Row, verdict: Verdict) -> bool:
    shown = {verdict.topic, *verdict.offers}
    return not verdict.level.escalates and not shown.isdisjoint(row.topics)


MEASURES = (
    Measure("crisis caught", _is_crisis, lambda _, verdict: verdict.level.is_crisis),
    Measure(
        "urgent escalated",
        lambda row: row.level is Level.URGENT,
        lambda _, verdict: verdict.level.escalates,
    ),
    Measure("any false alarm", _is_calm, lambda _, verdict: verdict.level.escalates, wanted=False),
    Measure("false crisis", _is_calm, _falsely_serious, wanted=False),
    Measure("topic first", lambda row: bool(row.topics), _reached),
    Measure("topic first or offered", lambda row: bool(row.topics), _offered),
    Measure(
        "out of scope rejected",
        lambda row: row.level is Level.OUT_OF_SCOPE,
        lambda _, verdict: verdict.level is Level.OUT_OF_SCOPE,
    ),
)


@dataclass(frozen=True, slots=True)
class Count:
    """`hits` of `total`, and how many of the rest were asked about."""

    hits: int
    total: int
    asked: int = 0

    @property
    def share(self) -> float:
        """From 0 to 1; 0 where nothing was counted."""
        return self.hits / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share, 0 to 1."""
        return wilson(self.hits, self.total)


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The 95 % score interval for a share of `hits` in `total` (E. B. Wilson, 1927)."""
    if not total:
        return 0.0, 1.0
    share = hits / total
    middle = share + Z * Z / (2 * total)
    spread = Z * math.sqrt(share * (1 - share) / total + Z * Z / (4 * total * total))
    scale = 1 + Z * Z / total
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def judge(rows: Iterable[Row], classify: Classify) -> tuple[Judged, ...]:
    """Each row with its verdict."""
    return tuple((row, classify(row.text)) for row in rows)


def count(measure: Measure, judged: Iterable[Judged]) -> Count:
    """How often the measure holds."""
    found = [(row, verdict) for row, verdict in judged if measure.counts(row)]
    hits = sum(measure.hit(row, verdict) for row, verdict in found)
    asked = sum(verdict.asks and not measure.hit(row, verdict) for row, verdict in found)
    return Count(hits, len(found), asked)


def summary(judged: Sequence[Judged]) -> Iterator[str]:
    """A line for each measure: share, counts, interval, asked."""
    for measure in MEASURES:
        found = count(measure, judged)
        if found.total:
            yield f"{measure.name:<24}{_full(found)}"


def _full(found: Count) -> str:
    low, high = found.interval
    asked = f"   asked about {found.asked} of the rest" if found.asked else ""
    share = f"{100 * found.share:6.1f} %  {found.hits:>5} of {found.total:<5}"
    return f"{share}  95 %: {100 * low:.1f} to {100 * high:.1f}{asked}"


GROUPS: dict[str, Callable[[Row], str]] = {
    "level": lambda row: row.level.label if row.level is not None else "",
    "kind": lambda row: (
        f"{row.level.label}/{row.kind}" if row.level is not None and row.kind else row.kind
    ),
    "style": lambda row: row.style,
    "voice": lambda row: row.voice,
    "file": lambda row: row.source,
}


def by_group(judged: Sequence[Judged], name: str) -> Iterator[str]:
    """A table with a line for each group (`level`, `kind`, `style`, `voice` or `file`)."""
    group_of = GROUPS[name]
    groups: dict[str, list[Judged]] = {}
    for row, verdict in judged:
        groups.setdefault(group_of(row), []).append((row, verdict))
    groups.pop("", None)
    if not groups:
        return
    width = max(len(name), *(len(group) for group in groups)) + 2
    yield f"{'by ' + name:<{width}}" + "".join(f"{_short(one):>19}" for one in MEASURES)
    for group in sorted(groups):
        if len(groups[group]) >= FEWEST:
            cells = (_cell(count(measure, groups[group])) for measure in MEASURES)
            yield f"{group:<{width}}" + "".join(f"{cell:>19}" for cell in cells)


def _short(measure: Measure) -> str:
    return measure.name.replace("topic first or", "first or").replace("out of scope ", "")


def _cell(found: Count) -> str:
    return f"{100 * found.share:.1f} ({found.hits}/{found.total})" if found.total else "-"


def reliability(judged: Sequence[Judged]) -> Iterator[str]:
    """Whether confidence means what it says: what was claimed, beside how often it was so.

    A claim is right if the message is a crisis (verdict emergency or suicide crisis),
    needs help today (verdict urgent), or needs none (any other verdict).
    """
    bins: dict[int, list[tuple[float, bool]]] = {}
    for row, verdict in judged:
        if row.level is not None:
            place = min(int(verdict.confidence * BINS), BINS - 1)
            claim = (verdict.confidence, _claim_holds(row.level, verdict.level))
            bins.setdefault(place, []).append(claim)
    total = sum(len(claims) for claims in bins.values())
    gap = 0.0
    yield "confidence      said   was so   messages"
    for place in sorted(bins):
        claims = bins[place]
        said = sum(confidence for confidence, _ in claims) / len(claims)
        right = sum(holds for _, holds in claims) / len(claims)
        gap += abs(said - right) * len(claims) / total
        span = f"{place / BINS:.1f} to {(place + 1) / BINS:.1f}"
        yield f"{span:<12}{100 * said:6.1f} %{100 * right:7.1f} %{len(claims):>11}"
    if total:
        yield f"expected calibration error: {100 * gap:.1f} points"


def _claim_holds(level: Level, said: Level) -> bool:
    if said.is_crisis:
        return level.is_crisis
    return said.escalates == level.escalates


def report(title: str, judged: Sequence[Judged], *, groups: Sequence[str] = ()) -> Iterator[str]:
    """Everything about one set of messages: summary, then a table for each of `groups`."""
    yield f"== {title}: {len(judged)} messages"
    yield from summary(judged)
    for name in groups:
        lines = list(by_group(judged, name))
        if lines:
            yield ""
            yield from lines
    yield ""
