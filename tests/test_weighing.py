"""Fitting how the readers are weighed: folds by voice, coefficients, figures on strangers."""

from __future__ import annotations

import numpy as np

from bot.core.policy import Policy
from bot.core.weigh import GROUPS
from bot.tools.weighing import (
    Stranger,
    by_others,
    fitted,
    folds_of,
    probabilities,
    report,
    sweep,
)

CALM = GROUPS.index("calm")


def strangers(each: int = 60) -> list[Stranger]:
    """Messages whose group shows in one feature, with a tenth that lies about it."""
    return [
        Stranger(
            active={f"signal {GROUPS[shown]}": 1.0, "bias": 1.0},
            group=group,
            fold=number % 3,
            english=True,
            style="hard",
        )
        for group in range(len(GROUPS))
        for number in range(each)
        for shown in [(group + 1) % len(GROUPS) if number % 10 == 0 else group]
    ]


def test_all_messages_of_a_voice_and_its_near_misses_fall_into_one_fold() -> None:
    folds = folds_of(["anna"] * 50 + ["near_anna"] * 5 + ["ben"] * 40 + ["cleo"] * 30, count=3)

    assert folds == {"anna": 0, "ben": 1, "cleo": 2}


def test_folds_are_of_like_size() -> None:
    voices = [f"voice_{number}" for number in range(20) for _ in range(number + 1)]
    folds = folds_of(voices, count=5)

    sizes = np.bincount([folds[voice] for voice in voices])

    assert sizes.max() - sizes.min() <= 6


def test_what_shows_a_group_adds_to_it_and_to_no_other() -> None:
    found = fitted(strangers())

    assert found["signal emergency"][0] > 1 > found["signal emergency"][2]
    assert found["signal urgent"][2] > 1 > found["signal urgent"][0]


def test_probabilities_are_about_as_often_right_as_they_say() -> None:
    rows = strangers(each=600)

    shares = by_others(rows)

    own = shares[np.arange(len(rows)), [row.group for row in rows]]
    assert abs(own.mean() - 0.82) < 0.05  # nine in ten right at 90 %, one in ten at 5
    assert np.allclose(shares.sum(axis=1), 1, atol=1e-5)


def test_a_fold_is_judged_by_coefficients_that_never_saw_it() -> None:
    rows = strangers(each=30)
    odd = [
        Stranger({"only in this fold": 1.0, "bias": 1.0}, group=0, fold=9, english=True, style="")
        for _ in range(20)
    ]

    inside = probabilities(odd, fitted([*rows, *odd]))
    outside = by_others([*rows, *odd])[len(rows) :]

    assert inside[0, 0] > 0.8 > outside[0, 0]


def test_the_sweep_marks_the_bars_in_use_and_counts_by_group() -> None:
    rows = strangers(each=10)
    shares = np.eye(len(GROUPS), dtype=np.float32)[[row.group for row in rows]]

    lines = list(sweep(rows, shares, (0.22, 0.35)))

    marked = next(line for line in lines if line.startswith("*"))
    assert " ".join(marked.split()) == "* 0.22 0.35 100.0 % 100.0 % 0.0 % 0.0 %"


def test_a_language_without_strangers_is_left_as_it_is() -> None:
    lines = list(report(strangers(each=10), Policy()))

    assert any("none is a stranger: ELSEWHERE stays" in line for line in lines)
