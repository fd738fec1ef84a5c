"""Durable work: a job is kept once, run once, in its lane's order, and survives its process."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from bot.errors import StoreAway
from bot.store import Keys
from bot.work import Durable, Intake, Job, Queue, Update, queues, renew

JSON = dict[str, Any]
QUEUE = Queue("q", 0.02)
SECRET = "he is not breathing"


def a_durable(url: str, keys: Keys, executor: str = "one") -> Durable:
    own = queues(executor, 0.02)
    return Durable(url, keys, executor=executor, queues=(*own, QUEUE))


def job(number: int, lane: str = "a", **data: Any) -> Job:
    return Job(f"j-{number}", QUEUE.name, "note", {"n": number, **data}, lane, number)


@asynccontextmanager
async def opened(durable: Durable) -> AsyncIterator[Durable]:
    await durable.open()
    try:
        yield durable
    finally:
        await durable.close()


def noting(seen: list[int]) -> Callable[[JSON], Awaitable[None]]:
    """Does a job by writing down its number."""

    async def note(data: JSON) -> None:
        seen.append(data["n"])

    return note


async def until(done: Callable[[], bool], within_s: float = 15) -> None:
    async with asyncio.timeout(within_s):
        while not done():
            await asyncio.sleep(0.01)


def run(scenario: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 45))


def rows_of(url: str) -> str:
    """Everything that durable work wrote about its jobs, as text."""
    query = "SELECT * FROM {} ORDER BY 1"
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            return str(file.execute(query.format("workflow_status")).fetchall())
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connection:
        return str(connection.execute(query.format("dbos.workflow_status")).fetchall())


def test_a_job_is_run_once_and_known_afterwards(empty_url: str) -> None:
    seen: list[int] = []

    async def scenario() -> None:
        durable = a_durable(empty_url, Keys.generate())
        durable.on("note", noting(seen))
        async with opened(durable):
            first = durable.keep([job(1), job(2)])
            await until(lambda: len(seen) == 2)
            again = durable.keep([job(1), job(3)])
            await until(lambda: len(seen) == 3)
            assert (first, again) == ([True, True], [False, True])
            assert await durable.is_known("j-1")
            assert not await durable.is_known("j-9")

    run(scenario())
    assert seen == [1, 2, 3]


def test_the_jobs_of_a_lane_keep_their_order(empty_url: str) -> None:
    seen: list[tuple[str, int]] = []

    async def note(data: JSON) -> None:
        await asyncio.sleep(0.01 * (data["n"] % 3))
        seen.append((data["to"], data["n"]))

    async def scenario() -> None:
        durable = a_durable(empty_url, Keys.generate())
        durable.on("note", note)
        async with opened(durable):
            # Twelve in one go, the later ones first, as a webhook may bring them.
            durable.keep([job(n, f"l{n % 2}", to=f"l{n % 2}") for n in range(12, 0, -1)])
            await until(lambda: len(seen) == 12)

    run(scenario())
    for lane in ("l0", "l1"):
        order = [number for name, number in seen if name == lane]
        assert order == sorted(order)
        assert len(order) == 6


def test_what_a_process_left_undone_is_done_by_the_next_of_its_name(empty_url: str) -> None:
    began: list[int] = []
    finished: list[int] = []
    keys = Keys.generate()

    async def stuck(data: JSON) -> None:
        began.append(data["n"])
        await asyncio.sleep(600)

    async def scenario() -> None:
        durable = a_durable(empty_url, keys)
        durable.on("note", stuck)
        async with opened(durable):
            durable.keep([job(1)])
            await until(lambda: began == [1])
        again = a_durable(empty_url, keys)
        again.on("note", noting(finished))
        heard: list[str] = []
        await again.open(before=lambda kept: heard.extend(each.id for each in kept))
        try:
            await until(lambda: finished == [1])
            assert heard == ["j-1"]
        finally:
            await again.close()

    run(scenario())


def test_what_a_job_holds_is_encrypted(empty_url: str) -> None:
    async def fails(_: JSON) -> None:
        raise ValueError(SECRET)

    async def scenario() -> None:
        durable = a_durable(empty_url, Keys.generate())
        durable.on("note", fails)
        async with opened(durable):
            durable.keep([job(1, text=SECRET)])
            await until(lambda: "ERROR" in rows_of(empty_url))

    run(scenario())
    assert SECRET not in rows_of(empty_url)


def given(url: str) -> list[str]:
    """What durable work still holds of what its jobs were given."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            rows = file.execute("SELECT inputs FROM workflow_input").fetchall()
            old = file.execute("SELECT count(inputs) FROM workflow_status").fetchone()
    else:
        address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address) as connection:
            rows = connection.execute("SELECT inputs FROM dbos.workflow_input").fetchall()
            old = connection.execute("SELECT count(inputs) FROM dbos.workflow_status").fetchone()
    assert old == (0,), "DBOS keeps it in a table apart"
    return [row[0] for row in rows]


def test_what_a_finished_job_was_given_is_deleted_and_its_id_known(empty_url: str) -> None:
    async def stuck(_: JSON) -> None:
        await asyncio.sleep(600)

    async def note(_: JSON) -> None: ...

    async def scenario() -> None:
        durable = a_durable(empty_url, Keys.generate())
        durable.on("note", note)
        durable.on("stuck", stuck)
        async with opened(durable):
            durable.keep([job(1), Job("j-2", QUEUE.name, "stuck", {}, "b")])
            await until(lambda: "SUCCESS" in rows_of(empty_url))
            before = len(given(empty_url))
            cleared = await durable.clear_done()
            assert (before, cleared, len(given(empty_url))) == (2, 1, 1)
            assert durable.keep([job(1)]) == [False]

    run(scenario())


def test_a_job_that_waits_is_put_under_a_new_key_and_can_be_done(empty_url: str) -> None:
    seen: list[JSON] = []
    old = Keys.generate()
    new = old.rotated()

    async def stuck(_: JSON) -> None:
        await asyncio.sleep(600)

    async def note(data: JSON) -> None:
        seen.append(data)

    async def scenario() -> None:
        durable = a_durable(empty_url, old)
        durable.on("note", stuck)
        async with opened(durable):
            durable.keep([job(1)])
            await until(lambda: "PENDING" in rows_of(empty_url))
        renewed = await asyncio.to_thread(renew, empty_url, new)
        assert renewed == 1
        durable = a_durable(empty_url, new.newest_only())
        durable.on("note", note)
        async with opened(durable):
            await until(lambda: seen == [{"n": 1}])

    run(scenario())


def test_old_jobs_are_deleted_and_recent_ones_kept(empty_url: str) -> None:
    seen: list[int] = []

    async def scenario() -> None:
        durable = a_durable(empty_url, Keys.generate())
        durable.on("note", noting(seen))
        async with opened(durable):
            durable.keep([job(1)])
            await until(lambda: "SUCCESS" in rows_of(empty_url))
            kept = await durable.drop_older(timedelta(days=1))
            dropped = await durable.drop_older(timedelta(days=-1))
            assert (kept, dropped) == (0, 1)
            assert not await durable.is_known("j-1")

    run(scenario())


def test_a_database_that_cannot_be_reached_is_told(tmp_path: Path) -> None:
    durable = a_durable("postgresql://nobody@127.0.0.1:1/none", Keys.generate())

    with pytest.raises(StoreAway, match="tried again"):
        run(durable.open())


# ---- intake ----------------------------------------------------------------------------


class Told:
    """Handles updates by writing them down."""

    def __init__(self, takes_s: float = 0) -> None:
        self.seen: list[int] = []
        self.again: list[int] = []
        self._takes_s = takes_s

    async def handle(self, payload: JSON, again: bool, decided: Callable[[], None]) -> None:
        await asyncio.sleep(self._takes_s)
        self.seen.append(payload["n"])
        if again:
            self.again.append(payload["n"])


def an_intake(durable: Durable, told: Told) -> Intake:
    return Intake(told.handle, durable, executor="one", lane_of=lambda chat: f"lane {chat}")


def update(number: int, chat: str = "tg:1", *, urgent: bool = False) -> Update:
    return Update(number, chat, {"n": number, "text": SECRET}, urgent)


def test_updates_are_handled_once_however_often_they_come(empty_url: str) -> None:
    told, later = Told(), Told()
    keys = Keys.generate()

    async def scenario() -> None:
        async with opened(a_durable(empty_url, keys)) as durable:
            intake = an_intake(durable, told)
            for number in range(1, 9):
                await intake.take(update(number, urgent=number % 2 == 0))
            await asyncio.gather(*(intake.take(update(number)) for number in range(1, 9)))
            await until(lambda: len(told.seen) == 8)
            await until(lambda: "PENDING" not in rows_of(empty_url))
            await until(lambda: "ENQUEUED" not in rows_of(empty_url))
        durable = a_durable(empty_url, keys)
        intake = an_intake(durable, later)
        await durable.open(before=intake.remember)
        await asyncio.gather(*(intake.take(update(n, urgent=True)) for n in range(1, 9)))
        await asyncio.sleep(0.5)
        await durable.close()

    run(scenario())
    assert sorted(told.seen) == list(range(1, 9))
    assert later.seen == []


def test_updates_that_a_dead_process_left_are_handled_in_order(empty_url: str) -> None:
    stuck, told = Told(takes_s=600), Told()
    keys = Keys.generate()

    async def scenario() -> None:
        async with opened(a_durable(empty_url, keys)) as durable:
            intake = an_intake(durable, stuck)
            for number, urgent in ((1, False), (2, True), (3, False)):
                await intake.take(update(number, urgent=urgent))
        durable = a_durable(empty_url, keys)
        intake = an_intake(durable, told)
        await durable.open(before=intake.remember)
        await until(lambda: len(told.seen) == 3)
        await durable.close()

    run(scenario())
    assert told.seen == [1, 2, 3]
    assert told.again == [1, 2, 3]


def test_without_a_database_updates_are_handled_at_once() -> None:
    told = Told()

    async def scenario() -> None:
        intake = an_intake(a_durable("sqlite:////nowhere/at/all.db", Keys.generate()), told)
        async with asyncio.timeout(1):
            for number in (1, 2):
                await intake.take(update(number, urgent=number == 2))
                assert told.seen[-1] == number

    run(scenario())


def test_an_emergency_does_not_wait_for_a_locked_database(tmp_path: Path) -> None:
    url, told = f"sqlite:///{tmp_path}/work.db", Told()

    async def scenario() -> None:
        async with opened(a_durable(url, Keys.generate())) as durable:
            intake = an_intake(durable, told)
            with closing(sqlite3.connect(tmp_path / "work.db", isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                async with asyncio.timeout(1):
                    await intake.take(update(1, urgent=True))
                assert told.seen == [1]
                other.execute("ROLLBACK")
            # It is kept once the database is back, and known from then on.
            await until(lambda: "tg-1" in rows_of(url))
            await until(lambda: "SUCCESS" in rows_of(url))

    run(scenario())
    assert told.seen == [1]


def test_the_chat_is_named_by_nothing_in_the_database(empty_url: str) -> None:
    told = Told()
    keys = Keys.generate()

    async def scenario() -> None:
        async with opened(a_durable(empty_url, keys)) as durable:
            intake = Intake(told.handle, durable, executor="one", lane_of=keys.subject)
            await intake.take(update(1, "tg:424242"))
            await until(lambda: "SUCCESS" in rows_of(empty_url))

    run(scenario())
    assert "424242" not in rows_of(empty_url)
    assert SECRET not in rows_of(empty_url)
