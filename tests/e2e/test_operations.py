"""What whoever runs the whole product relies on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.e2e.running import running

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        pytest.param("", 200, id="own address"),
        pytest.param("https://help.example", 403, id="public"),
    ],
)
def test_figures_without_a_token_are_closed_where_the_site_is_public(
    tmp_path: Path, origin: str, status: int
) -> None:
    async def go() -> int:
        async with running(tmp_path, web_origin=origin) as bot, httpx.AsyncClient() as client:
            return (await client.get(f"{bot.url}/metrics")).status_code

    assert asyncio.run(go()) == status
