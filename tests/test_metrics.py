"""Figures for monitoring hold counts and nothing of what a person wrote."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from bot.core.decide import Content
from bot.core.model import DeliveryStatus, Message, Reply
from bot.metrics import metrics, metrics_page
from bot.service import Service
from bot.store import Keys, Spool, Store
from tests.databases import PATIENT_S

MARKER = "zebra umbrella seventeen"
EMERGENCY = f"he took 30 baclofen and wont wake up {MARKER}"


async def jobs() -> int:
    return 3


async def told() -> str:
    return "baclofen_bot_store_up 1\n"


def test_figures_count_and_hold_no_word_and_no_id(tmp_path: Path, content: Content) -> None:
    async def send(_: Reply) -> DeliveryStatus:
        return "sent"

    async def scenario() -> str:
        keys = Keys.generate()
        store = await Store.open(f"sqlite:///{tmp_path}/bot.db", keys)
        service = Service(content, Spool(tmp_path, keys), store, store_timeout_s=PATIENT_S)
        await service.receive(Message("tg:424242", EMERGENCY, update_id="7"), send)
        service.store = None
        await service.receive(Message("tg:424242", EMERGENCY, update_id="8"), send)
        away = await metrics(service, jobs, model="altered", recording=False)
        service.store = store
        found = await metrics(service, jobs, model="missing", recording=True)
        await store.close()
        assert "baclofen_bot_store_up 0" in away
        assert "baclofen_bot_embedding_model_altered 1" in away
        assert "baclofen_bot_embedding_model_missing 0" in away
        assert "baclofen_bot_recording 0" in away.splitlines()
        return found + away

    found = asyncio.run(scenario())

    for line in (
        'baclofen_bot_messages_total{channel="tg",level="emergency"} 2',
        'baclofen_bot_open_cases{status="new",level="emergency"} 1',
        "baclofen_bot_recording 1",
        "baclofen_bot_records_spooled_total 1",
        "baclofen_bot_replies_failed_total 0",
        "baclofen_bot_jobs_waiting 3",
        "baclofen_bot_alerts_failed 0",
        "baclofen_bot_embedding_model_altered 0",
        "baclofen_bot_embedding_model_missing 1",
    ):
        assert line in found.splitlines()
    assert "baclofen_bot_spool_bytes 0" not in found.splitlines()
    for private in (*MARKER.split(), "424242", "E-1001"):
        assert private not in found


FORWARDED = {"x-forwarded-for": "203.0.113.9"}
BEARER = {"authorization": "Bearer s3"}


@pytest.mark.parametrize(
    ("token", "proxied", "host", "headers", "status"),
    [
        pytest.param("", False, "127.0.0.1", {}, 200, id="this machine"),
        pytest.param("", False, "203.0.113.9", {}, 403, id="another machine"),
        pytest.param("", False, "127.0.0.1", FORWARDED, 403, id="by a proxy that says so"),
        pytest.param("", True, "127.0.0.1", {}, 403, id="by a proxy that says nothing"),
        pytest.param("s3", False, "127.0.0.1", {}, 403, id="no token"),
        pytest.param("s3", False, "203.0.113.9", BEARER, 200, id="token"),
        pytest.param("s3", True, "127.0.0.1", BEARER, 200, id="token by a proxy"),
        pytest.param("s3", False, "203.0.113.9", {"authorization": "Bearer s4"}, 403, id="wrong"),
    ],
)
def test_figures_are_for_this_machine_or_who_brings_the_token(
    token: str, proxied: bool, host: str, headers: dict[str, str], status: int
) -> None:
    page = metrics_page(told, token=token, proxied=proxied)
    app = Starlette(routes=[Route("/metrics", page)])

    assert TestClient(app, client=(host, 1)).get("/metrics", headers=headers).status_code == status
