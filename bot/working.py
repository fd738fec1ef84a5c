"""Starts durable work beside the channels, and ends it in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from bot.channels.telegram import Telegram
from bot.errors import StoreAway
from bot.settings import Settings
from bot.store import Keys
from bot.work import Durable, Intake, queues

log = logging.getLogger(__name__)

AGAIN_S = 5.0  # seconds between attempts to begin while the database is away
FIRST_S = 3.0  # how long the start waits for durable work before it goes on without
FAREWELL_S = 10.0  # how long the end waits for the updates under way
KNOWN = timedelta(days=3)  # how long an update is known; Telegram delivers none after a day
DROP_S = 3600.0  # seconds between two looks for what is older


@asynccontextmanager
async def working(settings: Settings, keys: Keys, telegram: Telegram | None) -> AsyncIterator[None]:
    """Durable work while this lasts: updates are kept before Telegram is told."""
    if not settings.durable_work:
        yield
        return
    durable = Durable(
        settings.work_database,
        keys,
        executor=settings.replica,
        queues=queues(settings.replica, settings.work_poll_s),
    )
    intake = None
    if telegram:
        intake = Intake(telegram.answer, durable, executor=settings.replica, lane_of=keys.subject)
        telegram.through(intake.take)
    opening = asyncio.create_task(_open(durable, intake))
    await asyncio.wait({opening}, timeout=FIRST_S)
    try:
        yield
    finally:
        opening.cancel()
        if intake:
            await intake.finish(FAREWELL_S)
        await durable.close()


async def _open(durable: Durable, intake: Intake | None) -> None:
    """Begins durable work, trying again for as long as the database is away."""
    while True:
        try:
            await durable.open(before=intake.remember if intake else lambda _: None)
            break
        except StoreAway as error:
            log.error("durable work away, messages are answered all the same: %s", error)
            await asyncio.sleep(AGAIN_S)
    while True:
        try:
            await durable.drop_older(KNOWN)
        except Exception as error:  # whatever the database raises: tried again later
            log.warning("old work not deleted", extra={"error": type(error).__name__})
        await asyncio.sleep(DROP_S)
