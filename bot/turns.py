"""The messages of a chat take turns; one that is urgent does not wait long for its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

PATIENCE_S = 0.1  # how long an urgent message waits for those before it


class Turn:
    """The turn of one message. It ends once, at the latest with its block."""

    def __init__(self, lock: asyncio.Lock | None) -> None:
        self._lock = lock

    def end(self) -> None:
        """Let the next one go on."""
        lock, self._lock = self._lock, None
        if lock:
            lock.release()


class Turns:
    """One turn at a time per chat, in the order of asking."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        # A lock lives as long as somebody holds or awaits it.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def take(
        self, chat: str, is_urgent: Callable[[], bool] = lambda: False
    ) -> AsyncIterator[Turn]:
        """Wait for the turn of `chat`. What is urgent soon goes on without it.

        Only where there is something to wait for `is_urgent` is asked.
        """
        lock = self._locks.get(chat)
        hurries = lock is not None and lock.locked() and is_urgent()
        lock = lock or self._locks.setdefault(chat, asyncio.Lock())
        turn = Turn(lock if await _acquired(lock, self._patience_s if hurries else None) else None)
        try:
            yield turn
        finally:
            turn.end()


async def _acquired(lock: asyncio.Lock, within_s: float | None) -> bool:
    try:
        async with asyncio.timeout(within_s):
            return await lock.acquire()
    except TimeoutError:
        return False
