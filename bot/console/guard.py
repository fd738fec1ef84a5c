"""Guards every answer of the console: security headers, a fresh nonce, small bodies of our own."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from traceback import extract_tb
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

MAX_BODY = 256 * 1024  # bytes; a long note fits
NONCE = "console.nonce"  # where a page finds the nonce in its scope
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
    "x-robots-tag": "noindex",
}


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
        self._headers = dict(HEADERS)
        if secure:
            self._headers["strict-transport-security"] = "max-age=31536000"

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
            log.error("console request failed", extra={"error": _place(error)})
            if begun:
                raise
            await self._refuse(500)(scope, receive, send_guarded)


def _refusal(scope: Scope) -> int:
    """The status to turn a request away with, or 0."""
    if scope["method"] in SAFE_METHODS:
        return 0
    headers = Headers(scope=scope)
    if not _is_own(headers):
        return 403
    length = headers.get("content-length", "")
    if not length.isdigit():
        return 411
    return 413 if int(length) > MAX_BODY else 0


def _is_own(headers: Headers) -> bool:
    """Whether a change comes from a page of ours; the token of the form is asked for too."""
    site = headers.get("sec-fetch-site")
    if site:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _place(error: Exception) -> str:
    """The type of an error and its line; its message may quote what a person wrote."""
    frames = extract_tb(error.__traceback__)
    where = f" at {frames[-1].name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
