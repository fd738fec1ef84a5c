"""Which messages that were not escalated are kept for staff to look for misses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.core.model import Decision, Level, Message, Versions

Stratum = Literal["random", "near_threshold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A message that was not escalated, kept to be judged.

    `sampling_weight` is how many messages it stands for. Only the random stratum speaks for
    all messages; the near-threshold one is picked because it may be a miss.
    """

    chat: str
    update_id: str
    at: datetime
    text: str
    level: Level
    topic: str
    language: str
    stratum: Stratum
    sampling_weight: float
    versions: Versions


def draw(
    message: Message,
    decision: Decision,
    *,
    at: datetime,
    lot: float,
    rate: float,
    near_rate: float,
    versions: Versions,
) -> Sample | None:
    """The sample that this message becomes, or None. `lot` is a random number from 0 to 1.

    The random stratum is drawn first and from all, so that a message near the threshold can
    be in it too. Rates are shares of messages, 0 by default: then nothing is kept.
    """
    if decision.message_level.escalates or not message.text:
        return None
    is_near = bool(decision.near_misses) or decision.asks
    if lot < rate:
        stratum, weight = "random", 1 / rate
    elif is_near and lot < rate + (1 - rate) * near_rate:
        stratum, weight = "near_threshold", 1 / near_rate
    else:
        return None
    return Sample(
        chat=message.chat,
        update_id=message.update_id,
        at=at,
        text=message.text,
        level=decision.message_level,
        topic=decision.topic,
        language=decision.person.language,
        stratum="random" if stratum == "random" else "near_threshold",
        sampling_weight=weight,
        versions=versions,
    )
