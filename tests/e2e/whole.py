"""The whole bot behind a channel: the shipped content, a real store, a real spool."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from fastapi import FastAPI

from bot.channels.web import Webhook, web_app
from bot.core.decide import Content, decide
from bot.core.model import Message, Person
from bot.reading import build
from bot.service import Service
from bot.settings import Settings
from bot.store import Keys, Spool, Store
from tests.databases import PATIENT_S
from tests.reading import alone

ROOT = Path(__file__).parents[2]


@lru_cache
def content() -> Content:
    """The shipped content, read by words only; what training made of it is kept."""
    settings = Settings(_env_file=None, var_dir=ROOT / "var")
    with alone(settings.trained):
        return build(ROOT, trained=settings.trained, embeddings="off")


@asynccontextmanager
async def whole_bot(folder: Path) -> AsyncIterator[Service]:
    """A service with everything that it has in production, kept in `folder`."""
    keys = Keys.generate()
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'bot.db'}", keys)
    try:
        yield Service(content(), Spool(folder, keys), store, store_timeout_s=PATIENT_S)
    finally:
        await store.close()


def web_of(service: Service, webhook: Webhook | None = None) -> FastAPI:
    """The web chat of this service."""
    start = decide(Message(chat="web", text="/start"), Person(), service.content)
    welcome = replace(start.reply, can_wait=True)
    return web_app(
        service, welcome=lambda: welcome, privacy=lambda: "We keep little.", webhook=webhook
    )
