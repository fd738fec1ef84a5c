"""The product as `run` starts it, in the event loop of a test."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sse_starlette.sse import AppStatus

from bot.running import serve
from bot.settings import Settings
from bot.store import Keys, Store
from tests.console_visits import Somebody
from tests.databases import PATIENT_S
from tests.e2e.whole import content

Task = asyncio.Task[None]


@dataclass(slots=True)
class Running:
    """Where the product listens, what it said at its start, and a second door to its store."""

    url: str
    said: list[str]
    store: Store

    @property
    def password(self) -> str:
        """The first admin's, as it was printed."""
        found = re.search(r"with the password (\S+) and", "\n".join(self.said))
        assert found, self.said
        return found[1]

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[Somebody]:
        """A browser without scripts."""
        async with httpx.AsyncClient(base_url=self.url, timeout=PATIENT_S) as client:
            yield Somebody(client)


@asynccontextmanager
async def running(folder: Path, **settings: Any) -> AsyncIterator[Running]:
    """The whole product with these settings, its data in `folder`."""
    own: dict[str, Any] = {
        "var_dir": folder,
        "web_port": 0,
        "durable_work": False,
        "store_timeout_s": PATIENT_S,
    }
    given = Settings(_env_file=None, **(own | settings))
    said: list[str] = []
    async with started(given, said.append) as task:
        async with asyncio.timeout(60):
            url = await _address(said, task)
        store = await Store.open(given.database, Keys.load_or_create(given.keys_file)[0])
        try:
            yield Running(url, said, store)
        finally:
            await store.close()


@asynccontextmanager
async def started(given: Settings, say: Callable[[str], object]) -> AsyncIterator[Task]:
    """The task that serves, stopped in the end."""
    AppStatus.should_exit = False  # of the whole process: another server may have left it set
    content()  # trained before the clocks of the test begin
    # It is stopped as a container is; the server gives the signal back when it has stopped.
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    task = asyncio.create_task(serve(given, content=content, say=say))
    try:
        yield task
    finally:
        if not task.done():
            signal.raise_signal(signal.SIGTERM)
        await task
        signal.signal(signal.SIGTERM, before)
        AppStatus.should_exit = False  # else the live pages of the next test end at once


async def _address(said: list[str], task: Task) -> str:
    while True:
        found = re.search(r"open (http://\S+) in a browser", "\n".join(said))
        if found:
            return found[1]
        if task.done():
            task.result()
        await asyncio.sleep(0.02)
