"""Receives messages: decides, then replies and records, neither stopping the other."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
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
Told = Callable[[Decision], object]
log = logging.getLogger(__name__)

# How long a reply has for itself before its record is begun, which uses the same processor.
HEAD_START_S = 0.1
# A state that could not be stored is kept in memory for so many chats, the oldest dropped.
REMEMBERED = 2000


CHANNELS = ("tg", "web", "terminal")  # every other is counted as "other"


@dataclass(slots=True)
class Tally:
    """What happened since the start, counted. `messages` by channel and level."""

    messages: Counter[tuple[str, str]] = field(default_factory=Counter)
    replies_failed: int = 0
    spooled: int = 0


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
        self.tally = Tally()
        self._remembered: dict[str, Person] = {}
        # A lock lives as long as somebody holds or awaits it.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def receive(self, message: Message, send: Send, told: Told | None = None) -> Decision:
        """Decides, sends the reply and keeps what must be kept.

        The reply never waits longer than the store's timeout; this returns when all is kept.
        `told` is given the decision right before its reply is sent. Raises what `send` raised,
        after the record was made; what the store raised is logged and spooled instead.
        """
        turn = self._turns.setdefault(message.chat, asyncio.Lock())
        async with turn:
            return await self._receive(message, send, told)

    def is_urgent(self, message: Message) -> bool:
        """Whether the message by itself may be an emergency. Asks neither store nor state."""
        return not decide(message, Person(), self.content).reply.can_wait

    def emergency_card(self, country: str = "") -> Reply:
        """What an error handler sends: the emergency number and help. Needs nothing else."""
        knowledge = self.content.knowledge
        return error_card(Scribe(knowledge, Person(country=country)))

    @property
    def spool_bytes(self) -> int:
        """The size of what waits for the store."""
        return self._spool.size

    async def drain_spool(self) -> int:
        """Hands what waits in the spool to the store. Returns how many records went over."""
        if self.store is None or self._spool.is_empty:
            return 0
        return (await self._spool.drain(self.store)).recorded

    async def _receive(self, message: Message, send: Send, told: Told | None) -> Decision:
        began = time.monotonic()
        received_at = message.at or self._clock()
        message = replace(message, at=received_at)
        person = await self._person(message.chat)
        decision = decide(message, person, self.content)
        channel = message.chat.partition(":")[0]
        place = channel if channel in CHANNELS else "other"
        self.tally.messages[place, decision.message_level.label] += 1
        if "forget" in decision.effects:
            decision = await self._forget(message.chat, person, decision)
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
        if told:
            told(decision)
        delivery = _delivered(send, decision, began)
        await self._send_and_keep(message, decision, entry, delivery)
        return decision

    async def _send_and_keep(
        self,
        message: Message,
        decision: Decision,
        entry: Entry | None,
        delivery: Coroutine[Any, Any, tuple[DeliveryStatus, int]],
    ) -> None:
        """Sends the reply, and keeps what must be kept; neither may stop the other.

        A reply that is out at once is recorded with its fate, in one go; one that takes
        longer is recorded meanwhile, and its fate afterwards.
        """
        chat, forgotten = message.chat, "forget" in decision.effects
        person = None if forgotten else decision.person
        sending = asyncio.create_task(delivery)
        try:
            done, _ = await asyncio.wait({sending}, timeout=HEAD_START_S)
            if not done:
                keeping = self._keep(chat, person, entry)
                await asyncio.gather(sending, keeping, return_exceptions=True)
                person = None
            (sent,) = await asyncio.gather(sending, return_exceptions=True)
        finally:
            sending.cancel()
        self.tally.replies_failed += not isinstance(sent, tuple) or sent[0] != "sent"
        if entry and isinstance(sent, BaseException):
            entry = replace(entry, delivery_status="failed")
        elif entry and isinstance(sent, tuple):
            entry = replace(entry, delivery_status=sent[0], reply_latency_ms=sent[1])
        await self._keep(chat, person, entry)
        if entry is None and not forgotten and not _is_heard(decision):
            await self._keep_for_staff(message, decision)
        if isinstance(sent, BaseException):
            raise sent

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

    async def _keep(self, chat: str, person: Person | None, entry: Entry | None) -> None:
        if entry:
            await self._record(entry)
        if person:
            await self._remember(chat, person)

    async def _keep_for_staff(self, message: Message, decision: Decision) -> None:
        """What staff see of a message that raised no alarm, where they are in the talk or
        look for misses."""
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
            self.tally.spooled += 1
            log.warning("escalation spooled", extra={"level": entry.level.label})

    async def _forget(self, chat: str, person: Person, decision: Decision) -> Decision:
        """Deletes what is known of the chat; the reply says so only when it is done.

        The card of an open crisis stays before it either way.
        """
        self._remembered.pop(chat, None)
        try:
            if self.store is not None:
                async with asyncio.timeout(10):
                    await self.drain_spool()
                    await self.store.forget(chat)
            return decision
        except (StoreError, TimeoutError):
            await self._spool.keep_forget(chat)
        scribe = Scribe(self.content.knowledge, person)
        texts = (*decision.reply.texts[:-1], scribe.phrase("forget_failed"))
        reply = replace(decision.reply, texts=texts)
        return replace(decision, reply=reply)


def _is_heard(decision: Decision) -> bool:
    """Whether the message went to a human instead of getting an answer of the bot."""
    return decision.path[:1] == ("taken_over",)


async def _delivered(send: Send, decision: Decision, began: float) -> tuple[DeliveryStatus, int]:
    if not decision.reply.texts:
        return "sent", 0
    status = await send(decision.reply)
    return status, round((time.monotonic() - began) * 1000)
