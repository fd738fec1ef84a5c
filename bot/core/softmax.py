"""Multinomial logistic regression by L-BFGS, for dense and for sparse features.

An own optimiser of a page: scipy's takes 64-bit numbers and three times the memory, which
for 90 labels and 40,000 n-grams is half a gigabyte.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from bot.core.learn import Linear, Matrix, log_softmax

MEMORY = 4  # steps whose curvature is remembered
STOP = 1e-6  # share by which the loss must fall for another round
SHORTEST = 1e-6  # step below which the search along a line gives up
ENOUGH = 1e-4  # share of the promised fall that a step must bring (Armijo)

Loss = Callable[[Matrix], tuple[float, Matrix]]  # a model to its loss and slope
Progress = Callable[[float], None]  # is told the share that is done, 0 to 1


def in_silence(_share: float) -> None:
    """Progress that is told to nobody."""


def fit(
    features: Matrix | csr_array,
    target: NDArray[np.int64],
    *,
    strength: float,
    rounds: int,
    progress: Progress = in_silence,
) -> Linear:
    """The linear model that gives each row its `target`, a class from 0 on.

    `strength` is the inverse of the L2 penalty ("C"), `rounds` the most steps of the
    optimiser. Deterministic.
    """
    rows, width = features.shape
    classes = int(target.max()) + 1
    turned = _transposed(features)
    every = np.arange(rows)

    def loss(model: Matrix) -> tuple[float, Matrix]:
        logs = log_softmax(features @ model[:width] + model[width])
        misfit = -float(logs[every, target].sum())
        penalty = float(np.vdot(model[:width], model[:width])) / (2 * strength)
        fault = np.exp(logs)
        fault[every, target] -= 1
        fault /= np.float32(rows)
        slope = np.empty_like(model)
        slope[:width] = turned @ fault + model[:width] / np.float32(strength * rows)
        slope[width] = fault.sum(axis=0)
        return (misfit + penalty) / rows, slope

    model = minimise(loss, np.zeros((width + 1, classes), np.float32), rounds, progress)
    return Linear(model[:width], model[width])


def minimise(loss: Loss, start: Matrix, rounds: int, progress: Progress) -> Matrix:
    """The model at which `loss` is least, by limited-memory BFGS from `start`."""
    model, (value, slope) = start, loss(start)
    past: deque[tuple[Matrix, Matrix, float]] = deque(maxlen=MEMORY)
    for done in range(rounds):
        progress(done / rounds)
        direction = _direction(slope, past)
        found = _search(loss, model, value, slope, direction, first=not past)
        if found is None:
            break
        new_model, new_value, new_slope = found
        step, bend = new_model - model, new_slope - slope
        if (curvature := float(np.vdot(step, bend))) > 0:
            past.append((step, bend, curvature))
        fall = value - new_value
        model, value, slope = new_model, new_value, new_slope
        if fall < STOP * abs(value):
            break
    progress(1.0)
    return model


def _direction(slope: Matrix, past: deque[tuple[Matrix, Matrix, float]]) -> Matrix:
    """Downhill, bent by the curvature of the past steps (the two-loop recursion)."""
    direction = -slope
    shares = []
    for step, bend, curvature in reversed(past):
        share = float(np.vdot(step, direction)) / curvature
        direction -= np.float32(share) * bend
        shares.append(share)
    if past:
        _, bend, curvature = past[-1]
        direction *= np.float32(curvature / float(np.vdot(bend, bend)))
    for (step, bend, curvature), share in zip(past, reversed(shares), strict=True):
        back = float(np.vdot(bend, direction)) / curvature
        direction += np.float32(share - back) * step
    return direction


def _search(
    loss: Loss,
    model: Matrix,
    value: float,
    slope: Matrix,
    direction: Matrix,
    *,
    first: bool,
) -> tuple[Matrix, float, Matrix] | None:
    """The first step along `direction`, halved again and again, that lowers the loss."""
    promise = float(np.vdot(slope, direction))
    if promise >= 0:
        return None
    length = 1.0 / float(np.linalg.norm(slope)) if first else 1.0
    while length > SHORTEST:
        there = model + np.float32(length) * direction
        new_value, new_slope = loss(there)
        if new_value <= value + ENOUGH * length * promise:
            return there, new_value, new_slope
        length /= 2
    return None


def _transposed(features: Matrix | csr_array) -> Matrix | csr_array:
    if isinstance(features, np.ndarray):
        return np.ascontiguousarray(features.T)
    return features.T.tocsr()
