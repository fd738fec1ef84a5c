"""Takes the database away in the middle of 50 emergencies.

    python -m benchmarks.outage [emergencies] [seconds]

On SQLite: another process holds the write locks of both files. Prints how long each
emergency waited for its reply; exits with 1 when one waited over 2 s, or is not recorded
once, with its delivery, after the database came back.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from tests.e2e.faults import EMERGENCY, Scene, nursery, scene, settled, until

LIMIT_S = 2.0
AFTER_S = 120.0  # how long the records may take once the database is back


async def main(number: int, away_s: float) -> int:
    """Measure. Gives the exit code."""
    async with nursery() as bots:
        with tempfile.TemporaryDirectory() as folder:
            async with scene(bots, f"sqlite:///{folder}/bot.db", Path(folder)) as made:
                await made.start()
                made.api.say(999, "/help", 1)
                await settled(made, 999)
                waits = await emergencies(made, Path(folder), number, away_s)
                whole = await recorded(made, number)
    print(
        f"SQLite locked for {away_s:.0f} s amid {number} emergencies: longest wait "
        f"{max(waits):.2f} s, median {sorted(waits)[len(waits) // 2]:.2f} s; "
        f"all recorded once: {'yes' if whole else 'NO'}"
    )
    return 0 if whole and max(waits) <= LIMIT_S else 1


async def emergencies(made: Scene, folder: Path, number: int, away_s: float) -> list[float]:
    """Half of the time before and after is the database there, and away in the middle."""
    names = ("bot.db", "bot-work.db")
    first, last = number // 5, number - number // 5
    files = [sqlite3.connect(folder / name, isolation_level=None) for name in names]
    with closing(files[0]), closing(files[1]):
        waits = []
        for each in range(number):
            if each == first:
                for file in files:
                    file.execute("BEGIN IMMEDIATE")
            if each == last:
                for file in files:
                    file.execute("ROLLBACK")
            waits.append(await one(made, 1000 + each))
            await asyncio.sleep(max(away_s / (last - first) - waits[-1], 0))
    return waits


async def one(made: Scene, number: int) -> float:
    """One emergency in a chat of its own; the seconds until its reply."""
    began = time.monotonic()
    made.api.say(number, EMERGENCY, number)
    await until(lambda: made.api.texts(number) != [], 30, 0.01)
    return time.monotonic() - began


async def recorded(made: Scene, number: int) -> bool:
    """Whether each emergency comes to be recorded once, with its delivery."""
    wanted = Counter((str(1000 + each), "sent") for each in range(number))
    try:
        await until(lambda: Counter(made.signals()) == wanted, AFTER_S, 0.5)
    except TimeoutError:
        return False
    return True


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    count, seconds = given + [50, 60][len(given) :]
    sys.exit(asyncio.run(main(count, seconds)))
