"""Draws the pages: templates that escape what people wrote, and how values are written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Scope

from bot.console import sessions
from bot.console.guard import NONCE
from bot.core.casefilter import VIEWS
from bot.core.escalation import Case
from bot.core.export import printable
from bot.core.model import Level

HERE = Path(__file__).parent
LEVELS = tuple(sorted(Level, reverse=True))  # the worst first: keys 1 to 6
LEVEL_NAMES = {
    Level.EMERGENCY: "Emergency",
    Level.SUICIDE_CRISIS: "Suicide crisis",
    Level.URGENT: "Urgent",
    Level.INFO: "Question",
    Level.CHAT: "Small talk",
    Level.OUT_OF_SCOPE: "Out of scope",
}
# The letter after `g`, by the name of the saved view.
VIEW_KEYS = {
    "Needs acknowledgement": "a",
    "Mine": "m",
    "Needs review": "r",
    "Disagreements": "d",
    "Delivery failed": "u",
    "Clock missed": "c",
    "False alarms by rule": "f",
}


class Drawing:
    """The templates. `now` is the time that waiting is counted from."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def page(self, request: Request, name: str, *, status: int = 200, **values: Any) -> Response:
        """The template `name` as an answer; its forms carry the token of this browser."""
        token = sessions.token(request)
        return self.plain_page(name, request.scope, status=status, csrf=token, **values)

    def plain_page(self, name: str, scope: Scope, *, status: int, **values: Any) -> Response:
        """A template without forms."""
        frame = {
            "root": str(scope.get("root_path", "")),
            "nonce": scope.get(NONCE, ""),
            "now": self._now(),
        }
        return HTMLResponse(templates().get_template(name).render(frame | values), status)


@cache
def templates() -> Environment:
    """The templates, read and compiled once in a process."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "plain": printable,
        "words": words,
        "span": span,
        "stamp": stamp,
        "clock": clock,
        "first_response": first_response,
        "ago": ago,
    }
    made.globals |= {
        "version": _version(),
        "levels": LEVELS,
        "level_names": LEVEL_NAMES,
        "views": VIEWS,
        "view_keys": VIEW_KEYS,
    }
    return made


@pass_context
def clock(context: Context, case: Case) -> Markup:
    """The clock that runs for `case`, as an element that a script keeps counting."""
    due, what = due_of(case)
    return _running(context, due, what)


@pass_context
def first_response(context: Context, case: Case) -> Markup:
    """The clock for a first message of staff to the person, where staff may write."""
    return _running(context, case.first_response_due_at, "First message by")


def _running(context: Context, due: datetime | None, what: str) -> Markup:
    if due is None:
        return Markup('<span class="none">–</span>')
    left = due - context["now"]
    said = f"{span(left)} left" if left > timedelta() else f"{span(-left)} over"
    state = "over" if left <= timedelta() else "soon" if left < timedelta(minutes=5) else "ok"
    return Markup('<time class="clock {}" datetime="{}" data-due title="{}">{}</time>').format(
        state, _iso(due), what, said
    )


@pass_context
def ago(context: Context, at: datetime | None) -> Markup:
    """How long ago, as an element that a script keeps counting."""
    if at is None:
        return Markup('<span class="none">–</span>')
    length = max(context["now"] - at, timedelta())
    return Markup('<time datetime="{}" data-since>{}</time>').format(_iso(at), span(length))


def due_of(case: Case) -> tuple[datetime | None, str]:
    """The next time by which something is due for `case`, and what."""
    if case.status == "new":
        return case.acknowledge_due_at, "Acknowledge by"
    if case.status == "snoozed":
        return case.snoozed_until, "Snoozed until"
    if case.status == "acknowledged" and case.review_status in ("unreviewed", "needs_second"):
        return case.review_due_at, "Review by"
    return None, ""


def words(name: str) -> str:
    """A name of ours as people read it: `suicide_crisis` is "suicide crisis"."""
    return name.replace("_", " ")


def span(length: timedelta) -> str:
    """A length of time: 40 s, 4 min, 3 h 20 min, 2 d 4 h."""
    seconds = int(length.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"


def stamp(at: datetime | None) -> Markup:
    """A time in UTC; a script turns it into the reader's own."""
    if at is None:
        return Markup('<span class="none">–</span>')
    said = at.astimezone(UTC).strftime("%d %b %Y, %H:%M UTC")
    return Markup('<time datetime="{}" data-at>{}</time>').format(_iso(at), said)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _version() -> str:
    """Changes with the static files, so that browsers fetch the new ones."""
    files = sorted((HERE / "static").iterdir())
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
