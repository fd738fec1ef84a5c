"""What every channel needs of the service, and how it keeps a flood at bay."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Literal, Protocol

from bot.core.model import Decision, Message, Reply
from bot.delivery import Send, Told


class Receiver(Protocol):
    """The part of the service that a channel talks to."""

    async def receive(self, message: Message, send: Send, told: Told | None = None) -> Decision:
        """Decide about the message, and send and record what was decided.

        Messages of a chat are answered in the order in which this is called, but for urgent
        ones. `told` is given the decision right before its reply is sent.
        """

    def is_urgent(self, message: Message) -> bool:
        """Whether the reply to the message may be to something urgent. Waits for nothing."""

    def emergency_card(self, country: str = "") -> Reply:
        """The reply for when all else failed. Needs nothing and never fails."""


Pressure = Literal["calm", "first_over", "over"]


class Flood:
    """Counts messages per chat, so that a flood of them cannot use up the channel.

    A channel answers all while it is `calm`, tells the person once (`first_over`), and
    then (`over`) sends only replies that cannot wait. No message goes unread.
    """

    def __init__(
        self,
        limit: int = 20,
        per_s: float = 60.0,
        *,
        chats: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._per_s = per_s
        self._chats = chats
        self._clock = clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def count(self, chat: str) -> Pressure:
        """Count one more message of `chat` and say how much it writes."""
        times = self._recent(chat)
        times.append(self._clock())
        if len(times) <= self._limit:
            return "calm"
        return "first_over" if len(times) == self._limit + 1 else "over"

    def _recent(self, chat: str) -> deque[float]:
        times = self._times.setdefault(chat, deque(maxlen=self._limit + 2))
        self._times.move_to_end(chat)
        if len(self._times) > self._chats:
            self._times.popitem(last=False)
        while times and times[0] <= self._clock() - self._per_s:
            times.popleft()
        return times
