"""The values that the whole product speaks in: frozen, plain and free of I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Literal


class Level(IntEnum):
    """The triage disposition, ordered, so that "the highest wins" is `max()`."""

    OUT_OF_SCOPE = 0
    CHAT = 1
    INFO = 2
    URGENT = 3
    SUICIDE_CRISIS = 4
    EMERGENCY = 5

    @property
    def label(self) -> str:
        """The name in content, exports and the store: `suicide_crisis`."""
        return self.name.lower()

    @property
    def escalates(self) -> bool:
        """Whether a message of this level is recorded for staff."""
        return self >= Level.URGENT

    @property
    def is_crisis(self) -> bool:
        """Whether a person may die now: an emergency or a suicide crisis."""
        return self >= Level.SUICIDE_CRISIS

    @classmethod
    def parse(cls, label: str) -> Level:
        """The level that `label` names. Raises KeyError for any other word."""
        return cls[label.upper()]


EvidenceKind = Literal["trigger", "context", "suppressor", "example"]
CountrySource = Literal["told", "locale", "unknown"]
DeliveryStatus = Literal["sent", "failed", "blocked"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for a verdict, with its place in the message as it was written.

    `start` and `end` are character offsets into the raw message; both are 0 for a
    reason that is the message as a whole.
    """

    rule: str
    kind: EvidenceKind
    start: int
    end: int
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A rule that would have hit, and the suppressor that held it back."""

    rule: str
    held_by: str
    text: str


@dataclass(frozen=True, slots=True)
class Example:
    """A teaching or proving message. `label` is `emergency/overdose`, `suicide_crisis`,
    a topic id, or `out_of_scope/pet` and the like."""

    text: str
    label: str
    voice: str
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A topic that may answer the message. `score` runs from 0 to 1."""

    topic: str
    score: float


@dataclass(frozen=True, slots=True)
class Assessment:
    """What triage made of one message.

    `kind` is the kind of emergency (`overdose`, `drowsy`, ...) or "" below urgent.
    `asks` is true in the grey zone: the reply then asks whether it is happening now.
    """

    level: Level
    kind: str = ""
    confidence: float = 0.0
    asks: bool = False
    also: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()

    @property
    def by_rule(self) -> bool:
        """Whether a rule saw a danger sign, and not the learned reader alone."""
        return any(each.kind == "trigger" for each in self.evidence)


@dataclass(frozen=True, slots=True)
class Button:
    """A choice under a reply. `action` is at most 48 bytes of ASCII, `guide:breathing:no`."""

    label: str
    action: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the person gets: messages in order, then the buttons under the last one.

    `can_wait` lets a channel hold the reply back in a queue or a flood. It is false
    unless somebody made sure that the reply is to nothing urgent.
    """

    texts: tuple[str, ...] = ()
    buttons: tuple[Button, ...] = ()
    can_wait: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """What a person sent, from whatever channel.

    `chat` is the channel's own id for the conversation, prefixed with the channel:
    `tg:12345`, `web:ab12`, `terminal`. `command` is a slash command without its slash.
    `located_in` is the country (ISO 3166-1 alpha-2) of a shared location. `again` says that
    a process took it before and died, perhaps after it was answered.
    """

    chat: str
    text: str = ""
    at: datetime | None = None
    edited: bool = False
    button: str = ""
    attachment: str = ""
    located_in: str = ""
    group: bool = False
    addressed: bool = True
    update_id: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class GuideState:
    """Where the person stands in the dispatcher-style guide.

    `done` are the ids of the questions that were answered; `asked` is the open one or "".
    `cpr` says that CPR was started; `put_again` that the open question was put once more
    without an answer, so that the next time the guide moves on. `cpr_done` says that CPR was
    done before: breath that stops again needs it at once.
    """

    kind: str
    asked: str = ""
    done: tuple[str, ...] = ()
    help_coming: bool = False
    cpr: bool = False
    put_again: bool = False
    cpr_done: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """What the bot remembers of a conversation. It holds no message text.

    `level` and `kind` are those of the open crisis; `subject` says whom it is about.
    `buttons` are the last ones shown, so that a typed label works like a press.
    """

    level: Level = Level.OUT_OF_SCOPE
    kind: str = ""
    subject: Literal["", "self", "other"] = ""
    escalated_at: datetime | None = None
    guide: GuideState | None = None
    topic: str = ""
    pending: str = ""
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of the person who writes. `Person()` is the blank one."""

    country: str = ""
    country_source: CountrySource = "unknown"
    language: str = "en"
    state: State = field(default_factory=State)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the bot makes of a message and what it does about it.

    `level` is the message's own level, raised to that of an open crisis. `message_level`
    is the message's own. `path` says in one word a step how the decision was reached.
    `effects` are the acts that the shell carries out: `forget`.
    """

    level: Level
    message_level: Level
    kind: str
    topic: str
    reply: Reply
    person: Person
    confidence: float = 0.0
    offers: tuple[Candidate, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    also: tuple[str, ...] = ()
    asks: bool = False
    path: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    numbers_shown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Versions:
    """What was in force when a decision was made."""

    engine: str
    content: str
    helplines: str
