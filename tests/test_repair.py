"""Typo repair: unknown words become the nearest known ones, known words stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.repair import repair, vocabulary_from
from bot.core.text import normalise
from tests.reading import lexicon, understand, vocabulary


def mended(text: str) -> str:
    return understand(text).text


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("she is not braething", "she is not breathing"),
        ("she is not brething", "she is not breathing"),
        ("he is unconcsious", "he is unconscious"),
        ("took the hole botle", "took the hole bottle"),
        ("i swalowed pilss", "i swallowed pills"),
        ("myslef", "myself"),
        ("hlep me", "help me"),
        ("she took hallucinatons", "she took hallucinations"),
        ("bacolfen", "baclofen"),
    ],
)
def test_typos_become_the_nearest_known_word(raw: str, expected: str) -> None:
    assert mended(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("wontwakeup", "will not wake up"),
        ("cantbreathe", "can not breathe"),
        ("shewontwakeup", "she will not wake up"),
        ("tookthewholebottle", "took the whole bottle"),
        ("over dose", "over dose"),
        ("brea thing badly", "breathing badly"),
        ("baclo fen", "baclofen fen"),
    ],
)
def test_joined_words_are_split_and_split_words_joined(raw: str, expected: str) -> None:
    assert mended(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        "the sofa and the tablet",
        "my brother gambles and brews tea",
        "a lovely walk in the park with terry",
        "seize the day",
        "is it ok to eat cheese",
    ],
)
def test_common_words_are_left_alone(raw: str) -> None:
    assert mended(raw) == normalise(raw, lexicon()).text


@pytest.mark.parametrize("raw", ["10 mg", "x 30", "5 htp", "мама не дышит", "सांस नहीं"])
def test_numbers_and_other_scripts_are_left_alone(raw: str) -> None:
    assert mended(raw) == raw


def test_a_mended_word_keeps_its_place_in_the_message() -> None:
    raw = "She is NOT braething"

    last = understand(raw).tokens[-1]

    assert (last.word, raw[last.start : last.end]) == ("breathing", "braething")


def test_the_words_named_first_win_a_tie() -> None:
    words = vocabulary_from(["coughing", "roughing"], lexicon())

    assert repair(normalise("xoughing", lexicon()), words).text == "coughing"


def test_a_message_in_another_language_is_mended_with_care() -> None:
    assert (
        mended("manana vamos juntos hasta jardines grandes")
        == "manana vamos juntos hasta jardines grandes"
    )


@given(st.text(alphabet="abcdehilnoprstuwy ", max_size=60))
def test_repair_is_total_and_settles(raw: str) -> None:
    once = mended(raw)

    assert mended(once) == once or len(once.split()) != len(raw.split())


@given(st.text(max_size=80))
def test_offsets_stay_in_the_message(raw: str) -> None:
    tokens = repair(normalise(raw, lexicon()), vocabulary()).tokens

    assert all(0 <= token.start < token.end <= len(raw) for token in tokens)
