"""Which Telegram updates are under way and done, and what may be confirmed to Telegram."""

from __future__ import annotations

from collections import OrderedDict


class Intake:
    """The ids of updates, from arrival to the end of their handling.

    Telegram forgets every update below the `offset` it is asked with, so the offset never
    passes an update that is still under way.
    """

    def __init__(self, remember: int = 10_000) -> None:
        self._remember = remember
        self._under_way: set[int] = set()
        self._done: OrderedDict[int, None] = OrderedDict()
        self._next: int | None = None

    @property
    def offset(self) -> int | None:
        """The lowest update under way, else the one after the last; None before the first."""
        return min(self._under_way, default=self._next)

    def begin(self, update_id: int) -> bool:
        """Take an update in hand. False if it already is, or was before: leave it alone."""
        if update_id in self._under_way or update_id in self._done:
            return False
        self._under_way.add(update_id)
        self._next = update_id + 1
        return True

    def end(self, update_id: int) -> None:
        """Say that an update was handled."""
        self._under_way.discard(update_id)
        self._done[update_id] = None
        if len(self._done) > self._remember:
            self._done.popitem(last=False)
