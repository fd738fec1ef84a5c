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
# Probabilities below this count as this. The learned reader is over-sure where a question stands
# beside the danger; with a lower floor no signal could outweigh it. On voices left out any floor
# from 1e-5 to 0.05 catches the same share of crises for the same share of false ones.
FLOOR = 0.02

# feature: how much it adds to (emergency, suicide_crisis, urgent), calm being 0.
COEFFICIENTS: dict[str, tuple[float, float, float]] = {
    "log emergency": (1.30, 0.25, 0.28),
    "log suicide_crisis": (0.18, 1.35, 0.19),
    "log urgent": (0.28, 0.28, 1.58),
    "log calm": (-0.99, -0.79, -1.08),
    "signal emergency": (2.31, -0.09, -0.01),
    "signal suicide_crisis": (2.22, 4.10, 1.41),
    "signal urgent": (0.97, 0.17, 1.94),
    "figurative": (-1.72, -1.57, -1.82),
    "happened": (0.65, 0.12, 0.54),
    "held back": (0.11, 0.33, -0.20),
    "hypothetical": (-0.20, 0.07, -0.30),
    "past": (-1.28, -0.73, -1.34),
    "several signals": (1.44, 0.31, 0.82),
    "bias": (1.38, 2.01, 1.76),
}

# The same for messages in other languages, in which the learned reader knows fewer words.
ELSEWHERE: dict[str, tuple[float, float, float]] = {
    "log emergency": (1.51, 0.44, 0.40),
    "log suicide_crisis": (-0.02, 0.95, 0.09),
    "log urgent": (0.09, -0.05, 1.47),
    "log calm": (-1.15, -0.64, -0.93),
    "signal emergency": (1.17, 0.44, -0.66),
    "signal suicide_crisis": (1.72, 2.84, 0.99),
    "signal urgent": (0.69, 0.27, 0.83),
    "figurative": (0.07, -0.05, -0.14),
    "happened": (1.51, 0.19, 1.77),
    "held back": (-0.18, 0.86, -0.19),
    "hypothetical": (-0.28, -0.18, -0.36),
    "past": (-1.08, -0.82, -0.99),
    "several signals": (0.44, -0.07, -0.34),
    "bias": (0.49, 0.26, 1.95),
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
