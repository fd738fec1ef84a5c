"""Delivers replies to Telegram: in order, in parts, again and again, the urgent ones first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    ReplyParameters,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bot.channels.split import split
from bot.channels.telegram_line import FIRST_GAP_S, gaps, seconds
from bot.channels.telegram_read import MAX_ACTION, Address
from bot.core.model import Button, DeliveryStatus, Reply
from bot.delivery import Fate

log = logging.getLogger(__name__)

Sleep = Callable[[float], Awaitable[None]]

_HOLD_S = 1.0  # how long a reply that can wait may hold up its chat
_PATIENCE_S = 120.0
_URGENT_PATIENCE_S = 600.0
_PER_ROW = ((10, 3), (18, 2))  # the longest label of a keyboard, and how many then fit a row
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


def keyboard(buttons: tuple[Button, ...]) -> InlineKeyboardMarkup | None:
    """The buttons as rows of equal width, or None. One that Telegram would refuse is left out."""
    fit = [button for button in buttons if 0 < len(button.action.encode()) <= MAX_ACTION]
    if not fit:
        return None
    longest = max(len(button.label) for button in fit)
    width = next((count for most, count in _PER_ROW if longest <= most), 1)
    keys = [InlineKeyboardButton(button.label, callback_data=button.action) for button in fit]
    return InlineKeyboardMarkup([keys[at : at + width] for at in range(0, len(keys), width)])


class Outbox:
    """Sends replies over two lines: one that is rate limited, and an express one.

    What can wait stands in the queue of the limited line and keeps the order of its chat.
    Everything else goes over the express line at once, past that queue.
    """

    def __init__(self, limited: Bot, express: Bot, *, sleep: Sleep = asyncio.sleep) -> None:
        self._limited = limited
        self._express = express
        self._sleep = sleep
        self._queues: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def to(self, address: Address) -> Delivery:
        """What is sent while one update is handled."""
        return Delivery(self, address)

    async def deliver(self, reply: Reply, address: Address) -> DeliveryStatus:
        """Send all of the reply; give up only after minutes of trying."""
        if not reply.can_wait:
            return await self._deliver(self._express, reply, address, _URGENT_PATIENCE_S)
        queue = self._queues.setdefault(address.chat_id, asyncio.Lock())
        async with queue:
            return await self._deliver(self._limited, reply, address, _PATIENCE_S)

    def is_behind(self, address: Address) -> bool:
        """Whether a reply to this chat already stands in the queue."""
        queue = self._queues.get(address.chat_id)
        return queue is not None and queue.locked()

    async def _deliver(
        self, bot: Bot, reply: Reply, address: Address, patience_s: float
    ) -> DeliveryStatus:
        parts = [part for text in reply.texts for part in split(text)]
        keys = keyboard(reply.buttons)
        try:
            for index, part in enumerate(parts, start=1):
                letter = _Letter(part, address, keys if index == len(parts) else None)
                await self._send(bot, letter, patience_s)
        except Forbidden:
            return "blocked"
        except TelegramError as error:
            log.error("telegram reply not delivered", extra={"error": type(error).__name__})
            return "failed"
        return "sent"

    async def _send(self, bot: Bot, letter: _Letter, patience_s: float) -> None:
        """Send one message. Raises the last error once patience is at an end."""
        pauses = gaps()
        waited_s = 0.0
        while True:
            try:
                return await letter.send(bot)
            except ChatMigrated as error:
                letter = replace(letter, address=Address(error.new_chat_id))
                gap_s = 0.0
            except RetryAfter as error:
                gap_s = seconds(error)
            except BadRequest:
                if letter.is_plain:
                    raise
                letter = letter.plain()
                gap_s = 0.0
            except (NetworkError, InvalidToken):  # a proxy's 404 looks like a bad token
                gap_s = next(pauses)
            waited_s += max(gap_s, FIRST_GAP_S)
            if waited_s > patience_s:
                raise NetworkError("gave up")
            await self._sleep(gap_s)


class Delivery:
    """Everything that is sent in answer to one update."""

    def __init__(self, outbox: Outbox, address: Address) -> None:
        self._outbox = outbox
        self._address = address
        self._tasks: list[asyncio.Task[DeliveryStatus]] = []
        self.began = False

    async def send(self, reply: Reply) -> Fate:
        """Deliver the reply. One that can wait, and has to, goes on behind our back.

        So the next message of the chat is read meanwhile; `finish` waits for the rest.
        """
        if not reply.texts:
            return "sent"
        self.began = True
        hold_s = 0.0 if self._outbox.is_behind(self._address) else _HOLD_S
        task = asyncio.create_task(self._outbox.deliver(reply, self._address))
        self._tasks.append(task)
        if not reply.can_wait:
            return await task
        done, _ = await asyncio.wait({task}, timeout=hold_s)
        return task.result() if done else task

    async def finish(self) -> None:
        """Wait until all is delivered or given up."""
        await asyncio.gather(*self._tasks)

    def cancel(self) -> None:
        """Stop what is not yet delivered."""
        for task in self._tasks:
            task.cancel()


@dataclass(frozen=True, slots=True)
class _Letter:
    """One message of Telegram, with all that it takes to send it again."""

    text: str
    address: Address
    keys: InlineKeyboardMarkup | None

    @property
    def is_plain(self) -> bool:
        return self.keys is None and self.address == Address(self.address.chat_id)

    def plain(self) -> _Letter:
        """The same text with nothing that Telegram could find fault with."""
        return _Letter(self.text, Address(self.address.chat_id), None)

    async def send(self, bot: Bot) -> None:
        reply_to = self.address.reply_to
        await bot.send_message(
            self.address.chat_id,
            self.text,
            message_thread_id=self.address.thread_id,
            reply_markup=self.keys,
            link_preview_options=_NO_PREVIEW,
            reply_parameters=ReplyParameters(reply_to, allow_sending_without_reply=True)
            if reply_to
            else None,
        )
