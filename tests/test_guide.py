"""The guide as somebody in fear goes through it: whole conversations against the content."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.content.load import LANGUAGES
from bot.core import typed
from bot.core.decide import Content, decide
from bot.core.model import Decision, GuideState, Level, Message, Person
from tests.reading import knowledge, reading

UK = Person(country="GB", country_source="told")
CANNOT_WAKE = "my dad took 30 baclofen and he cannot be woken"
NOT_BREATHING = "guide:breathing:no_or_gasping"
CPR_LINE = "Do not stop CPR until the crew takes over"
AT_ONCE = ("100 to 120 a minute", "30 pushes", "(AED)", "Do not stop until the crew takes over")
SELF = "i took 30 baclofen an hour ago"


def talk(content: Content, *said: str, person: Person = UK, chat: str = "test") -> Decision:
    """The last decision of a conversation; what begins with ">" is a press of a button."""
    decision = None
    for text in said:
        button = text.removeprefix(">") if text.startswith(">") else ""
        message = Message(chat=chat, text="" if button else text, button=button)
        decision = decide(message, person, content)
        person = decision.person
    assert decision is not None
    return decision


def shown(decision: Decision) -> str:
    return "\n\n".join(decision.reply.texts)


def actions(decision: Decision) -> list[str]:
    return [button.action for button in decision.reply.buttons]


def guide_of(decision: Decision) -> GuideState:
    found = decision.person.state.guide
    assert found is not None
    return found


# ---- CPR ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        pytest.param((CANNOT_WAKE, f">{NOT_BREATHING}"), id="button"),
        pytest.param((CANNOT_WAKE, "no"), id="no"),
        pytest.param((CANNOT_WAKE, "she isnt breathing"), id="typed"),
        pytest.param((CANNOT_WAKE, "no pulse"), id="no pulse"),
        pytest.param((CANNOT_WAKE, "gurgling", ">guide:chest_moves:no"), id="chest does not move"),
        pytest.param((CANNOT_WAKE, "gurgling", "it isnt moving"), id="chest, typed"),
        pytest.param(("my mum is not breathing",), id="first message"),
        pytest.param(("he stopped breathing, he took all his baclofen",), id="stopped breathing"),
    ],
)
def test_whoever_does_not_breathe_gets_cpr_at_once(content: Content, said: tuple[str, ...]) -> None:
    decision = talk(content, *said)

    card = decision.reply.texts[0]
    assert "999" in card.splitlines()[0]
    assert [piece for piece in AT_ONCE if piece not in card] == []
    assert "chest rising" not in shown(decision)
    assert "breathing normally?" not in shown(decision)
    assert decision.message_level is Level.EMERGENCY


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(("i cant breathe, i took 30 baclofen",), id="the patient writes"),
        pytest.param((SELF, ">guide:breathing:no_or_gasping"), id="the patient presses"),
        pytest.param(("he is not breathing very well",), id="badly"),
        pytest.param(("he stopped breathing but started again",), id="came back"),
        pytest.param((CANNOT_WAKE, "breathing normally"), id="breathes"),
    ],
)
def test_cpr_is_not_started_on_who_breathes(content: Content, said: tuple[str, ...]) -> None:
    assert not guide_of(talk(content, *said)).cpr


UNDER_CPR = (CANNOT_WAKE, f">{NOT_BREATHING}")


@pytest.mark.parametrize(
    "then",
    [
        pytest.param((">help_coming",), id="help is coming"),
        pytest.param((">help_coming", ">continue"), id="goes on"),
        pytest.param((">guide:naloxone:no",), id="an answer"),
        pytest.param(("just kidding",), id="denial"),
        pytest.param(("can I drink wine on baclofen?",), id="a question"),
        pytest.param((">help_coming", "/country US"), id="country"),
        pytest.param(("/start",), id="a command"),
        pytest.param(("ok",) * 12, id="answers nothing to the end"),
        pytest.param((">help_coming", *(">continue",) * 12), id="goes on to the end"),
        pytest.param(("no", "no", "no", "no"), id="answers all"),
        pytest.param(("i want to die too",), id="a second crisis"),
        pytest.param(("/forget",), id="forget"),
    ],
)
def test_whatever_follows_cpr_is_not_to_be_stopped(content: Content, then: tuple[str, ...]) -> None:
    said = shown(talk(content, *UNDER_CPR, *then))

    assert any(
        line in said for line in (CPR_LINE, "Keep pressing until the crew takes over", AT_ONCE[-1])
    )


@pytest.mark.parametrize("said", [">breathing_again", "shes breathing now", "he started breathing"])
def test_breath_that_came_back_ends_cpr(content: Content, said: str) -> None:
    after = talk(content, *UNDER_CPR, said)

    assert "onto their side" in shown(after)
    assert not guide_of(after).cpr


@pytest.mark.parametrize(
    "said", ["still not breathing", "shes breathing but only gasping", "is she breathing now?"]
)
def test_cpr_goes_on_where_breath_is_in_doubt(content: Content, said: str) -> None:
    assert guide_of(talk(content, *UNDER_CPR, said)).cpr


def test_another_danger_does_not_take_the_place_of_cpr(content: Content) -> None:
    after = talk(content, *UNDER_CPR, "now hes having a seizure")

    assert after.kind == "breathing"
    assert "100 to 120" in after.reply.texts[0]
    assert "seizure" in after.also


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_each_language_tells_how_cpr_is_done(language: str) -> None:
    english, book = knowledge().books["en"], knowledge().books[language]
    card = book.cards["emergency/breathing"]

    assert len(card.steps_if_cpr) == len(english.cards["emergency/breathing"].steps_if_cpr)
    assert all("100" in text and "120" in text for text in (card.steps_if_cpr[1],))
    missing = [
        key
        for key in english.phrases
        if key.startswith(("guide_", "cpr_", "breathing_", "help_is", "cannot_"))
        and key not in book.phrases
    ]
    assert missing == []
    assert {"breathing_again"} <= set(book.buttons)
    assert "emergency_unknown_short" in book.lines


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_each_language_leads_to_the_same_cards(language: str) -> None:
    def leads(of: str) -> dict[tuple[str, str], tuple[bool, str, bool]]:
        return {
            (question.id, answer.id): (answer.worse, answer.goes_to, answer.starts_cpr)
            for question in knowledge().books[of].questions.values()
            for answer in question.answers
        }

    assert leads(language) == leads("en")


# ---- moving on ---------------------------------------------------------------------

OPENINGS = {
    "cannot wake": CANNOT_WAKE,
    "the patient": SELF,
    "a child": "my toddler ate my baclofen tablets",
    "withdrawal": "she stopped baclofen 2 days ago and now has a high fever and sees things",
    "crisis": "i want to kill myself",
    "urgent": "I had three beers and took my baclofen, feel fine",
    "asked for": "/emergency",
}


@pytest.mark.parametrize("opening", OPENINGS.values(), ids=OPENINGS.keys())
@pytest.mark.parametrize("press", [">continue", "ok", "go on", "asdf"])
def test_no_question_is_put_for_ever(content: Content, opening: str, press: str) -> None:
    decision = talk(content, opening, ">help_coming")
    asked = []
    for _ in range(40):
        decision = talk(content, press, person=decision.person)
        asked.append(guide_of(decision).asked)

    assert asked[-1] == ""
    for question in {*asked} - {""}:
        assert asked.count(question) <= 2, question


def test_when_nothing_is_left_to_ask_no_button_offers_to_go_on(content: Content) -> None:
    decision = talk(content, CANNOT_WAKE, ">help_coming", *(">continue",) * 30, ">help_coming")

    assert "continue" not in actions(decision)
    assert "999" in shown(decision)


@pytest.mark.parametrize("opening", OPENINGS.values(), ids=OPENINGS.keys())
def test_every_button_of_the_guide_does_something(content: Content, opening: str) -> None:
    decision = talk(content, opening)
    for _ in range(12):
        for action in actions(decision):
            after = talk(content, f">{action}", person=decision.person)
            assert after.path[-1] != "button_gone", action
            assert after.reply.texts
        decision = talk(content, f">{actions(decision)[0]}", person=decision.person)


@pytest.mark.parametrize("said", ["what do i do", "what now", "how do i check", "Show more steps"])
def test_asking_for_the_steps_shows_them_and_the_question_stays(
    content: Content, said: str
) -> None:
    after = talk(content, CANNOT_WAKE, said)

    assert "999" in shown(after).splitlines()[0]
    assert "Tilt the head back" in shown(after)
    assert guide_of(after).asked == "breathing"


@pytest.mark.parametrize(
    "said", ["ok", "hang on", "im calling now", "please help me", "omg", "hello?"]
)
def test_what_answers_nothing_is_not_taken_for_the_worse_answer(
    content: Content, said: str
) -> None:
    after = talk(content, CANNOT_WAKE, said)

    assert guide_of(after).asked == "breathing"
    assert "999" in shown(after).splitlines()[0]


@pytest.mark.parametrize(
    ("said", "goes_on"),
    [
        *(("yes", False), ("yh they are", False), ("the ambulance is coming", False)),
        *(("no", True), ("kind of", True), ("asdf", True)),
    ],
)
def test_after_the_last_question_nothing_is_a_dead_end(
    content: Content, said: str, goes_on: bool
) -> None:
    ended = talk(content, CANNOT_WAKE, *("yes", "no", "yes", "yes", "no", "an hour ago"))
    assert guide_of(ended).asked == ""

    after = talk(content, said, person=ended.person)

    assert "999" in shown(after)
    assert guide_of(after).help_coming is not goes_on
    assert ("Call 999 now" in shown(after)) is goes_on
    assert "I can't help with that" not in shown(after)


@pytest.mark.parametrize(
    "said",
    ["ya viene la ambulancia", "Krankenwagen ist unterwegs", "скорая уже едет", "ambulans yolda"],
)
def test_that_help_comes_is_understood_in_other_languages(content: Content, said: str) -> None:
    assert guide_of(talk(content, *UNDER_CPR, said)).help_coming


@pytest.mark.parametrize("said", ["thank you so much", "ok thanks", "thanks"])
def test_once_help_comes_thanks_are_no_answer_and_bring_no_question(
    content: Content, said: str
) -> None:
    before = talk(content, CANNOT_WAKE, "yes hes breathing", "ambulance is on the way")

    after = talk(content, said, said, person=before.person)

    assert "I will stop asking" in shown(after)
    assert "?" not in shown(after)
    assert (after.kind, guide_of(after).asked) == (before.kind, guide_of(before).asked)


def test_a_lower_alarm_does_not_take_the_place_of_the_guide(content: Content) -> None:
    after = talk(content, CANNOT_WAKE, "i want to die too, i cant live without him")

    assert guide_of(after).asked == "breathing"
    assert "116 123" in shown(after)
    assert "999" in shown(after).splitlines()[0]


def test_what_cannot_have_changed_is_not_asked_again(content: Content) -> None:
    after = talk(
        content, *UNDER_CPR, "no naloxone", ">breathing_again", "she stopped breathing, no pulse"
    )

    assert guide_of(after).cpr
    assert guide_of(after).asked == "child_here"


# ---- what people type --------------------------------------------------------------

READ = {
    "breathing": {
        "yes": ("yes", "yh", "he is", "yep hes breathing", "hes breathing", "still breathing"),
        "slow_or_noisy": ("kind of", "a bit", "yes but slow", "snoring", "hes breathing weird"),
        "no_or_gasping": (
            "nope", "not really", "dont think so", "she isnt", "barely", "no pulse", "hes not",
            "not breathing normally", "breathing fine but his lips are blue",
        ),
        "not_sure": ("idk", "i think so", "cant tell", "maybe", "yes and no", "probably"),
    },
    "awake": {
        "yes": ("yeah", "she is", "no hes awake", "shes talking"),
        "drifts_off": ("kind of", "barely", "a bit", "kind of awake", "in and out"),
        "no": ("nope", "not really", "she isnt awake", "not talking", "hes asleep", "nothing"),
        "not_sure": ("idk", "i think so", "cant tell"),
    },
    "chest_moves": {
        "yes": ("yes", "it is", "it does", "its moving", "yh it moves"),
        "slow": ("barely", "a bit", "barely moving", "kind of"),
        "no": ("nope", "not really", "it isnt", "isnt moving", "no pulse"),
        "not_sure": ("idk", "cant tell", "i think so"),
    },
    "naloxone": {
        "yes": ("yh", "i do", "i have some", "got it"),
        "no": ("nope", "i dont have any", "i dont", "dont have it", "whats that"),
        "not_sure": ("idk", "maybe", "kind of"),
    },
    "jerking": {
        "yes": ("yes", "they are", "cant stop shaking", "not just stiff", "never been so stiff"),
        "no": ("no", "not really", "hes not", "not stiff", "isnt jerking", "dont think so"),
        "not_sure": ("a bit", "kind of", "idk", "i think so"),
    },
    "alone": {
        "yes": ("my husband is here", "im not alone", "no my husband is here", "yes"),
        "no": ("nope", "just me", "nobody is with me", "my friend isnt here", "i am alone"),
        "not_sure": ("idk",),
    },
    "other_drugs": {
        "opioid": ("yes", "wine and codeine", "heroin"),
        "sedative_or_alcohol": ("just wine", "no heroin just wine", "some beers"),
        "no": ("nope", "not really", "nothing else", "no alcohol", "dont think so"),
        "not_sure": ("idk", "maybe", "i think so", "cant tell"),
    },
    "fit_stopped": {
        "yes": ("yes", "it has", "it stopped"),
        "no": ("not yet", "hasnt stopped", "nope", "no its still going"),
        "second": ("stopped but started again",),
        "not_sure": ("idk", "i think so", "kind of"),
    },
    "last_dose": {
        "one_to_three_days": ("2 days ago", "yesterday"),
        "over_3_days": ("5 days ago",),
        "not_sure": ("idk", "cant say"),
    },
}  # fmt: skip
TYPED = [
    pytest.param(question, said, answer, id=f"{question}: {said}")
    for question, answers in READ.items()
    for answer, wordings in answers.items()
    for said in wordings
]


@pytest.mark.parametrize(("question", "said", "answer"), TYPED)
def test_a_typed_answer_is_read(question: str, said: str, answer: str) -> None:
    found = knowledge().books["en"].questions[question]

    assert typed.answer_id(said, found, knowledge().wordings) == answer


YES_AND_NO = [
    question.id
    for question in knowledge().books["en"].questions.values()
    if {"yes", "no"} <= {word for answer in question.answers for word in (*answer.words, answer.id)}
]


@pytest.mark.parametrize("question", YES_AND_NO)
def test_every_form_of_yes_and_no_means_the_same(question: str) -> None:
    found, wordings = knowledge().books["en"].questions[question], knowledge().wordings
    yes, no = (typed.answer_id(said, found, wordings) for said in ("yes", "no"))

    assert yes != no
    for said in ("yh", "yep", "yeah", "they are", "yes i am"):
        assert typed.answer_id(said, found, wordings) == yes, said
    for said in ("nope", "nah", "not really", "they arent", "she isnt", "i dont think so"):
        assert typed.answer_id(said, found, wordings) == no, said
    for said in ("idk", "i think so", "cant tell", "not sure"):
        assert typed.answer_id(said, found, wordings) == "not_sure", said


@pytest.mark.parametrize(
    ("said", "topic"),
    [
        ("can i drink wine on baclofen", "mixing_alcohol"),
        ("can I drink wine on baclofen?", "mixing_alcohol"),
        ("does naloxone work on baclofen?", "naloxone"),
    ],
)
@pytest.mark.parametrize("asked", ["breathing", "other_drugs"])
def test_a_plain_question_is_answered_and_the_guide_asks_again(
    content: Content, asked: str, said: str, topic: str
) -> None:
    before = talk(content, CANNOT_WAKE)
    state = before.person.state
    waiting = replace(state, guide=replace(guide_of(before), asked=asked))

    after = talk(content, said, person=replace(before.person, state=waiting))

    assert after.topic == topic
    assert "999" in shown(after).splitlines()[0]
    assert guide_of(after).asked == asked
    assert knowledge().books["en"].questions[asked].ask in after.reply.texts[-1]
    assert actions(after)[0].startswith(f"guide:{asked}:")


def test_a_question_without_an_answer_goes_to_the_call_handler(content: Content) -> None:
    after = talk(content, CANNOT_WAKE, "should i put a pillow under his legs?")

    assert "Ask the call handler on 999" in shown(after)
    assert guide_of(after).asked == "breathing"


def test_a_question_that_names_a_danger_is_an_answer(content: Content) -> None:
    after = talk(content, CANNOT_WAKE, "is it bad that hes snoring")

    assert after.kind == "breathing"


@pytest.mark.parametrize(
    "said", ["hes breathing", "did it", "have narcan", "no", "when he woke he was sick", "ok"]
)
def test_a_statement_is_no_question(said: str) -> None:
    assert not typed.is_question(said, knowledge().wordings)


# ---- country, forgetting, channels -------------------------------------------------


@pytest.mark.parametrize("said", ["/country US", "im in the US", ">country:US"])
@pytest.mark.parametrize(
    ("opening", "headline"),
    [
        (CANNOT_WAKE, "Call 911 now"),
        ("my mum is not breathing", "Call 911 now"),
        ("i want to kill myself", "988"),
    ],
)
def test_a_country_told_in_a_crisis_gives_its_number_first(
    content: Content, opening: str, headline: str, said: str
) -> None:
    after = talk(content, opening, said, person=Person())

    assert headline in shown(after).splitlines()[0]
    assert guide_of(after).asked


def test_a_country_nobody_knows_is_no_answer_to_the_guide(content: Content) -> None:
    after = talk(content, CANNOT_WAKE, "/country", "Wakanda")

    assert "do not know that country" in shown(after)
    assert guide_of(after).asked == "breathing"
    assert "that country" not in shown(talk(content, "Wakanda", person=after.person))


def test_forget_in_an_emergency_keeps_the_way_to_help(content: Content) -> None:
    after = talk(content, *UNDER_CPR, "/forget")

    assert "999" in after.reply.texts[0].splitlines()[0]
    assert "100 to 120" in after.reply.texts[0]
    assert "forgot your country" in shown(after)
    assert after.effects == ("forget",)
    assert after.person == Person()
    assert actions(after) == ["emergency", "crisis", "country"]
    for button in after.reply.buttons:
        for said in (f">{button.action}", button.label):
            reached = talk(content, said, person=after.person)
            assert reached.path[-1] not in {"button_gone", "none"}, said
    steps = talk(content, after.reply.buttons[0].label, f">{NOT_BREATHING}", person=after.person)
    assert "100 to 120" in shown(steps)


@pytest.mark.parametrize("old", [">continue", ">steps", ">guide:breathing:yes", ">breathing_again"])
def test_a_button_from_before_forgetting_leads_to_help(content: Content, old: str) -> None:
    after = talk(content, CANNOT_WAKE, "/forget", old)

    assert actions(after) == ["emergency", "crisis"]
    assert "call" in shown(after)


@pytest.mark.parametrize("said", ["/forget", "/privacy", ">more:privacy"])
@pytest.mark.parametrize(
    ("chat", "own", "others"),
    [
        ("tg:1", "Telegram", "page"),
        ("web:1", "page", "Telegram"),
        ("terminal", "screen", "Telegram"),
        ("elsewhere", "app or device", "Telegram"),
    ],
)
def test_what_is_said_of_copies_is_true_of_the_channel(
    content: Content, chat: str, own: str, others: str, said: str
) -> None:
    text = shown(talk(content, said, chat=chat))

    if said != "/privacy" or chat != "elsewhere":
        assert own in text
    assert others not in text
    assert "{" not in text


# ---- whom it is about --------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "subject"),
    [
        ("My mum took a whole bottle of her baclofen and I cannot wake her", "other"),
        ("I can't wake him", "other"),
        ("i cant wake the poor old thing my gran", "other"),
        ("dad took all his pills and i cant get any response", "other"),
        ("I cannot wake Sarah, she had the whole box", "other"),
        ("i tried to rouse her and i can not wake her", "other"),
        ("i took ten and i cannot wake up properly", "self"),
        ("i took her pills and i keep passing out", "self"),
    ],
)
def test_who_cannot_be_woken_is_not_who_writes(said: str, subject: str) -> None:
    assert reading(said).subject == subject


# ---- CPR goes on until it is plain that it may end -----------------------------------

NO_BREATH = "my dad is not breathing"


@pytest.mark.parametrize(
    "said",
    [
        "neighbour is coming to help me",
        "my brother came back he can help",
        "the ambulance man came back to the phone",
        "the kids woke up",
        "maybe he is breathing i cant tell",
        "i hope he is breathing now",
        "i think he is breathing",
        "he was breathing normally an hour ago",
        "looks like he's breathing again, should i stop?",
        "tell me when hes breathing again do i stop",
        "he is breathing but his lips are blue",
        "my hands are shaking",
        "my chest hurts",
        "i took my medicine too",
        "what if i break his ribs",
        "im scared of hurting him",
        "sorry, i meant he was asleep. he's fine",
        "no ambulance here yet",
        "should i stop when the paramedics are here",
    ],
)
def test_talk_during_cpr_neither_ends_it_nor_hides_it(content: Content, said: str) -> None:
    after = talk(content, NO_BREATH, said)

    assert guide_of(after).cpr
    assert after.person.state.subject == "other"
    assert after.level is Level.EMERGENCY
    assert "Stop pushing" not in shown(after)
    assert "poison" not in shown(after).lower()
    assert "Samaritans" not in shown(after)
    assert any(
        line in shown(after)
        for line in (CPR_LINE, "Keep pressing until the crew takes over", AT_ONCE[-1])
    )


@pytest.mark.parametrize(
    "said",
    ["he is breathing now", "shes breathing normally", "breathing again", "yes he woke up"],
)
def test_plain_words_of_the_patients_breath_end_cpr(content: Content, said: str) -> None:
    assert not guide_of(talk(content, NO_BREATH, said)).cpr


@pytest.mark.parametrize(
    "said",
    [
        "he stopped again",
        "he stopped breathing again",
        "not breathing again",
        "no she stopped again",
        "he's stopped again",
        "he stopped",
        "he isnt breathing",
    ],
)
def test_breath_that_stops_again_brings_the_cpr_card(content: Content, said: str) -> None:
    after = talk(content, NO_BREATH, ">breathing_again", said)

    assert guide_of(after).cpr
    assert [piece for piece in AT_ONCE if piece not in after.reply.texts[0]] == []
    assert "999" in after.reply.texts[0].splitlines()[0]


@pytest.mark.parametrize("said", ["has he stopped again?", "he stopped shaking", "ok"])
def test_what_is_no_breath_that_stopped_again_starts_no_cpr(content: Content, said: str) -> None:
    assert not guide_of(talk(content, NO_BREATH, ">breathing_again", said)).cpr


@pytest.mark.parametrize(
    "said",
    [
        "they say to stop cpr",
        "the ambulance crew took over",
        "paramedics are here",
        "the paramedics have taken over now",
    ],
)
def test_the_crew_ends_the_duty_of_cpr(content: Content, said: str) -> None:
    after = talk(content, NO_BREATH, said)

    assert not guide_of(after).cpr
    assert guide_of(after).help_coming
    assert "until they are at your side" in shown(after)
    assert after.level is Level.EMERGENCY


@pytest.mark.parametrize("said", ["help is on its way", "ambulance on its way", "called them"])
def test_help_on_its_way_is_noted_and_cpr_goes_on(content: Content, said: str) -> None:
    after = talk(content, NO_BREATH, said)

    assert guide_of(after).cpr
    assert guide_of(after).help_coming
    assert CPR_LINE in shown(after)


@pytest.mark.parametrize("said", [">guide:breathing:not_sure", "not sure", "asdf qwer", "maybe"])
def test_unclear_breath_is_looked_at_before_cpr(content: Content, said: str) -> None:
    checks = talk(content, CANNOT_WAKE, said)

    assert not guide_of(checks).cpr
    assert guide_of(checks).asked == "chest_moves"
    for worse in (">guide:chest_moves:not_sure", "no", "not sure"):
        assert guide_of(talk(content, worse, person=checks.person)).cpr


@pytest.mark.parametrize(
    ("opening", "says", "never"),
    [
        (OPENINGS["crisis"], "You can ask on this line", "Ask the call handler"),
        (OPENINGS["urgent"], "Ask here", "Ask the call handler"),
        (CANNOT_WAKE, "Ask the call handler", "You can ask on this line"),
    ],
)
def test_a_question_is_sent_to_whom_can_answer_it(
    content: Content, opening: str, says: str, never: str
) -> None:
    said = shown(talk(content, opening, "what colour is the moon tonight?"))

    assert says in said
    assert never not in said


@pytest.mark.parametrize("said", ["can i drink water", "can he drink some water?"])
def test_a_question_is_no_answer(content: Content, said: str) -> None:
    person = talk(content, SELF).person
    assert person.state.guide is not None
    waiting = replace(person.state.guide, asked="other_drugs")
    after = talk(content, said, person=replace(person, state=replace(person.state, guide=waiting)))

    assert guide_of(after).asked == "other_drugs"
    assert "The danger is higher then" not in shown(after)
