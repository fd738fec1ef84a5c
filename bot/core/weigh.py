"""Weighs the learned reader's odds against the signals: one probability for each group.

A softmax regression over few features. Its coefficients were
fitted once on verdicts about voices that were left out of the teaching (five folds, 17,023
examples), before the last rules and examples. The bias was then set by hand, as two fitted
features were dropped. No command of the repository repeats the fit yet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bot.core.model import Level
from bot.core.triage import SignalReading

# The groups, in the order of every row of numbers here.
GROUPS = ("emergency", "suicide_crisis", "urgent", "calm")
FLOOR = 1e-5  # probabilities below this count as this, so that no logarithm runs away

# feature: how much it adds to (emergency, suicide_crisis, urgent), calm being 0.
COEFFICIENTS: dict[str, tuple[float, float, float]] = {
    "log emergency": (0.75, -0.08, -0.14),
    "log suicide_crisis": (-0.10, 0.63, -0.06),
    "log urgent": (-0.03, 0.02, 0.93),
    "log calm": (-0.92, -0.77, -1.01),
    "signal emergency": (2.18, 0.50, -0.10),
    "signal suicide_crisis": (1.99, 3.78, 1.38),
    "signal urgent": (1.25, 0.36, 2.16),
    "several signals": (1.12, -0.05, 0.73),
    "held back": (0.15, 0.53, -0.13),
    "happened": (0.76, -0.05, 0.53),
    "past": (-1.36, -0.50, -1.54),
    "hypothetical": (-0.44, -0.34, -0.78),
    "figurative": (-1.80, -1.32, -1.98),
    "bias": (-1.60, -1.20, -1.20),
}


@dataclass(frozen=True, slots=True)
class Weighed:
    """The probability of each group; they add up to 1."""

    emergency: float
    suicide_crisis: float
    urgent: float

    @property
    def crisis(self) -> float:
        """The probability of an emergency or a suicide crisis."""
        return self.emergency + self.suicide_crisis

    @property
    def escalates(self) -> float:
        """The probability of any escalating level."""
        return self.crisis + self.urgent


def weigh(odds: tuple[float, float, float, float], found: SignalReading) -> Weighed:
    """The odds of the learned reader (in the order of GROUPS) with the signals' say."""
    active = features(odds, found)
    sums = [sum(COEFFICIENTS[name][place] * value for name, value in active.items())
            for place in range(3)]  # fmt: skip
    highest = max(*sums, 0.0)
    powers = [math.exp(value - highest) for value in (*sums, 0.0)]
    total = sum(powers)
    return Weighed(*(power / total for power in powers[:3]))


def features(odds: tuple[float, float, float, float], found: SignalReading) -> dict[str, float]:
    """The features of one message by name; a feature that is absent counts as 0."""
    levels = {hit.level for hit in found.hits}
    active = {
        f"log {group}": math.log(max(share, FLOOR))
        for group, share in zip(GROUPS, odds, strict=True)
    }
    present = {
        "signal emergency": Level.EMERGENCY in levels,
        "signal suicide_crisis": Level.SUICIDE_CRISIS in levels,
        "signal urgent": Level.URGENT in levels,
        "several signals": len({hit.rule for hit in found.hits}) > 1,
        "held back": bool(found.near_misses),
        "happened": found.happened,
        "past": found.has("past"),
        "hypothetical": found.has("hypothetical"),
        "figurative": found.has("figurative"),
        "bias": True,
    }
    return active | {name: 1.0 for name, holds in present.items() if holds}
