"""Training of the learned reader from examples. Needs scipy, which reading does not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from bot.core import grams, network, softmax
from bot.core.grams import Vocabulary
from bot.core.learn import STANDARD, Learned, Linear, Matrix, Recipe, Vectors, known_labels
from bot.core.softmax import Progress, in_silence

BLOCK = 2_048  # embeddings that are turned into 32-bit numbers at a time, to save memory


def train(
    texts: Sequence[str],
    labels: Sequence[str],
    embeddings: NDArray[np.floating] | None = None,
    *,
    recipe: Recipe = STANDARD,
    by_grams: tuple[Vocabulary, Linear] | None = None,
    progress: Progress = in_silence,
) -> Learned:
    """The reader taught by `texts`, whose labels are `labels`.

    `embeddings` is texts x layers x width, unit vectors, the sentence's own vector in the
    last layer; without it the reader is lexical. `by_grams` is what `learn_grams` made of the
    same texts, where that was done before.
    The same arguments give the same reader. Raises ValueError for less than two labels.
    """
    order, names, targets = _sorted(labels)
    by_meaning: tuple[Linear, ...] = ()
    vectors = None
    if embeddings is not None:
        own = embeddings[order]
        vectors = Vectors.of(own[:, -1], kept=recipe.nearest_directions)
        by_meaning = _fit_meaning(own, targets, recipe, progress)
    vocabulary, linear = by_grams or learn_grams(texts, labels, recipe=recipe, progress=progress)
    sorted_texts = tuple(texts[place] for place in order)
    starts = (0, *np.cumsum(np.bincount(targets)).tolist())
    return Learned(
        labels=names,
        texts=sorted_texts,
        starts=starts,
        vocabulary=vocabulary,
        by_grams=Linear(linear.coefficients.astype(np.float16), linear.biases),
        by_meaning=by_meaning,
        vectors=vectors,
        recipe=recipe,
        known=known_labels(sorted_texts, starts),
    )


def learn_grams(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    recipe: Recipe = STANDARD,
    progress: Progress = in_silence,
) -> tuple[Vocabulary, Linear]:
    """The part of the reader that needs no embeddings."""
    order, _, targets = _sorted(labels)
    chosen = [texts[place] for place in order]
    vocabulary = grams.gather(chosen, least=recipe.least)
    linear = softmax.fit(
        _rows(vocabulary, chosen),
        targets,
        strength=recipe.gram_strength,
        rounds=recipe.gram_rounds,
        progress=progress,
    )
    return vocabulary, linear


def _sorted(
    labels: Sequence[str],
) -> tuple[list[int], tuple[str, ...], NDArray[np.int64]]:
    """The order of the texts by label; the labels; each text's label in that order."""
    order = sorted(range(len(labels)), key=lambda place: (labels[place], place))
    names, targets = np.unique([labels[place] for place in order], return_inverse=True)
    if len(names) < 2:
        raise ValueError("a reader needs texts of at least two labels")
    return order, tuple(names.tolist()), targets


def _rows(vocabulary: Vocabulary, texts: Sequence[str]) -> csr_array:
    """The features of `texts` as a sparse matrix, a row a text."""
    found = [vocabulary.features(text) for text in texts]
    ends = np.cumsum([0, *(len(one.places) for one in found)])
    weights = np.concatenate([one.weights for one in found])
    places = np.concatenate([one.places for one in found])
    return csr_array((weights, places, ends), shape=(len(texts), vocabulary.size))


def _fit_meaning(
    embeddings: NDArray[np.floating],
    targets: NDArray[np.int64],
    recipe: Recipe,
    progress: Progress,
) -> tuple[Linear, ...]:
    """A network, or a linear model, over the principal directions of the embeddings, with
    the turn into these directions put into its first layer.

    The directions only make training fast: with all of them a linear model is the same.
    """
    rows = embeddings.reshape(len(embeddings), -1)
    blocks = [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)]
    middle = np.mean(rows, axis=0, dtype=np.float64).astype(np.float32)
    spread = np.zeros((rows.shape[1], rows.shape[1]), np.float32)
    for block in blocks:
        centred = block.astype(np.float32) - middle
        spread += centred.T @ centred
    _, directions = np.linalg.eigh(spread)
    directions = np.ascontiguousarray(directions[:, ::-1][:, : recipe.components])
    turned = np.concatenate([(block.astype(np.float32) - middle) @ directions for block in blocks])
    first, *above = _fit_turned(turned, targets, recipe, progress)
    whole = np.ascontiguousarray(directions @ first.coefficients)
    return Linear(whole, first.biases - middle @ whole), *above


def _fit_turned(
    rows: Matrix,
    targets: NDArray[np.int64],
    recipe: Recipe,
    progress: Progress,
) -> tuple[Linear, ...]:
    """The layers over the turned embeddings."""
    if len(rows) >= recipe.hidden_from:
        return network.fit(
            rows,
            targets,
            hidden=recipe.hidden,
            rounds=recipe.hidden_rounds,
            progress=progress,
        )
    linear = softmax.fit(
        rows,
        targets,
        strength=recipe.meaning_strength,
        rounds=recipe.meaning_rounds,
        progress=progress,
    )
    return (linear,)
