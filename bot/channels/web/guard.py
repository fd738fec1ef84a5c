"""Guards every response of the web: security headers, origin of changes, size of bodies."""

from __future__ import annotations

import logging
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.channels.receiver import whereabouts

log = logging.getLogger(__name__)

MAX_BODY = 2 * 1024 * 1024  # bytes; 100,000 characters fit, even as an encoded form

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not "no-referrer": with it a browser sends "Origin: null" with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
    "x-robots-tag": "noindex",
}
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


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
        self._headers = dict(HEADERS)
        if secure:
            self._headers["strict-transport-security"] = "max-age=31536000"

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
        if scope["method"] not in _SAFE_METHODS and not is_own(headers):
            return self._refuse(403, scope["path"]), receive
        body = await _body(headers, receive)
        if body is None:
            return self._refuse(413, scope["path"]), receive
        return self._app, _replay(body, receive)


def is_own(headers: Headers) -> bool:
    """Whether a change was asked for by our own page, or by no browser at all.

    The rules are those of net/http.CrossOriginProtection in Go 1.25.
    """
    site = headers.get("sec-fetch-site")
    if site:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


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
