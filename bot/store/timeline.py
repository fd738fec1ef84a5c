"""The conversation of a case in one line of time: before the alarm, the alarms, and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.core.escalation import BOT
from bot.core.export import TALK_COLUMN, TEXT_COLUMN
from bot.core.model import DeliveryStatus
from bot.store.records import CaseFile, ExchangeRecord, SignalRecord, TalkLine

Place = Literal["before", "between", "after"]
HEADINGS: Mapping[Place, str] = {
    "before": "Before the alarm",
    "between": "Between the alarms",
    "after": "After the alarm",
}
PERSON = ""  # the author of what the person of the case wrote


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What somebody wrote. `author` is "" for the person, `bot`, `system` for the bot's word
    that staff are gone, or a staff id. `text` is None once it was deleted.

    `waits` says that staff wrote it and no channel has delivered it yet.
    """

    at: datetime
    author: str
    text: str | None
    edited: bool = False
    delivery_status: DeliveryStatus | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was said before the first alarm, between two, or after the last."""

    place: Place
    lines: tuple[Line, ...]

    @property
    def heading(self) -> str:
        """Where it stands, in words."""
        return HEADINGS[self.place]

    @property
    def is_gone(self) -> bool:
        """Whether all of it was deleted."""
        return all(line.text is None for line in self.lines)


def timeline(file: CaseFile) -> tuple[SignalRecord | Stretch, ...]:
    """The alarms of a case, oldest first, and what was said around them.

    Nothing stands for what was never kept.
    """
    parts: list[SignalRecord | Stretch] = []
    lines: list[Line] = []
    alarms = len(file.signals)
    for each in _in_order(file):
        if isinstance(each, SignalRecord):
            parts += _stretch(lines, "between" if alarms < len(file.signals) else "before")
            parts.append(each)
            lines, alarms = [], alarms - 1
        else:
            lines += _lines(each)
    return (*parts, *_stretch(lines, "after"))


def texts(file: CaseFile | None) -> dict[str, str]:
    """The columns of an export that hold text: the alarms, and the whole conversation."""
    if file is None:
        return {TEXT_COLUMN: "", TALK_COLUMN: ""}
    alarms = "\n".join(each.text or "(redacted)" for each in file.signals)
    return {TEXT_COLUMN: alarms, TALK_COLUMN: _in_words(file)}


def _in_words(file: CaseFile) -> str:
    told: list[str] = []
    for part in timeline(file):
        if isinstance(part, SignalRecord):
            told.append(_told(part.received_at, "person, alarm", part.text))
            told += [_told(part.received_at, BOT, text) for text in part.reply]
        else:
            told += [_told(line.at, line.author or "person", line.text) for line in part.lines]
    return "\n".join(told)


def _told(at: datetime, who: str, text: str | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} {who}: {'(redacted)' if text is None else text}"


def _in_order(file: CaseFile) -> list[SignalRecord | ExchangeRecord | TalkLine]:
    """All of it by time. Telegram tells whole seconds: within one its own numbers count."""
    return sorted((*file.signals, *file.exchanges, *file.talk), key=_moment)


def _moment(each: SignalRecord | ExchangeRecord | TalkLine) -> tuple[datetime, int]:
    if isinstance(each, TalkLine):
        return each.created_at, 0
    at = each.received_at if isinstance(each, SignalRecord) else each.created_at
    return at, int(each.update_id) if each.update_id.isdecimal() else 0


def _stretch(lines: list[Line], place: Place) -> Iterator[Stretch]:
    if lines:
        yield Stretch(place, tuple(lines))


def _lines(each: ExchangeRecord | TalkLine) -> Iterator[Line]:
    if isinstance(each, TalkLine):
        yield Line(
            at=each.created_at,
            author=each.author,
            text=each.text,
            delivery_status=each.delivery_status,
            waits=bool(each.author) and each.delivery_status is None,
        )
        return
    yield Line(at=each.created_at, author=PERSON, text=each.text, edited=each.edited)
    if each.reply:
        yield Line(
            at=each.created_at,
            author=BOT,
            text="\n\n".join(each.reply),
            delivery_status=each.delivery_status,
        )
