"""Signing in through an identity provider (OpenID Connect), where one is set."""

from __future__ import annotations

from dataclasses import dataclass

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.console import signing
from bot.console.visit import CHANNEL, Desk

PROVIDER = "staff"
FAILED = "Signing in through your organisation did not work; try again, or use your password."
STRANGER = "Your organisation knows you, but you are not on the staff here. Ask an admin."


@dataclass(frozen=True, slots=True, kw_only=True)
class Oidc:
    """An identity provider. `issuer` is its address; it tells the rest by itself.

    `origin` is the public address of this site, where it is behind a proxy:
    `https://help.example.org`. The provider must allow `<origin>/staff/oidc/back`.
    """

    issuer: str
    client_id: str
    client_secret: str
    origin: str = ""


def routes(desk: Desk, provider: Oidc) -> list[Route]:
    """The way to the provider and the way back."""
    oauth = OAuth()
    client = oauth.register(
        PROVIDER,
        server_metadata_url=provider.issuer.rstrip("/") + "/.well-known/openid-configuration",
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        client_kwargs={"scope": "openid", "code_challenge_method": "S256"},
    )

    async def go(request: Request) -> Response:
        back = f"{_origin(request, provider)}{request.scope.get('root_path', '')}/oidc/back"
        request.session["wanted"] = signing.own_path(request.query_params.get("next", ""))
        try:
            answer: Response = await client.authorize_redirect(request, back)
        except (AuthlibBaseError, httpx2.HTTPError, ValueError, RuntimeError):
            return signing.refuse(request, desk, FAILED)
        return answer

    async def back(request: Request) -> Response:
        wanted = str(request.session.pop("wanted", ""))
        try:
            token = await client.authorize_access_token(request)
        except (AuthlibBaseError, JoseError, httpx2.HTTPError, ValueError, RuntimeError):
            return signing.refuse(request, desk, FAILED)
        subject = (token.get("userinfo") or {}).get("sub", "")
        store = desk.store()
        member = await store.staff.by_oidc(str(subject)) if subject else None
        if member is None:
            return signing.refuse(request, desk, STRANGER, status=403)
        await store.staff.signed_in(member.id, channel=CHANNEL)
        return signing.welcome(request, member, desk, wanted)

    return [Route("/oidc", go, methods=["GET"]), Route("/oidc/back", back, methods=["GET"])]


def _origin(request: Request, provider: Oidc) -> str:
    return provider.origin.rstrip("/") or f"{request.url.scheme}://{request.url.netloc}"
