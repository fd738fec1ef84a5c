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

from bot.answer import Answer, Sending, delivered
from bot.core.alarm import error_card
from bot.core.decide import Content, decide
from bot.core.escalation import Entry
from bot.core.exchange import Exchange
from bot.core.model import Decision, DeliveryStatus, Message, Person, Reply
from bot.core.replies import Scribe
from bot.core.sampling import draw
from bot.core.takeover import passed_on, steps_back
from bot.delivery import Fate, Send, Told
from bot.errors import StoreAway, StoreError
from bot.people import People
from bot.recent import Recent
from bot.store import Spool, Store
from bot.turns import PATIENCE_S, Turn, Turns

log = logging.getLogger(__name__)

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
        self._recent = Recent()
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

    def leave(self, chat: str) -> None:
        """The person left the conversation: what was said lately is not held any more."""
        self._recent.drop(chat)

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
        """Hand over what waits for the store, in the spool and in memory. Raises StoreError.

        What was said too long ago leaves memory, whatever the store does.
        """
        self._recent.drop_old()
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
        sending = asyncio.create_task(delivered(send, decision, began))
        await self._send_and_keep(Answer(message, decision, said, entry), sending, turn)
        return decision

    async def _decide(self, message: Message, until: float) -> tuple[Decision, Exchange]:
        """The decision, with the person it leaves behind in memory; and how staff read it.

        `until` (of the steady clock) it may ask the store.
        """
        chat = message.chat
        was_waiting = self._people.is_waiting(chat)
        known = await self._people.find(
            self.store, chat, self._timeout_s, lambda: self.is_urgent(message)
        )
        if not was_waiting and known.stored == known.person == Person():
            # Nothing is known of them in the store: new, or staff had them forgotten.
            self._recent.drop(chat)
        # Nothing is awaited until the person is noted: what is decided next builds on it.
        decision = decide(message, known.person, self.content)
        at = message.at or self._clock()
        said = Exchange.of(message, known.person, decision, received_at=at)
        self._count(message, decision)
        if "forget" in decision.effects:
            return await self._forget(message, known.person, decision), said
        self._people.note(chat, decision.person, known)
        if not (message.group or decision.message_level.escalates):
            self._recent.note(said)
        if not self._staff_write or not steps_back(message, decision):
            return decision, said
        if not await self._hear_in_turn(said, until - time.monotonic()):
            return decision, said
        passed = passed_on(self.content.knowledge, known.person, decision)
        if self._people.recall(chat) is decision.person:
            self._people.note(chat, passed.person, known)
        return passed, said

    def _count(self, message: Message, decision: Decision) -> None:
        channel = message.chat.partition(":")[0]
        place = channel if channel in CHANNELS else "other"
        self.tally.messages[place, decision.message_level.label] += 1

    async def _send_and_keep(self, answer: Answer, sending: Sending, turn: Turn) -> None:
        """Sees the reply out, and keeps what must be kept; neither may stop the other.

        A reply that is out at once is recorded with its fate, in one go; one that takes
        longer is recorded meanwhile, and its fate afterwards.
        """
        try:
            is_out, _ = await asyncio.wait({sending}, timeout=HEAD_START_S)
            first = answer.settled(sending) if is_out else answer
            keeping = asyncio.create_task(self._keep(first))
            await asyncio.sleep(0)  # it has its place in the books before the next turn begins
            sending.add_done_callback(lambda _: turn.end())
            sent, kept = await asyncio.gather(sending, keeping, return_exceptions=True)
        finally:
            sending.cancel()
        self._count_fate("failed" if isinstance(sent, BaseException) else sent[0])
        if not is_out:
            await self._keep_fate(answer.settled(sending))
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

    async def _keep(self, answer: Answer) -> None:
        """Record the entry, store the person and keep what was said around an alarm; all after
        what was to be kept before."""
        message, entry = answer.message, answer.entry
        async with self._books.take(message.chat):
            try:
                if entry:
                    before = self._recent.before(message.chat, entry.received_at)
                    await self._record(replace(entry, before=before))
            finally:
                kept = await self._people.keep(self.store, message.chat)
            # The record of an alarm has no words for a button.
            if entry and message.button and self._staff_write and not message.group:
                await self._hear(answer.said, self._timeout_s * 4)
            if answer.is_around:
                await self._keep_said(answer, is_away=kept == "away")

    async def _keep_fate(self, answer: Answer) -> None:
        """Keep what came of a reply that was not out when its message was kept."""
        async with self._books.take(answer.message.chat):
            if answer.entry:
                await self._record(answer.entry)
            elif answer.is_around and answer.said.delivery_status:
                await self._keep_said(answer, is_away=False)

    async def _keep_said(self, answer: Answer, *, is_away: bool) -> None:
        """Keep what was said for a case of the chat, if one is open; no reply waits for that.

        While the store is away it waits in the spool, if memory knows of an open crisis.
        """
        self._recent.settle(answer.said)
        try:
            if self.store is None or is_away:
                raise StoreAway("The store is away.")
            async with asyncio.timeout(self._timeout_s * 4):
                await self.store.exchanges.keep(answer.said, heard=self._staff_write)
        except (StoreError, TimeoutError) as error:
            if answer.decision.level.escalates:
                await self._spool.keep_said(answer.said)
            else:
                log.info("not kept around a case", extra={"error": type(error).__name__})

    async def _hear_in_turn(self, said: Exchange, within_s: float) -> bool:
        """As `_hear`, after all that was said before; False also when that takes too long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(within_s, 0)), self._books.take(said.chat):
                return await self._hear(said, within_s)
        return False

    async def _hear(self, said: Exchange, within_s: float) -> bool:
        """Keep the message for staff who took the chat over. False when nobody did."""
        if self.store is None:
            return False
        try:
            async with asyncio.timeout(within_s):
                return await self.store.talk.hear(said.chat, said.said, identity=said.own)
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
        self._recent.drop(chat)
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
