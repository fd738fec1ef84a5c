"""What many tests share: the real content with readers trained on it, and no outside network."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as property_settings
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from bot.core.decide import Content
from bot.reading import build
from bot.settings import read_settings
from tests.databases import (  # noqa: F401 - fixtures that every test may ask for
    anyio_backend,
    clock,
    database_url,
    empty_url,
    engine_name,
    keys,
    postgres_tables,
    postgres_url,
    sqlite_template,
    store,
)
from tests.reading import alone

# The same examples on every run, so that a build is red only for what it changed.
# HYPOTHESIS_PROFILE=explore looks for new ones.
property_settings.register_profile("gate", derandomize=True, deadline=None)
property_settings.register_profile("explore", max_examples=20_000, deadline=None)
property_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))

ROOT = Path(__file__).parents[1]
HERE = {"127.0.0.1", "localhost", "::1", "0.0.0.0"}


@pytest.fixture(autouse=True)
def _no_outside_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anywhere but this machine fails the test."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in HERE:
            raise AssertionError(f"a test tried to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


RECOMMENDED = PasswordHash.recommended


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that take a moment in production would take minutes here."""
    quick = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    monkeypatch.setattr(PasswordHash, "recommended", lambda: quick)


@pytest.fixture
def strong_passwords(_quick_passwords: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hashes of production."""
    monkeypatch.setattr(PasswordHash, "recommended", RECOMMENDED)


@pytest.fixture(scope="session")
def content() -> Content:
    """The shipped content; trained once and kept in the folder of trained readers."""
    settings = read_settings()
    with alone(settings.trained):
        return build(ROOT, trained=settings.trained, embeddings=settings.embeddings)
