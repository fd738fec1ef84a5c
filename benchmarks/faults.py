"""Kills the bot at random moments while people write to it, and counts what that did.

    python -m benchmarks.faults [updates] [kills] [seed] [webhook]

Once on SQLite and once on PostgreSQL (TEST_DATABASE_URL, or a server that pip installed); by
polling, or with a fourth word by webhook.
Then every update is delivered again, to a new process. Exits with 1 when an update was lost,
recorded twice or answered out of order, or an emergency was not answered.
"""

from __future__ import annotations

import asyncio
import sys

from benchmarks.databases import each_database
from tests.e2e.faults import (
    Said,
    Scene,
    conversations,
    nursery,
    redelivered,
    run_with_kills,
    scene,
)


async def main(updates: int, kills: int, seed: int, *, webhook: bool) -> int:
    """Run on both databases. Gives the exit code."""
    harm = 0
    async with nursery() as bots:
        for name, url, folder in each_database():
            said = conversations(updates, seed)
            async with scene(bots, url, folder, webhook=webhook) as made:
                harm += await measure(made, name, said, kills, seed)
    return 1 if harm else 0


async def measure(made: Scene, name: str, said: list[Said], kills: int, seed: int) -> int:
    """One database. Gives the number of faults."""
    damage = await run_with_kills(made, said, kills=kills, seed=seed)
    print(f"{name}: {damage}", flush=True)
    again = await redelivered(made, said[-1].id)
    print(f"{name}: every update delivered again: {again} new replies or records", flush=True)
    return len(damage.harm) + again


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:4]]
    counts = given + [300, 25, 1][len(given) :]
    sys.exit(asyncio.run(main(*counts, webhook=bool(sys.argv[4:]))))
