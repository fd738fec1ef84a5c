"""The learned reader: which label a text most likely has, and which examples say so.

Three models over the same teaching examples, mixed: a linear one over word and character
n-grams, a small network over sentence embeddings, and the nearest example of each label.
Labels are plain strings; what they mean is the caller's matter. `teach.train` makes a
reader.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from bot.core.grams import Vocabulary

Matrix = NDArray[np.float32]

CLOSE_LABELS = 2  # the likeliest labels, whose examples are compared one by one
KNOWN = 0.9  # the share of the label that the very text was taught under, the rest is the models'
HIGHEST, TINY = 127, 1e-12  # of a step of a vector; of a scale, lest it be zero


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train and to mix. The defaults were chosen on validation data.

    Strengths are inverse L2 penalties; rounds bound the optimiser. `gram_weight` is the
    n-grams' share of the log probabilities, the rest is the embeddings'; `nearest_weight`
    is what a cosine of 1 to a label's nearest example adds. A temperature above 1 makes
    the probabilities humbler; `lexical_temperature` holds where embeddings are absent.
    """

    least: int = 2  # an n-gram must stand in so many examples
    gram_strength: float = 30.0
    gram_rounds: int = 25
    gram_weight: float = 0.35
    components: int = 512  # directions of the embeddings that are kept
    hidden: int = 384  # units of the network over the embeddings
    hidden_rounds: int = 14
    hidden_from: int = 2_000  # texts; with fewer, a linear model takes its place
    meaning_strength: float = 30.0  # of that linear model
    meaning_rounds: int = 60
    nearest_weight: float = 5.0
    nearest_directions: int = 128  # of the embeddings, along which the nearest is looked for
    temperature: float = 1.0
    lexical_temperature: float = 1.0


STANDARD = Recipe()


@dataclass(frozen=True, slots=True)
class Nearest:
    """A teaching example like the text.

    `cosine` is that of the embeddings, -1 to 1, or None in lexical mode; `likeness` is the
    close reading, 0 to 1: the share of letters that the two have in common and in order.
    """

    text: str
    label: str
    cosine: float | None
    likeness: float


@dataclass(frozen=True, slots=True)
class LearnedReading:
    """What the learned reader makes of a text: each label's probability, best first.

    `familiarity` says how like the teaching examples the text is: the best label's score
    before the scores are made to sum to one. A text of no known kind has a low one; what
    is low hangs on the recipe and is chosen on validation data.
    """

    probabilities: Mapping[str, float]
    familiarity: float = 0.0

    @property
    def best(self) -> str:
        """The most probable label."""
        return next(iter(self.probabilities))

    def by(self, group_of: Callable[[str], str]) -> dict[str, float]:
        """The probability of each group of labels, best first."""
        sums: dict[str, float] = {}
        for label, probability in self.probabilities.items():
            group = group_of(label)
            sums[group] = sums.get(group, 0.0) + probability
        return dict(sorted(sums.items(), key=lambda item: -item[1]))


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear model: `coefficients` (features x labels) and `biases` (labels)."""

    coefficients: NDArray[np.floating]  # of many n-grams kept in 16 bits, to save memory
    biases: Matrix


@dataclass(frozen=True, slots=True)
class Vectors:
    """Unit vectors, a row a text, along the `directions` (width x kept) in which they differ most,
    in whole steps of -127 to 127 with a scale a row: a twelfth of the memory and a fifth of the
    time of plain numbers. A cosine is out by about 0.01, a difference of two by 0.005."""

    steps: NDArray[np.int8]
    scales: Matrix
    directions: Matrix

    @classmethod
    def of(cls, rows: NDArray[np.floating], *, kept: int) -> Vectors:
        """The rows in steps, along the first `kept` directions."""
        plain = rows.astype(np.float32)
        _, found = np.linalg.eigh(plain.T @ plain)
        directions = np.ascontiguousarray(found[:, ::-1][:, :kept])
        turned = plain @ directions
        scales = np.abs(turned).max(axis=1) / np.float32(HIGHEST)
        steps = np.rint(turned / np.maximum(scales, TINY)[:, None]).astype(np.int8)
        return cls(steps, scales, directions)

    def turned(self, own: Matrix) -> Matrix:
        """A unit vector along our directions."""
        return np.asarray(own @ self.directions, np.float32)

    def cosines(self, first: int, last: int, turned: Matrix) -> Matrix:
        """The cosines of the rows from `first` on, before `last`, to a vector that was turned."""
        found = self.steps[first:last].astype(np.float32) @ turned
        return np.asarray(found * self.scales[first:last], np.float32)


@dataclass(frozen=True, slots=True)
class Learned:
    """A trained reader; its arrays are fixed from then on.

    `texts` are the teaching texts, sorted by label: those of label k are the rows
    `starts[k]` to `starts[k + 1]`. `by_meaning` are the layers over the embeddings, one or
    two; without embeddings there are none, and `vectors` is None. `known` gives the label of
    each text that was taught under one label only.
    """

    labels: tuple[str, ...]
    texts: tuple[str, ...]
    starts: tuple[int, ...]
    vocabulary: Vocabulary
    by_grams: Linear
    by_meaning: tuple[Linear, ...]
    vectors: Vectors | None
    recipe: Recipe
    known: Mapping[str, int]

    def read(
        self, text: str, embedding: Matrix | None = None, *, gram_weight: float | None = None
    ) -> LearnedReading:
        """The probability of each label. Without an `embedding` (layers x width, as the
        embedder gives it) the n-grams decide alone; with one their share is `gram_weight`,
        or what the recipe says."""
        scores = self.scores(text, embedding, gram_weight=gram_weight)
        meant = embedding is not None and bool(self.by_meaning)
        recipe = self.recipe
        temperature = recipe.temperature if meant else recipe.lexical_temperature
        probabilities = np.exp(log_softmax(scores / np.float32(temperature)))
        label = self.known.get(text)
        if label is not None:
            probabilities *= np.float32(1 - KNOWN)
            probabilities[label] += np.float32(KNOWN)
        order = np.argsort(-probabilities, kind="stable")
        likeliest_first = (self.labels[place] for place in order.tolist())
        found = dict(zip(likeliest_first, probabilities[order].tolist(), strict=True))
        return LearnedReading(found, familiarity=float(scores.max()))

    def scores(
        self, text: str, embedding: Matrix | None = None, *, gram_weight: float | None = None
    ) -> Matrix:
        """The mixed scores of the labels, not yet probabilities."""
        by_grams = self.gram_scores(text)
        if embedding is None or not self.by_meaning:
            return by_grams
        share = np.float32(self.recipe.gram_weight if gram_weight is None else gram_weight)
        mixed = share * by_grams + (1 - share) * self.meaning_scores(embedding)
        likeliest = np.argsort(-mixed, kind="stable")[:CLOSE_LABELS]
        cosines = self._nearest_cosines(likeliest, embedding)
        # The other labels get the least cosine found, so that none gains by being left out.
        mixed += np.float32(self.recipe.nearest_weight) * cosines.min()
        mixed[likeliest] += np.float32(self.recipe.nearest_weight) * (cosines - cosines.min())
        return np.asarray(mixed, np.float32)

    def gram_scores(self, text: str) -> Matrix:
        """The log probability of each label by n-grams alone."""
        found = self.vocabulary.features(text)
        rows = self.by_grams.coefficients[found.places].astype(np.float32)
        score = found.weights @ rows
        return log_softmax(score + self.by_grams.biases)

    def meaning_scores(self, embedding: Matrix) -> Matrix:
        """The log probability of each label by the embedding alone."""
        *below, top = self.by_meaning
        values = embedding.ravel()
        for layer in below:
            values = np.maximum(values @ layer.coefficients + layer.biases, 0)
        return log_softmax(values @ top.coefficients + top.biases)

    def nearest(
        self, text: str, embedding: Matrix | None = None, *, labels: Sequence[str], count: int = 3
    ) -> tuple[Nearest, ...]:
        """The teaching examples of `labels` that are most like the text, best first: by
        cosine, or by close reading where there are no embeddings."""
        found = [
            one
            for label in dict.fromkeys(labels)
            for one in self._likest(self.labels.index(label), text, embedding, count)
        ]
        found.sort(key=lambda item: (-item[0], item[1]))
        return tuple(
            Nearest(
                text=self.texts[place],
                label=self.labels[bisect_right(self.starts, place) - 1],
                cosine=None if embedding is None or self.vectors is None else likeness,
                likeness=fuzz.ratio(text, self.texts[place]) / 100,
            )
            for likeness, place in found[:count]
        )

    def _likest(
        self, label: int, text: str, embedding: Matrix | None, count: int
    ) -> list[tuple[float, int]]:
        """Likeness and row of the `count` examples of a label that are most like the text."""
        first, last = self.starts[label], self.starts[label + 1]
        if embedding is None or self.vectors is None:
            found = process.extract(text, self.texts[first:last], scorer=fuzz.ratio, limit=count)
            return [(score, first + place) for _, score, place in found]
        cosines = self.vectors.cosines(first, last, self.vectors.turned(embedding[-1]))
        best = np.argsort(-cosines, kind="stable")[:count]
        return [(float(cosines[place]), first + int(place)) for place in best]

    def _nearest_cosines(self, labels: NDArray[np.int64], embedding: Matrix) -> Matrix:
        """The cosine of each label's nearest example."""
        if self.vectors is None:
            raise ValueError("this reader was trained without embeddings")
        turned = self.vectors.turned(embedding[-1])
        found = [
            self.vectors.cosines(self.starts[label], self.starts[label + 1], turned).max()
            for label in labels.tolist()
        ]
        return np.array(found, np.float32)


def known_labels(texts: Sequence[str], starts: Sequence[int]) -> dict[str, int]:
    """The label of each of the `texts`, but for those that stand under several."""
    found: dict[str, int] = {}
    doubtful: set[str] = set()
    for label, (first, last) in enumerate(pairwise(starts)):
        for text in texts[first:last]:
            if found.setdefault(text, label) != label:
                doubtful.add(text)
    return {text: label for text, label in found.items() if text not in doubtful}


def log_softmax(scores: Matrix) -> Matrix:
    """The logarithm of the softmax of each row."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), np.float32)
