"""Posts updates to a webhook as Telegram does: many chats at once, each in its order, until 200."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx

from tests.e2e.bot_api import BotApi

AT_ONCE = 40  # what Telegram does by default
AGAIN_S = 0.2
PATIENCE_S = 20.0  # how long it waits for an answer

JSON = dict[str, Any]


class Courier:
    """Brings the updates of `api` to the webhook that was set there."""

    def __init__(self, api: BotApi) -> None:
        self._api = api
        self._under_way: dict[int, asyncio.Task[None]] = {}  # by chat

    async def run(self) -> None:
        """Deliver until cancelled."""
        limits = httpx.Limits(max_connections=AT_ONCE)
        async with httpx.AsyncClient(timeout=PATIENCE_S, limits=limits) as line:
            try:
                while True:
                    for update in list(self._api.updates) if self._api.hook else ():
                        chat = update["message"]["chat"]["id"]
                        if chat not in self._under_way and len(self._under_way) < AT_ONCE:
                            task = asyncio.create_task(self._bring(line, chat, update))
                            self._under_way[chat] = task
                    await asyncio.sleep(0.01)
            finally:
                for task in self._under_way.values():
                    task.cancel()

    async def _bring(self, line: httpx.AsyncClient, chat: int, update: JSON) -> None:
        try:
            if await self._is_taken(line, update) and update in self._api.updates:
                self._api.updates.remove(update)
                left = [each["update_id"] for each in self._api.updates]
                last = max(each["update_id"] for each in self._api.ever)
                self._api.offsets.append(min(left, default=last + 1))
        finally:
            del self._under_way[chat]

    async def _is_taken(self, line: httpx.AsyncClient, update: JSON) -> bool:
        assert self._api.hook
        url, secret = self._api.hook
        headers = {"x-telegram-bot-api-secret-token": secret}
        with suppress(httpx.HTTPError):
            if (await line.post(url, json=update, headers=headers)).status_code == 200:
                return True
        await asyncio.sleep(AGAIN_S)
        return False


@asynccontextmanager
async def delivering(api: BotApi) -> AsyncIterator[None]:
    """Updates are posted while this lasts."""
    task = asyncio.create_task(Courier(api).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
