"""What was said lately without alarm: in memory only, little of it, and not for long."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

from bot.core.exchange import BEFORE, EXCHANGES, Exchange

CHATS = 2_000  # the one that rests longest is dropped first
CHARACTERS = 4_000_000  # of all chats together


_Held = dict[str, tuple[float, Exchange]]


class Recent:
    """The last exchanges of each chat, for staff to read where an alarm follows.

    A restart forgets them all. Nothing of it is logged, and it is stored with an alarm only.
    """

    def __init__(
        self,
        *,
        chats: int = CHATS,
        characters: int = CHARACTERS,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._chats_most, self._size_most = chats, characters
        self._steady = steady
        # The chat that wrote last is the last; of each, when an exchange was noted, and it.
        self._chats: OrderedDict[str, _Held] = OrderedDict()
        self._size = 0

    @property
    def size(self) -> int:
        """How many characters are held."""
        return self._size

    def note(self, said: Exchange) -> None:
        """Hold what was just said; the same one twice is held once."""
        known = self._chats.setdefault(said.chat, {})
        self._chats.move_to_end(said.chat)
        self._take(known, said.identity)
        known[said.identity] = (self._steady(), said)
        self._size += said.size
        while len(known) > EXCHANGES:
            self._take(known, next(iter(known)))
        while len(self._chats) > self._chats_most or self._size > self._size_most:
            self.drop(next(iter(self._chats)))

    def settle(self, said: Exchange) -> None:
        """Hold it with what came of its answer, if it is still held."""
        known = self._chats.get(said.chat, {})
        if said.identity in known:
            at, _ = known[said.identity]
            known[said.identity] = (at, said)

    def before(self, chat: str, at: datetime) -> tuple[Exchange, ...]:
        """What was said in `chat` shortly before `at`, oldest first."""
        self._drop_old(chat)
        held = (said for _, said in self._chats.get(chat, {}).values())
        return tuple(said for said in held if at - said.received_at <= BEFORE)

    def drop(self, chat: str) -> None:
        """Hold nothing of this chat any more."""
        for _, said in self._chats.pop(chat, {}).values():
            self._size -= said.size

    def drop_old(self) -> None:
        """Let go of what was noted too long ago. To be called now and then."""
        for chat in list(self._chats):
            self._drop_old(chat)

    def _drop_old(self, chat: str) -> None:
        known = self._chats.get(chat, {})
        over = self._steady() - BEFORE.total_seconds()
        for identity in [each for each, (at, _) in known.items() if at < over]:
            self._take(known, identity)
        if not known:
            self._chats.pop(chat, None)

    def _take(self, known: _Held, identity: str) -> None:
        held = known.pop(identity, None)
        if held:
            self._size -= held[1].size
