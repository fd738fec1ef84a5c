"""What the store gives back besides cases: frozen values, opened and readable."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

from bot.core.escalation import Case, Event, Review
from bot.core.model import DeliveryStatus, Evidence, Level, NearMiss, Versions


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRecord:
    """One message of a case. `text` is None once it was redacted, and so are its details."""

    id: str
    update_id: str
    received_at: datetime
    edited: bool
    text: str | None
    redacted_at: datetime | None
    level: Level
    kind: str
    topic: str
    evidence: tuple[Evidence, ...]
    near_misses: tuple[NearMiss, ...]
    decision_path: tuple[str, ...]
    reply: tuple[str, ...]
    reply_id: str
    numbers_shown: tuple[str, ...]
    delivery_status: DeliveryStatus | None
    reply_latency_ms: int | None
    versions: Versions


@dataclass(frozen=True, slots=True)
class NoteRecord:
    """A private note. `body` is None once it was redacted."""

    id: str
    author: str
    body: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkLine:
    """What staff or the person wrote while staff had taken over.

    `author` is "" for the person and `system` for the bot's own word. `text` is None once it
    was redacted, `delivery_status` None while no channel has delivered the line.
    """

    id: str
    author: str
    text: str | None
    created_at: datetime
    leaving: bool
    delivery_status: DeliveryStatus | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRecord:
    """What the person said without alarm, and the bot's answer. `text` is None once redacted."""

    id: str
    update_id: str
    created_at: datetime
    edited: bool
    text: str | None
    reply: tuple[str, ...]
    delivery_status: DeliveryStatus | None


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One line of the history, in its place in the chain."""

    seq: int
    at: datetime
    actor: str
    escalation_id: str
    event: Event
    channel: str
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class CaseFile:
    """All that is known of one case. `earlier` are the same person's other cases."""

    case: Case
    signals: tuple[SignalRecord, ...]
    reviews: tuple[Review, ...]
    notes: tuple[NoteRecord, ...]
    events: tuple[EventRecord, ...]
    earlier: tuple[Case, ...]
    talk: tuple[TalkLine, ...] = ()
    exchanges: tuple[ExchangeRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What `/forget` took away. `stays` says what is kept, in words for the person."""

    cases: int
    messages: int
    known: bool
    stays: tuple[str, ...] = (
        "that an escalation happened, and when",
        "how serious it was and how staff judged it",
        "which rules noticed it and which numbers were shown",
    )


@dataclass(frozen=True, slots=True)
class Redacted:
    """What retention took away."""

    messages: int = 0
    notes: int = 0
    samples: int = 0
    people: int = 0
    cases: int = 0
    events: int = 0

    def __add__(self, other: Redacted) -> Redacted:
        return Redacted(
            *(getattr(self, each.name) + getattr(other, each.name) for each in fields(Redacted))
        )
