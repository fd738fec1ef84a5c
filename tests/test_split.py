"""Long replies arrive whole and readable, with every number in one piece."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.split import length, split

LIMIT = 40
WORDS = st.sampled_from(["breathe", "Call", "now.", "\n", "\n\n", "🙂", "side", "a?"])
NUMBERS = st.sampled_from(["112", "116 123", "(02) 8524 1078", "+7 495 989-50-50"])
TEXTS = st.lists(st.tuples(WORDS, NUMBERS, WORDS).map(" ".join) | WORDS, max_size=60).map(" ".join)


def squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text)


@given(st.one_of(st.text(max_size=300), TEXTS))
def test_every_part_fits_and_none_is_blank(text: str) -> None:
    parts = split(text, LIMIT)

    assert all(0 < length(part) <= LIMIT and part == part.strip() for part in parts)


@given(st.one_of(st.text(max_size=300), TEXTS))
def test_nothing_is_lost_or_reordered(text: str) -> None:
    parts = split(text, LIMIT)

    assert squeeze("".join(parts)) == squeeze(text)


@given(TEXTS)
def test_a_number_is_never_cut(text: str) -> None:
    parts = split(text, LIMIT)

    for number in ("112", "116 123", "(02) 8524 1078", "+7 495 989-50-50"):
        assert sum(part.count(number) for part in parts) == text.count(number)


@given(st.lists(st.text("ab .!1", min_size=1, max_size=LIMIT), max_size=12))
def test_a_line_with_a_number_stays_whole(lines: list[str]) -> None:
    parts = split("\n".join(lines), LIMIT)

    whole = {line.strip() for part in parts for line in part.split("\n")}
    assert all(line.strip() in whole for line in lines if "1" in line)


def test_a_short_text_is_one_message() -> None:
    assert split("Call 112 now.") == ("Call 112 now.",)


@pytest.mark.parametrize("blank", ["", " ", "\n\n"], ids=["empty", "space", "lines"])
def test_a_blank_text_is_no_message(blank: str) -> None:
    assert split(blank) == ()


def test_paragraphs_are_preferred_to_sentences() -> None:
    text = "One two three four five.\n\nSix seven. Eight nine ten eleven."

    assert split(text, LIMIT) == ("One two three four five.", "Six seven. Eight nine ten eleven.")


def test_sentences_are_preferred_to_words() -> None:
    text = "One two three four five six. Seven eight nine ten eleven."

    assert split(text, LIMIT) == ("One two three four five six.", "Seven eight nine ten eleven.")


def test_astral_characters_count_twice() -> None:
    assert length("🙂a") == 3
    assert [length(part) for part in split("🙂" * 5000)] == [4096, 4096, 1808]
