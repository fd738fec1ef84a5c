"""A console over a real store, and people who sign in to it without a browser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from bot.console import staff_app
from bot.core.roles import Role
from bot.store import Store
from bot.store.staff import StaffMember
from tests.escalation_values import RULES, Clock

PASSWORD = "correct horse battery"
SECRET = "a secret of the tests, long enough"


@dataclass(slots=True)
class Somebody:
    """One browser without scripts. `token` is what its forms carry."""

    client: httpx.AsyncClient
    token: str = ""

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.client.get(f"/staff{path}", **options)

    async def post(self, path: str, *, follow: bool = True, **fields: Any) -> httpx.Response:
        """Send a form with this browser's token, and look at the page that follows."""
        data = {"csrf": self.token, **fields}
        return await self.client.post(f"/staff{path}", data=data, follow_redirects=follow)

    async def sign_in(self, name: str, password: str = PASSWORD, code: str = "") -> httpx.Response:
        page = await self.get("/sign-in")
        self.token = token_in(page.text)
        answer = await self.post("/sign-in", name=name, password=password, code=code)
        if "/sign-in" not in str(answer.url):
            self.token = token_in(answer.text)
        return answer


def token_in(html: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', html)
    assert found, html[:500]
    return found[1]


def console(store: Store | None, clock: Clock, **options: Any) -> Starlette:
    """The console, mounted as it is in the whole."""
    staff = staff_app(lambda: store, secret=SECRET, rules=RULES, now=clock, **options)
    return Starlette(routes=[Mount("/staff", staff)])


def somebody(app: Starlette) -> Somebody:
    """A fresh browser."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    return Somebody(httpx.AsyncClient(transport=transport, base_url="http://desk.test"))


async def signed_in(
    app: Starlette, store: Store, name: str = "ana", role: Role = "reviewer"
) -> Somebody:
    """A browser in which `name` of that role is signed in."""
    if await store.staff.find(name) is None:
        added = await store.staff.add(name, name.title(), role, password=PASSWORD, by="system")
        assert isinstance(added, StaffMember), added
    browser = somebody(app)
    answer = await browser.sign_in(name)
    assert answer.status_code == 200, answer.text
    return browser
