"""Brings a database to the newest schema, and refuses one that a newer version wrote."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from bot.errors import StoreMissing, StoreNewer
from bot.store.engine import missing

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x6261636C  # PostgreSQL's advisory lock for migrating: "bacl"


def migrate(connection: Connection, *, create: bool = True) -> None:
    """Run every migration that `connection`'s database lacks, in its transaction.

    Raises StoreNewer when the database has one that this version does not know; StoreMissing
    when it has none at all and `create` is False.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    found = set(MigrationContext.configure(connection).get_current_heads())
    known = revisions()
    if not found and not create:
        raise StoreMissing(missing(f"tables in the database {connection.engine.url.database}"))
    if strange := found - set(known):
        raise StoreNewer(
            f"The database is at {', '.join(sorted(strange))}, which this version does not "
            f"know (its newest is {known[0]}); install the newer version."
        )
    if found != {known[0]}:
        command.upgrade(configuration(connection), "head")


@cache
def revisions() -> tuple[str, ...]:
    """Our migrations, the newest first. They are one row: no two follow the same one."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    return tuple(script.revision for script in scripts.walk_revisions())


def configuration(connection: Connection) -> Config:
    """Alembic's settings for our migrations on `connection`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
