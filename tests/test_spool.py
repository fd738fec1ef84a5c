"""Where records wait while the store is away."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.casefilter import ALL
from bot.core.model import Person
from bot.errors import StoreError
from bot.store import Drained, Keys, Spool, Store
from bot.store.records import CaseFile
from tests.escalation_values import RULES, TEXT, Clock, an_entry

pytestmark = pytest.mark.anyio


@pytest.fixture
def spool(tmp_path: Path, keys: Keys) -> Spool:
    return Spool(tmp_path / "var", keys)


@pytest.fixture
async def one_store(
    tmp_path: Path, sqlite_template: Path, keys: Keys, clock: Clock
) -> AsyncIterator[Store]:
    """A store in one file; the spool is the same whatever the engine is."""
    (tmp_path / "bot.db").write_bytes(sqlite_template.read_bytes())
    store = await Store.open(f"sqlite:///{tmp_path}/bot.db", keys, rules=RULES, now=clock)
    yield store
    await store.close()


async def test_what_was_kept_goes_to_the_store_in_order(spool: Spool, one_store: Store) -> None:
    for each in range(3):
        assert await spool.keep(an_entry(chat=f"tg:{each}"))
    assert not spool.is_empty

    drained = await spool.drain(one_store)

    assert drained == Drained(recorded=3)
    assert spool.is_empty
    newest = await one_store.newest()
    assert [case.number for case in newest] == [1003, 1002, 1001]
    assert [await one_store.chat_of(case) for case in newest] == ["tg:2", "tg:1", "tg:0"]


async def test_an_empty_spool_drains_to_nothing(spool: Spool, one_store: Store) -> None:
    assert spool.is_empty
    assert await spool.drain(one_store) == Drained()


async def test_an_entry_kept_twice_is_recorded_once(spool: Spool, one_store: Store) -> None:
    await one_store.record(an_entry())
    await spool.keep(an_entry())
    await spool.keep(an_entry(delivery_status="sent", reply_latency_ms=5))

    await spool.drain(one_store)

    file = await one_store.show(1001)
    assert file is not None
    assert [each.delivery_status for each in file.signals] == ["sent"]


async def test_nothing_that_waits_can_be_read(spool: Spool, tmp_path: Path) -> None:
    await spool.keep(an_entry(chat="tg:chat-4711"))

    written = b"".join(path.read_bytes() for path in (tmp_path / "var").iterdir())

    assert b"fifteen" not in written
    assert b"chat-4711" not in written
    assert (tmp_path / "var" / "spool").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("cut", [1, 10, 100])
async def test_a_line_that_was_half_written_spoils_no_other(
    spool: Spool, one_store: Store, tmp_path: Path, cut: int
) -> None:
    file = tmp_path / "var" / "spool"
    await spool.keep(an_entry(chat="tg:1"))
    await spool.keep(an_entry(chat="tg:2"))
    file.write_bytes(file.read_bytes()[:-cut])
    await spool.keep(an_entry(chat="tg:3"))

    drained = await spool.drain(one_store)

    torn = int(cut > 1)  # without its line end alone, a line is whole
    assert drained == Drained(recorded=3 - torn, torn=torn)
    assert spool.is_empty


async def test_a_locked_store_leaves_what_waits_and_takes_it_later(
    spool: Spool, one_store: Store, tmp_path: Path
) -> None:
    for each in range(3):
        await spool.keep(an_entry(chat=f"tg:{each}"))
    other = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    away = await spool.drain(one_store)
    other.execute("ROLLBACK")
    other.close()
    await spool.keep(an_entry(chat="tg:3"))

    assert away == Drained(recorded=0, left=3)
    assert await spool.drain(one_store) == Drained(recorded=4)
    assert await one_store.count(ALL) == 4


async def test_a_line_under_an_unknown_key_stays_until_the_key_is_back(
    spool: Spool, one_store: Store, tmp_path: Path, keys: Keys
) -> None:
    await spool.keep(an_entry(chat="tg:1"))
    others = Spool(tmp_path / "var", Keys.generate())
    await others.keep(an_entry(chat="tg:2"))

    drained = await spool.drain(one_store)

    assert drained == Drained(recorded=1, unreadable=1)
    assert await others.drain(one_store) == Drained(recorded=1)
    assert spool.is_empty


async def test_a_line_of_another_version_stays(spool: Spool, one_store: Store) -> None:
    spool._keep({"entry": {"chat": 7}})

    assert await spool.drain(one_store) == Drained(left=1)
    assert not spool.is_empty


async def test_a_crash_while_draining_repeats_nothing(
    spool: Spool, one_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in range(3):
        await spool.keep(an_entry(chat=f"tg:{each}"))
    with monkeypatch.context() as crash:
        crash.setattr(Spool, "_put_back", lambda *_: (_ for _ in ()).throw(OSError("power cut")))
        with pytest.raises(OSError, match="power cut"):
            await spool.drain(one_store)
    await spool.keep(an_entry(chat="tg:3"))

    await spool.drain(one_store)

    assert spool.is_empty
    assert [case.signals for case in await one_store.newest()] == [1, 1, 1, 1]


async def test_forgetting_waits_its_turn(spool: Spool, one_store: Store, clock: Clock) -> None:
    await spool.keep(an_entry())
    await spool.keep_forget("tg:4711", clock())
    await one_store.keep_person("tg:4711", Person(country="GB"))

    assert await spool.drain(one_store) == Drained(recorded=2)
    file = await one_store.show(1001)
    assert file is not None
    assert file.signals[0].text is None
    assert await one_store.person("tg:4711") == Person()


async def test_where_no_file_can_be_written_memory_holds_it_until_one_can(
    tmp_path: Path, keys: Keys, one_store: Store
) -> None:
    (tmp_path / "var").write_text("a file where the folder should be")
    spool = Spool(tmp_path / "var", keys)

    assert await spool.keep(an_entry(chat="tg:1")) is False
    assert not spool.is_empty
    (tmp_path / "var").unlink()
    assert await spool.keep(an_entry(chat="tg:2")) is True

    assert await spool.drain(one_store) == Drained(recorded=2)


async def test_forgetting_late_takes_nothing_that_began_after_it_was_asked_for(
    spool: Spool, one_store: Store, clock: Clock
) -> None:
    asked_at = clock()
    await spool.keep(an_entry(update_id="1", received_at=asked_at - timedelta(minutes=9)))
    await spool.keep_forget("tg:4711", asked_at)
    after = an_entry(update_id="2", received_at=asked_at + timedelta(minutes=1))
    clock.now = asked_at + timedelta(minutes=1)
    await one_store.record(after)  # the store is back before the spool was read
    await one_store.keep_person("tg:4711", Person(country="GB"))
    clock.now = asked_at + timedelta(minutes=2)

    assert await spool.drain(one_store) == Drained(recorded=2)

    texts = [
        line.text
        for case in await one_store.newest()
        for line in (await shown(one_store, case.id)).signals
    ]
    assert sorted(texts, key=str) == sorted([None, TEXT], key=str)
    assert {await one_store.chat_of(case) for case in await one_store.newest()} == {"tg:4711"}
    assert await one_store.person("tg:4711") == Person()


async def test_a_late_forgetting_without_anything_after_leaves_no_trace(
    spool: Spool, one_store: Store, clock: Clock
) -> None:
    asked_at = clock()
    await one_store.keep_person("tg:4711", Person(country="GB"))
    await spool.keep(an_entry(received_at=asked_at))
    await spool.keep_forget("tg:4711", asked_at)
    clock.now = asked_at + timedelta(hours=3)

    await spool.drain(one_store)

    (case,) = await one_store.newest()
    assert [line.text for line in (await shown(one_store, case.id)).signals] == [None]
    assert await one_store.chat_of(case) is None
    assert await one_store.person("tg:4711") == Person()


@pytest.mark.parametrize("fast", [timedelta(minutes=5), timedelta(0), timedelta(minutes=-5)])
async def test_forgetting_late_takes_what_was_there_though_the_clock_of_the_chat_is_off(
    spool: Spool, one_store: Store, clock: Clock, fast: timedelta
) -> None:
    minute, began = timedelta(minutes=1), clock.now
    case = await one_store.record(an_entry(update_id="1", received_at=began + fast))
    clock.now = began + minute
    await one_store.add_note(case.id, "s1", "before")
    await spool.keep_forget("tg:4711", began + 2 * minute + fast, began + 2 * minute)
    clock.now = began + 3 * minute
    await one_store.record(an_entry(update_id="2", received_at=clock.now + fast))
    await one_store.add_note(case.id, "s1", "after")

    await spool.drain(one_store)

    file = await shown(one_store, case.id)
    assert [line.text for line in file.signals] == [None, TEXT]
    assert [note.body for note in file.notes] == [None, "after"]


async def shown(store: Store, case_id: str) -> CaseFile:
    found = await store.show(case_id)
    assert found is not None
    return found


async def test_what_is_in_memory_goes_to_the_store_though_no_file_can_be_written(
    tmp_path: Path, keys: Keys, one_store: Store, clock: Clock
) -> None:
    (tmp_path / "var").write_text("a file where the folder should be")
    spool = Spool(tmp_path / "var", keys)
    await spool.keep(an_entry(chat="tg:1"))
    await spool.keep_forget("tg:9", clock())
    await spool.keep(an_entry(chat="tg:2"))

    assert await spool.drain(one_store) == Drained(recorded=3)

    assert spool.is_empty
    assert [case.number for case in await one_store.newest()] == [1002, 1001]


async def test_a_record_goes_to_the_store_when_it_can(spool: Spool, one_store: Store) -> None:
    case = await spool.record(one_store, an_entry())

    assert case is not None
    assert spool.is_empty


async def test_a_record_waits_when_there_is_no_store(spool: Spool) -> None:
    assert await spool.record(None, an_entry()) is None
    assert not spool.is_empty


async def test_a_record_waits_when_the_store_is_slow_or_closed(
    spool: Spool, one_store: Store, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    slow = await spool.record(one_store, an_entry(), within_s=0.05)
    other.execute("ROLLBACK")
    other.close()

    assert slow is None
    assert (await spool.drain(one_store)).recorded == 1


async def test_a_fault_of_ours_loses_no_record(
    spool: Spool, one_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as faulty:
        faulty.setattr(Store, "record", lambda *_: (_ for _ in ()).throw(AttributeError("a bug")))
        with pytest.raises(AttributeError):
            await spool.record(one_store, an_entry())

    assert await spool.drain(one_store) == Drained(recorded=1)


async def test_a_store_that_refuses_one_entry_takes_the_others(
    spool: Spool, one_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in range(3):
        await spool.keep(an_entry(chat=f"tg:{each}"))
    record = Store.record

    async def refuse_one(store: Store, entry: object) -> object:
        if getattr(entry, "chat", "") == "tg:1":
            raise StoreError("no")
        return await record(store, entry)  # type: ignore[arg-type]

    with monkeypatch.context() as picky:
        picky.setattr(Store, "record", refuse_one)
        drained = await spool.drain(one_store)

    assert drained == Drained(recorded=2, left=1)
    assert await spool.drain(one_store) == Drained(recorded=1)


async def test_many_at_once_are_all_kept(spool: Spool, one_store: Store) -> None:
    kept = await asyncio.gather(*(spool.keep(an_entry(update_id=str(n))) for n in range(50)))
    drains = await asyncio.gather(*(spool.drain(one_store) for _ in range(3)))

    assert all(kept)
    assert sum(each.recorded for each in drains) == 50
    case = await one_store.find(1001)
    assert case is not None
    assert case.signals == 50


KEEPS_UNTIL_KILLED = """
import asyncio, sys
from pathlib import Path
from bot.store import Keys, Spool
from tests.escalation_values import an_entry

async def main():
    spool = Spool(Path(sys.argv[1]), Keys.load(Path(sys.argv[2])))
    for number in range(10_000):
        await spool.keep(an_entry(update_id=str(number)))
        print(number, flush=True)

asyncio.run(main())
"""


async def test_what_was_kept_survives_a_kill(
    tmp_path: Path, one_store: Store, keys: Keys, spool: Spool
) -> None:
    keys.save(tmp_path / "keys")
    args = [sys.executable, "-c", KEEPS_UNTIL_KILLED, str(tmp_path / "var"), str(tmp_path / "keys")]

    with subprocess.Popen(args, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if line.strip() == "20":
                os.kill(writer.pid, signal.SIGKILL)
                break
        told = 21 + len(writer.stdout.readlines())

    drained = await spool.drain(one_store)
    assert drained.recorded >= told
    file = await one_store.show(1001)
    assert file is not None
    assert {each.text for each in file.signals} == {TEXT}
