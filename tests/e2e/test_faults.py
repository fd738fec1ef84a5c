"""The real process is killed while people write, and its database is taken away."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Coroutine
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.faults import (
    EMERGENCY,
    conversations,
    nursery,
    redelivered,
    run_with_kills,
    scene,
    settled,
    until,
)

pytestmark = pytest.mark.e2e


def run(scenario: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 120))


@pytest.mark.parametrize("webhook", [False, True], ids=["polling", "webhook"])
def test_kills_lose_nothing_and_repeat_no_record(
    empty_url: str, tmp_path: Path, webhook: bool
) -> None:
    said = conversations(40, seed=3)

    async def scenario() -> None:
        async with nursery() as bots, scene(bots, empty_url, tmp_path, webhook=webhook) as made:
            damage = await run_with_kills(made, said, kills=4, seed=3)
            assert damage.harm == [], damage
            assert damage.kills == 4
            assert await redelivered(made, said[-1].id) == 0

    run(scenario())


def test_emergencies_are_answered_while_the_database_is_locked(tmp_path: Path) -> None:
    database = tmp_path / "bot.db"
    late: list[float] = []

    async def scenario() -> None:
        async with nursery() as bots, scene(bots, f"sqlite:///{database}", tmp_path) as made:
            await made.start()
            made.api.say(1000, "/help", 1)
            await until(lambda: len(made.api.sent) > 0, 30)
            await settled(made, 1000)
            with (
                closing(sqlite3.connect(database, isolation_level=None)) as one,
                closing(sqlite3.connect(tmp_path / "bot-work.db", isolation_level=None)) as two,
            ):
                for each in (one, two):
                    each.execute("BEGIN IMMEDIATE")
                for number in range(1, 6):
                    began = time.monotonic()
                    made.api.say(1000 + number, EMERGENCY, 100 + number)
                    await until(lambda chat=100 + number: made.api.texts(chat) != [], 10, 0.01)
                    late.append(time.monotonic() - began)
                for each in (one, two):
                    each.execute("ROLLBACK")
            wanted = [(str(1000 + n), "sent") for n in range(1, 6)]
            await until(lambda: sorted(made.signals()) == wanted, 40, 0.5)

    run(scenario())
    assert max(late) < 2, late
