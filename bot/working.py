"""Starts durable work beside the channels, and ends it in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from bot.alerts import QUEUE, Alerts, AppriseLine, Line
from bot.channels.telegram import Telegram
from bot.clock import SteadyClock
from bot.content.reasons import reasons_in
from bot.errors import StoreAway, StoreError
from bot.health import Lines
from bot.service import Service
from bot.settings import Settings
from bot.store import Keys, Retention
from bot.work import Durable, Intake, Job, Queue, in_thread, queues

log = logging.getLogger(__name__)

AGAIN_S = 5.0  # seconds between attempts to begin while the database is away
FIRST_S = 3.0  # how long the start waits for durable work before it goes on without
FAREWELL_S = 10.0  # how long the end waits for the updates under way
KNOWN = timedelta(days=3)  # how long an update is known; Telegram delivers none after a day
CLEAR_S = 2.0  # seconds after which nothing is left of what a finished job was given
CHORES = Queue("chores", 2.0)
CHORES_S = 60.0  # seconds between two looks whether the hour's chores are kept


@asynccontextmanager
async def working(
    settings: Settings,
    keys: Keys,
    service: Service,
    telegram: Telegram | None,
    say: Callable[[str], None],
    clock: SteadyClock,
    lines: Lines,
) -> AsyncIterator[Callable[[], Awaitable[int | None]]]:
    """Durable work while this lasts: updates are kept, staff are alerted, old texts deleted."""
    if not settings.durable_work:
        yield _no_backlog
        return
    own = queues(settings.replica, settings.work_poll_s)
    durable = Durable(
        settings.work_database, keys, executor=settings.replica, queues=(*own, QUEUE, CHORES)
    )
    intake = None
    if telegram:
        intake = Intake(telegram.answer, durable, executor=settings.replica, lane_of=keys.subject)
        telegram.through(intake.take)
    alerts = Alerts(
        lambda: service.store,
        durable,
        _lines(settings, service, telegram, say, clock, lines),
        settings.rules,
        console_url=settings.web_origin,
        told=lambda name, arrived: lines.tell(name, arrived=arrived),
        now=clock,
        steady=clock.steady,
    )
    do_chores(durable, service, settings, clock)
    opening = asyncio.create_task(_open(durable, intake))
    await asyncio.wait({opening}, timeout=FIRST_S)
    others = [
        asyncio.create_task(alerts.watch()),
        asyncio.create_task(_keep_chores(durable, clock)),
    ]
    others.append(asyncio.create_task(_clear_done(durable)))
    try:
        yield partial(_backlog, durable)
    finally:
        for task in (opening, *others):
            task.cancel()
        if intake:
            await intake.finish(FAREWELL_S)
        await durable.close()


async def _no_backlog() -> None:
    """For when no work is kept."""


async def _backlog(durable: Durable) -> int | None:
    try:
        return await durable.backlog()
    except Exception:  # whatever the database raises: it is away
        return None


async def _open(durable: Durable, intake: Intake | None) -> None:
    """Begins durable work, trying again for as long as the database is away."""
    while True:
        try:
            return await durable.open(before=intake.remember if intake else lambda _: None)
        except StoreAway as error:
            log.error("durable work away, messages are answered all the same: %s", error)
            await asyncio.sleep(AGAIN_S)


def _lines(
    settings: Settings,
    service: Service,
    telegram: Telegram | None,
    say: Callable[[str], None],
    clock: SteadyClock,
    lines: Lines,
) -> list[Line]:
    """Every way to reach staff; what is wrong with one is told, and the others work."""
    mail = AppriseLine(settings.alert_urls.get_secret_value().split())
    for problem in mail.problems:
        log.error(problem)
        say(problem)
        lines.tell(problem.partition(" is ")[0], arrived=False)
    if telegram is None:
        return [mail]
    reasons = reasons_in(service.content)
    chat_id = settings.staff_chat_id
    desk = telegram.with_desk(lambda: service.store, chat_id, reasons=reasons, now=clock)
    return [desk, mail]


def do_chores(durable: Durable, service: Service, settings: Settings, clock: SteadyClock) -> None:
    """Says what the chores of each hour are: retention, and forgetting old work.

    Nothing is deleted by a time that is in doubt.
    """
    retention = Retention(
        texts=timedelta(days=settings.retention_text_days),
        skeletons=timedelta(days=settings.retention_skeleton_days),
    )

    async def chores(_: dict[str, Any]) -> None:
        if clock.is_doubtful:
            log.warning("nothing is deleted for a day, as the clock of this machine jumped")
            return
        while True:
            try:
                if service.store is not None:
                    await service.store.redact_due(retention)
                    await durable.drop_older(KNOWN)
                    return
            except StoreError as error:
                log.warning("retention waits for the store: %s", error)
            await asyncio.sleep(AGAIN_S)

    durable.on("chores", chores)


async def _clear_done(durable: Durable) -> None:
    """Deletes what jobs were given as soon as they are done: it holds what people wrote."""
    while True:
        try:
            await durable.clear_done()
        except Exception as error:  # whatever the database raises: tried again
            log.warning("done work not cleared", extra={"error": type(error).__name__})
        await asyncio.sleep(CLEAR_S)


async def _keep_chores(durable: Durable, clock: SteadyClock) -> None:
    """Keeps each hour's chores once, whichever process comes first."""
    while True:
        if durable.is_open:
            hour = f"{clock():chores-%Y-%m-%dT%H}"
            job = Job(hour, CHORES.name, "chores", {}, lane="chores")
            try:
                await in_thread(lambda job=job: durable.keep([job]))  # type: ignore[misc]
            except Exception as error:  # whatever the database raises: tried again
                log.warning("chores not kept", extra={"error": type(error).__name__})
        await asyncio.sleep(CHORES_S)
