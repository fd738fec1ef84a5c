"""Weighs the learned reader's odds against the signals: one probability for each group.

A softmax regression over few features. `python -m bot weigh` fits it on verdicts about voices
that were left out of the teaching, and prints the two tables that stand here.
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
    "log emergency": (0.98, -0.03, 0.02),
    "log suicide_crisis": (-0.02, 0.80, 0.01),
    "log urgent": (0.09, 0.09, 1.23),
    "log calm": (-1.04, -0.90, -1.13),
    "signal emergency": (1.97, -0.15, -0.13),
    "signal suicide_crisis": (1.77, 3.33, 1.01),
    "signal urgent": (0.86, 0.36, 1.66),
    "figurative": (-1.69, -1.53, -1.67),
    "happened": (0.51, 0.05, 0.40),
    "held back": (0.16, 0.41, -0.14),
    "hypothetical": (-0.19, 0.07, -0.27),
    "past": (-1.41, -0.76, -1.44),
    "several signals": (1.17, 0.15, 0.52),
    "bias": (-0.16, -0.12, 0.12),
}

# The same for messages in other languages, in which the learned reader knows fewer words.
ELSEWHERE: dict[str, tuple[float, float, float]] = {
    "log emergency": (1.26, 0.10, 0.04),
    "log suicide_crisis": (-0.01, 0.78, 0.13),
    "log urgent": (0.16, 0.20, 1.69),
    "log calm": (-1.18, -0.82, -1.05),
    "signal emergency": (1.20, 0.46, -0.68),
    "signal suicide_crisis": (1.50, 2.86, 0.95),
    "signal urgent": (0.60, 0.25, 0.68),
    "figurative": (0.18, 0.02, -0.10),
    "happened": (1.46, 0.13, 1.76),
    "held back": (-0.31, 0.72, -0.31),
    "hypothetical": (-0.26, -0.15, -0.41),
    "past": (-0.88, -0.57, -0.80),
    "several signals": (0.24, -0.19, -0.46),
    "bias": (0.24, -0.14, 1.91),
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


def weigh(
    odds: tuple[float, float, float, float], found: SignalReading, *, english: bool = True
) -> Weighed:
    """The odds of the learned reader (in the order of GROUPS) with the signals' say.

    In other languages than English the learned reader counts for less.
    """
    rows = COEFFICIENTS if english else ELSEWHERE
    active = features(odds, found)
    sums = [sum(rows[name][place] * value for name, value in active.items())
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
