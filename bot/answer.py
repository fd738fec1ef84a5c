"""A message and what was decided about it, on its way to its person and to what is kept."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace

from bot.core.escalation import Entry
from bot.core.exchange import Exchange
from bot.core.model import Decision, DeliveryStatus, Message
from bot.delivery import Fate, Send

Sending = asyncio.Task[tuple[Fate, int]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A message and what is done about it. `said` is how staff read both."""

    message: Message
    decision: Decision
    said: Exchange
    entry: Entry | None

    @property
    def is_ordinary(self) -> bool:
        """Whether the bot itself answered what raised no alarm."""
        is_heard = self.decision.path[:1] == ("taken_over",)
        return not (self.entry or is_heard or "forget" in self.decision.effects)

    @property
    def is_around(self) -> bool:
        """Whether it is kept with an open case. What others say in a group never is."""
        return self.is_ordinary and not self.message.group

    def settled(self, sending: Sending) -> Answer:
        """The same with what came of its reply."""
        if sending.cancelled() or sending.exception():
            return self._with(delivery_status="failed")
        fate, latency_ms = sending.result()
        if isinstance(fate, asyncio.Future):
            return self  # that is still open
        return self._with(
            delivery_status="failed" if fate == "withheld" else fate, reply_latency_ms=latency_ms
        )

    def _with(
        self, *, delivery_status: DeliveryStatus, reply_latency_ms: int | None = None
    ) -> Answer:
        said = replace(self.said, delivery_status=delivery_status)
        entry = self.entry and replace(
            self.entry, delivery_status=delivery_status, reply_latency_ms=reply_latency_ms
        )
        return replace(self, said=said, entry=entry)


async def delivered(send: Send, decision: Decision, began: float) -> tuple[Fate, int]:
    """Send the reply of `decision`: how that went, and the milliseconds since `began`."""
    if not decision.reply.texts:
        return "sent", 0
    fate = await send(decision.reply)
    return fate, round((time.monotonic() - began) * 1000)
