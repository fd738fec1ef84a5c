"""An empty database of each kind, for measuring on both."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.listing import postgres_url


def each_database() -> Iterator[tuple[str, str, Path]]:
    """Its name, its address and an empty folder, on SQLite and then on PostgreSQL."""
    with tempfile.TemporaryDirectory() as folder:
        yield "SQLite", f"sqlite:///{folder}/bot.db", Path(folder)
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        server = postgres_url(stack)
        if server is None:
            print("PostgreSQL: no server; set TEST_DATABASE_URL or install the dev requirements.")
            return
        yield "PostgreSQL", server, Path(folder)
