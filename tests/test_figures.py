"""Figures about escalations."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.escalation import Review
from bot.core.figures import (
    Fact,
    Share,
    false_alarms,
    figures,
    first_two,
    kappa,
    misses_per_1000,
)
from bot.core.model import Level
from tests.escalation_values import MINUTE, NOW

FACT = Fact(
    level=Level.EMERGENCY,
    rule="cannot_be_woken",
    language="en",
    created_at=NOW,
    alert_since=NOW,
    acknowledged_at=NOW + MINUTE,
    missed=False,
    delivery_failed=False,
    reviewed=True,
    verdict="correct",
)


def test_nothing_has_no_figures() -> None:
    assert figures(()) == ()


def test_times_to_acknowledge_are_a_median_and_a_95th_percentile() -> None:
    facts = [replace(FACT, acknowledged_at=NOW + n * MINUTE) for n in range(1, 101)]

    (found,) = figures([*facts, replace(FACT, acknowledged_at=None)])

    assert found.count == 101
    assert (found.acknowledge_median, found.acknowledge_p95) == (50 * MINUTE, 95 * MINUTE)


def test_what_nobody_acknowledged_has_no_time() -> None:
    (found,) = figures([replace(FACT, acknowledged_at=None)])

    assert (found.acknowledge_median, found.acknowledge_p95) == (None, None)


def test_shares_are_counted_and_precision_is_of_those_judged() -> None:
    facts = [
        FACT,
        replace(FACT, missed=True, verdict="too_high"),
        replace(FACT, delivery_failed=True, verdict="too_low"),
        replace(FACT, reviewed=False, verdict=""),
    ]

    (found,) = figures(facts)

    assert (found.missed, found.delivery_failed, found.reviewed, found.precision) == (
        Share(1, 4),
        Share(1, 4),
        Share(3, 4),
        Share(2, 3),
    )


def test_groups_come_in_an_order_that_helps() -> None:
    facts = [
        replace(FACT, level=Level.URGENT, rule="a", created_at=NOW - timedelta(days=7)),
        replace(FACT, level=Level.EMERGENCY, rule="b", language="fr"),
        replace(FACT, level=Level.SUICIDE_CRISIS, rule="b"),
    ]

    def groups(by: str) -> list[str]:
        return [each.group for each in figures(facts, by)]  # type: ignore[arg-type]

    assert groups("level") == ["emergency", "suicide_crisis", "urgent"]
    assert groups("rule") == ["b", "a"]
    assert groups("language") == ["en", "fr"]
    assert groups("week") == ["2026-W47", "2026-W48"]
    assert groups("day") == ["2026-11-16", "2026-11-23"]


def test_rules_are_listed_by_their_false_alarms() -> None:
    high = replace(FACT, verdict="too_high")
    facts = [FACT, high, replace(high, rule="b"), replace(high, rule="b"), replace(FACT, rule="c")]

    assert [each.group for each in false_alarms(facts)] == ["b", "cannot_be_woken"]


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    # Wilson's interval, as in Newcombe 1998, table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_a_share_has_wilsons_interval(count: int, total: int, low: float, high: float) -> None:
    assert Share(count, total).interval == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 1000), st.integers(1, 1000))
def test_an_interval_holds_its_share(count: int, total: int) -> None:
    share = Share(min(count, total), total)

    assert share.interval is not None
    assert share.value is not None
    low, high = share.interval
    assert 0 <= low <= share.value + 1e-12
    assert share.value - 1e-12 <= high <= 1


def test_a_share_of_nothing_is_none() -> None:
    assert (Share(0, 0).value, Share(0, 0).interval) == (None, None)


def test_misses_are_told_per_thousand_with_an_interval() -> None:
    found = misses_per_1000(1000, 3)

    assert found == pytest.approx((3.0, 1.02, 8.78), abs=0.01)


def test_a_small_sample_gives_no_estimate() -> None:
    assert misses_per_1000(99, 0) is None


def test_agreement_beyond_chance() -> None:
    yes, no = Level.EMERGENCY, Level.URGENT
    # The example of Cohen's kappa with 20, 5, 10, 15: 0.4.
    pairs = [(yes, yes)] * 20 + [(yes, no)] * 5 + [(no, yes)] * 10 + [(no, no)] * 15

    assert kappa(pairs) == pytest.approx(0.4)
    assert kappa([(yes, yes), (no, no)] * 20) == 1
    assert kappa(pairs[:19]) is None
    assert kappa([(yes, yes)] * 50) is None


def test_the_first_two_readers_of_a_case_are_compared() -> None:
    def review(reviewer: str, level: Level, *, lead: bool = False) -> Review:
        return Review(
            reviewer=reviewer,
            reviewed_level=level,
            level_then=Level.EMERGENCY,
            created_at=NOW,
            is_authoritative=lead,
        )

    reviews = [
        ("c1", review("ana", Level.EMERGENCY)),
        ("c1", review("ana", Level.URGENT)),
        ("c1", review("lea", Level.INFO, lead=True)),
        ("c1", review("ben", Level.URGENT)),
        ("c1", review("cleo", Level.INFO)),
        ("c2", review("ana", Level.INFO)),
    ]

    assert first_two(reviews) == [(Level.EMERGENCY, Level.URGENT)]
