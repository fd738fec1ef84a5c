"""The time of day that does not jump when the clock of the machine does."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

log = logging.getLogger(__name__)

JUMP = timedelta(seconds=5)  # a difference that no gentle correction makes between two looks
BELIEVED_AFTER = timedelta(minutes=10)  # longer than the shortest clock of a case
TRUSTED_AFTER = timedelta(days=1)  # until something may be deleted by a time that was in doubt


def machine_time() -> datetime:
    """The time of day as the machine has it."""
    return datetime.now(UTC)


def machine_elapsed() -> timedelta:
    """How long the machine has been up, its sleep included where it can tell."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME))
    if sys.platform == "darwin":  # where this one goes on while it sleeps
        return timedelta(seconds=time.clock_gettime(time.CLOCK_MONOTONIC))
    return timedelta(seconds=time.monotonic())


class SteadyClock:
    """Called, it gives the time: that of the machine, unless its clock jumped just now.

    Then it goes on evenly. A new time that stays is believed after a while; one that was a
    mistake and is put right before is never seen by anybody.
    """

    def __init__(
        self,
        time_of_day: Callable[[], datetime] = machine_time,
        elapsed: Callable[[], timedelta] = machine_elapsed,
    ) -> None:
        self._time_of_day = time_of_day
        self._elapsed = elapsed
        self._zero = self._first_zero = time_of_day() - elapsed()
        self._jumped: timedelta | None = None  # by how much, while that is not believed
        self._jumped_at = -TRUSTED_AFTER + elapsed()

    @property
    def is_doubtful(self) -> bool:
        """Whether the clock jumped in the last day, so that nothing should be deleted by it."""
        return self._elapsed() - self._jumped_at < TRUSTED_AFTER

    def steady(self) -> datetime:
        """The time as if no jump had ever been believed: for how long something takes."""
        return self._first_zero + self._elapsed()

    def __call__(self) -> datetime:
        """The time of day, aware."""
        elapsed = self._elapsed()
        even = self._zero + elapsed
        ahead = self._time_of_day() - even
        if abs(ahead) <= JUMP:
            if self._jumped is not None:
                log.warning("the clock of this machine is back at the time before its jump")
            self._jumped = None
            self._zero += ahead
        elif self._jumped is None or abs(ahead - self._jumped) > JUMP:
            self._doubt(ahead, elapsed)
        elif elapsed - self._jumped_at >= BELIEVED_AFTER:
            log.warning("the time after the jump is believed: %+.0f s", ahead.total_seconds())
            self._jumped = None
            self._zero += ahead
        return self._zero + elapsed

    def _doubt(self, ahead: timedelta, elapsed: timedelta) -> None:
        self._jumped, self._jumped_at = ahead, elapsed
        log.error(
            "the clock of this machine jumped by %+.0f s; the bot goes on evenly and believes "
            "the new time if it stays for %.0f minutes. Check the machine's time (NTP).",
            ahead.total_seconds(),
            BELIEVED_AFTER.total_seconds() / 60,
        )
