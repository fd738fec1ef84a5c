"""What is said so plainly that it counts by itself, in thirteen languages, and what is not."""

from __future__ import annotations

import pytest

from bot.core.signals import signals_from
from bot.core.text import normalise
from bot.core.triage import read_signals
from bot.errors import ContentError
from tests.reading import lexicon, signals


def plain_kinds(text: str) -> set[str]:
    """The kinds that a message says plainly."""
    found = read_signals(normalise(text, lexicon()), signals())
    return {hit.kind for hit in found.hits if hit.plain}


@pytest.mark.parametrize(
    "text",
    [
        "i have slit my wrists",
        "he hanged himself in the shed",
        "cut my arm and it does not stop bleeding",
        "i drank bleach, i want to die",
        "ayer no, hoy me corté las venas",
        "mi prima se ahorcó",
        "il s'est ouvert les veines",
        "elle s'est pendue",
        "sie hat sich die Pulsadern aufgeschnitten",
        "hab mich erhaengt, das seil riss",
        "cortei as veias",
        "ela se enforcou",
        "si è tagliato le vene",
        "mio cugino si è impiccato",
        "ik heb mijn aderen opengesneden",
        "ze heeft zich verhangen",
        "podcięłam żyły",
        "brat się powiesił",
        "вскрыл себе вены",
        "она повесилась",
        "порізав собі вени",
        "вона повісилась",
        "damarlarımı kestim",
        "abim kendini asmış",
        "قطعت شراييني",
        "شنقت نفسها",
        "मैंने नस काट ली",
        "usne fansi laga li",
    ],
)
def test_an_attempt_that_wounds_is_one_in_any_language(text: str) -> None:
    assert "suicide_attempt" in plain_kinds(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("he is not breathing", "breathing"),
        ("ya no respira", "breathing"),
        ("elle ne respire plus", "breathing"),
        ("papa atmet nicht", "breathing"),
        ("ela parou de respirar", "breathing"),
        ("non respira", "breathing"),
        ("ze ademt niet", "breathing"),
        ("on nie oddycha", "breathing"),
        ("она не дышит", "breathing"),
        ("він не дихає", "breathing"),
        ("nefes almıyor", "breathing"),
        ("لا يتنفس", "breathing"),
        ("wo saans nahi le raha", "breathing"),
        ("Bewusstlos!", "unresponsive"),
        ("er reagiert nicht, ist bewusstlos", "unresponsive"),
        ("está inconsciente", "unresponsive"),
        ("она без сознания", "unresponsive"),
        ("вона непритомна", "unresponsive"),
        ("babam baygın", "unresponsive"),
        ("behosh", "unresponsive"),
        ("بنتي فاقدة الوعي", "unresponsive"),
        ("meine Tochter krampft", "seizure"),
        ("mon fils convulse", "seizure"),
        ("a minha filha está tendo uma convulsão", "seizure"),
        ("syn ma drgawki", "seizure"),
        ("у сина судоми", "seizure"),
        ("у дочки судороги", "seizure"),
        ("kızım nöbet geçiriyor", "seizure"),
        ("use daura pad raha hai", "seizure"),
        ("the vet has collapsed", "unresponsive"),
        ("the vet passed out", "unresponsive"),
        ("i overdosed on lithium", "overdose"),
        ("she overdosed on pregabalin", "overdose"),
        ("which bus goes to the clinic, i have taken an overdose", "overdose"),
        ("she took a handful of baclofen, she is very drowsy", "overdose"),
        ("he's dead", "unresponsive"),
        ("I think she has died", "unresponsive"),
        ("creo que está muerto", "unresponsive"),
        ("er ist tot", "unresponsive"),
        ("ona nie żyje", "unresponsive"),
        ("он умер", "unresponsive"),
        ("lagta hai wo mar gaya", "unresponsive"),
        ("had my pill twice and now i see things", "overdose"),
        ("tablette doppelt genommen, ich höre stimmen", "overdose"),
        ("hapı iki kez aldım, sesler duyuyorum", "overdose"),
    ],
)
def test_danger_that_is_plain_counts_by_itself(text: str, kind: str) -> None:
    assert kind in plain_kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "he's dead funny",
        "he's dead tired",
        "she died last year",
        "my phone is dead",
        "what if he is unconscious",
        "i nearly hung myself on that cable",
        "i slit my wrists if this goes on lol",
        "i used to cut my wrists",
        "i see things differently now",
        "she is not unconscious",
        "took the cat to the vet, has collapsed twice",
        "does a handful of baclofen make you very drowsy",
        "the vet is unresponsive to my emails",
        "she overdosed on netflix",
        "i overdosed on paracetamol last year",
        "he hung up on me",
        "no está inconsciente",
        "estoy muerta de sueño",
        "de niño me abrí la garganta en una caída, me cortó las venas un vidrio",
        "el celular está muerto",
        "il y a dix ans elle s'est pendue, le deuil est long",
        "elle est morte de rire",
        "mein Rechner hat sich aufgehängt",
        "sie ist nicht bewusstlos",
        "meine Wade krampft",
        "als kind war ich bewusstlos",
        "ho il telefono morto",
        "ik ben doodmoe",
        "dwa lata temu brat się powiesił",
        "в фильме он повесился",
        "у меня судороги в икрах",
        "он не без сознания",
        "у дитинстві були судоми",
        "gülmekten öldük",
        "ne oldu",
        "مات من الضحك",
        "bachpan me daura pad gaya tha",
        "agar wo behosh ho jaye to kya karu",
    ],
)
def test_what_is_past_asked_or_a_manner_of_speaking_is_not_plain(text: str) -> None:
    assert plain_kinds(text) == set()


def test_plain_is_yes_or_left_out() -> None:
    rule = {"level": "emergency", "reason": "A fit.", "when": "fit", "plain": "true"}
    files = {"a.yml": {"concepts": {"fit": "fit"}, "rules": {"fits": rule}}}

    with pytest.raises(ContentError, match="plain is 'true'"):
        signals_from(files, lexicon())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("esta noche me ahorco", True),
        ("stanotte mi impicco", True),
        ("dziś w nocy się wieszam", True),
        ("я повешусь", True),
        ("сьогодні вночі повішуся", True),
        ("aaj raat latak jaunga", True),
        ("повешусь если завтра опять дождь", False),
        ("de was hang ik op", False),
    ],
)
def test_who_says_that_they_will_hang_themselves_means_it(text: str, said: bool) -> None:
    found = read_signals(normalise(text, lexicon()), signals())

    assert any(hit.rule == "suicide_thoughts" for hit in found.hits) is said
