"""Normalising: one spelling for each word, with its place in the message."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.text import HEAD, TAIL, normalise
from tests.reading import lexicon


def text_of(raw: str) -> str:
    return normalise(raw, lexicon()).text


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("She WON'T wake up", "she will not wake up"),
        ("she wont wake up", "she will not wake up"),
        ("she won’t wake up", "she will not wake up"),
        ("I cannot breathe", "i can not breathe"),
        ("I can't breathe", "i can not breathe"),
        ("I cant breathe", "i can not breathe"),
        ("he isn't moving, he's limp", "he is not moving, he is limp"),
        ("I'm scared", "i am scared"),
        ("mum's not breathing", "mum not breathing"),
        ("I've taken 20", "i have taken 20"),
        ("0verd0se", "overdose"),
        ("swallowed pi11s", "swallowed pills"),
        ("su1c1de", "suicide"),
        ("k*ll myself", "kill myself"),
        ("10mg", "10 mg"),
        ("the 20s", "the 20 s"),
        ("3x my dose", "3 x my dose"),
        ("x30", "x 30"),
        ("2.5mg", "2.5 mg"),
        ("2,5 mg", "2.5 mg"),
        ("1,000 mg", "1000 mg"),
        ("½ the bottle", "half the bottle"),
        ("1/2 the bottle", "half the bottle"),
        ("heeeelp meeee", "help me"),
        ("noooo pleeease", "no please"),
        ("café résumé", "cafe resume"),
        ("Straße", "strasse"),
        ("took 20 💊", "took 20 pill"),
        ("not 😭 breathing", "not breathing"),
        ("u ok? idk", "you ok? i do not know"),
        ("he OD'd", "he overdosed"),
        ("O.D. on baclofen", "overdose. on baclofen"),
        ("ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("brea\u200bthing", "breathing"),
        ("\u202enot\u202c breathing", "not breathing"),
        ("not\x00 breathing", "not breathing"),
        ("one. two! three? four", "one. two. three? four"),
        ("first\nsecond", "first. second"),
        ("a, b; c", "a, b. c"),
        ("", ""),
        ("!!!", ""),
        ("👍👍", ""),
    ],
)
def test_one_spelling_for_each_word(raw: str, expected: str) -> None:
    assert text_of(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("she is not brеаthing", "she is not breathing"),  # Cyrillic е and а in a Latin word
        ("оverdose", "overdose"),
        ("рοlice", "police"),  # Cyrillic р, Greek ο
        ("Не's not breathing", "he is not breathing"),  # Cyrillic Н and е
        ("a сор came", "a cop came"),  # a word of lookalikes only
    ],
)
def test_lookalike_letters_in_latin_words_turn_latin(raw: str, expected: str) -> None:
    assert text_of(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        "не",
        "он не дышит",
        "мама приняла баклофен",
        "не могу розбудити",
        "она не дышит baclofen и сор",
    ],
)
def test_genuine_cyrillic_survives(raw: str) -> None:
    assert text_of(raw) == raw


@pytest.mark.parametrize("raw", ["أمي لا تتنفس", "वह सांस नहीं ले रहा है", "მძინარე", "δεν αναπνέει"])
def test_other_scripts_survive(raw: str) -> None:
    assert text_of(raw).replace("ς", "σ") == raw.replace("έ", "έ")


def test_a_letter_and_its_mark_are_one_letter_again() -> None:
    assert text_of("мои\u0306 сын") == "мой сын"


def test_arabic_vowel_signs_fall_away() -> None:
    assert text_of("لَا تَتَنَفَّس") == "لا تتنفس"


def test_each_word_knows_its_place_in_the_raw_message() -> None:
    raw = "Help!  She won’t   wáke 0verd0se"

    tokens = normalise(raw, lexicon()).tokens

    assert [(token.word, raw[token.start : token.end]) for token in tokens] == [
        ("help", "Help"),
        ("she", "She"),
        ("will", "won’t"),
        ("not", "won’t"),
        ("wake", "wáke"),
        ("overdose", "0verd0se"),
    ]


def test_sentences_and_clauses_are_counted() -> None:
    tokens = normalise("He took 20, I think. Now? he is blue", lexicon()).tokens

    assert [(token.word, token.sentence, token.clause) for token in tokens][2:7] == [
        ("20", 0, 0),
        ("i", 0, 1),
        ("think", 0, 1),
        ("now", 1, 2),
        ("he", 2, 3),
    ]


def test_question_marks_are_remembered() -> None:
    assert normalise("is it ok? I took 2. sure?!", lexicon()).questions == (0, 2)


def test_a_huge_message_is_read_at_both_ends() -> None:
    raw = "first word " + "x " * 60_000 + "she is blue"

    utterance = normalise(raw, lexicon())

    assert utterance.text.startswith("first word")
    assert utterance.text.endswith("she is blue")
    assert len(utterance.text) <= 2 * (HEAD + TAIL)


WILD = st.text(max_size=200) | st.text(
    alphabet=st.sampled_from("aаeе oо01345 '’.,?!@$*x½💊\u200b\u0301iIl-\nmgs"), max_size=60
)


@given(WILD)
@example("İ")
@example("5 y")
@example("0A@0")
@example("О̀")
@example("ǅ")
@example("aaa's")
@example("2A0A")
@example("AA*A")
@example("\ud7fc\u0c55")
def test_reading_the_text_again_changes_nothing(raw: str) -> None:
    once = text_of(raw)

    assert text_of(once) == once


@given(WILD)
def test_offsets_lie_in_the_raw_message(raw: str) -> None:
    tokens = normalise(raw, lexicon()).tokens

    assert all(0 <= token.start < token.end <= len(raw) for token in tokens)


@given(st.text(alphabet="ab cd'nt.", max_size=80))
def test_capitals_change_nothing(raw: str) -> None:
    assert text_of(raw.upper()) == text_of(raw)
