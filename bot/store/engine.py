"""The database underneath: SQLite or PostgreSQL, opened alike, its errors translated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import SettingsError, StoreAway, StoreError, StoreMissing

BUSY_MS = 2_000  # how long a writer waits for another before the store counts as locked
CONNECT_S = 3  # seconds; PostgreSQL
STATEMENT_MS = 15_000  # PostgreSQL; far above any statement of ours
READERS = 4
FOR_REPLIES = 2  # connections that only replies use
BROKEN = ("not a database", "malformed", "no such table", "file is encrypted")


@dataclass(frozen=True, slots=True)
class Database:
    """An open database. Everything is written through `writer`, one at a time.

    `first` is for what a reply waits for: no list or export can use its connections up.
    """

    reader: AsyncEngine
    writer: AsyncEngine
    first: AsyncEngine

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a SQLite file."""
        return self.writer.dialect.name == "sqlite"

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one moment of the database. Raises StoreAway, StoreError."""
        with _translated():
            async with self.reader.connect() as connection:
                yield connection

    @asynccontextmanager
    async def reading_for_reply(self) -> AsyncIterator[AsyncConnection]:
        """The same, past everybody else who reads. Raises StoreAway, StoreError."""
        with _translated():
            async with self.first.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: all of it is kept, or none. Raises StoreAway, StoreError."""
        with _translated():
            async with self.writer.begin() as connection:
                yield connection

    async def close(self) -> None:
        """Let go of every connection."""
        for each in {self.reader, self.writer, self.first}:
            await each.dispose()


def connect(url: str) -> Database:
    """The database at `url`; nothing is opened yet. Raises SettingsError for a bad address."""
    address = _address(url)
    if address.get_backend_name() == "sqlite":
        return _sqlite(address)
    options = f"-c statement_timeout={STATEMENT_MS} -c lock_timeout={BUSY_MS} -c timezone=UTC"

    def made(size: int) -> AsyncEngine:
        return create_async_engine(
            address,
            pool_size=size,
            pool_timeout=CONNECT_S,
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_S, "options": options},
            hide_parameters=True,
        )

    engine = made(READERS)
    return Database(engine, engine, made(FOR_REPLIES))


def need_file(url: str) -> None:
    """Look for the file of a SQLite database. Raises StoreMissing where there is none."""
    address = _address(url)
    if address.get_backend_name() != "sqlite" or not address.database:
        return
    file = Path(address.database)
    if not file.is_file() or not file.stat().st_size:
        raise StoreMissing(missing(f"the file {file.absolute()}"))


def missing(where: str) -> str:
    """That there is no store, and what makes one. `where` was looked at."""
    return (
        f"There is no store yet: looked for {where} (VAR_DIR, DATABASE_URL). The first start of "
        "the bot makes it."
    )


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise SettingsError(
            "DATABASE_URL is not an address; sqlite:///var/bot.db and "
            "postgresql://user:password@host/name are."
        ) from error
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}
    drivers["postgres"] = drivers["postgresql"]
    name = address.drivername.partition("+")[0]
    if name not in drivers:
        raise SettingsError(f"DATABASE_URL names {name!r}; sqlite or postgresql was expected.")
    return address.set(drivername=drivers[name])


def _sqlite(address: URL) -> Database:
    if not address.database or address.database == ":memory:":
        raise SettingsError("DATABASE_URL names no file; write it as sqlite:///var/bot.db.")
    folder = Path(address.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreAway(f"The folder {folder} cannot be made ({error.strerror}).") from error
    writer = _sqlite_engine(address, "BEGIN IMMEDIATE", size=1)
    reader = _sqlite_engine(address, "BEGIN", size=READERS)
    return Database(reader, writer, _sqlite_engine(address, "BEGIN", size=FOR_REPLIES))


def _sqlite_engine(address: URL, begin: str, *, size: int) -> AsyncEngine:
    engine = create_async_engine(
        address,
        pool_size=size,
        max_overflow=0,
        pool_timeout=BUSY_MS / 1000,
        connect_args={"timeout": BUSY_MS / 1000},
        hide_parameters=True,
    )

    def prepare(connection: Any, _record: Any) -> None:
        # The driver's own BEGIN would come too late to take the write lock first.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    event.listen(engine.sync_engine, "connect", prepare)
    event.listen(engine.sync_engine, "begin", lambda conn: conn.exec_driver_sql(begin))
    return engine


class _translated:
    """Turns the driver's errors into ours; the text of a statement never gets out."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, PoolTimeout | InterfaceError | OSError | asyncio.TimeoutError):
            raise StoreAway("The database does not answer; it is tried again.") from error
        if isinstance(error, DBAPIError):
            raise _own(error) from error
        if isinstance(error, SQLAlchemyError):
            raise StoreError(f"The database refused: {type(error).__name__}.") from error


def _own(error: DBAPIError) -> StoreError:
    reason = str(error.orig).splitlines()[0] if error.orig and str(error.orig) else "no reason"
    if any(sign in reason for sign in BROKEN):
        return StoreError(
            f"The database cannot be read ({reason}); put a backup in its place or move it away."
        )
    if isinstance(error, OperationalError) or error.connection_invalidated:
        return StoreAway(f"The database is away or busy ({reason}); it is tried again.")
    # The reason of other errors may quote a value, so only its class is told.
    return StoreError(f"The database refused: {type(error.orig).__name__}.")


async def ping(database: Database) -> None:
    """Ask the database for a sign of life. Raises StoreAway."""
    async with database.reading() as connection:
        await connection.execute(text("SELECT 1"))
