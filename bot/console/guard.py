"""Guards every answer of the console: security headers, a fresh nonce, small bodies of our own."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.errors import whereabouts
from bot.web_safety import SAFE_METHODS, headers_of, is_own

log = logging.getLogger(__name__)

MAX_BODY = 256 * 1024  # bytes; a long note fits
NONCE = "console.nonce"  # where a page finds the nonce in its scope


def content_security_policy(nonce: str) -> str:
    """Only scripts and styles of this answer, and nothing from elsewhere."""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
        "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )


class Guard:
    """ASGI middleware. `refuse` gives the answer for a status, where the page cannot."""

    def __init__(self, app: ASGIApp, *, refuse: Callable[[int], ASGIApp], secure: bool) -> None:
        self._app = app
        self._refuse = refuse
        self._headers = headers_of(secure=secure)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = scope[NONCE] = secrets.token_urlsafe(16)
        begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = content_security_policy(nonce)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        status = _refusal(scope)
        app = self._refuse(status) if status else self._app
        try:
            await app(scope, receive, send_guarded)
        except Exception as error:  # the console's error handler
            log.error("console request failed", extra={"error": whereabouts(error)})
            if begun:
                raise
            await self._refuse(500)(scope, receive, send_guarded)


def _refusal(scope: Scope) -> int:
    """The status to turn a request away with, or 0."""
    if scope["method"] in SAFE_METHODS:
        return 0
    headers = Headers(scope=scope)
    if not is_own(headers):
        return 403
    length = headers.get("content-length", "")
    if not length.isdigit():
        return 411
    return 413 if int(length) > MAX_BODY else 0
