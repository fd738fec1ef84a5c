"""The buttons below a case in the private chat of its reader: what each shows and does.

The data of a button are an act, the number of a case and what was chosen, joined by colons;
they stay under Telegram's 64 bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import get_args

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.core.actions import Acknowledge, Action, Assign, Resolve, Snooze, Unassign, Wake
from bot.core.escalation import Case, ReplyWasRight, Resolution
from bot.core.model import Level
from bot.store.staff import StaffMember

PREFIX = "desk:"
LEVELS = tuple(sorted(Level, reverse=True))
RIGHT: tuple[ReplyWasRight, ...] = ("yes", "partly", "no")
RESOLUTIONS: tuple[Resolution, ...] = tuple(each for each in get_args(Resolution) if each)
SNOOZES: Mapping[str, str] = {"60": "1 hour", "240": "4 hours", "720": "12 hours", "1440": "1 day"}
NOTE_HINT = "To add a note, answer this message. Only staff see it."
MANY = 40  # colleagues that a keyboard names

Rows = Iterable[Iterable[tuple[str, str]]]  # of each button its label and its data


@dataclass(frozen=True, slots=True)
class Pressed:
    """What the data of a button say. `number` is 0 where they are none of ours."""

    act: str
    number: int
    chosen: tuple[str, ...] = ()

    @classmethod
    def read(cls, data: str) -> Pressed:
        """The data of a button, whoever made them."""
        act, *rest = data.removeprefix(PREFIX).split(":")
        number = rest[0] if rest else ""
        known = number.isascii() and number.isdigit() and len(number) < 10
        return cls(act, int(number) if known else 0, tuple(rest[1:]))

    @property
    def first(self) -> str:
        """What was chosen first, or ""."""
        return self.chosen[0] if self.chosen else ""


def alert_keyboard(case: Case) -> InlineKeyboardMarkup:
    """The two buttons of an alert; the first is gone once somebody has the case."""
    takes = [("Acknowledge", _data("ack", case))] if case.status == "new" else []
    return _keyboard([[*takes, ("Open", _data("open", case))]])


def menu(case: Case, me: str) -> InlineKeyboardMarkup:
    """What `me` can do with the case as it is now."""
    judge, resolve = ("Review", _data("judge", case)), ("Resolve", _data("end", case))
    if case.status == "new":
        return _keyboard([[("Acknowledge", _data("take", case)), judge]])
    if case.status == "snoozed":
        return _keyboard([[("Wake now", _data("wake", case)), judge]])
    if case.status == "resolved":
        return _keyboard([[judge]])
    if case.assignee != me:
        return _keyboard([[("Assign to me", _data("mine", case)), judge]])
    rest = [
        ("Snooze", _data("later", case)),
        ("Hand over", _data("hand", case)),
        ("Let go", _data("free", case)),
    ]
    return _keyboard([[judge, resolve], rest])


def submenu(pressed: Pressed, case: Case, staff: Iterable[StaffMember]) -> Rows | None:
    """The choices that a button opens, or None for one that does something itself."""
    if pressed.act == "judge":
        return _pairs((_said(level.label), _data("level", case, level.label)) for level in LEVELS)
    if pressed.act == "level" and pressed.first in {level.label for level in LEVELS}:
        return [
            [(f"Reply was right: {each}", _data("review", case, pressed.first, each))]
            for each in RIGHT
        ]
    if pressed.act == "end":
        return [[(_said(each), _data("close", case, each))] for each in RESOLUTIONS]
    if pressed.act == "later":
        return _pairs((said, _data("rest", case, minutes)) for minutes, said in SNOOZES.items())
    if pressed.act == "hand":
        others = [each for each in staff if each.id != case.assignee][:MANY]
        return _pairs((each.name, _data("give", case, each.id)) for each in others)
    return None


def choices(rows: Rows, case: Case) -> InlineKeyboardMarkup:
    """`rows` as a keyboard, with the way back below."""
    return _keyboard([*rows, [("Back", _data("menu", case))]])


def without_review(case: Case, resolution: str) -> InlineKeyboardMarkup:
    """For a case that nobody reviewed: review it, or say that it ends without."""
    said = "Resolve without a review (is counted)"
    unread = (said, _data("close", case, resolution, "unread"))
    return choices([[("Review it first", _data("judge", case))], [unread]], case)


def action_of(pressed: Pressed, me: str, now: datetime) -> Action | None:
    """What a button does to its case, or None for one that does nothing to it."""
    plain: Mapping[str, Action] = {
        "ack": Acknowledge(me),
        "take": Acknowledge(me),
        "mine": Assign(me, me),
        "free": Unassign(me),
        "wake": Wake(me),
    }
    if pressed.act == "rest" and pressed.first in SNOOZES:
        return Snooze(me, now + timedelta(minutes=int(pressed.first)))
    if pressed.act == "give" and pressed.first:
        return Assign(me, pressed.first)
    resolution = next((each for each in RESOLUTIONS if each == pressed.first), None)
    if pressed.act == "close" and resolution:
        return Resolve(me, resolution, unreviewed="unread" in pressed.chosen)
    return plain.get(pressed.act)


def review_of(pressed: Pressed) -> tuple[Level, ReplyWasRight] | None:
    """The level and the judgement of the reply that a button names, or None."""
    if pressed.act != "review" or len(pressed.chosen) != 2:
        return None
    level = next((each for each in LEVELS if each.label == pressed.chosen[0]), None)
    right = next((each for each in RIGHT if each == pressed.chosen[1]), None)
    return None if level is None or right is None else (level, right)


def _data(act: str, case: Case, *chosen: str) -> str:
    return ":".join((f"{PREFIX}{act}", str(case.number), *chosen))


def _keyboard(rows: Rows) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(label, callback_data=data) for label, data in row] for row in rows]
    )


def _pairs(buttons: Iterable[tuple[str, str]]) -> Rows:
    every = list(buttons)
    return [every[at : at + 2] for at in range(0, len(every), 2)]


def _said(name: str) -> str:
    return name.replace("_", " ").capitalize()
