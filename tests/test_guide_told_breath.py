"""What people tell of breath and CPR: it is back, they move, "I cannot breathe", "CPR"."""

from __future__ import annotations

import pytest

from bot.core import told, typed
from bot.core.decide import Content, decide
from bot.core.model import Level, Message, Person
from tests.reading import knowledge
from tests.test_guide import CPR_LINE, NO_BREATH, SELF, guide_of, shown, talk
from tests.test_guide_told import EXTRA, FACTS, JOKES, NO_FEVER, NO_PHONE, OVERDOSE, under_cpr

KNOWN = knowledge().wordings
OWN_BREATH = {
    "en": "i can't breathe",
    "es": "no puedo respirar",
    "fr": "je n'arrive plus à respirer",
    "de": "ich bekomme keine Luft",
    "pt": "não consigo respirar",
    "it": "non riesco a respirare",
    "nl": "ik kan niet ademen",
    "pl": "nie mogę oddychać",
    "ru": "я не могу дышать",
    "uk": "не можу дихати",
    "tr": "nefes alamıyorum",
    "ar": "لا أستطيع التنفس",
    "hi": "मैं सांस नहीं ले पा रहा हूं",
}
BREATHES = {
    "en": ["they breathe", "he breathes", "breathing"],
    "es": ["respira"],
    "fr": ["il respire", "respire"],
    "de": ["er atmet"],
    "pt": ["ela respira"],
    "it": ["respira"],
    "nl": ["hij ademt"],
    "pl": ["oddycha"],
    "ru": ["дышит"],
    "uk": ["дихає"],
    "tr": ["nefes alıyor"],
    "ar": ["يتنفس"],
    "hi": ["सांस ले रहा है"],
}
MOVED = ["he moved", "se mueve", "elle bouge", "er bewegt sich", "он пошевелился", "hareket etti"]


@pytest.mark.parametrize("language", sorted(BREATHES))
def test_that_somebody_breathes_is_news_during_cpr(content: Content, language: str) -> None:
    for said in BREATHES[language]:
        after = decide(Message("test", said), under_cpr(language), content)

        assert after.path == ("guide", "breathing_again"), said
        assert not guide_of(after).cpr


@pytest.mark.parametrize("language", sorted(FACTS))
def test_nothing_else_that_is_told_ends_cpr_or_lowers_the_level(
    content: Content, language: str
) -> None:
    told_now = (*FACTS[language], *JOKES[language], NO_PHONE[language], NO_FEVER[language])
    for said in told_now:
        after = decide(Message("test", said), under_cpr(language), content)

        assert guide_of(after).cpr, said
        assert after.level is Level.EMERGENCY, said
        assert after.person.state.level is Level.EMERGENCY, said


@pytest.mark.parametrize(
    "said", ["she is talking to me", "the operator is talking to me", "mi parla", "sitzt jetzt"]
)
def test_who_talks_may_be_another_one_and_cpr_goes_on(content: Content, said: str) -> None:
    assert guide_of(talk(content, NO_BREATH, said)).cpr


@pytest.mark.parametrize("said", MOVED)
def test_who_moves_is_looked_at_and_cpr_goes_on(content: Content, said: str) -> None:
    after = talk(content, NO_BREATH, said)

    assert after.path == ("guide", "sign_of_life")
    assert guide_of(after).cpr
    assert " 10 " in shown(after)


@pytest.mark.parametrize(
    "said", ["no se mueve", "he isnt moving", "is he moving?", "he stopped moving"]
)
def test_what_is_no_sign_of_life_is_none(said: str) -> None:
    assert not told.is_sign_of_life(said, KNOWN)


@pytest.mark.parametrize("language", sorted(OWN_BREATH))
def test_who_cannot_breathe_gets_the_steps_for_themselves(content: Content, language: str) -> None:
    person = Person(country="DE", country_source="told")
    after = decide(Message("test", OWN_BREATH[language]), person, content)

    assert after.level is Level.EMERGENCY
    assert after.person.state.subject == "self"
    assert not guide_of(after).cpr


@pytest.mark.parametrize(
    "said", ["er kann nicht atmen", "mi madre no puede respirar", "il n'arrive plus à respirer"]
)
def test_the_breath_of_somebody_else_is_not_their_own(said: str) -> None:
    assert not typed.says_own_breath(said, KNOWN)


@pytest.mark.parametrize(
    "said", ["cpr", "CPR!", "need cpr now", "rcp", "Herzdruckmassage", "реанимация"]
)
@pytest.mark.parametrize("before", [(), (OVERDOSE,), (EXTRA,), (SELF,)])
def test_cpr_by_its_name_brings_its_card_at_once(
    content: Content, before: tuple[str, ...], said: str
) -> None:
    after = talk(content, *before, said)

    assert after.level is Level.EMERGENCY
    assert guide_of(after).cpr
    assert "999" in after.reply.texts[0].splitlines()[0]


def test_cpr_by_its_name_changes_nothing_while_it_is_under_way(content: Content) -> None:
    before = talk(content, NO_BREATH)
    after = talk(content, "doing cpr", person=before.person)

    assert guide_of(after) == guide_of(before)
    assert CPR_LINE in shown(after)
