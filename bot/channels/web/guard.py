"""Guards every response of the web: security headers, origin of changes, size of bodies."""

from __future__ import annotations

import logging
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.errors import whereabouts
from bot.web_safety import SAFE_METHODS, headers_of, is_own

log = logging.getLogger(__name__)

MAX_BODY = 2 * 1024 * 1024  # bytes; 100,000 characters fit, even as an encoded form

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Guard:
    """ASGI middleware. A header that a response already has is left as it is.

    `refuse` gives the response for a status and a path: what a person reads whose request
    was turned away or went wrong. It carries the emergency numbers.
    """

    def __init__(
        self, app: ASGIApp, *, refuse: Callable[[int, str], ASGIApp], secure: bool
    ) -> None:
        self._app = app
        self._refuse = refuse
        policy = {"content-security-policy": CONTENT_SECURITY_POLICY}
        self._headers = policy | headers_of(secure=secure)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            app, receive = await self._admit(scope, receive)
            await app(scope, receive, send_guarded)
        except Exception as error:
            log.error("web request failed", extra={"error": whereabouts(error)})
            if begun:
                raise
            await self._refuse(500, scope["path"])(scope, receive, send_guarded)

    async def _admit(self, scope: Scope, receive: Receive) -> tuple[ASGIApp, Receive]:
        """Who answers the request: the application, or a refusal."""
        headers = Headers(scope=scope)
        if scope["method"] not in SAFE_METHODS and not is_own(headers):
            return self._refuse(403, scope["path"]), receive
        body = await _body(headers, receive)
        if body is None:
            return self._refuse(413, scope["path"]), receive
        return self._app, _replay(body, receive)


async def _body(headers: Headers, receive: Receive) -> bytes | None:
    """The whole body, or None if it is too long."""
    declared = headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > MAX_BODY:
        return None
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > MAX_BODY:
            return None
        if not message.get("more_body"):
            return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read, and after it whatever comes."""
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
