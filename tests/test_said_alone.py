"""A few words that say all or nothing, in any language: a cry, "ambulance", "I don't know"."""

from __future__ import annotations

import pytest

from bot.core.decide import Content, decide
from bot.core.model import Level, Message, Person


@pytest.mark.parametrize(
    "said",
    ["emergency", "call 911", "999", "notfall", "ambulancia", "sos", "me muero", "ich sterbe"],
)
def test_a_named_emergency_gets_the_card_at_once(content: Content, said: str) -> None:
    decision = decide(Message("test", said), Person(), content)

    assert decision.level is Level.EMERGENCY


@pytest.mark.parametrize(
    "said",
    [
        "please help me",
        "ayuda",
        "hilfe",
        "au secours",
        "помогите",
        "à l'aide",
    ],
)
def test_a_cry_for_help_is_asked_whether_it_is_now(content: Content, said: str) -> None:
    decision = decide(Message("test", said), Person(), content)

    assert decision.asks
    assert any("112" in text for text in decision.reply.texts)


@pytest.mark.parametrize(
    "said", ["je ne sais pas", "no sé", "non lo so", "nie wiem", "не знаю", "nie", "ich weiß nicht"]
)
def test_who_only_does_not_know_is_no_alarm(content: Content, said: str) -> None:
    decision = decide(Message("test", said), Person(), content)

    assert not decision.level.escalates


@pytest.mark.parametrize(
    "said", ["no, i took them all", "nie oddycha", "no respira", "je ne sais pas s'il respire"]
)
def test_a_no_with_danger_behind_it_is_still_one(content: Content, said: str) -> None:
    decision = decide(Message("test", said), Person(), content)

    assert decision.level.escalates


@pytest.mark.parametrize(("yes", "language"), [("sí", "es"), ("evet", "tr"), ("да", "ru")])
def test_yes_in_their_language_brings_the_card_in_it(
    content: Content, yes: str, language: str
) -> None:
    cry = {"es": "ayuda", "tr": "imdat", "ru": "помогите"}[language]
    asked = decide(Message("test", cry), Person(language=language), content)

    answered = decide(Message("test", yes), asked.person, content)

    assert answered.level is Level.EMERGENCY
    assert answered.person.language == language


@pytest.mark.parametrize(
    ("said", "language"),
    [("я не хочу жити", "uk"), ("вона не дише", "uk")],
)
def test_an_alarm_is_in_the_language_of_its_letters(
    content: Content, said: str, language: str
) -> None:
    decision = decide(Message("test", said), Person(), content)

    assert decision.level.escalates
    assert decision.person.language == language


@pytest.mark.parametrize(
    "said",
    ["bewusstlos", "behosh", "mein Sohn krampft", "у сина судоми", "nefes almıyor", "он умер"],
)
def test_plain_danger_gets_the_card_in_any_language(content: Content, said: str) -> None:
    decision = decide(Message("test", said), Person(), content)

    assert decision.level is Level.EMERGENCY


@pytest.mark.parametrize(
    ("said", "step"),
    [
        ("i slit my wrists", "Bleeding: press hard"),
        ("me corté las venas", "apriete fuerte"),
        ("je me suis ouvert les veines", "Si vous saignez"),
        ("ich hab mir die pulsadern aufgeschnitten", "fest drücken"),
    ],
)
def test_who_has_cut_themselves_is_told_to_press_on_the_wound(
    content: Content, said: str, step: str
) -> None:
    decision = decide(Message("test", said), Person(), content)

    assert (decision.level, decision.kind) == (Level.EMERGENCY, "suicide_attempt")
    assert any(step in text for text in decision.reply.texts)


@pytest.mark.parametrize(
    "said",
    [
        "10",
        "fever",
        "took my pill",
        "i've taken it for years",
        "ich kann nicht schlafen",
        "uyuyamıyorum",
        "je n'arrive pas à dormir",
        "me duele la cabeza",
        "lo prendo da anni",
        "tomei meu remédio",
    ],
)
def test_what_is_calm_and_short_is_no_alarm(content: Content, said: str) -> None:
    decision = decide(Message("test", said), Person(), content)

    assert not decision.level.escalates


@pytest.mark.parametrize("said", ["main mar jana chahta hu", "mujhe jeena nahi hai"])
def test_suicide_said_in_hindi_gets_its_own_card(content: Content, said: str) -> None:
    decision = decide(Message("test", said), Person(), content)

    assert decision.level is Level.SUICIDE_CRISIS
