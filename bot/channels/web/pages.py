"""Draws what the browser gets: pages, turns of a conversation, and refusals."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from fastapi import Response
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.channels.web.conversations import Turn
from bot.channels.web.rich_text import rich_text
from bot.core.model import Reply

_HERE = Path(__file__).parent
STATIC = _HERE / "static"


class Pages:
    """Draws what the browser gets."""

    def __init__(
        self,
        *,
        welcome: Callable[[], Reply],
        privacy: Callable[[], str],
        watch: Callable[[], str],
        card: Reply,
        exit_url: str,
    ) -> None:
        self.exit_url = exit_url
        self._privacy = privacy
        self._jinja = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._jinja.filters |= {"rich": rich_text}
        self._jinja.globals |= {
            "exit_url": exit_url,
            "version": _version(),
            "welcome": lambda: _opening(welcome()),
            "watch": watch,
            "card": Turn(by_bot=True, texts=card.texts, urgent=True),
        }

    def chat(self, turns: tuple[Turn, ...], *, is_live: bool) -> HTMLResponse:
        """The page of the conversation."""
        return HTMLResponse(self._turns(turns, "chat.html", is_live=is_live))

    def privacy(self) -> HTMLResponse:
        """The page that says what is kept."""
        return HTMLResponse(self._draw("privacy.html", text=self._privacy()))

    def refusal(self, status: int, path: str) -> Response:
        """The emergency card as an answer to a request that was not served."""
        if path.startswith("/api/"):
            html = self._draw("refusal.html")
            return JSONResponse({"texts": [], "buttons": [], "html": html}, status)
        return HTMLResponse(self._draw("problem.html"), status)

    def as_json(self, turns: tuple[Turn, ...], *, is_live: bool) -> dict[str, Any]:
        """What was answered, as data and as the same HTML that the page is made of.

        `live` tells the page to look for news of staff.
        """
        answers = [turn for turn in turns if turn.by_bot]
        return {
            "texts": [text for turn in answers for text in turn.texts],
            "buttons": [
                {"label": button.label, "action": button.action}
                for turn in answers[-1:]
                for button in turn.buttons
            ],
            "html": self._turns(turns, "turns.html"),
            "staff": [text for turn in turns if turn.by_staff for text in turn.texts],
            "live": is_live,
        }

    def _turns(self, turns: tuple[Turn, ...], name: str, **values: object) -> str:
        """A template of the conversation; `newest` is the place of the last thing said, or of an
        urgent answer to it. The choices of `answering` are open: the bot's last turn, if the
        person said nothing after it."""
        own = [place for place, turn in enumerate(turns) if not (turn.by_bot or turn.by_staff)]
        bots = [place for place, turn in enumerate(turns) if turn.by_bot]
        newest, answering = max(own, default=-1), max(bots, default=-1)
        answering = answering if answering > newest else -1
        newest += answering >= 0 and turns[newest + 1].urgent
        return self._draw(name, turns=turns, newest=newest, answering=answering, **values)

    def _draw(self, name: str, **values: object) -> str:
        return self._jinja.get_template(name).render(values)


def _opening(welcome: Reply) -> Turn:
    return Turn(by_bot=True, texts=welcome.texts, buttons=welcome.buttons)


def _version() -> str:
    """Changes with the static files, so that browsers fetch the new ones."""
    files = sorted(STATIC.iterdir())
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
