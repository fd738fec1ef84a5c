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
# Probabilities below these count as these, so that no learned reader, however sure, drowns a plain
# sign. It was over-sure once, and the floor high. Since it learned from voices that were written
# against it, a sign that it finds 99 in 100 harmless is harmless ("his joke was so good I stopped
# breathing"); in other languages it knows less.
FLOOR, FLOOR_ELSEWHERE = 0.005, 0.02

# feature: how much it adds to (emergency, suicide_crisis, urgent), calm being 0.
COEFFICIENTS: dict[str, tuple[float, float, float]] = {
    "log emergency": (1.27, 0.22, 0.27),
    "log suicide_crisis": (0.14, 1.39, 0.13),
    "log urgent": (0.32, 0.27, 1.52),
    "log calm": (-0.84, -0.74, -0.93),
    "signal emergency": (2.62, 0.41, -0.10),
    "signal suicide_crisis": (0.98, 2.91, 0.92),
    "signal urgent": (0.32, -0.04, 0.48),
    "figurative": (-1.12, -0.97, -1.16),
    "happened": (1.19, 0.49, 1.01),
    "held back": (-0.19, -0.19, -0.02),
    "hypothetical": (-0.64, -0.06, -0.70),
    "past": (-0.71, -0.51, -0.90),
    "several signals": (0.52, -0.61, -0.07),
    "bias": (1.79, 1.94, 2.40),
}

# The same for messages in other languages, in which we know fewer signs.
ELSEWHERE: dict[str, tuple[float, float, float]] = {
    "log emergency": (1.20, 0.26, 0.39),
    "log suicide_crisis": (0.08, 1.25, 0.13),
    "log urgent": (0.60, 0.50, 1.81),
    "log calm": (-0.91, -0.83, -0.77),
    "signal emergency": (0.06, -0.35, -0.52),
    "signal suicide_crisis": (0.95, 0.71, 0.50),
    "signal urgent": (0.01, -0.01, 0.18),
    "figurative": (0.0, 0.0, 0.0),  # an English wording in a message read as another language
    "happened": (0.56, -0.25, -0.02),
    "held back": (-0.39, -0.07, -0.20),
    "hypothetical": (0.93, 0.24, 0.45),
    "past": (-0.02, -0.02, -0.02),
    "several signals": (0.09, -0.05, 0.00),
    "bias": (3.00, 3.11, 4.09),
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

    In other languages than English the signals count for less: we know few of theirs.
    """
    rows = COEFFICIENTS if english else ELSEWHERE
    active = features(odds, found, english=english)
    sums = [sum(rows[name][place] * value for name, value in active.items())
            for place in range(3)]  # fmt: skip
    highest = max(*sums, 0.0)
    powers = [math.exp(value - highest) for value in (*sums, 0.0)]
    total = sum(powers)
    return Weighed(*(power / total for power in powers[:3]))


def features(
    odds: tuple[float, float, float, float], found: SignalReading, *, english: bool
) -> dict[str, float]:
    """The features of one message by name; a feature that is absent counts as 0."""
    levels = {hit.level for hit in found.hits}
    floor = FLOOR if english else FLOOR_ELSEWHERE
    active = {
        f"log {group}": math.log(max(share, floor))
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
