"""One message on its way through the conversation, and how a decision is put together."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.core import told, wordings
from bot.core.helplines import fold
from bot.core.model import (
    Assessment,
    Decision,
    Level,
    Message,
    Person,
    Reply,
    State,
)
from bot.core.replies import (
    Scribe,
)
from bot.core.understand import Reader, Reading

PLAIN_DENIAL = 6  # words; a longer message may hold a new alarm beside the denial
NOTHING_READ = Reading(Assessment(Level.OUT_OF_SCOPE))


@dataclass(frozen=True, slots=True)
class Turn:
    """One message on its way through the conversation. `named` is the country that it names, where
    that counts."""

    message: Message
    person: Person
    scribe: Scribe
    reader: Reader
    named: str = ""

    @property
    def state(self) -> State:
        """What is remembered of the conversation so far."""
        return self.person.state

    def with_person(self, person: Person) -> Turn:
        """The turn when more is known of the person."""
        return replace(self, person=person, scribe=self.scribe.for_person(person))

    def in_country(self, iso: str) -> Turn:
        """The turn with the numbers of a country that was told; of an unknown one, or in a group,
        where each may be somewhere else, as it is."""
        if iso not in self.scribe.knowledge.helplines.countries or self.message.group:
            return self
        placed = self.with_person(replace(self.person, country=iso, country_source="told"))
        return replace(placed, named=iso)


def chat(turn: Turn, reply: Reply, state: State, topic_id: str) -> Decision:
    """A reply about the bot itself: the message was small talk or a command."""
    read = replace(NOTHING_READ, assessment=Assessment(Level.CHAT, confidence=1.0))
    return replace(calm(turn, read, reply, state, path=("command",)), topic=topic_id)


def calm(
    turn: Turn, reading: Reading, reply: Reply, state: State, *, path: tuple[str, ...]
) -> Decision:
    """A reply below urgent. An open crisis puts its number before it, and its way back after."""
    if turn.state.level.escalates and reply.texts:
        header = open_header(turn)
        texts = (f"{header}\n\n{reply.texts[0]}", *reply.texts[1:])
        buttons = reply.buttons
        if turn.state.guide and turn.state.guide.asked:
            buttons = (turn.scribe.button("continue_guide", "continue"), *buttons)
        reply = Reply(texts, buttons)
    return replace(decided(turn, reading, reply, state), path=path)


def in_crisis(
    turn: Turn, reading: Reading, reply: Reply, state: State, *, path: tuple[str, ...]
) -> Decision:
    """A reply inside an open crisis: the message itself raised nothing."""
    read = (
        reading
        if reading.assessment.level.escalates
        else replace(reading, assessment=replace(reading.assessment, level=Level.CHAT, kind=""))
    )
    return replace(decided(turn, read, reply, state), path=path)


def decided(turn: Turn, reading: Reading, reply: Reply, state: State | None = None) -> Decision:
    """The decision of a turn; the level is the higher of the message\'s and the episode\'s."""
    found = reading.assessment
    kept = state or turn.state
    kept = replace(kept, buttons=reply.buttons)
    level = max(found.level, kept.level)
    reply = replace(reply, can_wait=not level.escalates)
    return Decision(
        level=level,
        message_level=found.level,
        kind=kept.kind if kept.level.escalates else found.kind,
        topic="",
        reply=reply,
        person=replace(turn.person, state=kept),
        confidence=found.confidence,
        offers=(),
        evidence=found.evidence,
        near_misses=found.near_misses,
        also=found.also,
        numbers_shown=tuple(dict.fromkeys(turn.scribe.numbers)),
    )


def open_header(turn: Turn) -> str:
    """The line that keeps an open crisis first in every reply, and CPR going."""
    key = {
        Level.EMERGENCY: "open_emergency",
        Level.SUICIDE_CRISIS: "open_crisis",
    }.get(turn.state.level, "open_urgent")
    header = turn.scribe.phrase(key)
    if turn.state.guide and turn.state.guide.cpr:
        return f"{header}\n{turn.scribe.phrase('cpr_go_on')}"
    return header


def is_denial(turn: Turn) -> bool:
    """Whether a short message takes an alarm back ("just kidding")."""
    text, known = turn.message.text, turn.scribe.knowledge.wordings
    if len(fold(text).split()) > wordings.MAX_WORDS_OF_A_REPLY:
        return False
    return wordings.means(text, "denial", known) or told.claims_joke(text, known)


def is_plain_denial(turn: Turn) -> bool:
    """Whether the message is nothing but a taking back of the open alarm."""
    short = len(fold(turn.message.text).split()) <= PLAIN_DENIAL
    return short and turn.state.level.escalates and is_denial(turn)
