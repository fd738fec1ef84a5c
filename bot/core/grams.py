"""Word and character n-grams as sparse, weighted features (tf-idf)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

WORD_SIZES = (1, 2)  # words in a row
CHARACTER_SIZES = (2, 3, 4, 5)  # letters in a row, within a word and its two edges
WORDS_KEPT, ORDINARY = 2_048, 24  # words whose n-grams are remembered; letters of the longest
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
    found: list[str] = []
    for word in text.casefold().split():
        found += _of_word(word) if len(word) <= ORDINARY else _cut(word)
    return found


def _cut(word: str) -> tuple[str, ...]:
    padded = f" {word} "
    found: list[str] = []
    for size in CHARACTER_SIZES:
        if size >= len(padded):
            found.append(padded)
            break
        found += [padded[start : start + size] for start in range(len(padded) - size + 1)]
    return tuple(found)


# Most of a message are words that every message has.
_of_word = lru_cache(WORDS_KEPT)(_cut)


BLOCKS: tuple[Callable[[str], list[str]], ...] = (words, characters)


@dataclass(frozen=True, slots=True)
class Features:
    """The known n-grams of one text: places in the vocabulary and their weights."""

    places: NDArray[np.int32]
    weights: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The n-grams that were seen in teaching.

    `places` has a table for words and one for characters: n-gram to its place, which goes
    on from table to table. `idf` is the inverse document frequency of each place.
    """

    places: tuple[dict[str, int], ...]
    idf: NDArray[np.float32]

    @property
    def size(self) -> int:
        """How many n-grams are known."""
        return len(self.idf)

    def features(self, text: str) -> Features:
        """The features of `text`; each block has length one, or zero if nothing is known."""
        places, weights = [], []
        for grams, table in zip(BLOCKS, self.places, strict=True):
            known = [place for place in map(table.get, grams(text)) if place is not None]
            found, counts = np.unique(np.array(known, np.int32), return_counts=True)
            values = self.idf[found] * (1 + np.log(counts, dtype=np.float32))
            places.append(found)
            weights.append(values / np.float32(np.linalg.norm(values) or 1.0))
        return Features(np.concatenate(places), np.concatenate(weights))

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
