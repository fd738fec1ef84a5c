"""Keeps jobs in a thread of its own, many at a time, however long the database is away."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from concurrent.futures import Future

from bot.work.durable import Durable, Job

log = logging.getLogger(__name__)

AGAIN_S = 0.5  # seconds between two tries while the database is away
AWAY_S = 1.0  # seconds for which keeping one job may take while the database is there
BATCH = 50  # jobs kept in one transaction
ROOM = 10_000  # jobs that wait in memory; past that some are dropped, which were handled


class Keeper:
    """Hands jobs to durable work in a thread. It is never in the way of an answer."""

    def __init__(self, durable: Durable) -> None:
        self._durable = durable
        self._jobs: deque[tuple[Job, Future[bool]]] = deque(maxlen=ROOM)
        self._more = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_away = False

    def keep(self, job: Job, *, first: bool = False) -> asyncio.Future[bool]:
        """Begin to keep a job. The result says whether it is new; it may take for ever.

        With `first` it goes before those that wait to be kept.
        """
        kept: Future[bool] = Future()
        with self._more:
            (self._jobs.appendleft if first else self._jobs.append)((job, kept))
            self._more.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True, name="keeper")
            self._thread.start()
        return asyncio.wrap_future(kept)

    async def knows(self, job_id: str, within_s: float) -> bool:
        """Whether another process kept a job of this id; False when that is not known in time."""
        if not self._durable.is_open or self._durable.is_alone or self._is_away:
            return False
        try:
            async with asyncio.timeout(within_s):
                return await self._durable.is_known(job_id)
        except Exception:  # whatever the database raises: the answer comes first
            return False

    async def wait(self, kept: asyncio.Future[bool], within_s: float) -> bool | None:
        """Whether the job is new; None when that is not known in time.

        While the database is known to be away this does not wait at all.
        """
        if not self._durable.is_open or self._is_away:
            return None
        done, _ = await asyncio.wait({kept}, timeout=within_s)
        if done:
            return kept.result()
        if within_s >= AWAY_S and not self._is_away:
            self._is_away = True
            log.warning("durable work is away; updates are handled at once")
        return None

    def _work(self) -> None:
        while True:
            with self._more:
                self._more.wait_for(lambda: self._jobs)
                batch = [self._jobs.popleft() for _ in range(min(len(self._jobs), BATCH))]
            for is_fresh, (_, kept) in zip(self._insist(batch), batch, strict=True):
                if kept.set_running_or_notify_cancel():
                    kept.set_result(is_fresh)

    def _insist(self, batch: list[tuple[Job, Future[bool]]]) -> list[bool]:
        while True:
            try:
                are_fresh = self._durable.keep([job for job, _ in batch])
            except Exception as error:
                if not self._is_away and self._durable.is_open:
                    log.warning("job not kept yet", extra={"error": type(error).__name__})
                self._is_away = self._durable.is_open
                time.sleep(AGAIN_S)
            else:
                self._is_away = False
                return are_fresh
