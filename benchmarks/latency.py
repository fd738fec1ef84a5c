"""From an emergency's arrival to its reply, with durable intake and without.

    python -m benchmarks.latency [emergencies]

The emulated Bot API runs in this process, the bot in its own, polling; each emergency comes
from another chat. The time runs from the moment that the update is there to be fetched to the
moment that the reply's first message arrives. Prints milliseconds; exits with 1 when on SQLite
with durable intake the median is over 40 ms or the 99th percentile over 150 ms.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from pathlib import Path

from benchmarks.databases import each_database
from tests.e2e.faults import EMERGENCY, Nursery, nursery, scene, until

WARM_UP = 5
P50_MS, P99_MS = 40, 150


async def main(number: int) -> int:
    """Measure on both databases. Gives the exit code."""
    good = True
    async with nursery() as bots:
        for name, url, folder in each_database():
            for durable in (False, True):
                times = await measure(bots, url, folder / str(durable), number, durable=durable)
                p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
                how = "with" if durable else "without"
                print(
                    f"{name}, {how} durable intake: p50 {p50:.1f} ms, p99 {p99:.1f} ms, "
                    f"longest {max(times):.1f} ms, n {len(times)}",
                    flush=True,
                )
                if name == "SQLite" and durable:
                    good = p50 <= P50_MS and p99 <= P99_MS
    return 0 if good else 1


async def measure(
    bots: Nursery, url: str, folder: Path, number: int, *, durable: bool
) -> list[float]:
    """The milliseconds of each emergency."""
    async with scene(bots, url, folder) as made:
        folder.mkdir()
        made.settings |= {"durable_work": durable}
        made.settings["encryption_keys_file"] = str(folder.parent / "keys")
        await made.start()
        times = []
        for chat in range(1 + durable * 100_000, WARM_UP + number + 1 + durable * 100_000):
            before, began = len(made.api.sent), time.monotonic()
            made.api.say(1000 + chat, EMERGENCY, chat)
            await until(lambda before=before: len(made.api.sent) > before, 60, 0.001)  # type: ignore[misc]
            times.append((made.api.sent[before].at - began) * 1000)
            await asyncio.sleep(0.15)
        return times[WARM_UP:]


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)))
