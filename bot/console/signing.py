"""Signing in and out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.console import sessions
from bot.console.visit import CHANNEL, Desk, Visit, own_form
from bot.core.actions import Refusal
from bot.store.staff import StaffMember

HOME = "/"  # where somebody begins who wanted no other page
TOO_MANY = "Too many attempts from here; wait ten minutes."


def routes(desk: Desk) -> list[Route]:
    """The pages for those who are not signed in yet."""
    return [
        Route("/sign-in", _with(desk, _ask), methods=["GET"]),
        Route("/sign-in", _with(desk, _sign_in), methods=["POST"]),
    ]


async def sign_out(visit: Visit) -> Response:
    """Forget the session in this browser."""
    sessions.end(visit.request)
    return visit.to("/sign-in")


def welcome(request: Request, member: StaffMember, desk: Desk, wanted: str) -> Response:
    """Begin the session of `member` and lead them to the page they wanted."""
    sessions.begin(request, member, desk.now())
    root = str(request.scope.get("root_path", ""))
    return RedirectResponse(root + (own_path(wanted) or HOME), 303)


def own_path(wanted: str) -> str:
    """`wanted` if it is an address within the console, else ""."""
    is_own = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if is_own and wanted.isprintable() and "\\" not in wanted else ""


def refuse(
    request: Request,
    desk: Desk,
    problem: str,
    *,
    name: str = "",
    wanted: str = "",
    status: int = 401,
) -> Response:
    """The form again, and why."""
    return desk.drawing.page(
        request,
        "sign_in.html",
        status=status,
        problem=problem,
        typed=name,
        wanted=wanted,
        has_oidc=desk.has_oidc,
    )


async def _ask(desk: Desk, request: Request) -> Response:
    wanted = own_path(request.query_params.get("next", ""))
    member = await sessions.member_of(request, desk.store(), desk.now())
    if member is not None:
        root = request.scope.get("root_path", "")
        return RedirectResponse(f"{root}{wanted or HOME}", 303)
    return refuse(request, desk, "", wanted=wanted, status=200)


async def _sign_in(desk: Desk, request: Request) -> Response:
    form = await own_form(request)
    name, password, code, wanted = (
        str(form.get(each, ""))[:300] for each in ("name", "password", "code", "next")
    )
    address = request.client.host if request.client else ""
    if desk.throttle.is_over(address):
        return refuse(request, desk, TOO_MANY, name=name, wanted=wanted, status=429)
    found = await desk.store().staff.sign_in(
        name.strip().lower(), password, code.strip(), channel=CHANNEL
    )
    if isinstance(found, Refusal):
        desk.throttle.failed(address)
        return refuse(request, desk, found.reason, name=name, wanted=wanted)
    return welcome(request, found, desk, wanted)


def _with(
    desk: Desk, show: Callable[[Desk, Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await show(desk, request)

    return answer
