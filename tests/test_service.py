"""The service replies and records at once, whatever the store does."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from bot.core.decide import Content
from bot.core.knowledge import Practice
from bot.core.model import DeliveryStatus, Level, Message, Person, Reply
from bot.delivery import Fate
from bot.service import Service
from bot.store import Keys, Spool, Store
from tests.databases import PATIENT_S, AwayStore

EMERGENCY = "he took 30 baclofen and wont wake up"
NEAR = "my dog ate 30 baclofen and wont wake up"


class Outbox:
    """Keeps what was sent; may fail as a channel does."""

    def __init__(self, *, fails: bool = False) -> None:
        self.sent: list[Reply] = []
        self._fails = fails

    async def __call__(self, reply: Reply) -> DeliveryStatus:
        if self._fails:
            raise ConnectionError("gone")
        self.sent.append(reply)
        return "sent"


def made(tmp_path: Path) -> tuple[Keys, str]:
    return Keys.generate(), f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}"


def test_an_emergency_is_answered_and_recorded(tmp_path: Path, content: Content) -> None:
    async def scenario() -> None:
        keys, url = made(tmp_path)
        store = await Store.open(url, keys)
        service = Service(content, Spool(tmp_path, keys), store, store_timeout_s=PATIENT_S)
        outbox = Outbox()

        await service.receive(Message("tg:1", EMERGENCY, update_id="7"), outbox)

        (case,) = await store.list()
        file = await store.show(case.id)
        assert case.level is Level.EMERGENCY
        assert outbox.sent
        assert file is not None
        assert file.signals[0].text == EMERGENCY
        assert file.signals[0].delivery_status == "sent"
        assert file.signals[0].evidence
        await store.close()

    asyncio.run(scenario())


def test_an_ordinary_question_is_not_recorded(tmp_path: Path, content: Content) -> None:
    async def scenario() -> None:
        keys, url = made(tmp_path)
        store = await Store.open(url, keys)
        service, outbox = Service(content, Spool(tmp_path, keys), store), Outbox()

        await service.receive(Message("tg:1", "what is baclofen?"), outbox)

        assert await store.list() == ()
        assert outbox.sent
        await store.close()

    asyncio.run(scenario())


def test_with_the_store_away_the_reply_goes_out_and_the_spool_keeps_the_record(
    tmp_path: Path, content: Content
) -> None:
    async def scenario() -> None:
        keys, url = made(tmp_path)
        away, outbox = await AwayStore.open(url, keys), Outbox()
        spool = Spool(tmp_path, keys)
        service = Service(content, spool, away)

        await service.receive(Message("tg:1", EMERGENCY), outbox)
        await service.receive(Message("tg:1", "not sure"), outbox)

        assert len(outbox.sent) == 2
        assert "CPR" in " ".join(outbox.sent[1].texts), "the conversation goes on from memory"
        assert not spool.is_empty
        await away.close()
        service.store = await Store.open(url, keys)
        await service.drain_spool()
        assert [case.level for case in await service.store.list()] == [Level.EMERGENCY]
        assert spool.is_empty
        await service.store.close()

    asyncio.run(scenario())


def test_a_reply_that_fails_is_still_recorded_as_failed(tmp_path: Path, content: Content) -> None:
    async def scenario() -> None:
        keys, url = made(tmp_path)
        store = await Store.open(url, keys)
        service = Service(content, Spool(tmp_path, keys), store, store_timeout_s=PATIENT_S)

        with pytest.raises(ConnectionError):
            await service.receive(Message("tg:1", EMERGENCY), Outbox(fails=True))

        (case,) = await store.list()
        file = await store.show(case.id)
        assert file is not None
        assert file.signals[0].delivery_status == "failed"
        await store.close()

    asyncio.run(scenario())


def test_the_record_waits_for_no_reply_that_hangs(tmp_path: Path, content: Content) -> None:
    async def scenario() -> None:
        keys, url = made(tmp_path)
        store = await Store.open(url, keys)
        service = Service(content, Spool(tmp_path, keys), store, store_timeout_s=PATIENT_S)
        hangs = asyncio.Event()

        async def send(_: Reply) -> DeliveryStatus:
            await hangs.wait()
            return "sent"

        under_way = asyncio.create_task(service.receive(Message("tg:1", EMERGENCY), send))
        async with asyncio.timeout(PATIENT_S):
            while not (cases := await store.list()):
                await asyncio.sleep(0.02)
        before = await store.show(cases[0].id)
        hangs.set()
        await under_way
        after = await store.show(cases[0].id)

        assert before is not None
        assert after is not None
        assert [each.delivery_status for each in before.signals] == [None]
        assert [each.delivery_status for each in after.signals] == ["sent"]
        await store.close()

    asyncio.run(scenario())


def test_a_redelivered_update_makes_no_second_record(tmp_path: Path, content: Content) -> None:
    async def scenario() -> None:
        keys, url = made(tmp_path)
        store = await Store.open(url, keys)
        service = Service(content, Spool(tmp_path, keys), store, store_timeout_s=PATIENT_S)
        outbox = Outbox()
        for _ in range(2):
            await service.receive(Message("tg:1", EMERGENCY, update_id="9"), outbox)

        (case,) = await store.list()
        file = await store.show(case.id)
        assert file is not None
        assert len(file.signals) == 1
        await store.close()

    asyncio.run(scenario())


def test_forget_says_so_only_when_it_is_done(tmp_path: Path, content: Content) -> None:
    async def scenario() -> None:
        keys, url = made(tmp_path)
        outbox = Outbox()
        store = await Store.open(url, keys)
        service = Service(content, Spool(tmp_path, keys), store, store_timeout_s=PATIENT_S)
        await service.receive(Message("tg:1", EMERGENCY), outbox)
        await service.receive(Message("tg:1", "/forget"), outbox)

        (case,) = await store.list()
        file = await store.show(case.id)
        assert file is not None
        assert file.signals[0].text is None
        assert "Done" in outbox.sent[-1].texts[-1]
        await store.close()

        away = await AwayStore.open(url, keys)
        await Service(content, Spool(tmp_path, keys), away).receive(
            Message("tg:2", "/forget"), outbox
        )
        assert "will be deleted by itself" in outbox.sent[-1].texts[0]
        await away.close()

    asyncio.run(scenario())


def test_the_error_card_needs_nothing_and_holds_the_numbers(
    tmp_path: Path, content: Content
) -> None:
    service = Service(content, Spool(tmp_path, Keys.generate()))

    assert "112 or 911" in service.emergency_card().texts[0]
    assert "999" in service.emergency_card("GB").texts[0]


@pytest.mark.parametrize(
    ("practice", "said", "expected"),
    [
        (Practice(), "what is baclofen?", []),
        (Practice(sampled=0.5), "what is baclofen?", [("random", 2.0)]),
        (Practice(sampled=0.2), "what is baclofen?", []),
        (Practice(near_sampled=0.5), NEAR, [("near_threshold", 2.0)]),
        (Practice(near_sampled=0.5), "what is baclofen?", []),
        (Practice(sampled=0.5), "/help", []),
        (Practice(sampled=0.5), EMERGENCY, []),
    ],
    ids=["off", "drawn", "not drawn", "near", "not near", "a command", "escalated"],
)
def test_a_share_of_ordinary_messages_is_kept_for_possible_misses(
    tmp_path: Path,
    content: Content,
    practice: Practice,
    said: str,
    expected: list[tuple[str, float]],
) -> None:
    async def scenario() -> None:
        keys, url = made(tmp_path)
        store = await Store.open(url, keys)
        knowledge = replace(content.knowledge, practice=practice)
        sampled = replace(content, knowledge=knowledge)
        service = Service(
            sampled, Spool(tmp_path, keys), store, store_timeout_s=PATIENT_S, lot=lambda: 0.4
        )

        for _ in range(2):  # a redelivered message is kept once
            await service.receive(Message("tg:1", said, update_id="7"), Outbox())

        found = await store.samples.list()
        assert [(each.stratum, each.sampling_weight) for each in found] == expected
        assert all(each.text == said for each in found)
        await store.forget("tg:1")
        assert all(each.text is None for each in await store.samples.list())
        await store.close()

    asyncio.run(scenario())


def test_talk_in_a_group_is_never_sampled(tmp_path: Path, content: Content) -> None:
    async def scenario() -> None:
        keys, url = made(tmp_path)
        store = await Store.open(url, keys)
        everything = replace(content.knowledge, practice=Practice(sampled=1.0))
        service = Service(
            replace(content, knowledge=everything), Spool(tmp_path, keys), store, lot=lambda: 0.0
        )

        message = Message("tg:-1", "who brings the cake?", group=True, addressed=False)
        await service.receive(message, Outbox())

        assert await store.samples.list() == ()
        await store.close()

    asyncio.run(scenario())


# ---- a slow store, and more than one message of a chat ------------------------------------


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Somebody else holds the database: nobody can write, on PostgreSQL nobody can read."""
    with ExitStack() as stack:
        if url.startswith("sqlite"):
            path = url.partition("///")[2]
            file = stack.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
            file.execute("BEGIN IMMEDIATE")
            stack.callback(file.execute, "ROLLBACK")
        else:
            connection = stack.enter_context(psycopg.connect(url))
            connection.execute("LOCK TABLE person, escalation, head IN ACCESS EXCLUSIVE MODE")
            stack.callback(connection.rollback)
        yield


class Talking:
    """Somebody who writes one message after the other, waiting for no answer."""

    def __init__(self, service: Service, chat: str = "tg:1") -> None:
        self._service = service
        self._chat = chat
        self._tasks: list[asyncio.Task[object]] = []
        self.got: list[tuple[str, Reply]] = []
        self.waited: dict[str, float] = {}

    def says(self, text: str) -> None:
        began = time.monotonic()

        async def send(reply: Reply) -> DeliveryStatus:
            self.got.append((text, reply))
            self.waited[text] = time.monotonic() - began
            return "sent"

        message = Message(self._chat, text, update_id=str(len(self._tasks)))
        self._tasks.append(asyncio.create_task(self._service.receive(message, send)))

    async def heard(self, text: str) -> Reply:
        """The answer to `text`, as soon as it is there."""
        async with asyncio.timeout(PATIENT_S):
            while text not in self.waited:
                await asyncio.sleep(0.005)
        return next(reply for said, reply in self.got if said == text)

    async def kept(self) -> None:
        await asyncio.gather(*self._tasks)

    async def caught_up(self) -> None:
        """Once the store has all that waited for it."""
        async with asyncio.timeout(PATIENT_S):
            await self._service.catch_up()
            while self._service._people.waiting or self._service.spool_bytes:
                await self._service.catch_up()


LIMIT_S = 0.5  # how long an emergency may wait for its reply


def in_time(scenario: Callable[[str], Coroutine[None, None, float]]) -> None:
    """Run `scenario` in a chat of its own until its emergency was answered in time.

    Five times at most: a machine that is busy with something else proves nothing.
    """
    waits: list[float] = []
    while len(waits) < 5 and (not waits or waits[-1] >= LIMIT_S):
        waits.append(asyncio.run(scenario(f"tg:{len(waits) + 1}")))
    assert waits[-1] < LIMIT_S, waits


@asynccontextmanager
async def talking(
    url: str, folder: Path, content: Content, keys: Keys, chat: str
) -> AsyncIterator[tuple[Talking, Store]]:
    store = await Store.open(url, keys)
    service = Service(content, Spool(folder, keys), store)
    await store.person(chat)  # the first of everything takes longest
    assert service.is_urgent(Message(chat, EMERGENCY))
    try:
        yield Talking(service, chat), store
    finally:
        await store.close()


def test_an_emergency_waits_for_nothing_that_is_kept_of_the_message_before(
    tmp_path: Path, content: Content, database_url: str, keys: Keys
) -> None:
    async def scenario(chat: str) -> float:
        async with talking(database_url, tmp_path, content, keys, chat) as (ada, store):
            with locked(database_url):
                ada.says("/country GB")
                await ada.heard("/country GB")
                ada.says(EMERGENCY)
                card = await ada.heard(EMERGENCY)
                ada.says("not sure")
                guide = await ada.heard("not sure")
            await ada.kept()

            assert "999" in card.texts[0], "it knows what the message before it told"
            assert "CPR" in " ".join(guide.texts), "the next message knows the emergency"
            assert [said for said, _ in ada.got] == ["/country GB", EMERGENCY, "not sure"]
            await ada.caught_up()
            person = await store.person(chat)
            assert (person.country, person.state.level) == ("GB", Level.EMERGENCY)
            assert person.state.guide is not None
            assert person.state.buttons == guide.buttons, "the newest state is what is stored"
            file = await store.show((await store.newest())[0].id)
            assert file is not None
            assert (file.signals[0].update_id, file.signals[0].delivery_status) == ("1", "sent")
            return max(ada.waited[EMERGENCY], ada.waited["not sure"])

    in_time(scenario)


@pytest.mark.parametrize("before", ["what is baclofen?", "/forget"])
def test_an_emergency_waits_for_no_answer_that_waits_for_the_store(
    tmp_path: Path, content: Content, database_url: str, keys: Keys, before: str
) -> None:
    async def scenario(chat: str) -> float:
        async with talking(database_url, tmp_path, content, keys, chat) as (ada, store):
            with locked(database_url):
                ada.says(before)
                await asyncio.sleep(0.02)
                ada.says(EMERGENCY)
                await ada.heard(EMERGENCY)
            await ada.kept()
            await ada.caught_up()

            found = [await store.chat_of(case) for case in await store.list()]
            assert before == "/forget" or chat in found
            return ada.waited[EMERGENCY]

    in_time(scenario)


def test_with_a_dead_store_every_emergency_of_a_chat_is_answered_at_once(
    tmp_path: Path, content: Content
) -> None:
    class Dead(Store):
        """A real store whose database takes every question and answers none."""

        async def person(self, chat: str) -> Person:
            return await asyncio.Event().wait() or Person()

        async def keep_person(self, chat: str, known: Person) -> None:
            await asyncio.Event().wait()

        async def record(self, entry: object) -> object:  # type: ignore[override]
            return await asyncio.Event().wait()

    async def scenario(chat: str) -> float:
        keys, url = made(tmp_path / chat)
        store, spool = await Dead.open(url, keys), Spool(tmp_path / chat, keys)
        ada = Talking(Service(content, spool, store), chat)
        said = [f"{EMERGENCY} {number}" for number in range(4)]
        for text in said:
            ada.says(text)
            await ada.heard(text)
        await ada.kept()
        await store.close()
        alive = await Store.open(url, keys)
        await spool.drain(alive)
        (case,) = await alive.list()

        assert case.signals == 4
        await alive.close()
        return max(ada.waited.values())

    in_time(scenario)


def test_a_slow_store_does_not_make_the_guide_forget_where_it_is(
    tmp_path: Path, content: Content
) -> None:
    class Slow(Store):
        """A real store that takes its time to find a person."""

        async def person(self, chat: str) -> Person:
            await asyncio.sleep(0.8)
            return await super().person(chat)

    async def scenario() -> None:
        keys, url = made(tmp_path)
        store, outbox = await Slow.open(url, keys), Outbox()
        service = Service(content, Spool(tmp_path, keys), store)
        await service.receive(Message("tg:1", "she wont wake up she took 30 baclofen"), outbox)

        assert service.is_urgent(Message("tg:1", "no"))
        decision = await service.receive(Message("tg:1", "no"), outbox)

        assert decision.level is Level.EMERGENCY
        assert "CPR" in " ".join(outbox.sent[-1].texts)
        await store.close()

    asyncio.run(scenario())


def test_forget_in_an_open_emergency_holds_up_neither_the_card_nor_what_comes_after(
    tmp_path: Path, content: Content, database_url: str, keys: Keys
) -> None:
    async def scenario(chat: str) -> float:
        async with talking(database_url, tmp_path, content, keys, chat) as (ada, store):
            ada.says(EMERGENCY)
            await ada.kept()
            with locked(database_url):
                ada.says("/forget")
                ada.says("no")
                card = await ada.heard("/forget")
                await ada.heard("no")
            await ada.kept()

            assert len(card.texts) == 2, "the card of the crisis, and what becomes of the wish"
            assert "will be deleted by itself" in card.texts[1]
            await ada.caught_up()
            assert ada._service.spool_bytes == 0
            assert (await store.person(chat)).state.level is not Level.EMERGENCY
            return max(ada.waited["/forget"] - 0.5, ada.waited["no"] - 1)

    in_time(scenario)


def test_one_person_whose_record_is_broken_holds_up_no_other(
    tmp_path: Path, content: Content
) -> None:
    class Broken(Store):
        """A store that cannot read one of its people."""

        async def person(self, chat: str) -> Person:
            if chat == "tg:1":
                raise ValueError("broken")
            return await super().person(chat)

    async def scenario() -> None:
        keys, url = made(tmp_path)
        store = await Broken.open(url, keys)
        service = Service(content, Spool(tmp_path, keys), store_timeout_s=PATIENT_S)
        for chat in ("tg:1", "tg:2"):
            await service.receive(Message(chat, EMERGENCY), Outbox())
        service.store = store

        await service.catch_up()

        assert (await store.person("tg:2")).state.level is Level.EMERGENCY
        assert service.is_urgent(Message("tg:1", "no")), "who waits is remembered"
        await store.close()

    asyncio.run(scenario())


def test_a_person_is_stored_after_an_outage_without_a_further_message(
    tmp_path: Path, content: Content
) -> None:
    async def scenario() -> None:
        keys, url = made(tmp_path)
        away = await AwayStore.open(url, keys)
        service = Service(content, Spool(tmp_path, keys), away, store_timeout_s=PATIENT_S)
        await service.receive(Message("tg:1", EMERGENCY), Outbox())
        await away.close()
        service.store = await Store.open(url, keys)

        await service.catch_up()

        assert (await service.store.person("tg:1")).state.level is Level.EMERGENCY
        await service.store.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("fate", "later", "expected"),
    [
        ("sent", None, (0, 0, 0)),
        ("failed", None, (1, 0, 0)),
        ("blocked", None, (1, 0, 0)),
        ("withheld", None, (0, 0, 1)),
        (None, "sent", (0, 1, 0)),
        (None, "failed", (1, 1, 0)),
        (None, OSError("gone"), (1, 1, 0)),
    ],
    ids=["sent", "failed", "blocked", "withheld", "held up", "held up and lost", "and broken"],
)
def test_only_what_does_not_arrive_counts_as_failed(
    tmp_path: Path,
    content: Content,
    fate: Fate | None,
    later: DeliveryStatus | OSError | None,
    expected: tuple[int, int, int],
) -> None:
    async def scenario() -> None:
        waits: asyncio.Future[DeliveryStatus] = asyncio.get_running_loop().create_future()

        async def send(_: Reply) -> Fate:
            return waits if fate is None else fate

        service = Service(content, Spool(tmp_path, Keys.generate()))
        await service.receive(Message("tg:1", "what is baclofen?"), send)
        tally = service.tally
        assert tally.replies_failed == (expected[0] if fate else 0), "it may still arrive"
        if isinstance(later, OSError):
            waits.set_exception(later)
        elif later:
            waits.set_result(later)
        await asyncio.sleep(0)
        found = (tally.replies_failed, tally.replies_held_up, tally.replies_withheld)
        assert found == expected

    asyncio.run(scenario())
