"""Signing in through an identity provider: a real one in little, over HTTP on this machine."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.console import Oidc
from bot.store import Store
from tests.console_visits import Somebody, console, signed_in, somebody
from tests.e2e.servers import serving
from tests.escalation_values import Clock

pytestmark = pytest.mark.anyio


@pytest.fixture
def engine_name() -> str:
    """SQLite alone: signing in sees no database."""
    return "sqlite"


class Provider:
    """An identity provider that knows one person, `subject`, and whatever code it gave out."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.nonce = ""
        self.key = RSAKey.generate_key(2048, parameters={"kid": "one"}, private=True)
        self.signs_with = self.key
        self.url = ""

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.about),
                Route("/keys", self.keys),
                Route("/token", self.token, methods=["POST"]),
            ]
        )

    async def about(self, _: Request) -> JSONResponse:
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def keys(self, _: Request) -> JSONResponse:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def token(self, _: Request) -> JSONResponse:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": "desk",
            "sub": self.subject,
            "nonce": self.nonce,
            "iat": now,
            "exp": now + 60,
        }
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.signs_with)
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": signed})


@asynccontextmanager
async def visiting(
    store: Store, clock: Clock, subject: str
) -> AsyncIterator[tuple[Somebody, Provider]]:
    provider = Provider(subject)
    async with serving(provider.app()) as url:
        provider.url = url
        oidc = Oidc(issuer=url, client_id="desk", client_secret="s")
        app = console(store, clock, oidc=oidc)
        await signed_in(app, store)
        await store.staff.set_contact("ana", oidc_subject="sub-ana", by="system")
        yield somebody(app), provider


async def go_there(browser: Somebody, provider: Provider) -> dict[str, str]:
    """What the browser brings to the provider."""
    away = await browser.get("/oidc?next=/account")
    assert away.status_code == 302
    asked = parse_qs(urlsplit(away.headers["location"]).query)
    provider.nonce = asked["nonce"][0]
    return {name: values[0] for name, values in asked.items()}


async def test_somebody_known_comes_back_signed_in(store: Store, clock: Clock) -> None:
    async with visiting(store, clock, "sub-ana") as (browser, provider):
        asked = await go_there(browser, provider)

        answer = await browser.get("/oidc/back", params={"code": "c", "state": asked["state"]})

    assert asked["redirect_uri"] == "http://desk.test/staff/oidc/back"
    assert asked["code_challenge_method"] == "S256"
    assert answer.headers["location"] == "/staff/account"
    assert (await browser.get("/")).status_code == 200
    history = await store.history.page(type_="signed_in", limit=1)
    assert history[0].record.actor == "ana"


async def test_somebody_unknown_here_stays_outside(store: Store, clock: Clock) -> None:
    async with visiting(store, clock, "sub-stranger") as (browser, provider):
        asked = await go_there(browser, provider)

        answer = await browser.get("/oidc/back", params={"code": "c", "state": asked["state"]})

    assert answer.status_code == 403
    assert "not on the staff" in answer.text
    assert (await browser.get("/")).status_code == 303


@pytest.mark.parametrize("spoiled", ["state", "nonce", "signature"])
async def test_a_forged_way_back_leads_nowhere(store: Store, clock: Clock, spoiled: str) -> None:
    async with visiting(store, clock, "sub-ana") as (browser, provider):
        asked = await go_there(browser, provider)
        if spoiled == "nonce":
            provider.nonce = "another"
        if spoiled == "signature":
            provider.signs_with = RSAKey.generate_key(2048, parameters={"kid": "one"})
        state = "forged" if spoiled == "state" else asked["state"]

        answer = await browser.get("/oidc/back", params={"code": "c", "state": state})

    assert answer.status_code == 401
    assert (await browser.get("/")).status_code == 303


async def test_a_provider_that_is_away_is_told(store: Store, clock: Clock) -> None:
    oidc = Oidc(issuer="http://127.0.0.1:9", client_id="desk", client_secret="s")
    browser = somebody(console(store, clock, oidc=oidc))

    answer = await browser.get("/oidc")

    assert answer.status_code == 401
    assert "did not work" in answer.text


async def test_without_a_provider_there_is_no_such_way(store: Store, clock: Clock) -> None:
    browser = somebody(console(store, clock))

    assert (await browser.get("/oidc")).status_code == 404
    assert "organisation" not in (await browser.get("/sign-in")).text
