"""What people ask while help is on its way, in the languages that have a guide."""

from __future__ import annotations

import pytest

from bot.content.load import LANGUAGES
from bot.core.asked import asked_in
from bot.core.decide import Content, decide
from bot.core.model import Message
from tests.reading import knowledge
from tests.test_guide import CPR_LINE, UNDER_CPR, guide_of, shown, talk
from tests.test_guide_cpr_elsewhere import CREW
from tests.test_guide_told import opened, under_cpr

ELSEWHERE = sorted(set(LANGUAGES) - {"en"})
ASKED = {
    "es": {
        "coffee": "¿le doy café?",
        "food_or_drink": "¿puedo darle agua?",
        "aed": "¿dónde hay un desfibrilador?",
    },
    "fr": {
        "coffee": "je lui donne du café ?",
        "make_sick": "faut-il le faire vomir ?",
        "aed": "où est le défibrillateur ?",
    },
    "de": {
        "coffee": "soll ich ihm Kaffee geben?",
        "food_or_drink": "darf er Wasser trinken?",
        "aed": "wo ist ein Defibrillator?",
    },
    "pt": {
        "coffee": "posso dar café?",
        "food_or_drink": "posso dar água?",
        "leave_them": "posso deixá-lo?",
    },
    "it": {
        "coffee": "gli do il caffè?",
        "make_sick": "devo farlo vomitare?",
        "aed": "dove trovo un defibrillatore?",
    },
    "nl": {
        "coffee": "zal ik koffie geven?",
        "food_or_drink": "mag hij water drinken?",
        "sleep_it_off": "mag ik hem laten slapen?",
    },
    "pl": {
        "coffee": "czy dać mu kawę?",
        "food_or_drink": "czy może pić wodę?",
        "aed": "gdzie jest defibrylator?",
    },
    "ru": {
        "coffee": "можно дать кофе?",
        "make_sick": "надо вызвать рвоту?",
        "leave_them": "можно его оставить?",
    },
    "uk": {
        "coffee": "можна дати каву?",
        "food_or_drink": "можна дати води?",
        "aed": "де взяти дефібрилятор?",
    },
    "tr": {
        "coffee": "kahve vereyim mi?",
        "food_or_drink": "su verebilir miyim?",
        "make_sick": "kusturayım mı?",
    },
    "ar": {
        "coffee": "هل أعطيه قهوة؟",
        "food_or_drink": "هل أعطيه ماء؟",
        "sleep_it_off": "هل أتركه ينام؟",
    },
    "hi": {"coffee": "कॉफी दूं?", "food_or_drink": "पानी दूं?", "make_sick": "उल्टी कराऊं?"},
}
ASKS = [
    pytest.param(language, asked, said, id=f"{language}: {said}")
    for language in ASKED
    for asked, said in ASKED[language].items()
]
NEW = [
    ("where is the nearest defibrillator", "aed"),
    ("how do i use a defib", "aed"),
    ("how deep", "how_cpr"),
    ("how fast", "cpr_short"),
    ("where do i put my hands", "how_cpr"),
    ("mouth to mouth?", "how_cpr"),
    ("should i give her water", "food_or_drink"),
    ("should i give him food", "food_or_drink"),
    ("can i leave him", "leave_them"),
    ("should i go and get help", "leave_them"),
    ("should i make him vomit", "make_sick"),
    ("when will the ambulance come", "when_crew"),
]


@pytest.mark.parametrize(("said", "asked"), NEW)
def test_what_is_asked_during_cpr_is_known(said: str, asked: str) -> None:
    found = asked_in(said, "emergency/breathing", knowledge(), cpr=True)

    assert found is not None
    assert found.id == asked


@pytest.mark.parametrize("said", [said for said, _ in NEW])
def test_no_answer_to_it_speaks_against_cpr(content: Content, said: str) -> None:
    after = talk(content, *UNDER_CPR, said)

    assert after.path[:2] == ("guide", "asked")
    assert guide_of(after).cpr
    assert shown(after).startswith(CPR_LINE)


@pytest.mark.parametrize("said", ["how deep", "where do i put my hands", "how hard do i push"])
def test_how_to_push_is_told_in_the_steps(content: Content, said: str) -> None:
    text = shown(talk(content, *UNDER_CPR, said))

    assert "5 to 6 cm" in text
    assert "heel of the hand" in text


@pytest.mark.parametrize(("language", "asked", "said"), ASKS)
def test_a_question_is_answered_in_its_language(
    content: Content, language: str, asked: str, said: str
) -> None:
    book = knowledge().books[language].asked[asked]
    before = opened(language)

    after = decide(Message("test", said), before, content)
    going = decide(Message("test", said), under_cpr(language), content)

    assert after.path == ("guide", "asked", asked)
    assert shown(after).startswith(book.says.splitlines()[0].partition("{")[0])
    assert guide_of(after) == before.state.guide
    assert guide_of(going).cpr
    assert book.says_cpr.splitlines()[0].partition("{")[0] in shown(going)


@pytest.mark.parametrize("language", ELSEWHERE)
def test_every_answer_is_there_in_every_language(language: str) -> None:
    english, own = knowledge().books["en"].asked, knowledge().books[language].asked

    assert set(own) == set(english)
    for name, asked in own.items():
        assert bool(asked.says) == bool(english[name].says), name
        assert asked.says_cpr, name
        has_own_words = english[name].says_self not in ("", english[name].says)
        assert bool(asked.says_self) or not has_own_words, name
        assert asked.wordings, name


@pytest.mark.parametrize("language", ELSEWHERE)
def test_who_hands_cpr_over_is_told_so_in_their_language(content: Content, language: str) -> None:
    after = decide(Message("test", CREW[language][0]), under_cpr(language), content)

    assert after.path == ("guide", "crew_took_over")
    assert shown(after) == knowledge().books[language].phrases["crew_took_over"]
    assert "Help is here" not in shown(after)
