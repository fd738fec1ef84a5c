"""What the web chat and the console share to be safe: headers, and where a change comes from."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
HEADERS = {
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


def headers_of(*, secure: bool) -> dict[str, str]:
    """What every response carries; `secure`: the site is reached by https alone."""
    return HEADERS | ({"strict-transport-security": "max-age=31536000"} if secure else {})


def is_own(headers: Headers) -> bool:
    """Whether a change was asked for by our own page, or by no browser at all.

    The rules are those of net/http.CrossOriginProtection in Go 1.25.
    """
    site = headers.get("sec-fetch-site")
    if site:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")
