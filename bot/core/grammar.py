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
from itertools import product

from bot.core.phrases import Element, Matcher, Part, Phrase
from bot.core.text import normalise
from bot.core.words import Lexicon

GAPS = {"..": (3, False), "...": (8, True)}
ANY = "_"
# Concepts that the amounts reader and the tokens give, not the data.
GIVEN = ("number", "amount_large", "amount_double", "amount_some", "amount_one", "amount_missing")

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
        self.elements: dict[frozenset[str], int] = {frozenset((ANY,)): 0}
        self.any = 0
        self.phrases: dict[str, list[Phrase]] = {name: [] for name in concepts}
        self.uses: dict[str, set[str]] = {name: set() for name in concepts}
        self.folded: dict[str, Alternative] = {}  # most words stand in many phrases

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
            needs = frozenset(part.element for part in parts) - {self.any}
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
        found = self.folded.get(written)
        if found is None:
            found = tuple(token.word for token in normalise(written, self.lexicon).tokens)
            self.folded[written] = found
        return found

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
        elements = tuple(_element(members) for members in self.elements)
        for number, element in enumerate(elements):
            for table, members in (
                (words, element.words),
                (prefixes, element.prefixes),
                (concepts, element.concepts),
            ):
                for member in sorted(members):
                    table.setdefault(member, []).append(number)
        return Matcher(
            elements=elements,
            words={word: tuple(found) for word, found in words.items()},
            prefixes={prefix: tuple(found) for prefix, found in prefixes.items()},
            prefix_lengths=tuple(sorted({len(prefix) for prefix in prefixes})),
            concepts={name: tuple(found) for name, found in concepts.items()},
            layers=tuple(self._layer(names) for names in self._ordered()),
            fillers=self.lexicon.fillers,
            stoppers=self.lexicon.stoppers,
            any=self.any,
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
        """How often each element may be expected in a message: a rare one is the best anchor.

        Short words are frequent ones, and so is what many phrases use.
        """
        weight = {number: sum(map(_frequency, names)) for names, number in self.elements.items()}
        for phrases in self.phrases.values():
            for phrase in phrases:
                for element in phrase.needs:
                    weight[element] += 1
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


def _element(members: frozenset[str]) -> Element:
    concepts = sorted(member.strip("<>") for member in members if member.startswith("<"))
    prefixes = sorted(member[1:] for member in members if member.startswith("*"))
    words = frozenset(member for member in members if member[0] not in "<*")
    return Element(words, tuple(prefixes), tuple(concepts))


def _frequency(member: str) -> int:
    if member.startswith("<"):
        return 300
    return {1: 300, 2: 200, 3: 100, 4: 30}.get(len(member), 5)


def _without_outer_gaps(words: list[str]) -> list[str]:
    while words and words[0] in GAPS:
        words = words[1:]
    while words and words[-1] in GAPS:
        words = words[:-1]
    return words
