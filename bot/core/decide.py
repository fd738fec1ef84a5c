"""The one decision: message, person and content in, a `Decision` out. Pure and total."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core import acts, alarm, context, cpr, guiding, hearing, talk, typed
from bot.core.clocks import NEVER, Calendar
from bot.core.helplines import find_country, fold
from bot.core.knowledge import Knowledge, label_of
from bot.core.model import Decision, Level, Message, Person
from bot.core.replies import Scribe, channel_of
from bot.core.tongues import FEW_WORDS, HOME
from bot.core.turn import Turn, is_plain_denial
from bot.core.understand import Reader, Reading

# An episode is over a day after its last alarm: ESCALATIONS.md joins signals within 24 h.
EPISODE = timedelta(hours=24)

# Buttons that work whatever was said before: also for somebody who was just forgotten.
ALWAYS_WORK = ("emergency", "crisis", "country")

COMMANDS = {
    "start": acts.start,
    "help": acts.help_,
    "emergency": alarm.emergency_asked,
    "crisis": alarm.crisis_asked,
    "country": acts.country_command,
    "language": acts.language_command,
    "privacy": acts.privacy,
    "forget": acts.forget,
    "delete": acts.forget,
    "about": acts.about,
}


@dataclass(frozen=True, slots=True)
class Content:
    """All that a decision draws on: curated knowledge and the readers trained on it.

    `duty` are the hours in which staff are there who may read and write to people.
    """

    knowledge: Knowledge
    reader: Reader
    duty: Calendar = NEVER

    def at(self, moment: datetime | None) -> Knowledge:
        """The knowledge, with whether somebody is on duty at that time; None is never."""
        if moment is None or not self.duty.is_open(moment):
            return self.knowledge
        practice = replace(self.knowledge.practice, is_staffed=True)
        return replace(self.knowledge, practice=practice)


def decide(message: Message, person: Person, content: Content) -> Decision:
    """What the bot makes of a message and what it says to it.

    Never raises, for any text; needs no network, store or clock. The level of an open
    crisis is never lowered: `Decision.level` is the higher of the message's and the episode's.
    """
    person = _fresh_episode(message, person)
    scribe = Scribe(content.at(message.at), person, channel_of(message.chat))
    turn = Turn(message, person, scribe, content.reader).in_country(message.located_in)
    if message.group:
        return _in_group(turn)
    return _routed(turn)


def _routed(unplaced: Turn) -> Decision:
    """The decision; `unplaced` is the turn before the country that its text names counts."""
    message = unplaced.message
    turn = unplaced.in_country(find_country(message.text, unplaced.scribe.knowledge.helplines))
    if message.button:
        return acts.pressed(turn, message.button)
    command, argument = command_of(message.text)
    if command in COMMANDS:
        return COMMANDS[command](turn, argument)
    pressed = _typed_button(turn)
    if pressed:
        return acts.pressed(turn, pressed)
    if message.located_in or (message.attachment and not message.text.strip()):
        return acts.attachment(turn)
    if not fold(message.text) and not _has_symbols(message.text):
        return acts.empty(turn)
    return _read(turn, unplaced)


def _read(turn: Turn, unplaced: Turn) -> Decision:
    if is_plain_denial(turn):
        return guiding.denial(turn)
    if hearing.means_self(turn):
        return alarm.crisis_asked(turn, "")
    reading = context.read(turn)
    if not turn.state.level.escalates:
        text, known = turn.message.text, turn.scribe.knowledge.wordings
        if typed.is_wholly(text, "emergency_named", known):
            return alarm.emergency_asked(_in_its_language(turn, reading), "")
        reading = hearing.said_alone(reading, text, known)
    if cpr.is_named(turn) and not cpr.under_cpr(turn):
        return alarm.breath_stopped(_in_its_language(turn, reading), rule="cpr_named")
    if cpr.says_stopped_again(turn):
        return alarm.breath_stopped(turn, reading, rule=alarm.STOPPED_AGAIN)
    if cpr.says_no_breath(turn, reading.language):
        return alarm.breath_stopped(_in_its_language(turn, reading), reading)
    how = talk.how_cpr_is_done(turn)
    if how is not None and _is_calm_or_half_feared(turn, reading):
        return how
    if reading.assessment.level.escalates:
        return _escalating(_in_its_language(turn, reading), reading)
    in_guide = hearing.guide_reply(turn, reading)
    if in_guide is not None:
        return in_guide
    if talk.only_names_a_place(turn, reading, known=bool(unplaced.person.country)):
        turn = unplaced
    answered = _conversation(turn, reading)
    put_again = guiding.is_question(turn) or cpr.under_cpr(turn)
    return guiding.with_question(turn, answered) if put_again else answered


def _is_calm_or_half_feared(turn: Turn, reading: Reading) -> bool:
    """Whether there is no alarm, or one of an emergency in a few words that no rule saw and that
    is not likely: "how to do chest compressions"."""
    found, words = reading.assessment, len(fold(turn.message.text).split())
    unlikely = not found.by_rule and found.confidence < hearing.LIKELY and words <= hearing.BRIEF
    return not found.level.escalates or (found.level is Level.EMERGENCY and unlikely)


def _conversation(turn: Turn, reading: Reading) -> Decision:
    """Talk in the language of the message, where we have some; who is new to it is told that
    the answers are in English."""
    stays = _is_brief(turn) and not reading.assessment.asks
    own = turn if stays else _in_its_language(turn, reading)
    answered = talk.conversation(own, reading)
    if own is turn or reading.language == HOME:
        return answered
    texts = (own.scribe.phrase("only_english"), *answered.reply.texts)
    return replace(answered, reply=replace(answered.reply, texts=texts))


def _in_its_language(turn: Turn, reading: Reading) -> Turn:
    """The turn in the language of a message, where we have its cards. In an open episode a few
    plain letters ("im 15") are too little to change the language by; and a few of any Latin kind
    ("está sentado") from another language than English, of which those are guessed worst."""
    books = turn.scribe.knowledge.books
    if reading.language not in books or reading.language == turn.person.language:
        return turn
    if turn.state.level.escalates and (_is_brief(turn) or _is_brief_elsewhere(turn)):
        return turn
    return turn.with_person(replace(turn.person, language=reading.language))


def _is_brief(turn: Turn) -> bool:
    """A few plain letters, which any language may share."""
    text = turn.message.text
    return text.isascii() and len(text.split()) < FEW_WORDS


def _is_brief_elsewhere(turn: Turn) -> bool:
    """A few Latin letters, accents and all, from somebody who is helped in another language."""
    few = len(turn.message.text.split()) < FEW_WORDS
    return few and turn.person.language != HOME and fold(turn.message.text).isascii()


def _escalating(turn: Turn, reading: Reading) -> Decision:
    """A new alarm. While the guide waits, an answer to its question is that answer, and a fact
    is a fact, unless a rule saw a new danger sign: what is known already is not told as news."""
    label = label_of(reading.assessment.level, reading.assessment.kind)
    state = turn.person.state
    by_rule = reading.assessment.by_rule
    if alarm.must_start_cpr(turn, reading):
        return alarm.escalation(turn, reading)
    if not by_rule and cpr.says_breathing_again(turn):
        return guiding.breathing_again(turn)
    if cpr.says_crew_took_over(turn):
        return guiding.crew_took_over(turn)
    if state.guide and not by_rule and hearing.says_help_comes(turn):
        return guiding.help_coming(turn)
    below = hearing.below_cpr(turn, reading)
    if below is not None:
        return below
    if not by_rule:
        return hearing.no_new_danger(turn, reading) or alarm.escalation(turn, reading)
    if state.guide and label == state.guide.kind:
        asked = reading.assessment.level <= state.level and hearing.asked_something(turn, reading)
        if asked:
            return asked
        answered = guiding.guide_answer_in(turn, reading)
        if answered is not None:
            return answered
    return alarm.escalation(turn, reading)


def _in_group(turn: Turn) -> Decision:
    """In a group only an emergency and what is said to the bot get an answer."""
    message = turn.message
    reading = turn.reader.read(message.text)
    if reading.assessment.level.escalates:
        return alarm.group_alarm(turn, reading)
    if not message.addressed:
        return acts.silent(turn, reading)
    command, argument = command_of(message.text)
    if command in {"start", "help", "about", "privacy", "emergency", "crisis"}:
        return replace(COMMANDS[command](turn, argument), person=turn.person)
    return acts.group_private(turn, reading)


def command_of(text: str) -> tuple[str, str]:
    """The command and its argument: "/country Canada" is ("country", "Canada")."""
    stripped = text.strip()
    if not stripped.startswith("/"):
        return "", ""
    head, _, argument = stripped[1:].partition(" ")
    return head.partition("@")[0].lower(), argument.strip()[:200]


def _typed_button(turn: Turn) -> str:
    """The action of a button whose label was typed: one shown last, or one that always works."""
    folded = fold(turn.message.text[:200])
    if not folded:
        return ""
    scribe = turn.scribe
    always = (scribe.button(key, key) for key in ALWAYS_WORK)
    shown = (*turn.person.state.buttons, *always)
    return next((button.action for button in shown if fold(button.label) == folded), "")


def _has_symbols(text: str) -> bool:
    """Whether there is anything but spaces and control characters (an emoji, say)."""
    return any(not char.isspace() and char.isprintable() for char in text[:200])


def _fresh_episode(message: Message, person: Person) -> Person:
    """The person without the crisis of an episode that ended a day ago.

    Without times (a script, a test) an episode never ends.
    """
    began, now = person.state.escalated_at, message.at
    if began is None or now is None or now - began <= EPISODE:
        return person
    state = replace(
        person.state,
        level=Level.OUT_OF_SCOPE,
        kind="",
        subject="",
        escalated_at=None,
        guide=None,
    )
    return replace(person, state=state)
