"""The bars: from which probability on a level counts."""

from __future__ import annotations

import pytest

from bot.core.model import Evidence, Level
from bot.core.policy import Policy
from bot.core.triage import ScopeFact, SignalReading
from bot.core.weigh import COEFFICIENTS, ELSEWHERE, Weighed, weigh

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


@pytest.mark.parametrize(
    ("emergency", "suicide", "grave", "level"),
    [
        (0.07, 0.03, False, Level.SUICIDE_CRISIS),
        (0.45, 0.20, False, Level.SUICIDE_CRISIS),
        (0.70, 0.20, False, Level.EMERGENCY),
        (0.30, 0.20, True, Level.EMERGENCY),
        (0.00, 0.00, False, Level.SUICIDE_CRISIS),
    ],
)
def test_suicide_said_in_so_many_words_gets_its_card_unless_an_emergency_outweighs_it(
    emergency: float, suicide: float, grave: bool, level: Level
) -> None:
    weighed = Weighed(emergency, suicide, 0.0)

    assert BARS.level(weighed, signs=True, suicide_said=True, grave_sign=grave) is level
    assert (
        BARS.level(weighed, signs=True, suicide_said=True, grave_sign=grave, english=False) is level
    )


def test_a_hint_of_suicide_is_nothing_without_a_second_reader() -> None:
    doubtful, likely = Weighed(0.0, 0.1, 0.0), Weighed(0.0, 0.3, 0.0)

    assert BARS.level(doubtful, signs=True, suicide_said=False) is Level.OUT_OF_SCOPE
    assert BARS.level(likely, signs=True, suicide_said=False) is Level.SUICIDE_CRISIS


def test_help_for_an_attempt_comes_before_the_crisis_line() -> None:
    sure = Weighed(0.1, 0.8, 0.0)

    assert BARS.level(sure, signs=True, suicide_said=True, attempt_said=True) is Level.EMERGENCY
    assert BARS.level(sure, signs=True, suicide_said=True) is Level.SUICIDE_CRISIS


def test_what_is_said_plainly_needs_no_learned_reader() -> None:
    nothing = Weighed(0.0, 0.0, 0.0)

    assert BARS.level(nothing, signs=True, grave_sign=True) is Level.OUT_OF_SCOPE
    assert BARS.level(nothing, signs=True, grave_sign=True, grave_said=True) is Level.EMERGENCY


@pytest.mark.parametrize("scope", ["past", "hypothetical", "figurative", "animal"])
@pytest.mark.parametrize("english", [True, False])
def test_any_scope_may_stand_in_a_message_of_any_language(scope: str, *, english: bool) -> None:
    found = SignalReading(scopes=(ScopeFact(scope, Evidence(scope, "scope", 0, 1, "x", "")),))

    weighed = weigh((0.1, 0.1, 0.1, 0.7), found, english=english)

    assert 0 < weighed.crisis <= weighed.escalates < 1


def test_the_two_tables_weigh_the_same_things() -> None:
    assert COEFFICIENTS.keys() == ELSEWHERE.keys()
