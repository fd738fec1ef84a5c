"""The service replies and records at once, whatever the store does."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.decide import Content
from bot.core.knowledge import Practice
from bot.core.model import DeliveryStatus, Level, Message, Reply
from bot.errors import StoreAway
from bot.service import Service
from bot.store import Keys, Spool, Store

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


class AwayStore(Store):
    """A real store whose every access finds the database away."""

    async def person(self, chat: str) -> object:  # type: ignore[override]
        raise StoreAway("locked")

    async def keep_person(self, chat: str, known: object) -> None:
        raise StoreAway("locked")

    async def record(self, entry: object) -> object:  # type: ignore[override]
        raise StoreAway("locked")

    async def forget(self, chat: str) -> object:  # type: ignore[override]
        raise StoreAway("locked")


def made(tmp_path: Path) -> tuple[Keys, str]:
    return Keys.generate(), f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}"


def test_an_emergency_is_answered_and_recorded(tmp_path: Path, content: Content) -> None:
    async def scenario() -> None:
        keys, url = made(tmp_path)
        store = await Store.open(url, keys)
        service, outbox = Service(content, Spool(tmp_path, keys), store), Outbox()

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
        service = Service(content, Spool(tmp_path, keys), store)

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
        service, hangs = Service(content, Spool(tmp_path, keys), store), asyncio.Event()

        async def send(_: Reply) -> DeliveryStatus:
            await hangs.wait()
            return "sent"

        under_way = asyncio.create_task(service.receive(Message("tg:1", EMERGENCY), send))
        async with asyncio.timeout(10):
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
        service, outbox = Service(content, Spool(tmp_path, keys), store), Outbox()
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
        service = Service(content, Spool(tmp_path, keys), store)
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
        assert "could not delete" in outbox.sent[-1].texts[0]
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
        service = Service(sampled, Spool(tmp_path, keys), store, lot=lambda: 0.4)

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
