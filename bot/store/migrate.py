"""Brings a database to the newest schema, and refuses one that a newer version wrote."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from bot.errors import StoreNewer

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x6261636C  # PostgreSQL's advisory lock for migrating: "bacl"


def migrate(connection: Connection) -> None:
    """Run every migration that `connection`'s database lacks, in its transaction.

    Raises StoreNewer when the database has one that this version does not know.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    config = configuration(connection)
    scripts = ScriptDirectory.from_config(config)
    found = set(MigrationContext.configure(connection).get_current_heads())
    known = {script.revision for script in scripts.walk_revisions()}
    if found - known:
        raise StoreNewer(
            f"The database is at {', '.join(sorted(found - known))}, which this version does not "
            f"know (its newest is {scripts.get_current_head()}); install the newer version."
        )
    if found != set(scripts.get_heads()):
        command.upgrade(config, "head")


def configuration(connection: Connection) -> Config:
    """Alembic's settings for our migrations on `connection`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
