"""CPR in every language that has a guide: it starts, it ends, and doubt never ends it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core import typed
from bot.core.decide import Content, decide
from bot.core.model import GuideState, Level, Message, Person, State
from tests.reading import knowledge

KNOWN = knowledge().wordings

NO_BREATH = {
    "es": ["no respira", "ha dejado de respirar", "no tiene pulso", "¡Mi madre no respira!"],
    "fr": ["elle ne respire plus", "il respire pas", "il a arrêté de respirer", "plus de pouls"],
    "de": ["er atmet nicht", "sie atmet nicht mehr", "sie hat aufgehört zu atmen", "kein Puls"],
    "pt": ["não respira", "ela parou de respirar", "não tem pulso"],
    "it": ["non respira", "ha smesso di respirare", "non ha polso"],
    "nl": ["hij ademt niet", "ze ademt niet meer", "geen hartslag"],
    "pl": ["nie oddycha", "przestał oddychać", "przestała oddychać", "brak tętna"],
    "ru": ["не дышит", "она перестала дышать", "пульса нет"],
    "uk": ["не дихає", "він перестав дихати", "немає пульсу"],
    "tr": ["nefes almıyor", "nefes almiyor", "nabzı yok"],
    "ar": ["لا يتنفس", "توقفت عن التنفس", "لا يوجد نبض"],
    "hi": ["सांस नहीं ले रहा", "साँस नहीं ले रही है", "saans nahi le raha", "saans ruk gayi"],
}
# Bad breath, breath that did not stop or came back, and the breath of the one who writes.
NOT_GONE = {
    "es": ["no ha dejado de respirar", "no respira bien", "no puedo respirar", "respira de nuevo"],
    "fr": ["il ne respire pas bien", "je ne respire plus bien", "elle respire à nouveau"],
    "de": ["er atmet nicht richtig", "ich atme nicht gut", "sie atmet wieder"],
    "pt": ["não respira bem", "não consigo respirar", "voltou a respirar"],
    "it": ["non respira bene", "non riesco a respirare", "ha ripreso a respirare"],
    "nl": ["hij ademt niet goed", "ik adem niet goed", "hij ademt weer"],
    "pl": ["nie oddycha dobrze", "nie mogę oddychać", "znowu oddycha"],
    "ru": ["не дышит нормально", "мне трудно дышать", "снова дышит"],
    "uk": ["не дихає нормально", "мені важко дихати", "знову дихає"],
    "tr": ["düzgün nefes almıyor", "nefes alamıyorum", "yeniden nefes alıyor"],
    "ar": ["لا يتنفس جيدا", "لا أستطيع التنفس", "عاد يتنفس"],
    "hi": ["ठीक से सांस नहीं ले रहा", "theek se saans nahi le raha", "सांस ले रहा है"],
}
AGAIN = {
    "es": [
        "respira de nuevo",
        "ya respira",
        "sí, ya está respirando",
        "mi padre volvió a respirar",
    ],
    "fr": ["elle respire à nouveau", "il respire", "il s'est remis à respirer"],
    "de": ["er atmet wieder", "sie atmet jetzt", "sie ist aufgewacht"],
    "pt": ["voltou a respirar", "já respira", "está respirando de novo"],
    "it": ["respira di nuovo", "ha ripreso a respirare", "si è svegliato"],
    "nl": ["hij ademt weer", "ze ademt nu"],
    "pl": ["znowu oddycha", "zaczął oddychać", "obudziła się"],
    "ru": ["снова дышит", "он дышит", "она задышала"],
    "uk": ["знову дихає", "він почав дихати"],
    "tr": ["tekrar nefes alıyor", "nefes almaya başladı", "nefes almaya basladi"],
    "ar": ["عاد يتنفس", "رجعت تتنفس", "يتنفس الآن"],
    "hi": ["फिर से सांस ले रहा है", "साँस वापस आ गई", "phir se saans le raha hai"],
}
# Not back, not surely, not well, or asked.
NOT_AGAIN = {
    "es": [
        "no respira de nuevo",
        "ya no respira",
        "creo que respira",
        "respira mal",
        "¿ya respira?",
    ],
    "fr": ["elle ne respire pas", "je crois qu'elle respire", "il respire mal", "il respire ?"],
    "de": [
        "er atmet wieder nicht",
        "ich glaube er atmet wieder",
        "er atmet kaum",
        "atmet er jetzt?",
    ],
    "pt": ["não voltou a respirar", "acho que já respira", "já respira mal"],
    "it": ["non respira di nuovo", "forse ora respira", "ora respira male"],
    "nl": ["hij ademt niet", "misschien ademt hij nu", "hij ademt nauwelijks"],
    "pl": ["znowu nie oddycha", "chyba znowu oddycha", "ledwo oddycha"],
    "ru": ["он не дышит", "кажется, он дышит", "он дышит плохо", "он дышит?"],
    "uk": ["він не дихає", "здається, він дихає", "він ледве дихає"],
    "tr": ["nefes almıyor", "galiba nefes alıyor", "zor nefes alıyor", "nefes alıyor mu"],
    "ar": ["لا يتنفس الآن", "ربما يتنفس الآن", "يتنفس الآن بصعوبة", "هل يتنفس الآن"],
    "hi": ["सांस नहीं ले रहा है", "शायद सांस ले रहा है", "saans nahi le raha hai"],
}
CREW = {
    "es": ["llegó la ambulancia", "los paramédicos ya están aquí", "los sanitarios están aquí"],
    "fr": ["les secours sont là", "l'ambulance est arrivée", "les pompiers ont pris le relais"],
    "de": ["der Rettungsdienst ist da", "die Sanitäter haben übernommen"],
    "pt": ["a ambulância chegou", "os bombeiros estão aqui"],
    "it": ["l'ambulanza è arrivata", "i soccorritori sono qui"],
    "nl": ["de ambulance is er", "ze hebben het overgenomen"],
    "pl": ["karetka przyjechała", "ratownicy już są"],
    "ru": ["скорая приехала", "медики здесь"],
    "uk": ["швидка приїхала", "медики тут"],
    "tr": ["ambulans geldi", "ekip devraldı", "ekip devraldi"],
    "ar": ["وصل الإسعاف", "المسعفون هنا"],
    "hi": ["एम्बुलेंस आ गई", "ambulance aa gayi"],
}
NO_CREW = {
    "es": ["la ambulancia no ha llegado", "la ambulancia viene en camino", "¿llegó la ambulancia?"],
    "fr": ["les secours ne sont pas là", "les secours arrivent bientôt"],
    "de": ["der Rettungsdienst ist noch nicht da", "wann ist der Rettungsdienst da"],
    "pt": ["a ambulância não chegou", "a ambulância está a caminho"],
    "it": ["l'ambulanza non è arrivata", "quando l'ambulanza è qui"],
    "nl": ["de ambulance is er niet", "de ambulance is er bijna"],
    "pl": ["karetka nie przyjechała", "karetka jedzie"],
    "ru": ["скорая не приехала", "скорая едет"],
    "uk": ["швидка не приїхала", "швидка їде"],
    "tr": ["ambulans gelmedi", "ambulans yolda"],
    "ar": ["لم تصل الإسعاف", "الإسعاف في الطريق"],
    "hi": ["एम्बुलेंस नहीं आई", "ambulance aa rahi hai"],
}


def each(table: dict[str, list[str]]) -> list[object]:
    return [
        pytest.param(said, id=f"{language}: {said}")
        for language in table
        for said in table[language]
    ]


@pytest.mark.parametrize("said", each(NO_BREATH))
def test_breath_that_is_gone_is_understood(said: str) -> None:
    assert typed.says_no_breath(said, KNOWN)


@pytest.mark.parametrize("said", each(NOT_GONE))
def test_breath_that_is_only_bad_or_came_back_is_not_gone(said: str) -> None:
    assert not typed.says_no_breath(said, KNOWN)


@pytest.mark.parametrize("said", each(AGAIN))
def test_breath_that_came_back_is_understood(said: str) -> None:
    assert typed.says_breathing_again(said, KNOWN)


@pytest.mark.parametrize("said", each(NOT_AGAIN))
def test_doubt_and_bad_breath_do_not_end_cpr(said: str) -> None:
    assert not typed.says_breathing_again(said, KNOWN)


@pytest.mark.parametrize("said", each(CREW))
def test_the_crew_is_understood(said: str) -> None:
    assert typed.says_crew_took_over(said, KNOWN)


@pytest.mark.parametrize("said", each(NO_CREW))
def test_a_crew_that_is_not_there_yet_is_not_taken_for_one(said: str) -> None:
    assert not typed.says_crew_took_over(said, KNOWN)


OPEN = State(
    level=Level.EMERGENCY,
    kind="unresponsive",
    subject="other",
    guide=GuideState(kind="emergency/unresponsive", asked="breathing"),
)


@pytest.mark.parametrize("language", sorted(NO_BREATH))
def test_a_whole_conversation_about_cpr(content: Content, language: str) -> None:
    person = Person(country="DE", country_source="told", language=language, state=OPEN)

    begun = decide(Message("test", NO_BREATH[language][0]), person, content)
    assert begun.kind == "breathing"
    assert begun.person.state.guide is not None
    assert begun.person.state.guide.cpr

    doubt = decide(Message("test", NOT_AGAIN[language][1]), begun.person, content)
    assert doubt.person.state.guide is not None
    assert doubt.person.state.guide.cpr

    back = decide(Message("test", AGAIN[language][0]), doubt.person, content)
    assert back.person.state.guide is not None
    assert not back.person.state.guide.cpr

    again = decide(Message("test", NO_BREATH[language][0]), back.person, content)
    assert again.person.state.guide is not None
    assert again.person.state.guide.cpr

    over = decide(Message("test", CREW[language][0]), again.person, content)
    assert over.path == ("guide", "crew_took_over")


def test_who_writes_of_their_own_breath_gets_no_cpr(content: Content) -> None:
    alone = replace(OPEN, subject="self", guide=replace(OPEN.guide, kind="emergency/overdose"))
    person = Person(country="ES", country_source="told", language="es", state=alone)

    said = decide(Message("test", "no respira bien mi pecho"), person, content)

    assert said.person.state.guide is not None
    assert not said.person.state.guide.cpr
