"""The staff console as an ASGI application: every address, and who may go there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.console import (
    account,
    audit_page,
    case,
    case_acts,
    content_pages,
    exporting,
    figures_page,
    misses,
    people,
    queue,
    reply,
    signing,
    stream,
)
from bot.console.drawing import HERE, Drawing
from bot.console.guard import Guard
from bot.console.live import Live
from bot.console.oidc import Oidc
from bot.console.oidc import routes as oidc_routes
from bot.console.sessions import STAY_S
from bot.console.shelf import Shelf
from bot.console.throttle import Throttle
from bot.console.visit import Desk, Page
from bot.core.escalation import Rules
from bot.core.model import Decision
from bot.errors import StoreError
from bot.health import Health
from bot.store import Store
from bot.takeover import Takeover

PAGES = (
    Page("/", queue.begin),
    Page("/filter", queue.filter_, "read"),
    Page("/view/{letter}", queue.view, "read"),
    Page("/next", queue.next_, "read"),
    Page("/live", stream.live, "read"),
    Page("/jump", case.jump, "read"),
    Page("/bulk", queue.bulk, "work", "POST"),
    Page("/case/{number:int}", case.show, "read"),
    Page("/case/{number:int}/open", case.open_, "read", "POST"),
    Page("/case/{number:int}/cover", case.cover, "read", "POST"),
    Page("/case/{number:int}/acknowledge", case_acts.acknowledge, "work", "POST"),
    Page("/case/{number:int}/mine", case_acts.mine, "work", "POST"),
    Page("/case/{number:int}/assign", case_acts.assign, "work", "POST"),
    Page("/case/{number:int}/snooze", case_acts.snooze, "work", "POST"),
    Page("/case/{number:int}/wake", case_acts.wake, "work", "POST"),
    Page("/case/{number:int}/tag", case_acts.tag, "work", "POST"),
    Page("/case/{number:int}/note", case_acts.note, "work", "POST"),
    Page("/case/{number:int}/review", case_acts.review, "work", "POST"),
    Page("/case/{number:int}/resolve", case_acts.resolve, "work", "POST"),
    Page("/case/{number:int}/undo", case_acts.undo, "work", "POST"),
    Page("/case/{number:int}/reply", reply.preview, "reply", "POST"),
    Page("/case/{number:int}/reply/send", reply.send, "reply", "POST"),
    Page("/case/{number:int}/reply/leave", reply.leave, "reply", "POST"),
    Page("/export", exporting.export, "export", "POST"),
    Page("/misses", misses.show, "work"),
    Page("/misses", misses.judge, "work", "POST"),
    Page("/misses/open", misses.open_, "work", "POST"),
    Page("/figures", figures_page.show, "read"),
    Page("/content", content_pages.show, "content"),
    Page("/content/try", content_pages.ask, "content"),
    Page("/content/try", content_pages.try_, "content", "POST"),
    Page("/content/{topic:path}", content_pages.topic, "content"),
    Page("/audit", audit_page.show, "audit"),
    Page("/audit/verify", audit_page.verify, "audit", "POST"),
    Page("/people", people.show, "manage"),
    Page("/people", people.add, "manage", "POST"),
    Page("/people/{who}", people.change, "manage", "POST"),
    Page("/people/{who}/password", people.password, "manage", "POST"),
    Page("/people/{who}/active", people.active, "manage", "POST"),
    Page("/people/{who}/sessions", people.sessions, "manage", "POST"),
    Page("/people/{who}/totp", people.drop_totp, "manage", "POST"),
    Page("/account", account.show),
    Page("/account/password", account.password, None, "POST"),
    Page("/account/totp", account.begin_totp, None, "POST"),
    Page("/account/totp/confirm", account.confirm_totp, None, "POST"),
    Page("/account/totp/drop", account.drop_totp, None, "POST"),
    Page("/account/sessions", account.end_sessions, None, "POST"),
    Page("/sign-out", signing.sign_out, None, "POST"),
)

PROBLEMS = {
    400: "The request could not be read.",
    401: "Sign in first.",
    403: "You may not do that.",
    404: "There is no such page.",
    405: "That is not possible here.",
    411: "The request was incomplete.",
    413: "That is too much text.",
    500: "Something went wrong here. The bot goes on answering; try again.",
    503: "The store is away. The bot goes on answering people and keeps what happens; "
    "try again in a moment.",
}


def staff_app(
    find_store: Callable[[], Store | None],
    *,
    secret: str,
    rules: Rules | None = None,
    rerun: Callable[[str], Decision] | None = None,
    takeover: Takeover | None = None,
    oidc: Oidc | None = None,
    secure: bool = False,
    reasons: Mapping[str, str] | None = None,
    health: Callable[[], Health] = Health,
    shelf: Shelf | None = None,
    path: str = "/staff",
    now: Callable[[], datetime] | None = None,
) -> Starlette:
    """The console, to be mounted at `path`.

    `find_store` gives the open store, or None while it is away. `secret` signs the sessions:
    the same on every replica, long, and unknown to anybody else. `rerun` is what today's
    rules make of a text. `takeover` switches on writing to people, `oidc` signing in through an
    identity provider. `secure` is for a site that is served over https. `reasons` says what
    each rule means; `health` what staff are warned of; `shelf` holds what content pages show.
    """
    clock = now or _utc_now
    desk = Desk(
        find_store=find_store,
        live=Live(find_store),
        drawing=Drawing(clock),
        throttle=Throttle(),
        now=clock,
        rules=rules or Rules(),
        rerun=rerun,
        takeover=takeover,
        has_oidc=oidc is not None,
        reasons=reasons or {},
        health=health,
        shelf=shelf,
    )
    refuse = _Refusals(desk.drawing)
    return Starlette(
        routes=[
            *signing.routes(desk),
            *(oidc_routes(desk, oidc) if oidc else ()),
            *(page.route(desk) for page in PAGES),
            Mount("/static", StaticFiles(directory=HERE / "static"), name="static"),
        ],
        middleware=[
            Middleware(Guard, refuse=refuse.of, secure=secure),
            Middleware(
                SessionMiddleware,
                secret_key=secret,
                session_cookie="__Secure-staff" if secure else "staff",
                max_age=STAY_S,
                path=path,
                same_site="lax",
                https_only=secure,
            ),
        ],
        exception_handlers={HTTPException: refuse.http, StoreError: refuse.store},
    )


async def ensure_first_admin(store: Store) -> str | None:
    """In a store without staff, make an admin. Gives a line to print once, or None."""
    made = await store.staff.add_first_admin()
    if made is None:
        return None
    name, password = made
    return f"Staff console: sign in as {name} with the password {password} and change it."


class _Refusals:
    """Pages for what cannot be served."""

    def __init__(self, drawing: Drawing) -> None:
        self._drawing = drawing

    def of(self, status: int) -> ASGIApp:
        """The page for a status, for where there is no session yet."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            page = self._drawing.plain_page(
                "problem.html",
                scope,
                status=status,
                sentence=PROBLEMS.get(status, "That is not possible."),
            )
            await page(scope, receive, send)

        return answer

    async def http(self, request: Request, error: Exception) -> Response:
        """An error that a page raised, or an address that there is not."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        detail = error.detail if isinstance(error, HTTPException) else ""
        is_ours = detail.endswith((".", "!"))
        return self._page(request, status, detail if is_ours else "")

    async def store(self, request: Request, _error: Exception) -> Response:
        """The store cannot be used now."""
        return self._page(request, 503, "")

    def _page(self, request: Request, status: int, said: str) -> Response:
        sentence = said or PROBLEMS.get(status, "That is not possible.")
        return self._drawing.plain_page(
            "problem.html", request.scope, status=status, sentence=sentence
        )


def _utc_now() -> datetime:
    return datetime.now(UTC)
