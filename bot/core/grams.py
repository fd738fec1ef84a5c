"""Word and character n-grams as sparse, weighted features (tf-idf)."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WORD_SIZES = (1, 2)  # words in a row
CHARACTER_SIZES = (2, 3, 4, 5)  # letters in a row, within a word and its two edges
MAX_FEATURES = 40_000  # a block; the rarest go first

_WORD = re.compile(r"\w+")


def words(text: str) -> Iterator[str]:
    """The word n-grams of `text`."""
    found = _WORD.findall(text.casefold())
    for size in WORD_SIZES:
        for start in range(len(found) - size + 1):
            yield " ".join(found[start : start + size])


def characters(text: str) -> Iterator[str]:
    """The character n-grams of `text`, not across words."""
    for word in text.casefold().split():
        padded = f" {word} "
        for size in CHARACTER_SIZES:
            if size >= len(padded):
                yield padded
                break
            for start in range(len(padded) - size + 1):
                yield padded[start : start + size]


BLOCKS: tuple[Callable[[str], Iterator[str]], ...] = (words, characters)


@dataclass(frozen=True, slots=True)
class Features:
    """The known n-grams of one text: places in the vocabulary and their weights."""

    places: NDArray[np.int32]
    weights: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The n-grams that were seen in teaching, a block for words and one for characters.

    `places` has one table a block: n-gram to (place, inverse document frequency).
    """

    places: tuple[dict[str, tuple[int, float]], ...]

    @property
    def size(self) -> int:
        """How many n-grams are known."""
        return sum(len(block) for block in self.places)

    def features(self, text: str) -> Features:
        """The features of `text`; each block has length one, or zero if nothing is known."""
        places: list[int] = []
        weights: list[float] = []
        for grams, table in zip(BLOCKS, self.places, strict=True):
            known = [
                (place_idf, count)
                for gram, count in Counter(grams(text)).items()
                if (place_idf := table.get(gram)) is not None
            ]
            values = [idf * (1 + math.log(count)) for (_, idf), count in known]
            length = math.sqrt(sum(value * value for value in values)) or 1.0
            places.extend(place for (place, _), _ in known)
            weights.extend(value / length for value in values)
        return Features(np.array(places, np.int32), np.array(weights, np.float32))

    def lines(self) -> tuple[str, ...]:
        """The n-grams of each block, in the order of their places, one a line."""
        return tuple("\n".join(table) for table in self.places)

    def idf(self) -> NDArray[np.float32]:
        """The inverse document frequency of each n-gram, in the order of the places."""
        return np.array(
            [idf for table in self.places for _, idf in table.values()],
            dtype=np.float32,
        )

    @classmethod
    def restore(cls, lines: Sequence[str], idf: NDArray[np.float32]) -> Vocabulary:
        """The vocabulary whose `lines()` and `idf()` these are."""
        tables = []
        start = 0
        for block in lines:
            grams = block.split("\n") if block else []
            stop = start + len(grams)
            numbers = zip(range(start, stop), idf[start:stop].tolist(), strict=True)
            tables.append(dict(zip(grams, numbers, strict=True)))
            start = stop
        return cls(tuple(tables))


def gather(texts: Sequence[str], *, least: int = 1) -> Vocabulary:
    """The vocabulary of `texts`: n-grams that stand in at least `least` of them."""
    tables: list[dict[str, tuple[int, float]]] = []
    start = 0
    for grams in BLOCKS:
        seen: Counter[str] = Counter()
        for text in texts:
            seen.update(set(grams(text)))
        kept = [item for item in seen.items() if item[1] >= least and "\n" not in item[0]]
        kept.sort(key=lambda item: (-item[1], item[0]))
        chosen = sorted(kept[:MAX_FEATURES])
        tables.append(
            {
                gram: (start + place, _idf(count, len(texts)))
                for place, (gram, count) in enumerate(chosen)
            }
        )
        start += len(chosen)
    return Vocabulary(tuple(tables))


def _idf(count: int, total: int) -> float:
    """Smoothed, as if one more text held every n-gram; as stored: 32 bits."""
    return float(np.float32(math.log((1 + total) / (1 + count)) + 1))
