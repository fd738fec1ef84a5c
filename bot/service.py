"""Receives messages: decides, then replies and records at once, neither stopping the other."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from weakref import WeakValueDictionary

from bot.core.alarm import error_card
from bot.core.decide import Content, decide
from bot.core.escalation import Entry
from bot.core.model import Decision, DeliveryStatus, Message, Person, Reply
from bot.core.replies import Scribe
from bot.core.sampling import draw
from bot.core.takeover import passed_on, steps_back
from bot.errors import StoreError
from bot.store import Spool, Store

Send = Callable[[Reply], Awaitable[DeliveryStatus]]
log = logging.getLogger(__name__)

# A state that could not be stored is kept in memory for so many chats, the oldest dropped.
REMEMBERED = 2000


class Service:
    """The one door for messages of every channel.

    Works without a store as well (`store=None`, or one that is away): people are then
    remembered in memory and escalations wait in the spool. `staff_write` says that staff may
    take conversations over; `lot` draws a number from 0 to 1 for the sample of messages.
    """

    def __init__(
        self,
        content: Content,
        spool: Spool,
        store: Store | None = None,
        *,
        store_timeout_s: float = 0.5,
        staff_write: bool = False,
        lot: Callable[[], float] = random.random,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.content = content
        self.store = store
        self._staff_write = staff_write
        self._lot = lot
        self._spool = spool
        self._timeout_s = store_timeout_s
        self._clock = clock
        self._remembered: dict[str, Person] = {}
        # A lock lives as long as somebody holds or awaits it.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def receive(self, message: Message, send: Send) -> Decision:
        """Decides, sends the reply and keeps what must be kept.

        The reply never waits longer than the store's timeout. Raises what `send` raised,
        after the record was made; what the store raised is logged and spooled instead.
        """
        turn = self._turns.setdefault(message.chat, asyncio.Lock())
        async with turn:
            return await self._receive(message, send)

    def is_urgent(self, message: Message) -> bool:
        """Whether the message by itself may be an emergency. Asks neither store nor state."""
        return not decide(message, Person(), self.content).reply.can_wait

    def emergency_card(self, country: str = "") -> Reply:
        """What an error handler sends: the emergency number and help. Needs nothing else."""
        knowledge = self.content.knowledge
        return error_card(Scribe(knowledge, Person(country=country)))

    async def drain_spool(self) -> int:
        """Hands what waits in the spool to the store. Returns how many records went over."""
        if self.store is None or self._spool.is_empty:
            return 0
        return (await self._spool.drain(self.store)).recorded

    async def _receive(self, message: Message, send: Send) -> Decision:
        began = time.monotonic()
        received_at = message.at or self._clock()
        message = replace(message, at=received_at)
        person = await self._person(message.chat)
        decision = decide(message, person, self.content)
        if "forget" in decision.effects:
            decision = await self._forget(message.chat, decision)
        if self._staff_write and steps_back(message, decision) and await self._hear(message):
            decision = passed_on(self.content.knowledge, person, decision)
        entry = None
        if decision.message_level.escalates:
            entry = Entry.of(
                message,
                decision,
                received_at=received_at,
                versions=self.content.knowledge.versions,
            )
            if message.again and await self._is_answered(entry):
                return decision
        # Reply and record go out together, and neither may stop the other.
        sent, _ = await asyncio.gather(
            _delivered(send, decision.reply, began),
            self._keep(message, decision, entry),
            return_exceptions=True,
        )
        if isinstance(sent, BaseException):
            if entry:
                await self._record(replace(entry, delivery_status="failed"))
            raise sent
        status, latency_ms = sent
        if entry:
            await self._record(replace(entry, delivery_status=status, reply_latency_ms=latency_ms))
        return decision

    async def _person(self, chat: str) -> Person:
        """The person as far as the store can tell in time; a blank one otherwise."""
        if chat in self._remembered or self.store is None:
            return self._remembered.get(chat, Person())
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self.store.person(chat)
        except (StoreError, TimeoutError) as error:
            log.warning("person unknown, store away", extra={"error": type(error).__name__})
            return Person()

    async def _is_answered(self, entry: Entry) -> bool:
        """Whether the store knows that this very message was answered. False when in doubt."""
        if self.store is None:
            return False
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self.store.is_answered(entry)
        except (StoreError, TimeoutError):
            return False

    async def _keep(self, message: Message, decision: Decision, entry: Entry | None) -> None:
        if entry:
            await self._record(entry)
        if "forget" in decision.effects:
            return
        await self._remember(message.chat, decision.person)
        if entry is None and not _is_heard(decision):
            if self._staff_write and message.text:
                await self._hear(message)
            await self._sample(message, decision)

    async def _hear(self, message: Message) -> bool:
        """Keep the message for staff who took the chat over. False when nobody did."""
        if self.store is None or message.group:
            return False
        identity = message.update_id or f"{message.at}\0{message.text}"
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self.store.talk.hear(message.chat, message.text, identity=identity)
        except (StoreError, TimeoutError) as error:
            log.warning("not passed on to staff", extra={"error": type(error).__name__})
            return False

    async def _sample(self, message: Message, decision: Decision) -> None:
        """Keep the message for staff to look for misses, where that is on and the lot falls."""
        practice = self.content.knowledge.practice
        if message.group or message.text.startswith("/") or self.store is None:
            return
        sample = draw(
            message,
            decision,
            at=message.at or self._clock(),
            lot=self._lot(),
            rate=practice.sampled,
            near_rate=practice.near_sampled,
            versions=self.content.knowledge.versions,
        )
        if sample:
            with suppress(StoreError, TimeoutError):  # a sample more or less
                async with asyncio.timeout(self._timeout_s * 4):
                    await self.store.samples.add(sample)

    async def _remember(self, chat: str, person: Person) -> None:
        if self.store is not None:
            with suppress(StoreError, TimeoutError):
                async with asyncio.timeout(self._timeout_s * 4):
                    await self.store.keep_person(chat, person)
                    self._remembered.pop(chat, None)
                    return
        self._remembered.pop(chat, None)
        self._remembered[chat] = person
        if len(self._remembered) > REMEMBERED:
            self._remembered.pop(next(iter(self._remembered)))

    async def _record(self, entry: Entry) -> None:
        case = await self._spool.record(self.store, entry, within_s=self._timeout_s * 4)
        if case is None:
            log.warning("escalation spooled", extra={"level": entry.level.label})

    async def _forget(self, chat: str, decision: Decision) -> Decision:
        """Deletes what is known of the chat; the reply says so only when it is done."""
        self._remembered.pop(chat, None)
        try:
            if self.store is not None:
                async with asyncio.timeout(10):
                    await self.drain_spool()
                    await self.store.forget(chat)
            return decision
        except (StoreError, TimeoutError):
            await self._spool.keep_forget(chat)
        scribe = Scribe(self.content.knowledge, decision.person)
        reply = replace(decision.reply, texts=(scribe.phrase("forget_failed"),))
        return replace(decision, reply=reply)


def _is_heard(decision: Decision) -> bool:
    """Whether the message went to a human instead of getting an answer of the bot."""
    return decision.path[:1] == ("taken_over",)


async def _delivered(send: Send, reply: Reply, began: float) -> tuple[DeliveryStatus, int]:
    if not reply.texts:
        return "sent", 0
    status = await send(reply)
    return status, round((time.monotonic() - began) * 1000)
