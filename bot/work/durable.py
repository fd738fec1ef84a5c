"""Jobs that outlive the process: DBOS on the store's own database, SQLite or PostgreSQL.

A job is kept under an id, once, and run by a worker of this process or of another; one that
a dead process had begun is run again when a process of the same name starts. What it is given
is kept as encrypted JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions, Serializer
from sqlalchemy import delete, func, select, update

from bot.errors import StoreAway
from bot.store import Keys

log = logging.getLogger(__name__)

JSON = dict[str, Any]
Handler = Callable[[JSON], Awaitable[None]]
Result = TypeVar("Result")

APPLICATION = "baclofen-bot"
# Jobs of an older version are run by a newer one: what they hold is Telegram's JSON or an id.
VERSION = "1"
JOB = "job"  # the one workflow that DBOS knows; what it does is in its data
ATTEMPTS = 20  # starts of a job that takes its process down each time, before it is left alone
CONNECT_S = 3  # seconds; PostgreSQL
LATEST = 10_000  # done jobs that a new process hears of
PAGE = 500  # workflows deleted at a time
UNFINISHED = ["ENQUEUED", "PENDING", "DELAYED"]
FINISHED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
POSITIONS = 2**31 - 1  # DBOS orders by a number from 1 to this


@dataclass(frozen=True, slots=True)
class Queue:
    """Where jobs wait. Those of one `lane` run one after the other, in all processes."""

    name: str
    poll_s: float
    at_once: int | None = None  # how many of its jobs one process runs at a time; None: all


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done once: `handler` gets `data`, in the order of `position` in its lane."""

    id: str
    queue: str
    handler: str
    data: JSON
    lane: str
    position: int = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """A job that an earlier process kept."""

    id: str
    lane: str
    is_done: bool


class Durable:
    """Keeps jobs and runs them. Open it, and close it in the end; there is one in a process.

    `executor` is the name of this process, the same at every start; no two processes that
    run at once share one. Handlers run in the event loop that opened it.
    """

    def __init__(self, url: str, keys: Keys, *, executor: str, queues: tuple[Queue, ...]) -> None:
        self._url = _sync_address(url)
        self._serializer = Sealed(keys)
        self._executor = executor
        self._queues = queues
        self._handlers: dict[str, Handler] = {}
        self._client: DBOSClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_open(self) -> bool:
        """Whether jobs can be kept."""
        return self._client is not None

    @property
    def is_alone(self) -> bool:
        """Whether no other process can work on these jobs: a SQLite file has one bot."""
        return self._url.startswith("sqlite:")

    def on(self, name: str, handler: Handler) -> None:
        """Have `handler` run the jobs of that name."""
        self._handlers[name] = handler

    async def open(self, *, before: Callable[[list[Kept]], None] = lambda _: None) -> None:
        """Begin to work; `before` hears of the jobs kept earlier, before any of them is run.

        Of those that are done it hears the latest only.

        Raises StoreAway when the database cannot be reached.
        """
        self._loop = asyncio.get_running_loop()
        try:
            client, kept = await in_thread(self._prepare)
            before(kept)
            await in_thread(self._launch)
        except Exception as error:
            raise StoreAway(
                f"Durable work cannot begin ({type(error).__name__}); it is tried again."
            ) from error
        self._client = client

    async def close(self) -> None:
        """Stop working. What is under way is done again at the next start."""
        client, self._client = self._client, None
        if client is not None:
            # A second, so that no worker takes a job while the loop it runs in is closed.
            await in_thread(
                lambda: DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=1)
            )
            await in_thread(client.destroy)

    def keep(self, jobs: Sequence[Job]) -> list[bool]:
        """Keep jobs, all for good when this returns. False: one of this id is known already.

        Blocks, and raises whatever the database raises. Call it in a thread.
        """
        client = self._client
        if client is None:
            raise StoreAway("Durable work has not begun.")
        ids = [job.id for job in jobs]
        known = self._known(client, ids)
        # One transaction: many messages at once cost one commit, which is what takes time.
        with client._sys_db.engine.begin() as connection:
            for job in jobs:
                if job.id not in known:
                    data = {"handler": job.handler, "data": job.data}
                    client.enqueue_in_transaction(connection, _options(job), data)
        return [job.id not in known for job in jobs]

    async def is_known(self, job_id: str) -> bool:
        """Whether a job of this id is kept, done or not."""
        client = self._client
        if client is None:
            raise StoreAway("Durable work has not begun.")
        return bool(await in_thread(lambda: self._known(client, [job_id])))

    def _known(self, client: DBOSClient, ids: list[str]) -> set[str]:
        """Those of `ids` that are kept. A query of our own: DBOS reads 30 columns of each."""
        table = client._sys_db.tables.workflow_status
        query = select(table.c.workflow_uuid).where(table.c.workflow_uuid.in_(ids))
        with client._sys_db.engine.connect() as connection:
            return set(connection.execute(query).scalars())

    async def backlog(self) -> int | None:
        """How many jobs are kept and not done; None while the database is away."""
        client = self._client
        return None if client is None else await in_thread(lambda: _backlog(client))

    async def clear_done(self) -> int:
        """Delete what the jobs that are done were given; their ids stay. Gives how many."""
        client = self._client
        return 0 if client is None else await in_thread(lambda: _clear_done(client))

    async def drop_older(self, age: timedelta) -> int:
        """Delete the jobs that were done longer ago than `age`. Gives how many."""
        before = (datetime.now(UTC) - age).isoformat()
        return await in_thread(lambda: self._drop(before))

    def _drop(self, before: str) -> int:
        dropped = 0
        while (client := self._client) is not None:
            found = client.list_workflows(
                status=FINISHED,
                completed_before=before,
                limit=PAGE,
                load_input=False,
                load_output=False,
            )
            if not found:
                break
            client.delete_workflows([each.workflow_id for each in found])
            dropped += len(found)
        return dropped

    def _prepare(self) -> tuple[DBOSClient, list[Kept]]:
        """Register with DBOS and see what was left undone. Begins nothing yet."""
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": self._url,
            "application_version": VERSION,
            "executor_id": self._executor,
            "serializer": self._serializer,
            "log_level": "ERROR",  # its warnings repeat at every poll while the database is away
            "use_listen_notify": False,
            "sys_db_pool_size": 8,
            "db_engine_kwargs": {"hide_parameters": True, "pool_timeout": CONNECT_S},
        }
        DBOS.destroy(destroy_registry=True)
        _use_wal(self._url)
        DBOS(config=config)
        DBOS.workflow(name=JOB, max_recovery_attempts=ATTEMPTS)(self._workflow())
        DBOS.migrate(self._url)
        client = DBOSClient(
            system_database_url=self._url,
            serializer=self._serializer,
            application_name=APPLICATION,
            retry_connection_errors=False,
        )
        try:
            for queue in self._queues:
                client.register_queue(
                    queue.name,
                    partition_concurrency=1,
                    worker_concurrency=queue.at_once,
                    polling_interval_sec=queue.poll_s,
                )
            kept = self._kept(client)
        except BaseException:
            client.destroy()
            raise
        return client, kept

    def _kept(self, client: DBOSClient) -> list[Kept]:
        found = client.list_workflows(status=UNFINISHED, load_input=False, load_output=False)
        found += client.list_workflows(
            status=FINISHED, limit=LATEST, sort_desc=True, load_input=False, load_output=False
        )
        return [
            Kept(each.workflow_id, each.queue_partition_key or "", each.status in FINISHED)
            for each in found
        ]

    def _launch(self) -> None:
        DBOS.listen_queues([queue.name for queue in self._queues])
        DBOS.launch()

    def _workflow(self) -> Callable[[JSON], Awaitable[None]]:
        loop = self._loop
        assert loop is not None

        async def run(job: JSON) -> None:
            # DBOS has a loop of its own; everything of ours runs in the one that opened us.
            running = asyncio.run_coroutine_threadsafe(self._handle(job), loop)
            await asyncio.wrap_future(running)

        return run

    async def _handle(self, job: JSON) -> None:
        handler = self._handlers.get(job["handler"])
        if handler is None:
            log.error("durable job without a handler", extra={"handler": job["handler"]})
            return
        await handler(job["data"])


def renew(url: str, keys: Keys) -> int:
    """Put what unfinished jobs were given under the newest key; delete it of those done.

    For a command: blocks. Gives how many were put under the key. Raises KeyMissing when no key
    opens one of them, and what the database raises.
    """
    address = _sync_address(url)
    if address.startswith("sqlite:") and not Path(address.removeprefix("sqlite:///")).exists():
        return 0
    DBOS.migrate(address)
    client = DBOSClient(system_database_url=address, serializer=Sealed(keys))
    try:
        _clear_done(client)
        return _reencrypt(client, keys)
    finally:
        client.destroy()


def _reencrypt(client: DBOSClient, keys: Keys) -> int:
    given = client._sys_db.tables.workflow_input
    with client._sys_db.engine.begin() as connection:
        rows = connection.execute(select(given.c.workflow_uuid, given.c.inputs)).all()
        for own, sealed in rows:
            fresh = {"inputs": keys.reencrypt(sealed)}
            connection.execute(update(given).where(given.c.workflow_uuid == own).values(**fresh))
    return len(rows)


def _backlog(client: DBOSClient) -> int:
    status = client._sys_db.tables.workflow_status
    query = select(func.count()).where(status.c.status.in_(UNFINISHED))
    with client._sys_db.engine.connect() as connection:
        return connection.execute(query).scalar_one()


def _clear_done(client: DBOSClient) -> int:
    """DBOS keeps what a job was given in a table apart, so this reads unfinished ones only."""
    given, status = client._sys_db.tables.workflow_input, client._sys_db.tables.workflow_status
    done = select(status.c.workflow_uuid).where(
        status.c.workflow_uuid == given.c.workflow_uuid, status.c.status.in_(FINISHED)
    )
    with client._sys_db.engine.connect() as connection:
        found = list(
            connection.execute(select(given.c.workflow_uuid).where(done.exists())).scalars()
        )
    if found:
        with client._sys_db.engine.begin() as connection:
            connection.execute(delete(given).where(given.c.workflow_uuid.in_(found[:PAGE])))
    return len(found[:PAGE])


def _options(job: Job) -> EnqueueOptions:
    return {
        "workflow_name": JOB,
        "queue_name": job.queue,
        "workflow_id": job.id,
        "app_version": VERSION,
        "priority": job.position % POSITIONS or 1,
        "queue_partition_key": job.lane,
    }


class Sealed(Serializer):
    """JSON under the store's keys. An error is kept by the name of its type only."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def name(self) -> str:
        """How DBOS marks what was written so."""
        return "sealed_json"

    def serialize(self, data: Any) -> str:
        """`data` as a token. Raises TypeError for what JSON cannot hold."""
        return self._keys.encrypt(json.dumps(data, default=_plain))

    def deserialize(self, serialized_data: str) -> Any:
        """What is in the token; KeyMissing when no key opens it."""
        data = json.loads(self._keys.decrypt(serialized_data))
        if isinstance(data, dict) and set(data) == {"error"}:
            return RuntimeError(data["error"])
        return data


def _plain(value: object) -> object:
    if isinstance(value, BaseException):
        return {"error": type(value).__name__}
    raise TypeError(f"{type(value).__name__} is not kept in a job")


async def in_thread(call: Callable[[], Result]) -> Result:
    """What `call` gives, from a thread that holds nobody up when it never ends."""
    done: Future[Result] = Future()

    def work() -> None:
        if not done.set_running_or_notify_cancel():
            return
        try:
            done.set_result(call())
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=work, daemon=True, name="durable").start()
    return await asyncio.wrap_future(done)


def _use_wal(url: str) -> None:
    """Let readers of a SQLite file go on while it is written. DBOS leaves that to us."""
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=CONNECT_S)) as file:
            file.execute("PRAGMA journal_mode=WAL")


def _sync_address(url: str) -> str:
    """The same database for a driver that is not asynchronous."""
    address = url.replace("sqlite+aiosqlite:", "sqlite:", 1)
    if address.startswith("sqlite:"):
        return address
    for short in ("postgres://", "postgresql://"):
        if address.startswith(short):
            address = "postgresql+psycopg://" + address.removeprefix(short)
    parts = urlsplit(address)
    query = {"connect_timeout": str(CONNECT_S), **dict(parse_qsl(parts.query))}
    return urlunsplit(parts._replace(query=urlencode(query)))
