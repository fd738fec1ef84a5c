"""One message on its way through the conversation, and how a decision is put together."""

from __future__ import annotations

from dataclasses import dataclass, replace

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

NOTHING_READ = Reading(Assessment(Level.OUT_OF_SCOPE))


@dataclass(frozen=True, slots=True)
class Turn:
    """One message on its way through the conversation."""

    message: Message
    person: Person
    scribe: Scribe
    reader: Reader

    @property
    def state(self) -> State:
        """What is remembered of the conversation so far."""
        return self.person.state


def chat(turn: Turn, reply: Reply, state: State, topic_id: str) -> Decision:
    """A reply about the bot itself: the message was small talk or a command."""
    read = replace(NOTHING_READ, assessment=Assessment(Level.CHAT, confidence=1.0))
    return replace(calm(turn, read, reply, state, path=("command",)), topic=topic_id)


def calm(
    turn: Turn, reading: Reading, reply: Reply, state: State, *, path: tuple[str, ...]
) -> Decision:
    """A reply below urgent. An open crisis puts its number before it, and its way back after."""
    if turn.state.level.escalates and reply.texts:
        header = open_header(turn.scribe, turn.state.level)
        texts = (f"{header}\n\n{reply.texts[0]}", *reply.texts[1:])
        buttons = reply.buttons
        if turn.state.guide:
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


def open_header(scribe: Scribe, level: Level) -> str:
    """The line that keeps an open crisis first in every reply."""
    return scribe.phrase(
        {
            Level.EMERGENCY: "open_emergency",
            Level.SUICIDE_CRISIS: "open_crisis",
        }.get(level, "open_urgent")
    )
