"""The whole bot on Telegram by webhook, against telemelya: a Bot API that others wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.channels.telegram import Telegram
from bot.channels.web import Webhook
from bot.core.model import Level
from bot.store import Store
from tests.databases import PATIENT_S
from tests.e2e.bot_api import TOKEN, message
from tests.e2e.servers import serving
from tests.e2e.whole import web_of, whole_bot

pytestmark = pytest.mark.e2e

CHAT = 7
PATH = "/telegram/secret-path"
SECRET = "webhook-secret"
Sent = dict[str, Any]


class Edge:
    """Telegram's edge: it brings the secret along, which telemelya does not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        secret = (b"x-telegram-bot-api-secret-token", SECRET.encode())
        scope["headers"] = [*scope["headers"], secret]
        await self._app(scope, receive, send)


class Chat:
    """What a person can do and see on Telegram."""

    def __init__(self, control: httpx.AsyncClient, hook: str, store: Store) -> None:
        self._control = control
        self._hook = hook
        self.store = store

    async def write(self, text: str) -> list[Sent]:
        """Send a text and give all that the bot did about it."""
        return await self._do({"text": text})

    async def press(self, action: str) -> list[Sent]:
        """Press a button and give all that the bot did about it."""
        return await self._do({"callback_data": action})

    async def deliver(self, update: Sent) -> list[Sent]:
        """Have Telegram deliver an update of a kind that telemelya cannot make."""
        seen = len(await self._responses())
        answer = await self._control.post(self._hook, json=update)
        assert answer.status_code == 200
        return (await self._responses())[seen:]

    async def _do(self, what: Sent) -> list[Sent]:
        seen = len(await self._responses())
        answer = await self._control.post(
            "/api/v1/test/send_update", params={"bot_token": TOKEN}, json={"chat_id": CHAT} | what
        )
        assert answer.json()["delivery"]["status_code"] == 200
        return (await self._responses())[seen:]

    async def _responses(self) -> list[Sent]:
        answer = await self._control.get("/api/v1/test/responses")
        responses: list[Sent] = answer.json()["responses"]
        return responses


@asynccontextmanager
async def telemelya(monkeypatch: pytest.MonkeyPatch, folder: Path) -> AsyncIterator[str]:
    """The address of the emulated Bot API."""
    monkeypatch.chdir(folder)  # it reads a .env of where it starts
    from telemelya.server.app import app  # type: ignore[import-untyped]
    from telemelya.server.state import state_manager  # type: ignore[import-untyped]

    redis = FakeAsyncRedis(decode_responses=True)
    monkeypatch.setattr(state_manager, "_redis", redis)
    async with serving(app) as url:
        yield url
    await redis.aclose()


@asynccontextmanager
async def on_telegram(monkeypatch: pytest.MonkeyPatch, folder: Path) -> AsyncIterator[Chat]:
    """The whole bot, registered with the emulated Bot API."""
    async with (
        telemelya(monkeypatch, folder) as api_url,
        whole_bot(folder) as service,
        Telegram(service, TOKEN, api_url=api_url) as telegram,
        serving(Edge(web_of(service, Webhook(PATH, SECRET, telegram.handle_json)))) as web_url,
        httpx.AsyncClient(
            base_url=api_url,
            headers={"authorization": "Bearer x", "x-test-session": "default"},
            timeout=PATIENT_S,
        ) as control,
    ):
        assert service.store is not None
        await telegram.listen(web_url + PATH, SECRET)
        yield Chat(control, web_url + PATH, service.store)


@pytest.fixture
def talk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[Callable[[Chat], Coroutine[None, None, None]]], None]:
    """Run a conversation with the bot."""

    async def scenario(conversation: Callable[[Chat], Coroutine[None, None, None]]) -> None:
        async with on_telegram(monkeypatch, tmp_path) as chat, asyncio.timeout(60):
            await conversation(chat)

    return lambda conversation: asyncio.run(scenario(conversation))


Talk = Callable[[Callable[[Chat], Coroutine[None, None, None]]], None]


def said(sent: list[Sent]) -> str:
    return "\n".join(one["text"] for one in sent if one["method"] == "sendMessage")


def buttons(sent: list[Sent]) -> dict[str, str]:
    """Label to action of the buttons below the last message."""
    markup = sent[-1]["reply_markup"] or {"inline_keyboard": []}
    return {key["text"]: key["callback_data"] for row in markup["inline_keyboard"] for key in row}


def test_a_question_and_its_follow_up(talk: Talk) -> None:
    async def conversation(chat: Chat) -> None:
        first = await chat.write("Can I drink alcohol while I take baclofen?")
        second = await chat.write("and with wine?")

        assert "alcohol" in said(first)
        assert "alcohol" in said(second)

    talk(conversation)


def test_an_emergency_and_its_guide(talk: Talk) -> None:
    async def conversation(chat: Chat) -> None:
        card = await chat.write("my mum took a whole bottle of baclofen and I cannot wake her")
        pressed = await chat.press(next(iter(buttons(card).values())))

        assert "112" in said(card).splitlines()[0]
        assert pressed[0]["method"] == "answerCallbackQuery" or "112" in said(pressed)
        assert "112" in said(pressed)
        assert buttons(pressed)
        case = (await chat.store.list())[0]
        assert case.level is Level.EMERGENCY

    talk(conversation)


def test_a_crisis(talk: Talk) -> None:
    async def conversation(chat: Chat) -> None:
        card = await chat.write("I want to kill myself")

        assert "112" in said(card)
        assert (await chat.store.list())[0].level is Level.SUICIDE_CRISIS

    talk(conversation)


def test_a_forged_button(talk: Talk) -> None:
    async def conversation(chat: Chat) -> None:
        sent = await chat.press("'; DROP TABLE cases; --")

        assert "answerCallbackQuery" in [one["method"] for one in sent]
        assert said(sent)

    talk(conversation)


def test_a_voice_note(talk: Talk) -> None:
    voice = {"file_id": "f", "file_unique_id": "u", "duration": 3}
    spoken = {key: value for key, value in message("").items() if key != "text"}

    async def conversation(chat: Chat) -> None:
        sent = await chat.deliver({"update_id": 1, "message": spoken | {"voice": voice}})

        assert "112" in said(sent)

    talk(conversation)


def test_a_redelivered_update_is_answered_once(talk: Talk) -> None:
    update = {"update_id": 1, "message": message("what is baclofen")}

    async def conversation(chat: Chat) -> None:
        first, again = await chat.deliver(update), await chat.deliver(update)

        assert said(first)
        assert again == []

    talk(conversation)
