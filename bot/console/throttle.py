"""Slows down whoever tries many sign-ins from one address; accounts have locks of their own."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable

FREE = 20  # failures of one address
WITHIN_S = 10 * 60.0
ADDRESSES = 10_000


class Throttle:
    """Counts failures by address. Kept in memory: a restart forgives."""

    def __init__(self, *, free: int = FREE, clock: Callable[[], float] = time.monotonic) -> None:
        self._free = free
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def is_over(self, address: str) -> bool:
        """Whether this address has to wait."""
        times = self._failures.get(address, deque[float]())
        while times and times[0] <= self._clock() - WITHIN_S:
            times.popleft()
        return len(times) >= self._free

    def failed(self, address: str) -> None:
        """Count one more failure."""
        times = self._failures.setdefault(address, deque[float](maxlen=self._free))
        times.append(self._clock())
        self._failures.move_to_end(address)
        if len(self._failures) > ADDRESSES:
            self._failures.popitem(last=False)
