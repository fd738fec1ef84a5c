"""Phrases as data: a small language for wordings, and a matcher that finds thousands at once.

A phrase is a line of words that must follow each other in one clause. Fillers of the lexicon
are skipped. In a phrase

    a/b         one of these words; a_b is two words that belong together
    wake~       any form of the word: wake, wakes, waking, woke, woken
    dysz*       any word that begins so
    word?       may be missing
    ..          up to three other words      ...   up to eight, across clauses; never "not"
    <name>      whatever the concept of that name finds; <number> is any number
    _           any word at all
    ^ ... $     the phrase starts, or ends, a sentence

A concept is a name with many phrases. Concepts may use concepts, but not in a circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from bot.core.text import Token, Utterance, normalise
from bot.core.words import Lexicon

GAPS = {"..": (3, False), "...": (8, True)}
ANY = "_"
WIDEST = 100  # wider than any gap
# Concepts that the amounts reader and the tokens give, not the data.
GIVEN = ("number", "amount_large", "amount_double", "amount_some", "amount_one", "amount_missing")
MOST_SPANS = 40  # of one concept in one message: bounds the work on hostile texts


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of tokens: the first, and the last one in it."""

    first: int
    last: int


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

    `words`, `prefixes` and `concepts` map what may stand in a message to element numbers.
    `layers` holds, in the order in which concepts build on each other, the phrases by their
    anchor element.
    """

    words: Mapping[str, tuple[int, ...]]
    prefixes: Mapping[str, tuple[int, ...]]
    prefix_lengths: tuple[int, ...]
    concepts: Mapping[str, tuple[int, ...]]
    layers: tuple[Mapping[int, tuple[Phrase, ...]], ...]
    fillers: frozenset[str]
    stoppers: frozenset[str]

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
        self.places: dict[int, list[Span]] = {}
        self.solid = [0]  # How many words before each place are no fillers.
        for place, token in enumerate(tokens):
            self.solid.append(self.solid[-1] + matcher.width(token.word))
            self._note(place, token.word)

    def _note(self, place: int, word: str) -> None:
        span = Span(place, place)
        for element in (*self.matcher.words.get(word, ()), *self.matcher.words.get(ANY, ())):
            self.places.setdefault(element, []).append(span)
        for length in self.matcher.prefix_lengths:
            for element in self.matcher.prefixes.get(word[:length], ()):
                if len(word) >= length:
                    self.places.setdefault(element, []).append(span)

    def add(self, concept: str, spans: Iterable[Span]) -> None:
        """Make a concept's mentions known to the phrases that use it."""
        for element in self.matcher.concepts.get(concept, ()):
            self.places.setdefault(element, []).extend(spans)

    def read(self, layer: Mapping[int, tuple[Phrase, ...]]) -> dict[str, tuple[Span, ...]]:
        found: dict[str, dict[Span, None]] = {}
        present = self.places.keys()
        for element in [element for element in present if element in layer]:
            for phrase in layer[element]:
                if phrase.needs <= present:
                    spans = found.setdefault(phrase.concept, {})
                    spans.update(dict.fromkeys(self._spans(phrase)))
        return {
            name: tuple(sorted(spans, key=lambda s: (s.first, s.last))[:MOST_SPANS])
            for name, spans in found.items()
            if spans
        }

    def _spans(self, phrase: Phrase) -> list[Span]:
        head, *rest = phrase.parts
        spans = self.places[head.element][:MOST_SPANS]
        if phrase.starts:
            spans = [span for span in spans if self._starts(span.first)]
        for part in rest:
            nexts = self.places[part.element]
            spans = [
                Span(span.first, after.last)
                for span in spans
                for after in nexts
                if after.first > span.last and self._follows(span.last, after.first, part)
            ][:MOST_SPANS]
            if not spans:
                return []
        if phrase.ends:
            spans = [span for span in spans if self._ends(span.last)]
        return spans

    def _follows(self, last: int, first: int, part: Part) -> bool:
        if self.solid[first] - self.solid[last + 1] > part.gap:
            return False
        before, after = self.tokens[last], self.tokens[first]
        if before.sentence != after.sentence:
            return False
        return part.wide or before.clause == after.clause

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


# ---- compiling ---------------------------------------------------------------------

Alternative = tuple[str, ...]  # The words of one way to fill a place in a phrase.


def compile_phrases(
    concepts: Mapping[str, Sequence[str]], lexicon: Lexicon
) -> tuple[Matcher, tuple[tuple[str, str], ...]]:
    """The matcher for these concepts, and what is wrong with them as (concept, sentence)."""
    compiler = _Compiler(concepts, lexicon)
    for name, lines in concepts.items():
        for line in lines:
            compiler.add(name, line)
    return compiler.matcher(), tuple(compiler.problems)


class _Compiler:
    def __init__(self, concepts: Mapping[str, Sequence[str]], lexicon: Lexicon) -> None:
        self.names = frozenset(concepts) | frozenset(GIVEN)
        self.lexicon = lexicon
        self.problems: list[tuple[str, str]] = []
        self.elements: dict[frozenset[str], int] = {}
        self.phrases: dict[str, list[Phrase]] = {name: [] for name in concepts}
        self.uses: dict[str, set[str]] = {name: set() for name in concepts}

    def add(self, name: str, line: str) -> None:
        """Compile one line of a concept."""
        words = line.split()
        starts, ends = words[:1] == ["^"], words[-1:] == ["$"]
        words = words[starts : len(words) - ends]
        if not words or words[0] in GAPS or words[-1] in GAPS:
            self.problems.append((name, f"{line!r} begins or ends with a gap, or is empty"))
            return
        for chosen in product(*(((w[:-1], "") if w.endswith("?") else (w,)) for w in words)):
            kept = _without_outer_gaps([word for word in chosen if word])
            if kept:
                self._add_plain(name, kept, starts=starts, ends=ends)

    def _add_plain(self, name: str, words: Sequence[str], *, starts: bool, ends: bool) -> None:
        """A phrase without optional words, once for each choice of words of several words."""
        slots: list[list[tuple[frozenset[str], ...]]] = []
        gaps: list[tuple[int, bool]] = []
        gap = (0, False)
        for word in words:
            if word in GAPS:
                gap = GAPS[word]
                continue
            gaps.append(gap)
            gap = (0, False)
            slots.append(self._slot(name, word))
        for chosen in product(*slots):
            parts: list[Part] = []
            for sets, (width, wide) in zip(chosen, gaps, strict=True):
                for place, members in enumerate(sets):
                    number = self.elements.setdefault(members, len(self.elements))
                    parts.append(Part(number) if place else Part(number, width, wide))
            needs = frozenset(part.element for part in parts)
            self.phrases[name].append(Phrase(name, tuple(parts), needs, starts, ends))

    def _slot(self, name: str, written: str) -> list[tuple[frozenset[str], ...]]:
        """The ways to fill one place: single words as one set, longer ones each apart."""
        singles: set[str] = set()
        longer: list[tuple[frozenset[str], ...]] = []
        for choice in written.split("/"):
            if choice == ANY:
                singles.add(ANY)
                continue
            if choice.startswith("<"):
                singles.add(self._concept(name, choice))
                continue
            if choice.endswith("*"):
                singles.add("*" + self._fold(choice[:-1])[0])
                continue
            for words in self._forms(choice):
                if len(words) == 1:
                    singles.add(words[0])
                elif words:
                    longer.append(tuple(frozenset((word,)) for word in words))
        return [(frozenset(singles),), *longer] if singles else longer

    def _forms(self, choice: str) -> list[Alternative]:
        if choice.endswith("~"):
            base = self._fold(choice[:-1])
            first = self.lexicon.forms_of(base[0]) if base else ()
            return [(form, *base[1:]) for form in first]
        return [self._fold(choice.replace("_", " "))]

    def _fold(self, written: str) -> Alternative:
        return tuple(token.word for token in normalise(written, self.lexicon).tokens)

    def _concept(self, name: str, written: str) -> str:
        used = written.strip("<>")
        if used not in self.names:
            self.problems.append((name, f"<{used}> is not a concept"))
        elif used in self.uses:
            self.uses[name].add(used)
        return f"<{used}>"

    def matcher(self) -> Matcher:
        """Everything compiled so far."""
        words: dict[str, list[int]] = {}
        prefixes: dict[str, list[int]] = {}
        concepts: dict[str, list[int]] = {}
        for members, number in self.elements.items():
            for member in members:
                if member.startswith("<"):
                    concepts.setdefault(member.strip("<>"), []).append(number)
                elif member.startswith("*"):
                    prefixes.setdefault(member[1:], []).append(number)
                else:
                    words.setdefault(member, []).append(number)
        return Matcher(
            words={word: tuple(found) for word, found in words.items()},
            prefixes={prefix: tuple(found) for prefix, found in prefixes.items()},
            prefix_lengths=tuple(sorted({len(prefix) for prefix in prefixes})),
            concepts={name: tuple(found) for name, found in concepts.items()},
            layers=tuple(self._layer(names) for names in self._ordered()),
            fillers=self.lexicon.fillers,
            stoppers=self.lexicon.stoppers,
        )

    def _layer(self, names: Iterable[str]) -> dict[int, tuple[Phrase, ...]]:
        weight = self._weights()
        layer: dict[int, list[Phrase]] = {}
        for name in names:
            for phrase in self.phrases[name]:
                anchor = min(phrase.needs, key=lambda element: (weight[element], element))
                layer.setdefault(anchor, []).append(phrase)
        return {element: tuple(phrases) for element, phrases in layer.items()}

    def _weights(self) -> dict[int, int]:
        """How often each element is used by phrases: a rare one is the best anchor."""
        weight = dict.fromkeys(self.elements.values(), 0)
        for phrases in self.phrases.values():
            for phrase in phrases:
                for element in phrase.needs:
                    weight[element] += 1
        if frozenset((ANY,)) in self.elements:
            weight[self.elements[frozenset((ANY,))]] = sum(weight.values())
        return weight

    def _ordered(self) -> list[list[str]]:
        """Concepts in layers: each uses only concepts of the layers before."""
        layers: list[list[str]] = []
        waiting = dict(self.uses)
        while waiting:
            ready = [name for name, uses in waiting.items() if not uses & waiting.keys() - {name}]
            if not ready:
                circle = ", ".join(sorted(waiting))
                self.problems.append((circle, "these concepts use each other in a circle"))
                break
            layers.append(ready)
            for name in ready:
                del waiting[name]
        return layers


def _without_outer_gaps(words: list[str]) -> list[str]:
    while words and words[0] in GAPS:
        words = words[1:]
    while words and words[-1] in GAPS:
        words = words[:-1]
    return words


def vocabulary_of(matcher: Matcher) -> tuple[str, ...]:
    """Every whole word that the phrases name, in the order in which they were added."""
    return tuple(word for word in matcher.words if word.isalpha())
