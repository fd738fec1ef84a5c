"""Who is writing to a person: one at a time, so that a person never hears two."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

HOLD_S = 300.0  # seconds that a previewed message keeps others from writing


@dataclass(slots=True)
class Pen:
    """Who is writing in which case."""

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
