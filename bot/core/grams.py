"""Word and character n-grams as sparse, weighted features (tf-idf)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

WORD_SIZES = (1, 2)  # words in a row
CHARACTER_SIZES = (2, 3, 4, 5)  # letters in a row, within a word and its two edges
MOST = (15_000, 25_000)  # n-grams that are kept of words and of characters, the commonest

_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """The word n-grams of `text`."""
    found = _WORD.findall(text.casefold())
    return [
        " ".join(found[start : start + size])
        for size in WORD_SIZES
        for start in range(len(found) - size + 1)
    ]


def characters(text: str) -> list[str]:
    """The character n-grams of `text`, not across words."""
    return [gram for word in text.casefold().split() for gram in within(word)]


def within(word: str) -> list[str]:
    """The character n-grams of a word and its two edges."""
    padded = f" {word} "
    found: list[str] = []
    for size in CHARACTER_SIZES:
        if size >= len(padded):
            found.append(padded)
            break
        found += [padded[start : start + size] for start in range(len(padded) - size + 1)]
    return found


BLOCKS: tuple[Callable[[str], list[str]], ...] = (words, characters)


_NONE = np.array([], np.int32)


@dataclass(frozen=True, slots=True)
class Features:
    """The known n-grams of one text: places in the vocabulary and their weights."""

    places: NDArray[np.int32]
    weights: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The n-grams that were seen in teaching.

    `places` has a table for words and one for characters: n-gram to its place, which goes
    on from table to table. `idf` is the inverse document frequency of each place. `by_word`
    remembers the places of the character n-grams of words that teaching knows, once they were
    met: most of a message are words that every message has, and no name is held in memory.
    """

    places: tuple[dict[str, int], ...]
    idf: NDArray[np.float32]
    by_word: dict[str, NDArray[np.int32]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def size(self) -> int:
        """How many n-grams are known."""
        return len(self.idf)

    def features(self, text: str) -> Features:
        """The features of `text`; each block has length one, or zero if nothing is known."""
        of_words = [self.places[0].get(gram) for gram in words(text)]
        known = np.array([place for place in of_words if place is not None], np.int32)
        of_characters = [self._of_characters(word) for word in text.casefold().split()]
        blocks = (known, np.concatenate([_NONE, *of_characters]))
        places, weights = zip(*map(self._weighed, blocks), strict=True)
        return Features(np.concatenate(places), np.concatenate(weights))

    def _of_characters(self, word: str) -> NDArray[np.int32]:
        """The places of the character n-grams of a word."""
        found = self.by_word.get(word)
        if found is None:
            places = [place for place in map(self.places[1].get, within(word)) if place is not None]
            found = np.array(places, np.int32)
            if word in self.places[0]:
                self.by_word[word] = found
        return found

    def _weighed(self, block: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Each place once, in order, with its weight: what np.unique does, in half its time."""
        block.sort()
        is_new = np.ones(len(block), bool)
        np.not_equal(block[1:], block[:-1], out=is_new[1:])
        first = is_new.nonzero()[0]
        often = np.diff(first, append=len(block)).astype(np.float32)
        places = block[first]
        values = self.idf[places] * (1 + np.log(often))
        return places, values / np.float32(np.linalg.norm(values) or 1.0)

    def lines(self) -> tuple[str, ...]:
        """The n-grams of each block, in the order of their places, one a line."""
        return tuple("\n".join(table) for table in self.places)

    @classmethod
    def restore(cls, lines: Sequence[str], idf: NDArray[np.float32]) -> Vocabulary:
        """The vocabulary whose `lines()` and `idf` these are."""
        tables: list[dict[str, int]] = []
        start = 0
        for block in lines:
            grams = block.split("\n") if block else []
            tables.append(dict(zip(grams, range(start, start + len(grams)), strict=True)))
            start += len(grams)
        return cls(tuple(tables), idf)


def gather(texts: Sequence[str], *, least: int = 1) -> Vocabulary:
    """The vocabulary of `texts`: n-grams that stand in at least `least` of them."""
    tables: list[dict[str, int]] = []
    counts: list[int] = []
    for grams, most in zip(BLOCKS, MOST, strict=True):
        seen: Counter[str] = Counter()
        for text in texts:
            seen.update(set(grams(text)))
        kept = [item for item in seen.items() if item[1] >= least and "\n" not in item[0]]
        kept.sort(key=lambda item: (-item[1], item[0]))
        chosen = sorted(kept[:most])
        start = len(counts)
        tables.append({gram: start + place for place, (gram, _) in enumerate(chosen)})
        counts += [count for _, count in chosen]
    # Smoothed, as if one more text held every n-gram.
    idf = np.log((1 + len(texts)) / (1 + np.array(counts, np.float64))) + 1
    return Vocabulary(tuple(tables), idf.astype(np.float32))
