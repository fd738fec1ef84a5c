"""Telling the language of a short message, typed as people type."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.content import load
from bot.core.tongues import taught
from bot.reading import Words, words_of
from bot.settings import read_settings
from tests.reading import alone

ROOT = Path(__file__).parent.parent
FEW = (
    ("he will not wake up", "en"),
    ("what can i take for the pain", "en"),
    ("no se despierta mi hermano", "es"),
    ("que puedo tomar para el dolor", "es"),
    ("mein bruder wacht nicht auf", "de"),
    ("was kann ich gegen schmerzen nehmen", "de"),
)


@pytest.fixture(scope="module")
def words() -> Words:
    trained = read_settings().trained
    with alone(trained):
        return words_of(load(ROOT), None, trained=trained)


@pytest.mark.parametrize(
    ("text", "language"),
    [("mi hermano no despierta", "es"), ("ich wache nicht auf", "de")],
)
def test_a_language_is_told_by_the_runs_of_letters_of_its_texts(text: str, language: str):
    found, odds = taught(FEW).read(text)

    assert found == language
    assert odds > 0


def test_english_has_odds_against_every_other_language():
    assert taught(FEW).read("my brother will not wake")[1] < 0


def test_letters_never_seen_say_nothing():
    assert taught(FEW).read("ღმერთო 123 !?") == ("", 0.0)


@pytest.mark.parametrize("texts", [[("hello", "en")], [("hola", "es")], []])
def test_one_language_alone_teaches_nothing(texts: list[tuple[str, str]]):
    with pytest.raises(ValueError, match="English and in others"):
        taught(texts)


@given(st.text())
def test_any_text_has_finite_odds(text: str):
    _, odds = taught(FEW).read(text)

    assert abs(odds) < 1e6


@pytest.mark.parametrize(
    "text",
    [
        "im scared",
        "dont wanna exist",
        "wake up mum pls",
        "hes not breathin",
        "baclofen n wine?",
        "my mate od'd",
        "cant take it no more",
        "took em all",
        "help",
        "is it safe",
    ],
)
def test_short_sloppy_english_stays_english(words: Words, text: str):
    assert words.language_of(text) in ("", "en")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("no respira", "es"),
        ("jai tout avale", "fr"),
        ("er wacht nicht auf", "de"),
        ("meu filho nao acorda", "pt"),
        ("non respira piu", "it"),
        ("hij wordt niet wakker", "nl"),
        ("on nie oddycha", "pl"),
        ("он не дышит", "ru"),
        ("він не дихає", "uk"),
        ("nefes almiyor", "tr"),
        ("لا يتنفس", "ar"),
        ("वो सांस नहीं ले रहा", "hi"),
        ("wo saans nahi le raha", "hi"),
    ],
)
def test_a_short_message_without_accents_is_known(words: Words, text: str, language: str):
    assert words.language_of(text) == language


@pytest.mark.parametrize(
    ("text", "language"),
    [("no despierta", "es"), ("tome 30 pastillas", "es"), ("il convulse", "fr"), ("imdat", "tr")],
)
def test_of_a_few_words_the_letters_are_believed(words: Words, text: str, language: str):
    assert words.language_of(text) == language


@pytest.mark.parametrize("text", ["im 15", "im 15.", "Im 15!", "im 1,5"])
def test_a_bare_contraction_is_english(words: Words, text: str):
    assert words.language_of(text) == "en"


@pytest.mark.parametrize("text", ["im ok", "im fine"])
def test_a_few_letters_that_others_share_change_no_language(words: Words, text: str):
    assert words.language_of(text) in ("", "en")


def test_a_language_that_we_do_not_teach_is_still_foreign(words: Words):
    assert words.language_of("彼は息をしていません、助けてください") == "ja"
