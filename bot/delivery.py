"""How a reply goes out: what the service gives a channel, and what the channel says of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from bot.core.model import Decision, DeliveryStatus, Reply

# How it went. A future: the reply stands in the channel's queue, and this comes of it. Withheld:
# the chat floods the channel, which sends it nothing that can wait.
Fate = DeliveryStatus | Literal["withheld"] | asyncio.Future[DeliveryStatus]

Send = Callable[[Reply], Awaitable[Fate]]
Told = Callable[[Decision], object]


@dataclass(frozen=True, slots=True)
class StaffLine:
    """What staff wrote to a person. `place` grows from line to line of a chat."""

    place: int
    text: str
