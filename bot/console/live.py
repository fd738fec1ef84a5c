"""What moves while pages are open: changes told to browsers, and who has which case open."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from bot.errors import StoreError
from bot.store import Store

POLL_S = 1.0  # seconds between looks for something new; only while a page is open
BEAT_S = 15.0  # seconds after which a silent stream says that it lives


class Presence:
    """Who has which case open, as far as this process knows. Nothing of it is kept."""

    def __init__(self) -> None:
        self._open: Counter[tuple[int, str]] = Counter()

    def come(self, number: int, staff_id: str) -> None:
        """Somebody opened the case in one more page."""
        self._open[number, staff_id] += 1

    def go(self, number: int, staff_id: str) -> None:
        """Somebody closed one page of the case."""
        self._open[number, staff_id] -= 1
        if self._open[number, staff_id] <= 0:
            del self._open[number, staff_id]

    def others(self, number: int, staff_id: str) -> tuple[str, ...]:
        """Who else has the case open, by name."""
        return tuple(sorted(who for case, who in self._open if case == number and who != staff_id))


class Live:
    """Tells every open page when the history or a conversation grew, or somebody came or went."""

    def __init__(self, find_store: Callable[[], Store | None]) -> None:
        self._find_store = find_store
        self._pages: set[asyncio.Event] = set()
        self._watch: asyncio.Task[None] | None = None
        self.presence = Presence()

    def stir(self) -> None:
        """Tell every page to look again."""
        for page in self._pages:
            page.set()

    async def stream(
        self,
        staff_id: str,
        numbers: Iterable[int],
        still_signed_in: Callable[[], Awaitable[bool]],
    ) -> AsyncIterator[dict[str, str]]:
        """Events for one page, which shows the cases `numbers`, until its session ends."""
        page, shown = asyncio.Event(), tuple(numbers)
        self._pages.add(page)
        for number in shown:
            self.presence.come(number, staff_id)
        self.stir()
        if self._watch is None:
            self._watch = asyncio.create_task(self._watching())
        try:
            yield {"event": "ready", "data": "{}"}
            while await still_signed_in():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(page.wait(), BEAT_S)
                name = "change" if page.is_set() else "beat"
                page.clear()
                yield {"event": name, "data": json.dumps({})}
            yield {"event": "ended", "data": "{}"}
        finally:
            self._leave(page, staff_id, shown)

    def _leave(self, page: asyncio.Event, staff_id: str, shown: tuple[int, ...]) -> None:
        self._pages.discard(page)
        for number in shown:
            self.presence.go(number, staff_id)
        self.stir()
        if not self._pages and self._watch is not None:
            self._watch.cancel()
            self._watch = None

    async def _watching(self) -> None:
        known: object = None
        while self._pages:
            store = self._find_store()
            if store is not None:
                with contextlib.suppress(StoreError):
                    # What is said around a case is in no history.
                    last = (await store.history.last(), await store.exchanges.latest())
                    if last != known and known is not None:
                        self.stir()
                    known = last
            await asyncio.sleep(POLL_S)
