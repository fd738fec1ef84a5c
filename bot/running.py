"""Starts the bot: store, spool, service and the channels, and ends them in order."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from socket import socket
from tempfile import mkdtemp

import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette

from bot.channels import terminal
from bot.channels.telegram import Telegram
from bot.channels.web.app import Webhook, web_app
from bot.clock import SteadyClock
from bot.console import Oidc, Shelf, ensure_first_admin, staff_app
from bot.content.reasons import reasons_in
from bot.core.clocks import NEVER
from bot.core.decide import Content, decide
from bot.core.knowledge import Practice
from bot.core.model import Decision, Message, Person, Reply
from bot.core.replies import Scribe, answer_texts
from bot.errors import ChannelError, SettingsError, StoreError
from bot.health import Health, Lines, health_of
from bot.metrics import metrics, metrics_page
from bot.reading import warm
from bot.service import Service
from bot.settings import Settings
from bot.startup import interruptible, port_fault, take_place
from bot.store import Keys, Spool, Store
from bot.takeover import Takeover
from bot.working import working

log = logging.getLogger(__name__)
Say = Callable[[str], None]
SWITCH_S = 0.0005  # how long a thread may keep the interpreter while another waits for it
NO_STORE = "none"  # in place of an address, for a run without keys
STORE_AGAIN_S = 5.0  # seconds between attempts to reach a store that is away


async def serve(settings: Settings, *, content: Callable[[], Content], say: Say) -> None:
    """Runs the web chat, and Telegram where there is a token, until it is stopped."""
    say = _unfailing(say)
    async with AsyncExitStack() as stack:
        place = stack.enter_context(closing(take_place(settings)))
        settings, keys = _with_keys(settings, say)
        with interruptible():  # to learn from the examples takes minutes
            run = as_it_is_run(content(), settings)
        clock = SteadyClock()
        service = await stack.enter_async_context(_service(settings, keys, run, clock))
        telegram = await _telegram(settings, service, stack)
        lines = Lines()
        backlog = await stack.enter_async_context(
            working(settings, keys, service, telegram, say, clock, lines)
        )
        health = health_of(service, lines, settings.embeddings)
        webhook = _webhook(settings, telegram)
        takeover = _takeover(settings, service, telegram, clock)
        web_chat = _web(settings, service, webhook, takeover, clock)
        recording = settings.database != NO_STORE
        figures = partial(metrics, service, backlog, model=health().model, recording=recording)
        token = settings.metrics_token.get_secret_value()
        proxied = bool(settings.web_origin)  # people come by another address than this process's
        page = metrics_page(figures, token=token, proxied=proxied)
        web_chat.add_route("/metrics", page)
        web_chat.mount("/staff", _console(settings, keys, service, takeover, clock, health))
        if service.store is not None:
            told = await ensure_first_admin(service.store)
            if told:
                say(told)
        config = uvicorn.Config(
            web_chat,
            host=settings.web_host,
            port=settings.web_port,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=3,  # seconds; an open live queue would wait for ever
            access_log=False,  # addresses and paths of people are not ours to log
        )
        _settle()
        async with asyncio.TaskGroup() as tasks:
            server = uvicorn.Server(config)
            web = tasks.create_task(_web_until_stopped(server, place, settings, say))
            others = [tasks.create_task(_upkeep(service, clock))]
            others.append(tasks.create_task(asyncio.to_thread(warm, run)))
            if takeover:
                others.append(tasks.create_task(takeover.watch()))
            others.append(tasks.create_task(_telegram_work(settings, telegram, webhook, say)))
            await web
            for task in others:
                task.cancel()


def _settle() -> None:
    """Make the process answer evenly, once everything is loaded.

    The content is some hundred thousand objects that live as long as the process; a full
    garbage collection that walks them takes 50 ms and more. And a thread that keeps records
    holds the interpreter for 5 ms at a time by default, at each of a reply's many steps.
    Measured by `python -m benchmarks.latency`.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_S)


async def talk_in_terminal(settings: Settings, *, content: Callable[[], Content]) -> None:
    """The terminal chat, with the same store as the rest."""
    run = as_it_is_run(content(), settings)
    settings, keys = _with_keys(settings, _say_nothing)
    async with _service(settings, keys, run, SteadyClock()) as service:
        await terminal.chat(service)


def as_it_is_run(content: Content, settings: Settings) -> Content:
    """The content with what people are told of this service: its hours and its sampling."""
    practice = Practice(sampled=settings.sample_rate, near_sampled=settings.sample_near_rate)
    duty = NEVER if settings.staff_replies == "off" else settings.rules.calendar
    knowledge = replace(content.knowledge, practice=practice)
    return replace(content, knowledge=knowledge, duty=duty)


def _with_keys(settings: Settings, say: Say) -> tuple[Settings, Keys]:
    """The keys. Where they cannot be used people are answered all the same.

    Then there are others for this run, which touch neither database nor spool: what they
    encrypt nobody could ever read.
    """
    try:
        return settings, _keys(settings, say)
    except SettingsError as error:
        problem = f"{error} Until it is mended and the bot started again, NOTHING IS RECORDED."
        log.error(problem)
        say(problem)
    own = {"durable_work": False, "var_dir": Path(mkdtemp(prefix="bot-")), "database_url": NO_STORE}
    return settings.model_copy(update=own), Keys.generate()


def _keys(settings: Settings, say: Say) -> Keys:
    try:
        settings.var_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"VAR_DIR: {settings.var_dir} cannot be made ({error.strerror})."
        log.error("%s Records wait in memory while the database is away.", problem)
    keys, fresh = Keys.load_or_create(settings.keys_file)
    if fresh:
        say(
            f"New encryption keys: {settings.keys_file}. Move the file to a safe place, back it "
            "up, and set ENCRYPTION_KEYS_FILE. Without it kept texts cannot be read."
        )
    return keys


@asynccontextmanager
async def _service(
    settings: Settings, keys: Keys, content: Content, clock: SteadyClock
) -> AsyncIterator[Service]:
    service = Service(
        content,
        Spool(settings.var_dir, keys),
        store_timeout_s=settings.store_timeout_s,
        staff_write=settings.staff_replies != "off",
        clock=clock,
    )
    opening = asyncio.create_task(_open_store(service, settings, keys, clock))
    # A store that answers is there before the first message; one that does not never delays.
    await asyncio.wait({opening}, timeout=settings.store_timeout_s * 6)
    if opening.done():
        opening.result()
    try:
        yield service
    finally:
        opening.cancel()
        if service.store is not None:
            await _catch_up(service)
            await service.store.close()


async def _open_store(service: Service, settings: Settings, keys: Keys, clock: SteadyClock) -> None:
    """Opens the store, trying again for as long as it is away."""
    while settings.database != NO_STORE:
        try:
            service.store = await Store.open(
                settings.database, keys, rules=settings.rules, now=clock
            )
        except StoreError as error:
            log.error("no store, records wait in the spool: %s", error)
            await asyncio.sleep(STORE_AGAIN_S)
        else:
            await service.drain_spool()
            return


async def _upkeep(service: Service, clock: SteadyClock) -> None:
    """Hands over what waits in the spool and in memory, and watches the clock."""
    while True:
        clock()
        await _catch_up(service)
        await asyncio.sleep(STORE_AGAIN_S)


async def _catch_up(service: Service) -> None:
    try:
        await service.catch_up()
    except StoreError as error:
        log.warning("store away: %s", error)
    except Exception as error:  # nothing in the spool may stop the answers
        log.error("the spool was not handed over: %s", type(error).__name__)


async def _telegram_work(
    settings: Settings, telegram: Telegram | None, webhook: Webhook | None, say: Say
) -> None:
    """Answers on Telegram. A refused token is told; the web chat goes on without it."""
    if telegram is None:
        say("Telegram: off. Set BOT_TOKEN (get one from @BotFather) to switch it on.")
        return
    try:
        if webhook:
            await telegram.listen(settings.telegram_webhook_url + webhook.path, webhook.secret)
            say("Telegram: answering by webhook.")
        else:
            say("Telegram: answering by polling.")
            await _poll_for_ever(telegram)
    except ChannelError as error:
        log.error("Telegram is off: %s", error)
        say(f"Telegram: off. {error}")


async def _poll_for_ever(telegram: Telegram) -> None:
    """Polls; after an error that nobody foresaw it begins again, beside the web chat."""
    while True:
        try:
            return await telegram.poll()
        except ChannelError:
            raise
        except Exception as error:
            log.error("polling begins again after %s", type(error).__name__)
            await asyncio.sleep(STORE_AGAIN_S)


async def _telegram(settings: Settings, service: Service, stack: AsyncExitStack) -> Telegram | None:
    if settings.bot_token is None or not settings.bot_token.get_secret_value():
        return None
    telegram = Telegram(
        service, settings.bot_token.get_secret_value(), api_url=settings.telegram_api_url
    )
    return await stack.enter_async_context(telegram)


def _webhook(settings: Settings, telegram: Telegram | None) -> Webhook | None:
    if telegram is None or not settings.telegram_webhook_url or settings.bot_token is None:
        return None
    # Derived from the token, so that every replica knows them and nobody else does.
    token = settings.bot_token.get_secret_value()
    path = "/telegram/" + sha256(f"path {token}".encode()).hexdigest()[:32]
    secret = sha256(f"secret {token}".encode()).hexdigest()
    return Webhook(path, secret, telegram.handle_json)


def _takeover(
    settings: Settings, service: Service, telegram: Telegram | None, clock: SteadyClock
) -> Takeover | None:
    """The way of staff to people, where it is switched on."""
    if settings.staff_replies == "off":
        return None
    return Takeover(
        lambda: service.store,
        service.content.knowledge,
        {"tg": telegram.write} if telegram else {},
        free=settings.staff_replies == "free",
        now=clock,
    )


def _web(
    settings: Settings,
    service: Service,
    webhook: Webhook | None,
    takeover: Takeover | None,
    clock: SteadyClock,
) -> FastAPI:
    def scribe() -> Scribe:
        return Scribe(service.content.at(clock()), Person(), "web")

    def welcome() -> Reply:
        start = Message(chat="web", text="/start", at=clock())
        return decide(start, Person(), service.content).reply

    def privacy() -> str:
        now = scribe()
        return answer_texts(now, now.english.answers["privacy"])

    return web_app(
        service,
        welcome=welcome,
        privacy=privacy,
        watch=lambda: (now := scribe()).watch(now.english),
        staff=takeover.fetch if takeover else None,
        left=service.leave,
        secure=settings.web_origin.startswith("https://"),
        webhook=webhook,
    )


def _oidc(settings: Settings) -> Oidc | None:
    """The identity provider, where one is set."""
    if not settings.oidc_issuer:
        return None
    return Oidc(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        origin=settings.web_origin,
    )


def _console(
    settings: Settings,
    keys: Keys,
    service: Service,
    takeover: Takeover | None,
    clock: SteadyClock,
    health: Callable[[], Health],
) -> Starlette:
    """The staff console; its pages answer 503 while the store is away."""

    def rerun(text: str) -> Decision:
        return decide(Message(chat="rerun", text=text), Person(), service.content)

    return staff_app(
        lambda: service.store,
        secret=keys.fingerprint("console sessions"),
        rules=settings.rules,
        rerun=rerun,
        takeover=takeover,
        now=clock,
        oidc=_oidc(settings),
        secure=settings.web_origin.startswith("https://"),
        reasons=reasons_in(service.content),
        health=health,
        shelf=Shelf(lambda: service.content, settings.content_dir),
    )


async def _web_until_stopped(
    server: uvicorn.Server, place: socket, settings: Settings, say: Say
) -> None:
    started = asyncio.create_task(server.serve(sockets=[place]))
    while not server.started and not started.done():
        await asyncio.sleep(0.02)
    if server.started:
        host, port = place.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        say(f"Web chat: open http://{shown}:{port} in a browser. Stop with Ctrl-C.")
    try:
        await started
    except OSError as error:  # somebody else began to listen while we started
        raise ChannelError(port_fault(settings, error)) from error


def _unfailing(say: Say) -> Say:
    """The same for when nobody can hear it, as the disk is full or the terminal gone."""

    def told(text: str) -> None:
        with suppress(OSError):
            say(text)

    return told


def _say_nothing(_: str) -> None:
    """For a channel whose screen is the conversation itself."""
