"""Amounts read as numbers and set against the usual dose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.amounts import read_amounts, read_numbers
from bot.core.text import normalise
from tests.reading import lexicon, understand


def sizes(text: str) -> list[str]:
    return [amount.size for amount in read_amounts(understand(text), lexicon())]


@pytest.mark.parametrize(
    "text",
    [
        "I took 10 pills",
        "took 15 of the 10s",
        "took 8 of the 20s instead of 1",
        "I normally take 1 and took 5",
        "30 x 10mg",
        "twenty five tablets",
        "he swallowed a dozen tablets",
        "3 times my dose",
        "4x the usual amount",
        "had 80mg instead of 10mg",
        "I took 12",
        "took about 9 of them",
        "ate 3 or 7 tablets",
        "drank 150ml of the liquid",
        "had four doses",
        "took 300 mg",
        "two bottles of it",
        "half the bottle",
        "4 tablets instead of one",
        "took my evening one eight times",
        "gave it four times",
    ],
)
def test_three_times_the_usual_dose_is_large(text: str) -> None:
    assert "large" in sizes(text)


@pytest.mark.parametrize(
    "text",
    [
        "two tablets instead of one",
        "I normally take 1 and took 2",
        "took one extra tablet",
        "took 1 more tablet",
        "had 20mg instead of 10mg",
        "I had two doses",
        "took 20 instead of 10",
    ],
)
def test_one_extra_is_double(text: str) -> None:
    assert "double" in sizes(text)
    assert "large" not in sizes(text)


@pytest.mark.parametrize(
    "text",
    [
        "took 1 tablet",
        "one pill",
        "took 10 mg",
        "I take 30 mg a day",
        "a 25mg tablet",
        "took it 3 times a day",
    ],
)
def test_a_usual_amount_is_neither(text: str) -> None:
    assert not {"large", "double"} & set(sizes(text))


@pytest.mark.parametrize(
    "text",
    [
        "I took 2 hours to get here",
        "took him 20 minutes",
        "I am 19 years old",
        "at 10 pm",
        "had 5 beers",
        "room 12",
        "my bp is 190 over 110",
        "call 911",
        "she had 4 children",
        "in 2019",
        "took 3 days off",
    ],
)
def test_other_numbers_are_no_amounts(text: str) -> None:
    assert sizes(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "I have 3 left from the 30 I picked up yesterday",
        "28 minus 9",
        "only 2 left out of 28",
        "box of 84, there are 31 left",
    ],
)
def test_many_gone_from_a_pack_are_missing(text: str) -> None:
    assert "missing" in sizes(text)


def test_three_left_of_thirty_after_a_month_says_nothing_of_how_many_at_once() -> None:
    assert sizes("3 tablets left") != ["missing"]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("twenty five", [25]),
        ("two hundred", [200]),
        ("a couple of", [2]),
        ("3 or 4", [3, 4]),
        ("half", [0.5]),
        ("1,000", [1000]),
        ("one two", [1, 2]),
    ],
)
def test_numbers_in_words_and_digits(text: str, values: list[float]) -> None:
    tokens = normalise(text, lexicon()).tokens

    assert [number.value for number in read_numbers(tokens, lexicon())] == values


WORDS = (
    "took",
    "10",
    "20",
    "x",
    "of",
    "the",
    "s",
    "mg",
    "one",
    "or",
    "instead",
    "left",
    "1e9",
    "half",
)


@given(
    st.lists(st.sampled_from(WORDS)),
)
def test_reading_amounts_is_total(words: list[str]) -> None:
    utterance = understand(" ".join(words))

    for amount in read_amounts(utterance, lexicon()):
        assert 0 <= amount.first <= amount.last < len(utterance.tokens)
