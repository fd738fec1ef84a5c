"""The bars: from which probability on a level counts."""

from __future__ import annotations

import pytest

from bot.core.model import Level
from bot.core.readers import Policy
from bot.core.weigh import Weighed

BARS = Policy(crisis=0.2, escalates=0.3, unspoken=0.4)


@pytest.mark.parametrize(
    ("emergency", "suicide", "urgent", "signs", "level"),
    [
        (0.25, 0.00, 0.0, False, Level.EMERGENCY),
        (0.15, 0.00, 0.0, True, Level.OUT_OF_SCOPE),
        (0.12, 0.10, 0.0, False, Level.EMERGENCY),
        (0.00, 0.25, 0.0, True, Level.SUICIDE_CRISIS),
        (0.00, 0.35, 0.0, False, Level.OUT_OF_SCOPE),
        (0.00, 0.45, 0.0, False, Level.SUICIDE_CRISIS),
        (0.00, 0.02, 0.35, False, Level.URGENT),
        (0.10, 0.00, 0.25, False, Level.URGENT),
        (0.10, 0.05, 0.10, True, Level.OUT_OF_SCOPE),
    ],
)
def test_a_level_counts_from_its_bar_on(
    emergency: float, suicide: float, urgent: float, signs: bool, level: Level
) -> None:
    assert BARS.level(Weighed(emergency, suicide, urgent), signs=signs) is level
