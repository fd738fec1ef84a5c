"""What the bot makes of one message on its own, laid open for a person to read."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.core.decide import Content, decide
from bot.core.export import printable
from bot.core.model import Decision, Evidence, Message, Person
from bot.core.understand import Detail

STRONGEST = ("trigger", "example", "context", "suppressor")


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a message. `kind` says how it is marked, "" not at all; `rules` say why."""

    text: str
    kind: str = ""
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """A message with the words that counted marked, what was decided about it, and what each
    reader saw in it."""

    segments: tuple[Segment, ...]
    decision: Decision
    detail: Detail

    @property
    def text(self) -> str:
        """The message, fit to be shown."""
        return "".join(each.text for each in self.segments)


def explained(
    text: str, content: Content, *, country: str = "", at: datetime | None = None
) -> Explanation:
    """What the bot makes of `text` when a stranger writes it, who is in `country` (ISO code, ""
    for not known). `at` is when, for what is said of hours; None is while nobody is on duty.
    """
    decision = decide(Message(chat="explain", text=text, at=at), stranger(country), content)
    marked = segments(text, decision.evidence)
    return Explanation(marked, decision, content.reader.detail(text))


def stranger(country: str = "") -> Person:
    """Somebody of whom nothing is known but perhaps the country."""
    return Person(country=country.upper(), country_source="told") if country else Person()


def segments(text: str, evidence: Iterable[Evidence]) -> tuple[Segment, ...]:
    """`text` cut where reasons begin and end, each piece with the rules that point at it."""
    size = len(text)
    spans = [each for each in evidence if 0 <= each.start < each.end <= size]
    cuts = sorted({0, size, *(e.start for e in spans), *(e.end for e in spans)})
    return tuple(
        _segment(text[start:end], [e for e in spans if e.start <= start and end <= e.end])
        for start, end in itertools.pairwise(cuts)
    )


def _segment(text: str, reasons: list[Evidence]) -> Segment:
    if not reasons:
        return Segment(printable(text))
    kind = min((each.kind for each in reasons), key=STRONGEST.index)
    return Segment(printable(text), kind, tuple(dict.fromkeys(each.rule for each in reasons)))
