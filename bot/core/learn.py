"""The learned reader: which label a text most likely has, and which examples say so.

Two linear models over the same teaching examples, their log probabilities mixed: one
over word and character n-grams, one over sentence embeddings. Labels are plain strings;
what they mean is the caller's matter. `teach.train` makes a reader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from bot.core.grams import Vocabulary

Matrix = NDArray[np.float32]

NEAR_LABELS = 3  # labels whose examples are looked through for the nearest ones


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train and to mix. The defaults were chosen on validation data.

    Strengths are inverse L2 penalties; rounds bound the optimiser. `gram_weight` is the
    n-grams' share of the mix, the rest is the embeddings'. A temperature above 1 makes
    the probabilities humbler; `lexical_temperature` holds where embeddings are absent.
    """

    least: int = 2  # an n-gram must stand in so many examples
    gram_strength: float = 30.0
    gram_rounds: int = 25
    gram_weight: float = 0.35
    components: int = 512  # directions of the embeddings that are kept
    meaning_strength: float = 30.0
    meaning_rounds: int = 60
    temperature: float = 1.0
    lexical_temperature: float = 1.0


STANDARD = Recipe()


@dataclass(frozen=True, slots=True)
class Nearest:
    """A teaching example like the text.

    `place` is its row in the teaching data. `cosine` is that of the embeddings, -1 to 1,
    or None in lexical mode; `likeness` is the close reading, 0 to 1: the share of letters
    that the two have in common and in order.
    """

    text: str
    label: str
    place: int
    cosine: float | None
    likeness: float


@dataclass(frozen=True, slots=True)
class LearnedReading:
    """What the learned reader makes of a text: each label's probability, best first."""

    probabilities: Mapping[str, float]

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

    coefficients: Matrix
    biases: Matrix


@dataclass(frozen=True, slots=True)
class Learned:
    """A trained reader; its arrays are fixed from then on.

    `targets` is the label of each teaching text, as a place in `labels`. `by_meaning` and
    `vectors` (unit vectors, a row a text) are None where there were no embeddings.
    """

    labels: tuple[str, ...]
    texts: tuple[str, ...]
    targets: NDArray[np.int64]
    vocabulary: Vocabulary
    by_grams: Linear
    by_meaning: Linear | None
    vectors: NDArray[np.float16] | None
    recipe: Recipe

    def read(self, text: str, embedding: Matrix | None = None) -> LearnedReading:
        """The probability of each label. Without an `embedding` (layers x width, as the
        embedder gives it) the n-grams decide alone."""
        scores = self.scores(text, embedding)
        probabilities = np.exp(log_softmax(scores))
        order = np.argsort(-probabilities, kind="stable")
        return LearnedReading({self.labels[place]: float(probabilities[place]) for place in order})

    def scores(self, text: str, embedding: Matrix | None = None) -> Matrix:
        """The mixed log probabilities of the labels, divided by the temperature."""
        by_grams = self.gram_scores(text)
        if embedding is None or self.by_meaning is None:
            return by_grams / np.float32(self.recipe.lexical_temperature)
        share = np.float32(self.recipe.gram_weight)
        mixed = share * by_grams + (1 - share) * self.meaning_scores(embedding)
        return np.asarray(mixed / np.float32(self.recipe.temperature), np.float32)

    def gram_scores(self, text: str) -> Matrix:
        """The log probability of each label by n-grams alone."""
        found = self.vocabulary.features(text)
        score = found.weights @ self.by_grams.coefficients[found.places]
        return log_softmax(score + self.by_grams.biases)

    def meaning_scores(self, embedding: Matrix) -> Matrix:
        """The log probability of each label by the embedding alone."""
        if self.by_meaning is None:
            raise ValueError("this reader was trained without embeddings")
        score = embedding.ravel() @ self.by_meaning.coefficients
        return log_softmax(score + self.by_meaning.biases)

    def nearest(
        self,
        text: str,
        embedding: Matrix | None = None,
        *,
        labels: Sequence[str],
        count: int = 3,
    ) -> tuple[Nearest, ...]:
        """The teaching examples of `labels` that are most like the text, best first."""
        wanted = [self.labels.index(label) for label in labels]
        places = np.flatnonzero(np.isin(self.targets, wanted))
        cosines = self._cosines(places, embedding)
        found = [
            Nearest(
                self.texts[place],
                self.labels[self.targets[place]],
                int(place),
                cosine,
                fuzz.ratio(text, self.texts[place]) / 100,
            )
            for place, cosine in zip(places, cosines, strict=True)
        ]
        found.sort(key=lambda one: -(one.likeness if one.cosine is None else one.cosine))
        return tuple(found[:count])

    def _cosines(
        self, places: NDArray[np.int64], embedding: Matrix | None
    ) -> Sequence[float | None]:
        if embedding is None or self.vectors is None:
            return [None] * len(places)
        cosines: list[float] = (self.vectors[places].astype(np.float32) @ embedding[-1]).tolist()
        return cosines


def log_softmax(scores: Matrix) -> Matrix:
    """The logarithm of the softmax of each row."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), np.float32)
