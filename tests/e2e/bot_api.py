"""A small Bot API over HTTP, with real getUpdates offsets and faults on demand."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "12345:stub-token"
BOT = {"id": 12345, "is_bot": True, "first_name": "Bot", "username": "CareBot"}
JSON = dict[str, Any]

NOT_FOUND = JSONResponse({"ok": False, "error_code": 404, "description": "Not Found"}, 404)
BLOCKED = JSONResponse(
    {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}, 403
)
BAD_BUTTON = JSONResponse(
    {"ok": False, "error_code": 400, "description": "Bad Request: BUTTON_DATA_INVALID"}, 400
)
CONFLICT = JSONResponse(
    {"ok": False, "error_code": 409, "description": "Conflict: terminated by other getUpdates"}, 409
)
GATEWAY = Response("<html>bad gateway</html>", 502)


def too_many(retry_after: int) -> Response:
    parameters = {"retry_after": retry_after}
    body = {"ok": False, "error_code": 429, "description": "Flood", "parameters": parameters}
    return JSONResponse(body, 429)


@dataclass(frozen=True, slots=True)
class Sent:
    chat_id: int
    text: str
    keys: list[str]
    at: float


class BotApi:
    """Telegram, as far as the bot can tell.

    `faults` are the responses that the next calls get: by chat for sendMessage, else by method.
    With `deaf_after_reply` it hears no getUpdates after the first reply, as if the bot were dead.
    """

    def __init__(self) -> None:
        self.updates: list[JSON] = []
        self.ever: list[JSON] = []
        self.offsets: list[int] = []
        self.sent: list[Sent] = []
        self.pressed: list[str] = []
        self.commands: list[str] = []
        self.deaf_after_reply = False
        self.hook: tuple[str, str] | None = None  # where updates are posted, and the secret
        self.faults: dict[int | str, deque[Response]] = defaultdict(deque)
        self.app = Starlette(routes=[Route("/bot{token}/{method}", self._call, methods=["POST"])])

    def texts(self, chat_id: int) -> list[str]:
        """What a chat got, in order."""
        return [sent.text for sent in self.sent if sent.chat_id == chat_id]

    @property
    def confirmed(self) -> int:
        """Every update below this id is forgotten."""
        return max(self.offsets, default=0)

    def give(self, update_id: int, **parts: Any) -> None:
        """An update waits to be fetched."""
        update = {"update_id": update_id} | parts
        self.updates.append(update)
        self.ever.append(update)

    def begin_again(self) -> None:
        """Every update there ever was waits again, as if none had been confirmed."""
        self.updates = list(self.ever)
        self.offsets.clear()

    def say(self, update_id: int, text: str, chat_id: int = 7) -> None:
        """Somebody wrote a text in a private chat."""
        self.give(update_id, message=message(text, chat_id))

    async def _call(self, request: Request) -> Response:
        method = request.path_params["method"]
        if request.path_params["token"] != TOKEN:
            return NOT_FOUND
        data: JSON = dict(request.query_params) | dict(await request.form())
        fault = int(data["chat_id"]) if method == "sendMessage" else method
        if method == "getUpdates" and self.deaf_after_reply and self.sent:
            return GATEWAY
        if self.faults[fault]:
            return self.faults[fault].popleft()
        return JSONResponse({"ok": True, "result": await self._result(method, data, request)})

    async def _result(self, method: str, data: JSON, request: Request) -> Any:
        if method == "getMe":
            return BOT
        if method == "getUpdates":
            return await self._get_updates(data, request)
        if method == "sendMessage":
            return self._send_message(data)
        if method == "setWebhook":
            self.hook = (data["url"], data["secret_token"])
        if method == "answerCallbackQuery":
            self.pressed.append(data["callback_query_id"])
        if method == "setMyCommands":
            self.commands = [command["command"] for command in json.loads(data["commands"])]
        return True

    async def _get_updates(self, data: JSON, request: Request) -> list[JSON]:
        offset = int(data.get("offset", 0))
        self.offsets.append(offset)
        self.updates = [update for update in self.updates if update["update_id"] >= offset]
        until = time.monotonic() + int(data["timeout"])
        while not self.updates and time.monotonic() < until:
            if await request.is_disconnected():
                break
            await asyncio.sleep(0.01)
        return sorted(self.updates, key=lambda update: update["update_id"])[: int(data["limit"])]

    def _send_message(self, data: JSON) -> JSON:
        rows = json.loads(data.get("reply_markup", "{}")).get("inline_keyboard", [])
        keys = [key["text"] for row in rows for key in row]
        self.sent.append(Sent(int(data["chat_id"]), data["text"], keys, time.monotonic()))
        return message(data["text"], int(data["chat_id"]))


def message(text: str, chat_id: int = 7) -> JSON:
    """A message as Telegram describes it."""
    person = {"id": abs(chat_id), "is_bot": False, "first_name": "Ada"}
    chat = {"id": chat_id, "type": "private"}
    return {"message_id": 1, "date": 1_760_000_000, "chat": chat, "from": person, "text": text}
