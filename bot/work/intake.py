"""Takes updates in: each is kept before its sender is told, and handled once, in its chat's order.

What can wait is run by whichever process is free, through a queue with one lane a chat. What
may be an emergency is answered here and at once: its record of being kept waits in a queue of
this process alone, and is only there in case the process dies.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bot.work.durable import Durable, Job, Kept, Queue
from bot.work.keeper import Keeper

log = logging.getLogger(__name__)

JSON = dict[str, Any]
Handle = Callable[[JSON, bool, Callable[[], None]], Awaitable[None]]

HANDLER = "update"
PREFIX = "tg-"
QUEUE = "intake"
KEEP_S = 2.0  # how long an update that can wait does, for being kept, before it goes without
HEAD_START_S = 0.1  # how long one that cannot wait does, to learn that it was handled before
TURN_S = 5.0  # how long an update waits for the earlier ones of its chat
ANSWER_FIRST_S = 0.05  # how long what may be an emergency is in hand before it is kept as well
EXPRESS_TURN_S = 0.1  # the same for one that cannot wait
EXPRESS_POLL_S = 0.25  # what is in that queue was handled already, but for a crash
AT_ONCE = 16  # so that a backlog does not make each of its messages slow
REMEMBERED = 10_000  # updates that were handled, kept in mind to handle none again


@dataclass(frozen=True, slots=True)
class Update:
    """One update as it came. `urgent` says that it may be an emergency."""

    id: int
    chat: str
    payload: JSON
    urgent: bool


@dataclass(frozen=True, slots=True)
class _Taken:
    """An update in hand. `lane` stands for its chat and tells nobody which one it is."""

    id: int
    lane: str
    payload: JSON


class Intake:
    """The way in for updates. `handle` gets each with whether it may have been handled before,
    and calls what it gets last when the next one of the chat may come.

    Without durable work, or while its database is away, updates are handled at once and
    `take` returns when that is done, so that the sender keeps them until then.
    """

    def __init__(
        self, handle: Handle, durable: Durable, *, executor: str, lane_of: Callable[[str], str]
    ) -> None:
        self._handle = handle
        self._lane_of = lane_of
        self._keeper = Keeper(durable)
        self._express = express(executor)
        self._lanes: defaultdict[str, dict[int, asyncio.Event]] = defaultdict(dict)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._done: OrderedDict[int, None] = OrderedDict()
        self._left: set[int] = set()
        durable.on(HANDLER, self.run)

    def remember(self, kept: Iterable[Kept]) -> None:
        """Learn which updates an earlier process took in, and which of them it left undone."""
        for each in kept:
            if not each.id.startswith(PREFIX):
                continue
            update_id = int(each.id.removeprefix(PREFIX))
            if each.is_done:
                self._done[update_id] = None
            else:
                self._left.add(update_id)
                self._enter(each.lane, update_id)

    async def take(self, update: Update) -> None:
        """Take an update in; it is kept or handled when this returns.

        One that was taken before, by this process or any other, is left alone.
        """
        if update.id in self._left or update.id in self._tasks or update.id in self._done:
            return
        taken = _Taken(update.id, self._lane_of(update.chat), update.payload)
        self._enter(taken.lane, taken.id)
        if update.urgent:
            await self._answer_first(taken)
            return
        kept = self._keep(taken, QUEUE)
        is_fresh = await self._keeper.wait(kept, KEEP_S)
        if is_fresh is False:
            self._leave(taken.lane, taken.id)
        if is_fresh is None:
            await _either(self._begin(taken, TURN_S), kept)

    async def _answer_first(self, taken: _Taken) -> None:
        """Handle what may be an emergency; keep it as well, once the answer had its start.

        Keeping takes the processor that the answer needs, and the disk.
        """
        if await self._keeper.knows(f"{PREFIX}{taken.id}", HEAD_START_S):
            self._leave(taken.lane, taken.id)
            return
        handled = self._begin(taken, EXPRESS_TURN_S)
        await asyncio.wait({handled}, timeout=ANSWER_FIRST_S)
        await _either(handled, self._keep(taken, self._express, first=True))

    def _keep(self, taken: _Taken, queue: str, *, first: bool = False) -> asyncio.Future[bool]:
        data = {"id": taken.id, "lane": taken.lane, "payload": taken.payload}
        job = Job(f"{PREFIX}{taken.id}", queue, HANDLER, data, taken.lane, taken.id)
        return self._keeper.keep(job, first=first)

    async def run(self, data: JSON) -> None:
        """Handle an update that was kept, unless that has happened."""
        if data["id"] in self._done:
            return
        taken = _Taken(data["id"], data["lane"], data["payload"])
        await asyncio.shield(self._begin(taken, TURN_S))

    async def finish(self, within_s: float) -> None:
        """Wait for the updates under way."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=within_s)

    def _begin(self, update: _Taken, patience_s: float) -> asyncio.Task[None]:
        """The handling of an update, begun once only."""
        task = self._tasks.get(update.id)
        if task is None:
            self._enter(update.lane, update.id)
            task = asyncio.create_task(self._in_turn(update, patience_s))
            self._tasks[update.id] = task
        return task

    async def _in_turn(self, update: _Taken, patience_s: float) -> None:
        lane = self._lanes[update.lane]
        earlier = [event for other, event in lane.items() if other < update.id]
        try:
            async with asyncio.timeout(patience_s if earlier else None):
                await asyncio.gather(*(event.wait() for event in earlier))
        except TimeoutError:
            log.info("update goes before an earlier one of its chat")
        try:
            await self._handle(
                update.payload,
                update.id in self._left,
                lambda: self._leave(update.lane, update.id),
            )
            self._done[update.id] = None
            if len(self._done) > REMEMBERED:
                self._done.popitem(last=False)
        finally:
            del self._tasks[update.id]
            self._left.discard(update.id)
            self._leave(update.lane, update.id)

    def _enter(self, lane: str, update_id: int) -> None:
        self._lanes[lane].setdefault(update_id, asyncio.Event())

    def _leave(self, lane: str, update_id: int) -> None:
        event = self._lanes[lane].pop(update_id, None)
        if event:
            event.set()
        if not self._lanes[lane]:
            del self._lanes[lane]


async def _either(handled: asyncio.Task[None], kept: asyncio.Future[bool]) -> None:
    """Wait until an update is handled or kept."""
    both: set[asyncio.Future[Any]] = {handled, kept}
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)


def queues(executor: str, poll_s: float) -> tuple[Queue, ...]:
    """The queues of updates that the process `executor` works on."""
    return Queue(QUEUE, poll_s, AT_ONCE), Queue(express(executor), EXPRESS_POLL_S)


def express(executor: str) -> str:
    """The name of the queue that only the process `executor` works on."""
    return f"express-{executor}"
