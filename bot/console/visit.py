"""What a page of the console works with: the desk that all share, and one signed-in visit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.console import sessions
from bot.console.drawing import Drawing
from bot.console.live import Live
from bot.console.pen import Pen
from bot.console.shelf import Shelf
from bot.console.throttle import Throttle
from bot.core.actions import Outcome, Refusal
from bot.core.casefilter import CaseFilter
from bot.core.escalation import Case, Rules
from bot.core.model import Decision, Level
from bot.core.roles import Right, may
from bot.errors import StoreAway
from bot.health import Health
from bot.store import Store
from bot.store.staff import StaffMember
from bot.takeover import Takeover

CHANNEL = "console"
WAITING = CaseFilter(statuses=("new",), levels=(Level.EMERGENCY,))
UNALERTED = CaseFilter(statuses=("new",), alert_status="failed")
WAITING_MAX = 30


class Bands:
    """What every page says on top: emergencies that wait, and how many alerts failed.

    It is read again once the history has grown.
    """

    def __init__(self) -> None:
        self._known: tuple[int, tuple[Case, ...], int] = (-1, (), 0)

    async def read(self, store: Store) -> tuple[tuple[Case, ...], int]:
        """The emergencies, and the number of cases without an alert that arrived."""
        last = await store.history.last()
        if last != self._known[0]:
            waiting = await store.list(WAITING, limit=WAITING_MAX)
            self._known = (last, waiting, await store.count(UNALERTED))
        return self._known[1], self._known[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What all pages share. `rerun` says what today's rules make of a text, `reasons` what each
    rule means, `health` what leads and admins must know. `shelf` holds what the content pages
    show.
    """

    find_store: Callable[[], Store | None]
    live: Live
    drawing: Drawing
    throttle: Throttle
    bands: Bands = field(default_factory=Bands)
    now: Callable[[], datetime]
    rules: Rules
    rerun: Callable[[str], Decision] | None = None
    takeover: Takeover | None = None
    pen: Pen = field(default_factory=Pen)
    has_oidc: bool = False
    reasons: Mapping[str, str] = field(default_factory=dict)
    health: Callable[[], Health] = Health
    shelf: Shelf | None = None

    def store(self) -> Store:
        """The store. Raises StoreAway while it is not open."""
        found = self.find_store()
        if found is None:
            raise StoreAway("The store is not open yet.")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of somebody who is signed in."""

    desk: Desk
    request: Request
    store: Store
    member: StaffMember
    form: FormData

    def may(self, right: Right) -> bool:
        """Whether they have this right."""
        return may(self.member.role, right)

    def need(self, right: Right) -> None:
        """Turn them away without this right."""
        if not self.may(right):
            raise HTTPException(403)

    def field(self, name: str, *, longest: int = 20_000) -> str:
        """What was typed or chosen; "" for nothing."""
        value = self.form.get(name, "")
        return value.strip()[:longest] if isinstance(value, str) else ""

    def asked(self, name: str) -> str:
        """A value of the address."""
        return self.request.query_params.get(name, "").strip()[:500]

    @property
    def now(self) -> datetime:
        """The present."""
        return self.desk.now()

    @property
    def root(self) -> str:
        """Where the console is mounted."""
        return str(self.request.scope.get("root_path", ""))

    async def draw(self, name: str, *, status: int = 200, **values: Any) -> Response:
        """A page, with what stands on every page."""
        frame: dict[str, Any] = {
            "visit": self,
            "told": sessions.told(self.request),
            "alarms": (),
            "unalerted": 0,
            "warnings": self.desk.health().warnings if self.may("audit") else (),
        }
        if self.may("read"):
            frame["alarms"], frame["unalerted"] = await self.desk.bands.read(self.store)
        return self.desk.drawing.page(self.request, name, status=status, **frame, **values)

    def tell(self, text: str, *, refused: bool = False, undo: int | None = None) -> None:
        """Say `text` on the next page."""
        sessions.tell(self.request, text, refused=refused, undo=undo)

    def to(self, path: str) -> Response:
        """Go on to `path` of the console; a script gets the same as data."""
        if self.request.headers.get("x-requested-with") == "fetch":
            return JSONResponse({"told": sessions.told(self.request), "to": self.root + path})
        return RedirectResponse(quote(self.root + path, safe="/?=&#%:,+"), 303)

    def settle(self, outcome: Outcome, done: str, *, undoable: bool = False) -> Case | None:
        """Say how an action ended. Gives the case, or None when it was refused."""
        if isinstance(outcome, Refusal):
            self.tell(outcome.reason, refused=True)
            return None
        case = outcome.case
        self.tell(f"{case.label}: {done}", undo=case.number if undoable else None)
        self.desk.live.stir()
        return case


Handler = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Page:
    """An address of the console, who may go there, and what answers.

    `right` None is for everybody who is signed in.
    """

    path: str
    show: Handler
    right: Right | None = None
    method: str = "GET"

    def route(self, desk: Desk) -> Route:
        """The page as a route that lets in only those who may."""

        async def answer(request: Request) -> Response:
            visit = await _visit(desk, request)
            if visit is None:
                return sign_in_first(request)
            if self.right is not None:
                visit.need(self.right)
            return await self.show(visit)

        return Route(self.path, answer, methods=[self.method])


async def _visit(desk: Desk, request: Request) -> Visit | None:
    store = desk.store()
    member = await sessions.member_of(request, store, desk.now())
    if member is None:
        return None
    form = FormData()
    if request.method == "POST":
        form = await own_form(request)
    return Visit(desk=desk, request=request, store=store, member=member, form=form)


async def own_form(request: Request) -> FormData:
    """The form of a change. Turns one away that does not carry this browser's token."""
    form = await request.form(max_files=0)
    brought = form.get("csrf") or request.headers.get("x-csrf", "")
    if not isinstance(brought, str) or not sessions.has_token(request, brought):
        raise HTTPException(403, "This page was open for too long. Go back, reload, try again.")
    return form


def sign_in_first(request: Request) -> Response:
    """To the sign-in page, and back from there."""
    root = str(request.scope.get("root_path", ""))
    if request.method != "GET" or request.headers.get("x-requested-with") == "fetch":
        return JSONResponse({"told": [], "to": f"{root}/sign-in"}, 401)
    wanted = request.url.path.removeprefix(root) or "/"
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{root}/sign-in?next={quote(wanted + query, safe='')}", 303)
