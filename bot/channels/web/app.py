"""The web application: its routes, and how a message from the page becomes a reply."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from pydantic import BaseModel
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from bot.channels.receiver import Receiver
from bot.channels.web.conversations import Conversation, Conversations, Turn
from bot.channels.web.guard import MAX_BODY, Guard
from bot.channels.web.pages import STATIC, Pages
from bot.core.model import Decision, DeliveryStatus, Message, Reply
from bot.delivery import Send, StaffLine, Told
from bot.errors import whereabouts
from bot.turns import Turns

log = logging.getLogger(__name__)

# The ticket of the conversation; and that its page looks for lines of staff, which every
# process that serves the page has to know.
_COOKIES = ("chat", "look")
_FAREWELL_S = 10.0  # how long the end waits for what is still being kept
# What the page's fixed buttons send, and how that looks in the conversation.
_SHOWN_AS = {"/emergency": "Emergency", "/start": "Start again"}


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where Telegram posts its updates, the secret it has to bring, and who handles them."""

    path: str
    secret: str
    handle: Callable[[dict[str, Any]], Awaitable[None]]


Fetch = Callable[[str, int], Awaitable[tuple[StaffLine, ...]]]


class Said(BaseModel):
    """What the page sends: a text, or the action of a button."""

    text: str = ""
    button: str = ""


def web_app(
    receiver: Receiver,
    *,
    welcome: Callable[[], Reply],
    privacy: Callable[[], str],
    watch: Callable[[], str] = lambda: "Nobody watches this chat.",
    staff: Fetch | None = None,
    left: Callable[[str], None] = lambda _: None,
    exit_url: str = "https://www.wikipedia.org/",
    secure: bool = False,
    webhook: Webhook | None = None,
    conversations: Conversations | None = None,
) -> FastAPI:
    """The web chat as an ASGI application.

    `welcome` opens every conversation, `privacy` is the text of the page of that name, and
    `watch` says whether somebody may read along; all three as they are at that moment.
    `staff` gives what staff wrote to a chat after the line at a place, where they may write.
    `left` is told the chat of whoever leaves.
    `exit_url` is the harmless page that the quick exit leads to. `secure` is for a site
    that is served over https: cookies and browsers are then held to it.
    """
    chat = _Chat(receiver, conversations or Conversations(), secure=secure, staff=staff, left=left)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await chat.finish()

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    card = receiver.emergency_card()
    pages = Pages(welcome=welcome, privacy=privacy, watch=watch, card=card, exit_url=exit_url)
    app.add_middleware(Guard, refuse=pages.refusal, secure=secure)
    _add_pages(app, chat, pages)
    _add_api(app, chat, pages)
    _add_refusals(app, pages)
    if webhook:
        _add_webhook(app, webhook)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


def _add_pages(app: FastAPI, chat: _Chat, pages: Pages) -> None:
    @app.get("/")
    async def show(request: Request) -> HTMLResponse:
        turns = await chat.turns(request)
        return pages.chat(turns, is_live=chat.is_live(request))

    @app.post("/")
    async def say(request: Request) -> RedirectResponse:
        async with request.form(max_part_size=MAX_BODY) as form:
            said = Said(text=_field(form, "text"), button=_field(form, "button"))
        response = RedirectResponse("/#latest", 303)
        await chat.hear(request, response, said)
        return response

    @app.api_route("/leave", methods=["GET", "POST"])
    async def leave(request: Request) -> RedirectResponse:
        response = RedirectResponse(pages.exit_url, 303)
        chat.end(request, response)
        return response

    @app.get("/privacy")
    async def privacy() -> HTMLResponse:
        return pages.privacy()

    @app.api_route("/healthz", methods=["GET", "HEAD"])
    async def healthz() -> PlainTextResponse:
        return PlainTextResponse("ok\n")


def _field(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _add_api(app: FastAPI, chat: _Chat, pages: Pages) -> None:
    @app.post("/api/message")
    async def message(request: Request, response: Response, said: Said) -> dict[str, Any]:
        turns, is_live = await chat.hear(request, response, said)
        return pages.as_json(turns, is_live=is_live)

    @app.get("/api/conversation")
    async def conversation(request: Request) -> dict[str, Any]:
        turns = await chat.turns(request)
        return pages.as_json(turns, is_live=chat.is_live(request))

    @app.get("/api/news")
    async def news(request: Request, seen: int = 0) -> dict[str, Any]:
        turns = await chat.news(request, seen)
        return pages.as_json(turns, is_live=chat.is_live(request))

    @app.post("/api/leave", status_code=204)
    async def leave(request: Request, response: Response) -> None:
        chat.end(request, response)


def _add_refusals(app: FastAPI, pages: Pages) -> None:
    """Give the emergency card with every error: no page of ours is a dead end."""

    async def refuse(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 422
        return pages.refusal(status, request.url.path)

    app.add_exception_handler(HTTPException, refuse)
    app.add_exception_handler(RequestValidationError, refuse)


def _add_webhook(app: FastAPI, webhook: Webhook) -> None:
    @app.post(webhook.path)
    async def telegram(request: Request) -> Response:
        brought = request.headers.get("x-telegram-bot-api-secret-token", "")
        if not hmac.compare_digest(brought.encode(), webhook.secret.encode()):
            return Response(status_code=403)
        try:
            payload = await request.json()
        except ValueError:
            return Response(status_code=400)
        if isinstance(payload, dict):
            await webhook.handle(payload)
        return Response(status_code=200)


class _Chat:
    """Carries messages between requests and the receiver, and keeps the conversations."""

    def __init__(
        self,
        receiver: Receiver,
        conversations: Conversations,
        *,
        secure: bool,
        staff: Fetch | None,
        left: Callable[[str], None],
    ) -> None:
        self._receiver = receiver
        self._staff = staff
        self._left = left
        self._conversations = conversations
        self._secure = secure
        self._cookie, self._look = (f"__Host-{name}" if secure else name for name in _COOKIES)
        self._turns = Turns()
        self._handling: set[asyncio.Task[None]] = set()

    async def finish(self) -> None:
        """Wait until what was answered is kept as well."""
        if self._handling:
            await asyncio.wait(self._handling, timeout=_FAREWELL_S)

    async def turns(self, request: Request) -> tuple[Turn, ...]:
        """The conversation so far; empty if there is none.

        Begins none, but takes up one that this process never saw and staff may be in.
        """
        found = self._found_again(request)
        await self._ask_staff(found)
        return tuple(found.turns) if found else ()

    async def news(self, request: Request, seen: int) -> tuple[Turn, ...]:
        """What staff wrote after the turn of theirs at the place `seen`.

        Only a page that was told to look asks for news: its conversation may have staff in it
        even if this process never saw it.
        """
        found = self._found_again(request)
        await self._ask_staff(found)
        return found.staff_after(seen) if found else ()

    def is_live(self, request: Request) -> bool:
        """Whether the page should look for news of staff."""
        found = self._found(request)
        return found is not None and found.is_live

    async def hear(
        self, request: Request, response: Response, said: Said
    ) -> tuple[tuple[Turn, ...], bool]:
        """Take a message in and give the turns that it added, the person's own first.

        Also whether the page should look for news of staff from now on.
        """
        ticket, conversation = self._conversations.join(request.cookies.get(self._cookie, ""))
        self._set_cookie(response, self._cookie, ticket)
        message = Message(
            chat=conversation.chat, text="" if said.button else said.text, button=said.button
        )
        async with self._turns.take(message.chat, lambda: self._receiver.is_urgent(message)):
            turns = await self._converse(conversation, said, message)
        if conversation.is_live:
            self._set_cookie(response, self._look, "1")
        return turns, conversation.is_live

    def _set_cookie(self, response: Response, name: str, value: str) -> None:
        response.set_cookie(name, value, secure=self._secure, httponly=True, samesite="strict")

    def _found(self, request: Request) -> Conversation | None:
        found = self._conversations.find(request.cookies.get(self._cookie, ""))
        if found and self._staff and self._look in request.cookies:
            found.is_live = True  # another process may have heard the alarm
        return found

    def _found_again(self, request: Request) -> Conversation | None:
        """As `_found`; where staff write, also a conversation from before a restart."""
        found = self._found(request)
        if found is None and self._staff:
            found = self._conversations.rejoin(request.cookies.get(self._cookie, ""))
            if found:
                found.is_live = True
        return found

    async def _ask_staff(self, conversation: Conversation | None) -> None:
        """Fetch what staff wrote, where they may know of the conversation."""
        if self._staff and conversation and conversation.is_live:
            for line in await self._staff(conversation.chat, conversation.last_place):
                conversation.hear_staff(line)

    def end(self, request: Request, response: Response) -> None:
        """Drop the conversation, here and in the browser."""
        found = self._conversations.find(request.cookies.get(self._cookie, ""))
        if found:
            self._left(found.chat)
        self._conversations.end(request.cookies.get(self._cookie, ""))
        for name in (self._cookie, self._look):
            response.delete_cookie(name, secure=self._secure, httponly=True, samesite="strict")

    async def _converse(
        self, conversation: Conversation, said: Said, message: Message
    ) -> tuple[Turn, ...]:
        label = conversation.label_of(said.button) if said.button else ""
        own = conversation.say(label or _SHOWN_AS.get(said.text, said.text) or "…")
        replies, decision = await self._ask(message)
        if decision and "forget" in decision.effects:
            conversation.turns.clear()
        # Staff can write to whoever has a case, and nobody has one without an alarm.
        if self._staff and decision and _staff_may_know(decision):
            conversation.is_live = True
        numbers = decision.numbers_shown if decision else ()
        return (own, *(conversation.answer(reply, numbers) for reply in replies if reply.texts))

    async def _ask(self, message: Message) -> tuple[list[Reply], Decision | None]:
        """The replies as soon as there are any, and what was decided, unless that failed.

        The receiver goes on to keep what must be kept, which no reply waits for.
        """
        replies: list[Reply] = []
        decisions: list[Decision] = []
        answered = asyncio.Event()

        async def send(reply: Reply) -> DeliveryStatus:
            replies.append(reply)
            answered.set()
            return "sent"

        task = asyncio.create_task(self._handle(message, send, decisions.append))
        self._handling.add(task)
        task.add_done_callback(self._handling.discard)
        task.add_done_callback(lambda _: answered.set())
        await answered.wait()
        decision = decisions[-1] if decisions else None
        if not replies and (decision is None or decision.reply.texts):
            return [self._receiver.emergency_card()], None
        return replies, decision

    async def _handle(self, message: Message, send: Send, told: Told) -> None:
        try:
            await self._receiver.receive(message, send, told)
        except Exception as error:  # the channel's error handler
            log.error("message not handled", extra={"error": whereabouts(error)})


def _staff_may_know(decision: Decision) -> bool:
    """Whether there is a case, or somebody of the staff is in the conversation."""
    return decision.level.escalates or decision.path[:1] == ("taken_over",)
