"""What can happen to a case, and how an attempt can end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.core.escalation import Case, Entry, Event, Resolution, Review


@dataclass(frozen=True, slots=True)
class Action:
    """Something that happens to a case; `actor` is a staff id, `bot` or `system`."""

    actor: str


@dataclass(frozen=True, slots=True)
class Signal(Action):
    """Another message of the same person escalated."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Acknowledge(Action):
    """Somebody takes the case. The first wins."""


@dataclass(frozen=True, slots=True)
class Assign(Action):
    """The case goes to `to`: hand over, or take over."""

    to: str


@dataclass(frozen=True, slots=True)
class Unassign(Action):
    """The owner lets go; the case is new again."""


@dataclass(frozen=True, slots=True)
class Snooze(Action):
    """The case rests until `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Wake(Action):
    """The rest is over: by itself when its time is up, or because staff end it."""


@dataclass(frozen=True, slots=True)
class Resolve(Action):
    """The case is done. `unreviewed` says that nobody reviewed it, knowingly."""

    resolution: Resolution
    unreviewed: bool = False


@dataclass(frozen=True, slots=True)
class Return(Action):
    """The owner did nothing for twice the clock."""


@dataclass(frozen=True, slots=True)
class Miss(Action):
    """The clock for acknowledging ran out, or staffed hours began."""


@dataclass(frozen=True, slots=True)
class View(Action):
    """Somebody opened the case and read it."""


@dataclass(frozen=True, slots=True)
class Tag(Action):
    """The case's labels are now `tags`."""

    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Note(Action):
    """A note was added; its body is kept elsewhere."""

    note_id: str


@dataclass(frozen=True, slots=True)
class Judge(Action):
    """A review was added; `reviews` are all of the case's, the new one last."""

    reviews: tuple[Review, ...]


@dataclass(frozen=True, slots=True)
class Alert(Action):
    """An alert about the case was sent to `to` (a person's id or a channel's name) or failed."""

    to: str
    sent: bool
    rung: int = 0


@dataclass(frozen=True, slots=True)
class Answer(Action):
    """Staff wrote to the person themselves; it was delivered or not. `leaving`: their last.

    `unread_since`: when the person first wrote after that text was written, if they did.
    """

    sent: bool
    leaving: bool = False
    unread_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hear(Action):
    """The person wrote to staff who took over; their words are kept elsewhere."""


@dataclass(frozen=True, slots=True)
class Redact(Action):
    """The texts of the case are gone: `why` is `retention` or `forget`."""

    why: str


@dataclass(frozen=True, slots=True)
class Undo(Action):
    """The actor takes back the case's last event, which `by` brought about at `at`."""

    event: Event
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """An action that was allowed: the case as it is now, and what its history gains."""

    case: Case
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An action that was not allowed, in a sentence for whoever tried."""

    reason: str


Outcome = Step | Refusal
