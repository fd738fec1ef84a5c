"""A case made ready to be read: marked words, reasons, and what today's rules would do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.content.reasons import Because, because
from bot.core.explanation import Segment, segments
from bot.core.model import Decision, Level
from bot.store.records import CaseFile, EventRecord, SignalRecord
from bot.store.timeline import Stretch, timeline

RERUN_MAX = 20  # messages of one case that are run again


@dataclass(frozen=True, slots=True)
class Today:
    """What today's rules make of a message: `gained` and `lost` are rules."""

    level: Level
    kind: str
    is_changed: bool
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A message of a case as the page shows it; `reasons` are why it was raised, each rule once."""

    signal: SignalRecord
    reasons: tuple[Because, ...]
    segments: tuple[Segment, ...]
    today: Today | None


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of the history, in words."""

    at: datetime
    actor: str
    what: str
    channel: str


def conversation(
    file: CaseFile, rerun: Callable[[str], Decision] | None, reasons: Mapping[str, str]
) -> tuple[Shown | Stretch, ...]:
    """The messages of a case and what was said around them, in the order of time.

    Only the last RERUN_MAX messages are run again.
    """
    run_again = {signal.id for signal in file.signals[-RERUN_MAX:]}
    return tuple(
        part
        if isinstance(part, Stretch)
        else Shown(
            part,
            because(part.evidence, reasons),
            segments(part.text or "", part.evidence),
            today(part, rerun) if rerun and part.id in run_again else None,
        )
        for part in timeline(file)
    )


def today(signal: SignalRecord, rerun: Callable[[str], Decision]) -> Today | None:
    """How today's rules read the message, or None where its text is gone."""
    if signal.text is None:
        return None
    decision = rerun(signal.text)
    level, kind = decision.message_level, decision.kind
    then = {each.rule for each in signal.evidence if each.kind == "trigger"}
    now = {each.rule for each in decision.evidence if each.kind == "trigger"}
    return Today(
        level=level,
        kind=kind if level.escalates else "",
        is_changed=level != signal.level or (level.escalates and kind != signal.kind),
        gained=tuple(sorted(now - then)),
        lost=tuple(sorted(then - now)),
    )


def moments(events: Iterable[EventRecord]) -> tuple[Moment, ...]:
    """The history, the newest first."""
    return tuple(Moment(each.at, each.actor, _told(each), each.channel) for each in events)[::-1]


def _told(record: EventRecord) -> str:
    """An event in words: what happened, and the values that changed and matter to staff."""
    name = record.event.type.replace("_", " ")
    after: Mapping[str, object] = record.event.after
    details = [
        f"{field.replace('_', ' ')} {str(after[field]).replace('_', ' ')}"
        for field in ("level", "assignee", "resolution", "to", "why", "snoozed_until")
        if after.get(field)
    ]
    return f"{name}: {', '.join(details)}" if details else name
