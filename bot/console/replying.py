"""Writing to a person, where the service has switched that on."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.core.escalation import Case
from bot.core.model import DeliveryStatus

HOLD_S = 300.0  # seconds that a previewed message keeps others from writing


@dataclass(frozen=True, slots=True)
class Template:
    """A message that was approved beforehand. `text` may be changed before it is sent."""

    name: str
    text: str


@dataclass(slots=True)
class Pen:
    """Who is writing in which case: one at a time, so that a person never hears two."""

    clock: Callable[[], float] = time.monotonic
    _held: dict[int, tuple[str, float]] = field(default_factory=dict)

    def take(self, number: int, staff_id: str) -> str:
        """Take the pen of a case; "" when it is theirs now, or who has it."""
        holder, until = self._held.get(number, ("", 0.0))
        if holder not in ("", staff_id) and until > self.clock():
            return holder
        self._held[number] = (staff_id, self.clock() + HOLD_S)
        return ""

    def lay_down(self, number: int, staff_id: str) -> None:
        """Let others write."""
        if self._held.get(number, ("", 0.0))[0] == staff_id:
            del self._held[number]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replying:
    """How staff write to a person. `send` delivers a text in the chat of the case.

    `opening` and `closing` frame each message, so that the person sees that a human writes
    and that the bot goes on watching.
    """

    send: Callable[[Case, str], Awaitable[DeliveryStatus]]
    templates: tuple[Template, ...]
    opening: str = "A person from the support team writes to you (this is not the bot):"
    closing: str = (
        "The person has left. The bot goes on reading here. In an emergency call your "
        "emergency number now."
    )
    pen: Pen = field(default_factory=Pen)

    def framed(self, text: str, *, leaving: bool) -> str:
        """What the person gets to read."""
        parts = [self.opening, text]
        if leaving:
            parts.append(self.closing)
        return "\n\n".join(parts)
