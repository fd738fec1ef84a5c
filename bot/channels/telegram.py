"""The Telegram channel: takes updates in by polling or webhook, and answers each of them.

It uses python-telegram-bot's Bot and none of its Application: `run_polling` and
`run_webhook` confirm an update before it is handled, and lose it in a crash.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from telegram import Bot, BotCommand, CallbackQuery, Update
from telegram.error import TelegramError
from telegram.ext import AIORateLimiter, ExtBot

from bot.channels.receiver import Flood, Receiver
from bot.channels.telegram_intake import Intake
from bot.channels.telegram_line import insist, line, quieten_logs, refusing_bad_tokens
from bot.channels.telegram_read import (
    ALLOWED_UPDATES,
    Address,
    address_of,
    is_location,
    message_from,
    private_chat_in,
)
from bot.channels.telegram_send import Delivery, Outbox
from bot.channels.telegram_staff import StaffDesk
from bot.core.model import DeliveryStatus, Message, Reply
from bot.delivery import Fate, Send, Told
from bot.errors import whereabouts
from bot.store import Store
from bot.work import Update as Taken

log = logging.getLogger(__name__)

JSON = dict[str, Any]
Take = Callable[[Taken], Awaitable[None]]

COMMANDS = (
    BotCommand("emergency", "Emergency: numbers and first steps"),
    BotCommand("crisis", "Thoughts of suicide: someone to talk to"),
    BotCommand("help", "What I can do"),
    BotCommand("country", "Set your country, for the right numbers"),
    BotCommand("language", "Choose a language"),
    BotCommand("privacy", "What is kept, and for how long"),
    BotCommand("forget", "Delete what is kept about you"),
    BotCommand("about", "Who is behind this"),
    BotCommand("start", "Start again"),
)
_POLL_S = 30  # how long Telegram holds a getUpdates request open
_RECHECK_S = 0.3  # the pause between two polls while old updates are still under way
_ALBUMS = 1000  # how many albums are remembered, to answer each of them once


class Telegram:
    """The bot on Telegram. Use it as an async context manager, then poll or take webhooks.

    `farewell_s` is how many seconds a stop waits for the updates under way.
    """

    def __init__(
        self,
        receiver: Receiver,
        token: str,
        *,
        api_url: str = "https://api.telegram.org",
        flood: Flood | None = None,
        farewell_s: float = 10.0,
    ) -> None:
        quieten_logs()
        # The coming default of the library; without it each RetryAfter warns.
        os.environ.setdefault("PTB_TIMEDELTA", "true")
        base = f"{api_url.rstrip('/')}/bot"
        self._receiver = receiver
        self._url = base + token
        limited, express, pull = self._lines = (line(64), line(64), line(2))
        self._limited = ExtBot(token, base_url=base, request=limited, rate_limiter=AIORateLimiter())
        self._express = Bot(token, base_url=base, request=express)
        self._pull_line = pull
        self._outbox = Outbox(self._limited, self._express)
        self._flood = flood or Flood()
        self._farewell_s = farewell_s
        self._connecting = asyncio.Lock()
        self._is_connected = False
        self._intake = Intake()
        self._handling: dict[int, asyncio.Task[None]] = {}
        self._albums: OrderedDict[str, None] = OrderedDict()
        self._take: Take | None = None
        self._desk: StaffDesk | None = None

    def through(self, take: Take) -> None:
        """Have every update taken in by `take`, which has it answered once it is kept."""
        self._take = take

    def with_desk(
        self,
        store: Callable[[], Store | None],
        chat_id: int | None,
        *,
        reasons: Mapping[str, str],
        now: Callable[[], datetime],
    ) -> StaffDesk:
        """Answer the buttons of staff as well, and give the way to alert them."""
        self._desk = StaffDesk(self._express, store, chat_id=chat_id, reasons=reasons, now=now)
        return self._desk

    async def write(self, chat: str, text: str) -> DeliveryStatus:
        """Send what staff write to the private chat `tg:<id>`."""
        address = Address(int(chat.removeprefix("tg:")))
        return await self._outbox.deliver(Reply((text,), can_wait=True), address)

    async def __aenter__(self) -> Self:
        """Connect if Telegram is there; if not, polling and listening do it later.

        Raises ChannelError if Telegram refuses the token.
        """
        try:
            with suppress(TelegramError):
                await refusing_bad_tokens(self._connect)
        except BaseException:
            await self._hang_up()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._hang_up()

    async def poll(self) -> None:
        """Fetch and answer updates until cancelled; then end what is under way and confirm it.

        An update is confirmed to Telegram once it and all before it were handled.
        """
        await insist(self._connect)
        await insist(self._express.delete_webhook)
        try:
            while True:
                fresh = self._begin(await insist(self._pull))
                if self._handling and not fresh:
                    await asyncio.wait(
                        self._handling.values(),
                        timeout=_RECHECK_S,
                        return_when=asyncio.FIRST_COMPLETED,
                    )
        finally:
            await self._farewell()

    async def listen(self, url: str, secret: str) -> None:
        """Have Telegram post updates to `url`, with `secret` in their header."""

        async def register() -> bool:
            return await self._express.set_webhook(
                url, secret_token=secret, allowed_updates=ALLOWED_UPDATES
            )

        await insist(self._connect)
        await insist(register)

    async def handle_json(self, payload: JSON) -> None:
        """Answer one update as Telegram sent it, and return when that is done.

        A copy of an update is not answered again: it waits for the first to be done.
        """
        await insist(self._connect)
        self._begin([payload])
        task = self._handling.get(payload.get("update_id", -1))
        if task:
            await asyncio.shield(task)

    async def _connect(self) -> None:
        """Learn who we are and publish the command menu, once."""
        async with self._connecting:
            if self._is_connected:
                return
            await self._pull_line.initialize()
            await self._limited.initialize()
            await self._express.initialize()
            with suppress(TelegramError):
                await self._express.set_my_commands(COMMANDS)
            self._is_connected = True

    async def _hang_up(self) -> None:
        # Not Bot.shutdown, which does nothing for a bot that never got through.
        for each in self._lines:
            await each.shutdown()

    def _begin(self, payloads: Iterable[JSON]) -> int:
        """Start handling the updates that are new, and count them."""
        fresh = 0
        for payload in payloads:
            update_id = payload.get("update_id")
            if not isinstance(update_id, int) or not self._intake.begin(update_id):
                continue
            self._handling[update_id] = asyncio.create_task(self._handle(update_id, payload))
            fresh += 1
        return fresh

    async def _handle(self, update_id: int, payload: JSON) -> None:
        try:
            if self._take:
                await self._take(self._taken(update_id, payload))
            else:
                await self.answer(payload)
        finally:
            del self._handling[update_id]
        # Not reached by a cancelled task: Telegram shall deliver that update again.
        self._intake.end(update_id)

    def _taken(self, update_id: int, payload: JSON) -> Taken:
        """The update as the intake wants it. One that cannot be read counts as urgent."""
        try:
            update = Update.de_json(payload, self._express)
            message = message_from(update, "") if not is_location(update) else None
            urgent = message is not None and self._receiver.is_urgent(message)
            chat = update.effective_chat
        except Exception:  # `answer` meets the same error, and handles it
            return Taken(update_id, "", payload, urgent=True)
        return Taken(update_id, f"tg:{chat.id}" if chat else "", payload, urgent)

    async def answer(
        self, payload: JSON, again: bool = False, decided: Callable[[], object] = lambda: None
    ) -> None:
        """Answer one update. `again` says that it was in hand before, and may be answered.

        `decided` is called when the next update of the chat may come.
        """
        try:
            await insist(self._connect)
            await self._answer(payload, again, lambda _: decided())
        except Exception as error:  # the channel's error handler
            log.error("telegram update not handled", extra={"error": whereabouts(error)})
            await self._apologise(private_chat_in(payload))

    async def _answer(self, payload: JSON, again: bool, told: Told) -> None:
        update = Update.de_json(payload, self._express)
        if self._desk and await self._desk.takes(update):
            return
        message = await _read(update, self._express.username)
        address = address_of(update)
        if message is None or address is None or self._is_rest_of_album(update):
            return
        message = replace(message, again=again)
        await asyncio.gather(
            self._converse(message, self._outbox.to(address), told),
            _acknowledge(update.callback_query),
        )

    async def _converse(self, message: Message, delivery: Delivery, told: Told) -> None:
        """Answer, and wait for late deliveries."""
        try:
            await self._receive(message, delivery, told)
            await delivery.finish()
        finally:
            delivery.cancel()

    async def _receive(self, message: Message, delivery: Delivery, told: Told) -> None:
        """Hand the message over. If that fails before any reply, send the emergency card."""
        try:
            await self._receiver.receive(message, self._send_for(message, delivery), told)
        except Exception as error:  # the channel's error handler
            log.error("message not handled", extra={"error": whereabouts(error)})
            if message.addressed and not delivery.began:
                await delivery.send(self._receiver.emergency_card())

    def _send_for(self, message: Message, delivery: Delivery) -> Send:
        """The way to reply to `message`, narrowed for what can wait if its chat floods us."""
        pressure = self._flood.count(message.chat) if message.addressed else "calm"

        async def send(reply: Reply) -> Fate:
            if pressure == "calm" or not reply.can_wait or not reply.texts:
                return await delivery.send(reply)
            if pressure == "first_over":
                return await delivery.send(self._receiver.emergency_card())
            return "withheld"

        return send

    async def _apologise(self, address: Address | None) -> None:
        if address:
            await self._outbox.deliver(self._receiver.emergency_card(), address)

    def _is_rest_of_album(self, update: Update) -> bool:
        """Whether this picture is one more of an album that was answered, without a text."""
        message = update.message
        if message is None or message.media_group_id is None:
            return False
        seen = message.media_group_id in self._albums
        self._albums[message.media_group_id] = None
        if len(self._albums) > _ALBUMS:
            self._albums.popitem(last=False)
        return seen and not message.caption

    async def _pull(self) -> list[JSON]:
        return await self._get_updates(wait_s=_POLL_S, limit=100)

    async def _get_updates(self, *, wait_s: int, limit: int) -> list[JSON]:
        """The updates as they came. One that is odd then harms no other.

        `Bot.get_updates` parses all of them at once, fails for all and logs their text.
        """
        query = {"timeout": wait_s, "limit": limit, "allowed_updates": json.dumps(ALLOWED_UPDATES)}
        if self._intake.offset is not None:
            query["offset"] = self._intake.offset
        url = f"{self._url}/getUpdates?{urlencode(query)}"
        found = await self._pull_line.post(url, read_timeout=wait_s + 10)
        return [update for update in _as_list(found) if isinstance(update, dict)]

    async def _farewell(self) -> None:
        """Let the updates under way end, then confirm those that did."""
        if tasks := set(self._handling.values()):
            _, late = await asyncio.wait(tasks, timeout=self._farewell_s)
            for task in late:
                task.cancel()
        with suppress(TelegramError):
            await self._get_updates(wait_s=0, limit=1)


async def _read(update: Update, bot_username: str) -> Message | None:
    if is_location(update):
        return await asyncio.to_thread(message_from, update, bot_username)
    return message_from(update, bot_username)


async def _acknowledge(query: CallbackQuery | None) -> None:
    """Stop the button from spinning. For an old press Telegram refuses, which is no harm."""
    if query:
        with suppress(TelegramError):
            await query.answer()


def _as_list(found: object) -> list[object]:
    return found if isinstance(found, list) else []
