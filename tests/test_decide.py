"""What the bot says: whole messages against the shipped content."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.content.load import LANGUAGES
from bot.core.clocks import NEVER, Calendar
from bot.core.decide import Content, decide
from bot.core.knowledge import Practice
from bot.core.model import Assessment, Decision, Level, Message, Person
from bot.core.takeover import steps_back
from bot.core.understand import Reading

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
UK = Person(country="GB", country_source="told")


def say(content: Content, text: str, person: Person | None = None, **more: object) -> Decision:
    message = replace(Message(chat="test", text=text), **more)  # type: ignore[arg-type]
    return decide(message, person or Person(), content)


def first_line(decision: Decision) -> str:
    return decision.reply.texts[0].splitlines()[0]


# ---- the number first --------------------------------------------------------------


@pytest.mark.parametrize(
    ("iso", "number"),
    [("GB", "999"), ("US", "911"), ("DE", "112"), ("AU", "000"), ("JP", "119"), ("BR", "192")],
)
def test_an_emergency_starts_with_the_number_of_the_country(
    content: Content, iso: str, number: str
) -> None:
    person = Person(country=iso, country_source="told")

    decision = say(content, "he took 20 baclofen and he wont wake up", person)

    assert decision.level is Level.EMERGENCY
    assert number in first_line(decision)
    assert number in decision.numbers_shown


def test_an_unknown_country_gets_the_widest_numbers_and_the_way_to_tell(content: Content) -> None:
    decision = say(content, "my mum is not breathing")

    assert "112 or 911" in first_line(decision)
    assert "type the country" in " ".join(decision.reply.texts)


def test_a_region_without_a_checked_list_gets_its_public_number(content: Content) -> None:
    decision = say(content, "she is not breathing", Person(country="AW", country_source="told"))

    assert any(char.isdigit() for char in first_line(decision))
    assert "112 or 911" not in first_line(decision)


def test_a_suicide_crisis_starts_with_the_crisis_line(content: Content) -> None:
    decision = say(content, "i want to kill myself", UK)

    assert decision.level is Level.SUICIDE_CRISIS
    assert "116 123" in first_line(decision)
    assert "999" in decision.reply.texts[0]


def test_the_country_in_the_message_itself_counts(content: Content) -> None:
    decision = say(content, "my son in Canada took a whole bottle of baclofen")

    assert "911" in first_line(decision)
    assert "112 or" not in first_line(decision)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("i live in Spain", "ES"),
        ("set my country to Ireland", "IE"),
        ("who do I call in Malta", "MT"),
        ("emergency in Spain", "ES"),
        ("someone is in danger in Spain", "ES"),
        ("we're in a hotel in Spain", "ES"),
        ("We are on a family holiday in Spain", "ES"),
        ("calling from Ireland", "IE"),
        ("viviamo in Italia, cos'è il baclofen?", "IT"),
        ("I'm in a hotel in Spain, can I take ibuprofen with baclofen?", "ES"),
        ("Will it rain in Bristol tomorrow?", "NZ"),
        ("My bank says somebody in Florida used my card.", "NZ"),
        ("Which trains go to Sheffield after nine?", "NZ"),
        ("I'm not in Canada any more", "NZ"),
        ("is baclofen a controlled drug in Germany?", "NZ"),
        ("I'm flying to Japan next year, can I take baclofen on a plane?", "NZ"),
        ("my cousin in Japan takes baclofen, is it addictive?", "NZ"),
        ("help me plan a weekend in Paris", "NZ"),
        ("im alone in Toronto", "CA"),
        ("I need the crisis line for Australia", "AU"),
        ("calling from Kenya, is it sold there", "KE"),
    ],
)
def test_a_place_counts_unless_something_else_is_asked_about_it(
    content: Content, text: str, iso: str
) -> None:
    decision = say(content, text, Person(country="NZ", country_source="told"))

    assert decision.person.country == iso


def test_a_place_in_a_question_counts_where_no_country_is_known(content: Content) -> None:
    asked = say(content, "my son in Canada takes baclofen, what are the side effects?")

    assert asked.person.country == "CA"
    assert "911" in first_line(say(content, "he took the whole bottle", asked.person))


def test_an_urgent_reply_names_the_danger_signs_and_the_number(content: Content) -> None:
    decision = say(content, "I had three beers and took my baclofen, feel fine", UK)

    assert decision.level is Level.URGENT
    assert "999" in decision.reply.texts[0]
    assert "Cannot be woken" in decision.reply.texts[0]


# ---- the crisis stays open ---------------------------------------------------------


@pytest.mark.parametrize(
    "later",
    ["just kidding", "lol jk", "no", "thanks", "what is baclofen?", "hello", "never mind", "ok"],
)
def test_nothing_said_later_lowers_an_emergency(content: Content, later: str) -> None:
    before = say(content, "he wont wake up and his lips are blue", UK)

    after = say(content, later, before.person)

    assert after.level is Level.EMERGENCY
    assert after.person.state.level is Level.EMERGENCY
    assert "999" in " ".join(after.reply.texts)


def test_a_question_during_an_emergency_is_answered_with_the_number_first(
    content: Content,
) -> None:
    before = say(content, "he wont wake up and his lips are blue", UK)
    coming = say(content, "the ambulance is on the way", before.person)

    after = say(content, "does naloxone work on baclofen?", coming.person)

    assert "999" in first_line(after)
    assert after.topic == "naloxone"


def test_an_episode_ends_a_day_after_its_last_alarm(content: Content) -> None:
    before = say(content, "he wont wake up", UK, at=NOON)

    same_day = say(content, "hello", before.person, at=NOON + timedelta(hours=23))
    next_day = say(content, "hello", before.person, at=NOON + timedelta(hours=25))

    assert same_day.level is Level.EMERGENCY
    assert next_day.level is Level.CHAT


def test_a_crisis_after_an_emergency_keeps_the_emergency_number_first(content: Content) -> None:
    before = say(content, "he took all his pills and wont wake up", UK)

    after = say(content, "i want to die too, i cant live without him", before.person)

    assert after.level is Level.EMERGENCY
    assert "999" in first_line(after)
    assert "116 123" in " ".join(after.reply.texts)


# ---- the guide ---------------------------------------------------------------------


def test_the_guide_asks_about_breathing_first(content: Content) -> None:
    decision = say(content, "my dad cannot be woken", UK)

    assert "breathing normally" in decision.reply.texts[-1]
    assert "999" in decision.reply.texts[-1]


@pytest.mark.parametrize("answer", ["not sure", "i dont know", "Not sure", "dunno"])
def test_not_sure_counts_as_the_worse_answer(content: Content, answer: str) -> None:
    before = say(content, "my dad cannot be woken", UK)

    after = say(content, answer, before.person)

    assert "CPR" in " ".join(after.reply.texts)
    assert after.kind == "breathing"


def test_a_pressed_button_and_its_typed_label_do_the_same(content: Content) -> None:
    before = say(content, "my dad cannot be woken", UK)
    button = before.reply.buttons[0]

    pressed = say(content, "", before.person, button=button.action)
    typed = say(content, button.label, before.person)

    assert pressed.reply == typed.reply


def test_the_number_is_repeated_until_help_is_on_the_way(content: Content) -> None:
    turn = say(content, "my dad took loads of baclofen, he is breathing but sleepy", UK)
    for answer in ("breathing normally", "yes he is awake", "someone is here"):
        turn = say(content, answer, turn.person)
        assert "999" in " ".join(turn.reply.texts), answer

    after = say(content, "they are on their way", turn.person)

    assert "stop asking" in after.reply.texts[0]


def test_no_ambulance_is_coming_is_not_help(content: Content) -> None:
    before = say(content, "my dad cannot be woken", UK)

    after = say(content, "no ambulance is coming", before.person)

    assert "stop asking" not in " ".join(after.reply.texts)


def test_the_patient_alone_gets_the_steps_for_themselves(content: Content) -> None:
    before = say(content, "i took 30 baclofen an hour ago", UK)

    assert "Unlock the door" in before.reply.texts[0]
    after = say(content, "i am alone", before.person)
    assert "Unlock the door" in after.reply.texts[0]


def test_the_guide_goes_on_after_silence_and_from_a_stored_state(content: Content) -> None:
    before = say(content, "my dad cannot be woken", UK, at=NOON)

    after = say(content, "yes he breathes normally", before.person, at=NOON + timedelta(minutes=40))

    assert "side" in after.reply.texts[0]
    assert after.path[0] == "guide"


def test_typed_danger_during_buttons_is_triaged_afresh(content: Content) -> None:
    before = say(content, "i took one extra tablet by mistake, feel fine", UK)

    after = say(content, "now i cant stay awake and my lips are blue", before.person)

    assert after.level is Level.EMERGENCY


@dataclass(frozen=True)
class Sees:
    """A reader that makes the same of every message."""

    found: Assessment

    def read(self, text: str) -> Reading:
        return Reading(self.found)


def seen(content: Content, found: Assessment, person: Person, text: str) -> Decision:
    return say(Content(content.knowledge, Sees(found)), text, person)


def test_what_the_guide_did_not_understand_still_says_that_danger_was_half_seen(
    content: Content,
) -> None:
    before = say(content, "my dad cannot be woken", UK)
    grey = Assessment(Level.INFO, kind="emergency/overdose", confidence=0.8, asks=True)

    after = seen(content, grey, before.person, "me tomé muchas")

    assert after.path == ("guide", "unclear")
    assert after.asks
    assert not steps_back(Message("test", "me tomé muchas"), after)


@pytest.mark.parametrize(
    ("level", "kind"),
    [(Level.EMERGENCY, "overdose"), (Level.SUICIDE_CRISIS, "suicide_crisis")],
)
def test_a_worse_alarm_is_no_mere_answer_to_a_later_question(
    content: Content, level: Level, kind: str
) -> None:
    before = say(content, "i took one extra tablet by mistake, feel fine", UK)

    after = seen(content, Assessment(level, kind, 0.9), before.person, "i am alone")

    assert before.level is Level.URGENT
    assert after.message_level is level


def test_an_alarm_that_answers_a_later_question_is_still_recorded(content: Content) -> None:
    before = say(content, "i took 30 baclofen an hour ago", UK)

    after = seen(content, Assessment(Level.EMERGENCY, "overdose", 0.9), before.person, "i am alone")

    assert after.path[0] == "guide"
    assert after.message_level is Level.EMERGENCY


# ---- questions ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("can i drink wine on baclofen", "mixing_alcohol"),
        ("how do people come off baclofen safely", "tapering"),
        ("is baclofen addictive", "is_it_addictive"),
        ("does baclofen show up on a drug test", "drug_test"),
    ],
)
def test_a_plain_question_gets_its_answer(content: Content, text: str, topic: str) -> None:
    decision = say(content, text)

    assert decision.topic == topic
    assert decision.level is Level.INFO


def test_every_answer_on_withdrawal_mixing_and_overdose_carries_danger_signs(
    content: Content,
) -> None:
    topics = [
        topic
        for topic, group in content.knowledge.topics.items()
        if group in {"withdrawal", "mixing", "overdose"}
    ]
    assert len(topics) == 22
    for topic in topics:
        decision = decide(Message(chat="t", button=f"topic:{topic}"), UK, content)
        assert "Call 999 at once" in decision.reply.texts[0], topic


def test_a_follow_up_leans_on_the_answer_before(content: Content) -> None:
    before = say(content, "what does baclofen withdrawal feel like?")

    after = say(content, "how long does that last?", before.person)

    assert after.topic == "withdrawal_timeline"


def test_the_same_question_for_somebody_else_gets_the_same_answer(content: Content) -> None:
    before = say(content, "can i drink wine on baclofen")

    after = say(content, "what about for my mum", before.person)

    assert after.topic == "mixing_alcohol"
    assert "person you ask about" in after.reply.texts[0]


@pytest.mark.parametrize("text", ["how tall is the eiffel tower", "sing me a song please"])
def test_what_we_cannot_help_with_still_has_a_next_step(content: Content, text: str) -> None:
    decision = say(content, text, UK)

    assert decision.level is Level.OUT_OF_SCOPE
    assert "999" in decision.reply.texts[0]
    assert decision.reply.buttons


# ---- commands, buttons, attachments ------------------------------------------------


@pytest.mark.parametrize(
    "command",
    ["start", "help", "emergency", "crisis", "country", "language", "privacy", "forget", "about"],
)
def test_every_command_answers_with_a_way_to_the_number(content: Content, command: str) -> None:
    decision = say(content, f"/{command}", UK)

    assert decision.reply.texts
    shown = " ".join(decision.reply.texts)
    labels = [button.label for button in decision.reply.buttons]
    assert "999" in shown or "This is an emergency" in labels


def test_country_command_sets_the_country(content: Content) -> None:
    decision = say(content, "/country New Zealand")

    assert decision.person.country == "NZ"
    assert "111" in decision.reply.texts[0]


@pytest.mark.parametrize(
    "kind",
    [
        *("voice", "photo", "video_note", "video", "audio", "sticker"),
        *("contact", "poll", "document", "animation", "dice", "location"),
    ],
)
def test_every_attachment_gets_an_answer_with_the_number(content: Content, kind: str) -> None:
    decision = say(content, "", UK, attachment=kind)

    assert "999" in decision.reply.texts[0]


def test_a_shared_place_sets_the_country_and_nothing_else(content: Content) -> None:
    decision = say(content, "", attachment="location", located_in="FR")

    assert decision.person.country == "FR"
    assert decision.person.country_source == "told"


@pytest.mark.parametrize("action", ["guide:x:y", "topic:nope", "now:emergency/none", "", "🙂" * 9])
def test_a_forged_button_gets_an_answer(content: Content, action: str) -> None:
    decision = say(content, "", UK, button=action)

    assert decision.reply.texts
    assert "999" in " ".join(decision.reply.texts)


def test_forget_blanks_the_person_and_asks_the_shell_to_delete(content: Content) -> None:
    decision = say(content, "/forget", UK)

    assert decision.person == Person()
    assert decision.effects == ("forget",)


# ---- groups ------------------------------------------------------------------------


def test_a_group_hears_of_an_emergency_but_gets_no_health_answers(content: Content) -> None:
    alarm = say(content, "she took 40 baclofen and is unconscious", group=True, addressed=False)
    question = say(content, "can i drink on baclofen", group=True, addressed=True)
    chatter = say(content, "see you at the pub at eight", group=True, addressed=False)

    assert "112" in alarm.reply.texts[0]
    assert "private chat" in question.reply.texts[0]
    assert chatter.reply.texts == ()


# ---- hostile input -----------------------------------------------------------------

HOSTILE = {
    "empty": "",
    "spaces": " \t\n ",
    "nul": "\x00\x00",
    "100,000 characters": "why " * 25_000,
    "right to left": "\u202e\u202dhelp\u202c",
    "emoji only": "😵‍💫💊💊💊",
    "another alphabet": "помогите он не дышит",
    "html": "<script>alert(1)</script><b>hi</b>",
    "sql": "'; DROP TABLE escalation; --",
    "lone surrogate": "\ud800 help",
    "zalgo": "h̷̢̛e̶l̸p̵" * 50,
    "format": "{emergency} {0} %s %(x)s",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_gets_an_answer(content: Content, text: str) -> None:
    assert say(content, text).reply.texts


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=300), st.text(max_size=60))
def test_decide_never_raises(content: Content, text: str, button: str) -> None:
    decision = say(content, text, button=button)

    assert decision.reply.texts


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ("yes", Level.SUICIDE_CRISIS),
        ("y", Level.SUICIDE_CRISIS),
        ("sometimes", Level.SUICIDE_CRISIS),
        ("idk", Level.SUICIDE_CRISIS),
        ("not yet", Level.SUICIDE_CRISIS),
        ("no one would care", Level.SUICIDE_CRISIS),
        ("dont tell my mum", Level.SUICIDE_CRISIS),
        ("not me, my friend is", Level.SUICIDE_CRISIS),
        ("no", Level.OUT_OF_SCOPE),
        ("n", Level.OUT_OF_SCOPE),
        ("nope its for a swing", Level.OUT_OF_SCOPE),
        ("what is baclofen", Level.INFO),
    ],
)
def test_who_is_asked_about_dying_and_does_not_say_no_gets_the_crisis_line(
    content: Content, said: str, level: Level
) -> None:
    asked = decide(Message("test", "bought some rope today"), Person(), content)
    assert asked.asks

    answered = decide(Message("test", said), asked.person, content)

    assert answered.level is level


PHRASES = st.sampled_from(
    [
        "he wont wake up", "just kidding", "i want to die", "no", "yes", "not sure", "thanks",
        "i took a double dose", "what is baclofen", "ambulance is coming", "i cant call",
        "im in spain", "/help", "never mind im fine", "i took 30 of them", "hello?", "🙂", "",
        "/emergency", "/country", "none of these", "and with wine?", "hes ok now",
    ]
)  # fmt: skip


@pytest.mark.parametrize("said", ["checking out of the hotel at noon", "we got a rope swing"])
def test_a_hint_that_the_learned_reader_denies_is_asked_about(content: Content, said: str) -> None:
    decision = decide(Message("test", said), Person(), content)

    assert not decision.level.escalates
    assert decision.asks
    question = decision.reply.texts[0]
    assert question.startswith("Are you thinking about dying")
    assert question.index("crisis line") < question.index("112")


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ("goodbye everyone, by the time you read this", Level.SUICIDE_CRISIS),
        ("I have a noose", Level.SUICIDE_CRISIS),
        ("I tried to kill myself with pills tonight", Level.EMERGENCY),
        ("I read on reddit about withdrawal, I'm having a seizure", Level.EMERGENCY),
        ("My dog ate my sandwich while my toddler ate my baclofen", Level.EMERGENCY),
    ],
)
def test_what_is_said_in_so_many_words_is_enough(content: Content, said: str, level: Level) -> None:
    assert decide(Message("test", said), Person(), content).level is level


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PHRASES, min_size=2, max_size=7))
def test_levels_never_fall_within_a_conversation(content: Content, said: list[str]) -> None:
    person, highest = Person(), Level.OUT_OF_SCOPE
    for text in said:
        decision = say(content, text, person)
        person = decision.person
        if highest.escalates:
            assert decision.level >= highest
        highest = max(highest, decision.level)
    assert highest == person.state.level or not highest.escalates


# ---- whether somebody is there ------------------------------------------------------------

WEEKDAYS = Calendar.parse("mon-fri 09:00-17:00", ZoneInfo("Europe/London"))
IN_HOURS = datetime(2026, 7, 6, 8, 30, tzinfo=UTC)  # Monday, 09:30 in London's summer
TOO_EARLY = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)  # Monday, 08:30 in London's winter
SUNDAY = datetime(2026, 7, 5, 11, 0, tzinfo=UTC)
THERE, NOT_THERE = "on duty now and may read", "Nobody watches this chat"


@pytest.mark.parametrize("said", ["/start", "/about", "can I talk to a person?"])
@pytest.mark.parametrize(
    ("duty", "at", "expected"),
    [
        pytest.param(WEEKDAYS, IN_HOURS, THERE, id="in hours"),
        pytest.param(WEEKDAYS, TOO_EARLY, NOT_THERE, id="before opening, by the zone"),
        pytest.param(WEEKDAYS, SUNDAY, NOT_THERE, id="closed day"),
        pytest.param(NEVER, IN_HOURS, NOT_THERE, id="no hours"),
        pytest.param(WEEKDAYS, None, NOT_THERE, id="no time known"),
    ],
)
def test_the_bot_says_truly_whether_somebody_may_read(
    content: Content, said: str, duty: Calendar, at: datetime | None, expected: str
) -> None:
    decision = decide(Message("tg:1", said, at=at), Person(), replace(content, duty=duty))

    text = decision.reply.texts[0]
    assert expected in text
    assert (NOT_THERE if expected == THERE else THERE) not in text


@pytest.mark.parametrize("language", sorted({*LANGUAGES} - {"en"}))
def test_each_language_says_it_in_its_own_words(content: Content, language: str) -> None:
    book = content.knowledge.books[language]

    def start(at: datetime) -> str:
        person = Person(language=language)
        message = Message("tg:1", "/start", at=at)
        return decide(message, person, replace(content, duty=WEEKDAYS)).reply.texts[0]

    assert book.phrases["nobody_watches"].strip() in start(SUNDAY)
    assert book.phrases["staff_on_duty"].strip() in start(IN_HOURS)
    assert book.phrases["nobody_watches"].strip() not in start(IN_HOURS)


@pytest.mark.parametrize(
    ("practice", "expected"),
    [
        (Practice(), "Ordinary messages: nothing, but for what is told here."),
        (Practice(sampled=0.002), "about 1 in 500 is picked by chance"),
        (Practice(near_sampled=0.5), "that I was unsure about are kept"),
    ],
)
def test_privacy_tells_of_the_sample(content: Content, practice: Practice, expected: str) -> None:
    knowledge = replace(content.knowledge, practice=practice)

    text = decide(Message("tg:1", "/privacy"), Person(), replace(content, knowledge=knowledge))

    assert expected in text.reply.texts[0]
    assert "{" not in text.reply.texts[0]
