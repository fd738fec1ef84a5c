"""A matcher that finds thousands of phrases in a message at once.

The language that phrases are written in is in `grammar.py`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.core.text import Token, Utterance

WIDEST = 100  # wider than any gap
MOST_SPANS = 400  # of one concept in one message: bounds the work on hostile texts


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of tokens: the first, and the last one in it."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Element:
    """What may fill one place in a phrase: words, beginnings of words, other concepts."""

    words: frozenset[str]
    prefixes: tuple[str, ...]
    concepts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One place in a phrase: the number of its element, and how far it may stand from the
    part before. `wide` parts may be in another clause."""

    element: int
    gap: int = 0
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Phrase:
    """A compiled phrase. `needs` are all its elements; `anchor` is the rarest of them."""

    concept: str
    parts: tuple[Part, ...]
    needs: frozenset[int]
    starts: bool
    ends: bool


@dataclass(frozen=True, slots=True)
class Matcher:
    """Compiled phrases of many concepts.

    `words`, `prefixes` and `concepts` map what may stand in a message to the numbers of
    `elements`.
    `layers` holds, in the order in which concepts build on each other, the phrases by their
    anchor element.
    """

    elements: tuple[Element, ...]
    words: Mapping[str, tuple[int, ...]]
    prefixes: Mapping[str, tuple[int, ...]]
    prefix_lengths: tuple[int, ...]
    concepts: Mapping[str, tuple[int, ...]]
    layers: tuple[Mapping[int, tuple[Phrase, ...]], ...]
    fillers: frozenset[str]
    stoppers: frozenset[str]
    any: int = -1  # The element that any word fills; it is never an anchor.

    def width(self, word: str) -> int:
        """How much of a gap a word takes up: nothing for a filler, too much for "not"."""
        if word in self.stoppers:
            return WIDEST
        return 0 if word in self.fillers else 1


Mentions = Mapping[str, tuple[Span, ...]]


def find(utterance: Utterance, matcher: Matcher, given: Mentions) -> dict[str, tuple[Span, ...]]:
    """Every concept that the message mentions, with the places.

    `given` are mentions that others have found: numbers and amounts.
    """
    reader = _Reader(utterance.tokens, matcher)
    found: dict[str, tuple[Span, ...]] = {}
    for name, spans in given.items():
        reader.add(name, spans)
        found[name] = spans
    for layer in matcher.layers:
        for name, spans in reader.read(layer).items():
            found[name] = (*found.get(name, ()), *spans)
            reader.add(name, spans)
    return found


class _Reader:
    """The places of every element in one message, and the search for phrases over them."""

    def __init__(self, tokens: Sequence[Token], matcher: Matcher) -> None:
        self.tokens = tokens
        self.matcher = matcher
        self.solid = [0]  # How many words before each place are no fillers.
        self.at: dict[str, list[int]] = {}  # The places of each word.
        for place, token in enumerate(tokens):
            self.solid.append(self.solid[-1] + matcher.width(token.word))
            self.at.setdefault(token.word, []).append(place)
        self.known = frozenset(self.at)
        self.mentions: dict[str, Sequence[Span]] = {}
        self.spans: dict[int, list[Span]] = {}  # Of the elements that were asked for.
        self.present: set[int] = set()
        for word in self.at:
            self.present.update(matcher.words.get(word, ()))
            for length in matcher.prefix_lengths:
                if length <= len(word):
                    self.present.update(matcher.prefixes.get(word[:length], ()))

    def add(self, concept: str, spans: Sequence[Span]) -> None:
        """Make a concept's mentions known to the phrases that use it."""
        self.mentions[concept] = (*self.mentions.get(concept, ()), *spans)
        self.present.update(self.matcher.concepts.get(concept, ()))

    def read(self, layer: Mapping[int, tuple[Phrase, ...]]) -> dict[str, tuple[Span, ...]]:
        """The mentions of the concepts of one layer."""
        found: dict[str, dict[Span, None]] = {}
        present = self.present
        for element in layer.keys() & present:
            for phrase in layer[element]:
                if phrase.needs <= present:
                    spans = self._find(phrase)
                    if spans:
                        found.setdefault(phrase.concept, {}).update(dict.fromkeys(spans))
        return {name: _bounded(sorted(spans, key=_order)) for name, spans in found.items()}

    def _places(self, element: int) -> list[Span]:
        """Where an element stands, in order."""
        known = self.spans.get(element)
        if known is None:
            known = self.spans[element] = self._look(self.matcher.elements[element])
        return known

    def _look(self, element: Element) -> list[Span]:
        words = element.words & self.known
        if element.prefixes:
            words |= {word for word in self.at if word.startswith(element.prefixes)}
        spans = [Span(place, place) for word in words for place in self.at[word]]
        for concept in element.concepts:
            spans += self.mentions.get(concept, ())
        if len(spans) > 1:
            spans.sort(key=_order)
        return spans

    def _find(self, phrase: Phrase) -> list[Span]:
        head, *rest = phrase.parts
        spans = self._places(head.element)
        if phrase.starts:
            spans = [span for span in spans if self._starts(span.first)]
        for part in rest:
            nexts = self._any() if part.element == self.matcher.any else self._places(part.element)
            spans = [
                Span(span.first, after.last)
                for span in _bounded(spans)
                for after in self._after(span.last, nexts, part)
            ]
            if not spans:
                return []
        if phrase.ends:
            spans = [span for span in spans if self._ends(span.last)]
        return spans

    def _any(self) -> list[Span]:
        return [Span(place, place) for place in range(len(self.tokens))]

    def _after(self, last: int, nexts: list[Span], part: Part) -> Iterator[Span]:
        """Those of `nexts` that stand near enough after the token `last`."""
        before = self.tokens[last]
        for after in nexts[bisect_right(nexts, last, key=_first) :]:
            if self.solid[after.first] - self.solid[last + 1] > part.gap:
                return
            token = self.tokens[after.first]
            if token.sentence != before.sentence:
                return
            if part.wide or token.clause == before.clause:
                yield after

    def _starts(self, place: int) -> bool:
        sentence = self.tokens[place].sentence
        return not any(
            self.tokens[p].sentence == sentence and self.tokens[p].word not in self.matcher.fillers
            for p in range(max(0, place - 6), place)
        )

    def _ends(self, place: int) -> bool:
        sentence = self.tokens[place].sentence
        return not any(
            token.sentence == sentence and token.word not in self.matcher.fillers
            for token in self.tokens[place + 1 : place + 7]
        )


def _first(span: Span) -> int:
    return span.first


def _order(span: Span) -> tuple[int, int]:
    return span.first, span.last


def _bounded(spans: Sequence[Span]) -> tuple[Span, ...]:
    """The spans; of very many the first and the last ones."""
    if len(spans) <= MOST_SPANS:
        return tuple(spans)
    return (*spans[: MOST_SPANS // 2], *spans[-MOST_SPANS // 2 :])


def vocabulary_of(matcher: Matcher) -> tuple[str, ...]:
    """Every whole word that the phrases name, in the order in which they were added."""
    return tuple(word for word in matcher.words if word.isalpha())
