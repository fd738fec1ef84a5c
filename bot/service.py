"""Receives messages: decides, then replies and records, neither stopping the other."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.core.alarm import error_card
from bot.core.decide import Content, decide
from bot.core.escalation import Entry
from bot.core.model import Decision, DeliveryStatus, Message, Person, Reply
from bot.core.replies import Scribe
from bot.core.sampling import draw
from bot.core.takeover import passed_on, steps_back
from bot.delivery import Fate, Send, Told
from bot.errors import StoreError
from bot.people import People
from bot.store import Spool, Store
from bot.turns import PATIENCE_S, Turn, Turns

log = logging.getLogger(__name__)

Sending = asyncio.Task[tuple[Fate, int]]

# How long a reply has for itself before its record is begun, which uses the same processor.
HEAD_START_S = 0.1
FORGET_S = 10.0  # how long whoever wants to be forgotten waits to hear that it is done


CHANNELS = ("tg", "web", "terminal")  # every other is counted as "other"


@dataclass(slots=True)
class Tally:
    """What happened since the start, counted. `messages` by channel and level."""

    messages: Counter[tuple[str, str]] = field(default_factory=Counter)
    replies_failed: int = 0
    replies_held_up: int = 0
    replies_withheld: int = 0
    spooled: int = 0


class Service:
    """The one door for messages of every channel.

    Works without a store as well (`store=None`, or one that is away): people are then
    remembered in memory and escalations wait in the spool. `staff_write` says that staff may
    take conversations over; `patience_s` is how long what is urgent waits for the messages before
    it; `lot` draws a number from 0 to 1 for the sample of messages.
    """

    def __init__(
        self,
        content: Content,
        spool: Spool,
        store: Store | None = None,
        *,
        store_timeout_s: float = 0.5,
        patience_s: float = PATIENCE_S,
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
        self._people = People(keep_s=store_timeout_s * 4)
        self._turns = Turns(patience_s)  # to be answered
        self._books = Turns()  # to be kept, behind the answers

    async def receive(self, message: Message, send: Send, told: Told | None = None) -> Decision:
        """Decides, sends the reply and keeps what must be kept.

        The reply never waits longer than the store's timeout, and for nothing that is kept of
        another message; this returns when all is kept. Messages of a chat are answered and
        kept in turn, but an urgent one does not wait long for its turn.
        `told` is given the decision right before its reply is sent. Raises what `send` raised,
        after the record was made; what the store raised is logged and spooled instead.
        """
        message = replace(message, at=message.at or self._clock())
        async with self._turns.take(message.chat, lambda: self.is_urgent(message)) as turn:
            return await self._receive(message, send, told, turn)

    def is_urgent(self, message: Message) -> bool:
        """Whether the reply may be to an emergency, as far as memory tells. Asks no store."""
        person = self._people.recall(message.chat) or Person()
        return not decide(message, person, self.content).reply.can_wait

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

    async def catch_up(self) -> None:
        """Hand over what waits for the store, in the spool and in memory. Raises StoreError."""
        await self.drain_spool()
        for chat in self._people.waiting:
            async with self._books.take(chat):
                if await self._people.keep(self.store, chat) == "away":
                    return  # one whom the store cannot read holds up no other

    async def _receive(
        self, message: Message, send: Send, told: Told | None, turn: Turn
    ) -> Decision:
        began = time.monotonic()
        decision, said = await self._decide(message, began + self._timeout_s)
        entry = None
        if decision.message_level.escalates:
            entry = Entry.of(
                message,
                decision,
                received_at=message.at or self._clock(),
                versions=self.content.knowledge.versions,
            )
            if message.again and await self._is_answered(entry):
                async with self._books.take(message.chat):
                    await self._people.keep(self.store, message.chat)
                return decision
        if told:
            told(decision)
        sending = asyncio.create_task(_delivered(send, decision, began))
        await self._send_and_keep(_Answer(message, decision, said, entry), sending, turn)
        return decision

    async def _decide(self, message: Message, until: float) -> tuple[Decision, str]:
        """The decision, with the person it leaves behind in memory; and what staff read of
        the message.

        `until` (of the steady clock) it may ask the store.
        """
        chat = message.chat
        known = await self._people.find(
            self.store, chat, self._timeout_s, lambda: self.is_urgent(message)
        )
        # Nothing is awaited until the person is noted: what is decided next builds on it.
        decision = decide(message, known.person, self.content)
        said = _said(message, known.person)
        self._count(message, decision)
        if "forget" in decision.effects:
            return await self._forget(message, known.person, decision), said
        self._people.note(chat, decision.person, known)
        if not self._staff_write or not steps_back(message, decision):
            return decision, said
        if not await self._hear_in_turn(message, said, until - time.monotonic()):
            return decision, said
        passed = passed_on(self.content.knowledge, known.person, decision)
        if self._people.recall(chat) is decision.person:
            self._people.note(chat, passed.person, known)
        return passed, said

    def _count(self, message: Message, decision: Decision) -> None:
        channel = message.chat.partition(":")[0]
        place = channel if channel in CHANNELS else "other"
        self.tally.messages[place, decision.message_level.label] += 1

    async def _send_and_keep(self, answer: _Answer, sending: Sending, turn: Turn) -> None:
        """Sees the reply out, and keeps what must be kept; neither may stop the other.

        A reply that is out at once is recorded with its fate, in one go; one that takes
        longer is recorded meanwhile, and its fate afterwards.
        """
        try:
            is_out, _ = await asyncio.wait({sending}, timeout=HEAD_START_S)
            entry = _with_fate(answer.entry, sending) if is_out else answer.entry
            keeping = asyncio.create_task(self._keep(answer, entry))
            await asyncio.sleep(0)  # it has its place in the books before the next turn begins
            sending.add_done_callback(lambda _: turn.end())
            sent, kept = await asyncio.gather(sending, keeping, return_exceptions=True)
        finally:
            sending.cancel()
        self._count_fate("failed" if isinstance(sent, BaseException) else sent[0])
        entry = None if is_out else _with_fate(answer.entry, sending)
        if entry:
            async with self._books.take(answer.message.chat):
                await self._record(entry)
        if answer.is_ordinary:
            await self._sample(answer.message, answer.decision)
        for outcome in (sent, kept):
            if isinstance(outcome, BaseException):
                raise outcome

    def _count_fate(self, fate: Fate) -> None:
        """Count a reply that did not arrive; one that is held up, when that turns out."""
        if isinstance(fate, asyncio.Future):
            self.tally.replies_held_up += 1
            fate.add_done_callback(self._count_late)
        self.tally.replies_withheld += fate == "withheld"
        self.tally.replies_failed += fate in ("failed", "blocked")

    def _count_late(self, fate: asyncio.Future[DeliveryStatus]) -> None:
        if not fate.cancelled():  # at the end of the process; then the message comes again
            self.tally.replies_failed += fate.exception() is not None or fate.result() != "sent"

    async def _is_answered(self, entry: Entry) -> bool:
        """Whether the store knows that this very message was answered. False when in doubt."""
        if self.store is None:
            return False
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self.store.is_answered(entry)
        except (StoreError, TimeoutError):
            return False

    async def _keep(self, answer: _Answer, entry: Entry | None) -> None:
        """Record the entry, store the person and pass the message on to staff who are there;
        all after what was to be kept before."""
        message = answer.message
        # The record of an alarm has no words for a button.
        is_told = answer.is_ordinary or (entry and message.button)
        async with self._books.take(message.chat):
            try:
                if entry:
                    await self._record(entry)
            finally:
                await self._people.keep(self.store, message.chat)
            if self._staff_write and answer.said and is_told:
                await self._hear(message, answer.said, self._timeout_s * 4)

    async def _hear_in_turn(self, message: Message, said: str, within_s: float) -> bool:
        """As `_hear`, after all that was said before; False also when that takes too long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(within_s, 0)), self._books.take(message.chat):
                return await self._hear(message, said, within_s)
        return False

    async def _hear(self, message: Message, said: str, within_s: float) -> bool:
        """Keep the message for staff who took the chat over. False when nobody did."""
        if self.store is None or message.group:
            return False
        identity = message.update_id or f"{message.at}\0{said}"
        try:
            async with asyncio.timeout(within_s):
                return await self.store.talk.hear(message.chat, said, identity=identity)
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

    async def _record(self, entry: Entry) -> None:
        case = await self._spool.record(self.store, entry, within_s=self._timeout_s * 4)
        if case is None:
            self.tally.spooled += 1
            log.warning("escalation spooled", extra={"level": entry.level.label})

    async def _forget(self, message: Message, person: Person, decision: Decision) -> Decision:
        """Deletes what is known of the chat; the reply says so only when it is done.

        What cannot be deleted at once is later, by itself, and nothing that began after.
        The card of an open crisis stays before it either way, and waits no longer than others.
        """
        chat, noted_at = message.chat, self._clock()
        self._people.drop(chat)  # and not later, when there may be an emergency to remember
        forgetting = asyncio.create_task(self._forget_in_turn(chat))
        within_s = self._timeout_s if decision.level.escalates else FORGET_S
        try:
            done, _ = await asyncio.wait({forgetting}, timeout=within_s)
            if done and forgetting.result():
                return decision
        finally:
            forgetting.cancel()  # and not awaited: that may take as long as the store
        if not done:
            log.warning("a person is forgotten later", extra={"error": "slow"})
        await self._spool.keep_forget(chat, message.at or noted_at, noted_at)
        scribe = Scribe(self.content.knowledge, person)
        texts = (*decision.reply.texts[:-1], scribe.phrase("forget_failed"))
        reply = replace(decision.reply, texts=texts)
        return replace(decision, reply=reply)

    async def _forget_in_turn(self, chat: str) -> bool:
        """Whether all of the chat is deleted, after what was to be kept before."""
        try:
            async with self._books.take(chat):
                if self.store is not None:
                    await self.drain_spool()
                    await self.store.forget(chat)
            return True
        except (StoreError, OSError) as error:
            log.warning("a person is forgotten later", extra={"error": type(error).__name__})
            return False


@dataclass(frozen=True, slots=True)
class _Answer:
    """A message and what is done about it. `said` is how staff read it."""

    message: Message
    decision: Decision
    said: str
    entry: Entry | None

    @property
    def is_ordinary(self) -> bool:
        """Whether the bot itself answered what raised no alarm."""
        is_heard = self.decision.path[:1] == ("taken_over",)
        return not (self.entry or is_heard or "forget" in self.decision.effects)


def _said(message: Message, person: Person) -> str:
    """The message in words: its text, the label of the button, or what kind of file it was."""
    if message.button:
        labels = {button.action: button.label for button in person.state.buttons}
        return f"[button] {labels.get(message.button, message.button)}"
    return message.text or (f"[{message.attachment}]" if message.attachment else "")


def _with_fate(entry: Entry | None, sending: Sending) -> Entry | None:
    """The entry with what came of its reply."""
    if entry is None:
        return None
    if sending.cancelled() or sending.exception():
        return replace(entry, delivery_status="failed")
    fate, latency_ms = sending.result()
    if isinstance(fate, asyncio.Future):
        return entry  # that is still open
    status: DeliveryStatus = "failed" if fate == "withheld" else fate
    return replace(entry, delivery_status=status, reply_latency_ms=latency_ms)


async def _delivered(send: Send, decision: Decision, began: float) -> tuple[Fate, int]:
    if not decision.reply.texts:
        return "sent", 0
    fate = await send(decision.reply)
    return fate, round((time.monotonic() - began) * 1000)
