"""What people ask, tell or cannot bear while help is on its way, and what was told before."""

from __future__ import annotations

import pytest

from bot.core.asked import asked_in
from bot.core.decide import Content
from bot.core.model import Level
from tests.reading import knowledge, reading
from tests.test_guide import (
    CANNOT_WAKE,
    CPR_LINE,
    NOT_BREATHING,
    OPENINGS,
    SELF,
    UNDER_CPR,
    actions,
    guide_of,
    shown,
    talk,
)

OVERDOSE = "emergency/overdose"

ASKED = [
    ("he is being sick, what do I do", "being_sick"),
    ("shes throwing up everywhere", "being_sick"),
    ("he vomited", "being_sick"),
    ("should i make him sick", "make_sick"),
    ("can i stick my fingers down her throat", "make_sick"),
    ("shall i give her salt water", "make_sick"),
    ("should i give him coffee", "coffee"),
    ("shoud i give her some cofee", "coffee"),
    ("can he have some water", "food_or_drink"),
    ("shes thirsty can she drink", "food_or_drink"),
    ("should i give him something to eat", "food_or_drink"),
    ("should i put him in a cold shower", "cold_shower"),
    ("can I splash water on his face", "cold_shower"),
    ("can i walk him around", "walk_about"),
    ("should i stand her up", "walk_about"),
    ("do i slap her face", "slap"),
    ("should i just let him sleep it off", "sleep_it_off"),
    ("can i leave her to sleep", "sleep_it_off"),
    ("can i go to bed", "sleep_it_off"),
    ("how do i do cpr", "how_cpr"),
    ("i dont know how to do cpr", "how_cpr"),
    ("should i drive him to hospital", "drive_there"),
    ("will the police come", "police"),
    ("can he take his next dose", "more_baclofen"),
]
NOT_ASKED = [
    "he took it an hour ago",
    "should i put a pillow under his legs?",
    "she is 15",
    "im alone with him",
    "he drank vodka",
    "he has kidney disease",
    "is it bad that hes snoring",
    "i feel so bad for her",
    "he is cold",
    "they are on the way",
]


@pytest.mark.parametrize(("said", "asked"), ASKED)
def test_what_is_asked_is_known(said: str, asked: str) -> None:
    found = asked_in(said, OVERDOSE, knowledge())

    assert found is not None
    assert found.id == asked


@pytest.mark.parametrize("said", NOT_ASKED)
def test_what_holds_no_question_that_we_know_is_none(said: str) -> None:
    assert asked_in(said, OVERDOSE, knowledge()) is None


@pytest.mark.parametrize("said", [said for said, _ in ASKED])
@pytest.mark.parametrize("opening", ["my dad took 30 baclofen", SELF])
def test_a_question_that_we_can_answer_is_answered(
    content: Content, opening: str, said: str
) -> None:
    before = talk(content, opening)
    after = talk(content, said, person=before.person)

    assert after.path[:2] == ("guide", "asked")
    assert "call handler on" not in shown(after)
    assert "999" in shown(after)
    assert guide_of(after) == guide_of(before)
    assert actions(after) == actions(before)


@pytest.mark.parametrize("said", [said for said, _ in ASKED])
def test_no_such_answer_speaks_against_cpr(content: Content, said: str) -> None:
    after = talk(content, *UNDER_CPR, said)

    assert guide_of(after).cpr
    assert CPR_LINE in shown(after)
    assert "onto their side" not in shown(after).replace("Breathing again: roll onto the side", "")
    assert "Lay them on their side" not in shown(after)


@pytest.mark.parametrize("asked", sorted(knowledge().books["en"].asked))
def test_every_such_answer_names_where_it_is_from(asked: str) -> None:
    found = knowledge().books["en"].asked[asked]

    assert found.sources
    assert found.says_cpr
    assert found.only_cpr or found.says


@pytest.mark.parametrize("said", ["how do i do cpr", "i dont know how to do cpr", "explain cpr"])
def test_who_asks_how_cpr_is_done_gets_its_steps_and_the_question_stays(
    content: Content, said: str
) -> None:
    after = talk(content, CANNOT_WAKE, said)

    assert "999" in shown(after).splitlines()[0]
    assert "100 to 120 a minute" in shown(after)
    assert "30 pushes" in shown(after)
    assert guide_of(after).asked == "breathing"
    assert not guide_of(after).cpr


def test_what_is_true_of_poisoning_is_not_said_of_withdrawal(content: Content) -> None:
    after = talk(content, OPENINGS["withdrawal"], "can she have some water")

    assert after.path == ("guide", "question")


def test_an_answer_to_the_guide_is_heard_before_anything_else(content: Content) -> None:
    after = talk(content, CANNOT_WAKE, "hes being sick and gasping")

    assert after.kind == "breathing"


def test_what_comes_up_is_no_answer_to_whether_they_breathe(content: Content) -> None:
    after = talk(content, CANNOT_WAKE, "she is being sick")

    assert guide_of(after).asked == "breathing"
    assert "mouth clear" in shown(after)


# ---- CPR -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    ["im tired, can i stop", "my arms hurt", "how long do i have to do this", "i need a break"],
)
def test_who_is_tired_of_cpr_is_told_to_go_on_and_how(content: Content, said: str) -> None:
    after = talk(content, *UNDER_CPR, said)

    assert shown(after).startswith(CPR_LINE)
    assert "Only push" in shown(after)
    assert "Samaritans" not in shown(after)


@pytest.mark.parametrize("said", ["im tired i cant go on", "i cant go on anymore"])
def test_what_may_be_about_life_itself_is_asked_during_cpr(content: Content, said: str) -> None:
    after = talk(content, *UNDER_CPR, said)

    assert shown(after).startswith(CPR_LINE)
    assert "CPR, or yourself?" in shown(after)
    assert "Samaritans on 116 123" in shown(after)
    assert guide_of(after).cpr
    assert after.kind == "breathing"
    assert after.message_level is Level.SUICIDE_CRISIS
    assert "suicide_crisis" in after.also
    assert "crisis" in actions(after)

    me = talk(content, "about me", person=after.person)
    assert me.kind == "suicide_crisis"
    assert shown(me).startswith(CPR_LINE)
    assert guide_of(me).cpr


@pytest.mark.parametrize("said", ["i want to die too", "im going to kill myself after this"])
def test_plain_words_of_suicide_during_cpr_keep_their_card(content: Content, said: str) -> None:
    after = talk(content, *UNDER_CPR, said)

    assert shown(after).startswith(CPR_LINE)
    assert after.kind == "suicide_crisis"
    assert "Samaritans" in shown(after)


def test_help_that_is_coming_is_not_forgotten_when_breath_stops_again(content: Content) -> None:
    before = talk(content, *UNDER_CPR, "no", ">help_coming", ">breathing_again")
    again = talk(content, "he stopped breathing again", person=before.person)

    assert guide_of(again).cpr
    assert guide_of(again).help_coming
    assert guide_of(again).asked not in guide_of(before).done
    assert "Not called yet" not in shown(again)
    assert "999" in shown(again).splitlines()[0]


@pytest.mark.parametrize("said", ["how do i do cpr", "how to do chest compressions", "explain cpr"])
def test_the_steps_of_cpr_are_told_without_an_emergency(content: Content, said: str) -> None:
    after = talk(content, said)

    assert "999" in shown(after).splitlines()[0]
    assert "100 to 120 a minute" in shown(after)
    assert "now:emergency/breathing" in actions(after)
    assert talk(content, "yes", person=after.person).kind == "breathing"


@pytest.mark.parametrize("said", ["what is baclofen", "how do i press the tablets out"])
def test_no_steps_of_cpr_for_who_does_not_ask_for_them(content: Content, said: str) -> None:
    assert talk(content, said).path != ("cpr_asked",)


# ---- what was told before ---------------------------------------------------------------

STOPPED = ("i stopped baclofen 2 days ago", "no")


@pytest.mark.parametrize(
    "said",
    ["i feel hot and see spiders", "theres spiders on my bed", "my skin is crawling with bugs"],
)
def test_delirium_after_stopping_is_an_emergency(content: Content, said: str) -> None:
    after = talk(content, *STOPPED, said)

    assert (after.level, after.kind) == (Level.EMERGENCY, "withdrawal")
    assert all(0 <= each.start <= each.end <= len(said) for each in after.evidence)


@pytest.mark.parametrize(
    "said", ["i dont see spiders or anything", "is it normal to be hot", "i cant sleep", "im itchy"]
)
def test_what_is_no_delirium_stays_urgent(content: Content, said: str) -> None:
    assert talk(content, *STOPPED, said).level is Level.URGENT


@pytest.mark.parametrize("said", ["im ok", "I feel fine", "i'm alright", "feeling ok"])
def test_feeling_well_is_no_answer_to_how_much_was_taken(content: Content, said: str) -> None:
    after = talk(content, "i took a double dose of baclofen by mistake", said)

    assert after.level is Level.URGENT
    assert guide_of(after).asked == "more_than_one_extra"


@pytest.mark.parametrize("said", ["im dying", "I'm dying", "i think im dying"])
def test_who_says_that_they_die_is_asked_or_helped(content: Content, said: str) -> None:
    after = talk(content, said)

    assert after.level is Level.EMERGENCY or after.asks
    assert "999" in shown(after)


@pytest.mark.parametrize(
    "said",
    [
        "im dying of laughter",
        "im dying to know",
        "im dying lol",
        "i'm dying!! this queue is so long",
    ],
)
def test_manners_of_speaking_of_dying_stay_calm(content: Content, said: str) -> None:
    after = talk(content, said)

    assert not after.level.escalates
    assert not after.asks


def test_under_an_open_emergency_no_other_line_is_to_be_called(content: Content) -> None:
    after = talk(content, CANNOT_WAKE, "i also missed my own baclofen for 3 days, i ran out today")

    assert after.level is Level.EMERGENCY
    assert "pharmacist" not in shown(after)
    assert "999" in shown(after).splitlines()[0]


# ---- whom it is about --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "subject"),
    [
        ("my freind od'd", "other"),
        ("my bruv took 40 baclofen", "other"),
        ("my nebor took 50 pills", "other"),
        ("my housmate overdosed", "other"),
        ("my dealer took all my baclofen and is out cold", "other"),
        ("my flatmat and i took 30 baclofen", "self"),
        ("my heart is racing i took 30 baclofen", "self"),
        ("my lips are blue", "self"),
        ("tomé 30 pastillas de baclofeno", "self"),
        ("he tomado 30 pastillas de baclofeno", "self"),
        ("mi madre tomó 30 pastillas de baclofeno", "other"),
        ("j'ai pris 30 comprimés de baclofène", "self"),
        ("ma mère a pris 30 comprimés de baclofène", "other"),
        ("ich habe 30 Baclofen Tabletten genommen", "self"),
        ("meine Mutter hat 30 Baclofen Tabletten genommen", "other"),
        ("tomei 30 comprimidos de baclofeno", "self"),
        ("minha mãe tomou 30 comprimidos de baclofeno", "other"),
        ("ho preso 30 compresse di baclofene", "self"),
        ("mia madre ha preso 30 compresse di baclofene", "other"),
        ("ik heb 30 baclofen tabletten genomen", "self"),
        ("mijn moeder heeft 30 baclofen tabletten genomen", "other"),
        ("wzięłam 30 tabletek baklofenu", "self"),
        ("moja mama wzięła 30 tabletek baklofenu", "other"),
        ("mama wzięła baklofen i nie oddycha", "other"),
        ("я выпила 30 таблеток баклофена", "self"),
        ("мама выпила 30 таблеток баклофена", "other"),
        ("я випила 30 пігулок баклофену", "self"),
        ("мама випила 30 пігулок баклофену", "other"),
        ("30 tane baklofen aldım", "self"),
        ("annem 30 tane baklofen aldı", "other"),
        ("أخذت 30 حبة باكلوفين", "self"),
        ("أمي أخذت 30 حبة باكلوفين", "other"),
        ("मैंने 30 गोलियां बैक्लोफेन खा लीं", "self"),
        ("मेरी माँ ने 30 गोलियां बैक्लोफेन खा लीं", "other"),
        ("maine 30 baclofen kha li", "self"),
        ("meri maa ne 30 baclofen kha li", "other"),
    ],
)
def test_whom_a_message_is_about(said: str, subject: str) -> None:
    assert reading(said).subject == subject


@pytest.mark.parametrize("language", sorted(knowledge().books))
def test_who_is_drowsy_and_writes_gets_steps_of_their_own(language: str) -> None:
    book, english = knowledge().books[language], knowledge().books["en"]
    card = book.cards["urgent/drowsy"]

    assert len(card.steps_if_self) == len(english.cards["urgent/drowsy"].steps_if_self)
    assert not set(card.steps_if_self[:1]) & set(card.steps)


def test_who_is_drowsy_is_not_told_to_watch_somebody(content: Content) -> None:
    after = talk(content, "i feel very sleepy on baclofen but i can wake up")

    assert "Lie on your side" in shown(after)
    assert "Lay them" not in shown(after)
    assert NOT_BREATHING in actions(after)
