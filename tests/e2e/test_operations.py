"""What whoever runs the whole product relies on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from bot.settings import Settings
from tests.e2e.faults import EMERGENCY, free_port
from tests.e2e.running import running, started

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
        async with (
            running(tmp_path, web_origin=origin) as bot,
            httpx.AsyncClient(timeout=60) as client,
        ):
            return (await client.get(f"{bot.url}/metrics")).status_code

    assert asyncio.run(go()) == status


def _garbage(folder: Path) -> Path:
    (folder / "keys").write_text("no keys")
    return folder


def _no_folder(folder: Path) -> Path:
    (folder / "file").write_text("a file where the folder should be")
    return folder / "file" / "var"


@pytest.mark.parametrize("broken", [_garbage, _no_folder])
def test_people_are_answered_where_nothing_can_be_recorded(
    tmp_path: Path, broken: Callable[[Path], Path]
) -> None:
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        raise OSError("no space left on device")

    async def go() -> tuple[dict[str, list[str]], str]:
        port = free_port()
        given = Settings(_env_file=None, var_dir=broken(tmp_path), web_port=port)  # pyright: ignore[reportCallIssue]
        line = httpx.AsyncHTTPTransport(retries=8)
        async with started(given, say), httpx.AsyncClient(transport=line, timeout=60) as client:
            address = f"http://127.0.0.1:{port}/api/message"
            answer = await client.post(address, json={"text": EMERGENCY})
            figures = await client.get(f"http://127.0.0.1:{port}/metrics")
            return answer.json(), figures.text

    before = set(tmp_path.iterdir())
    answer, figures = asyncio.run(go())

    assert "112" in answer["texts"][0].splitlines()[0]
    assert "NOTHING IS RECORDED" in said[0]
    assert "baclofen_bot_recording 0" in figures.splitlines()
    assert {path.name for path in set(tmp_path.iterdir()) - before} <= {"keys", "file"}
