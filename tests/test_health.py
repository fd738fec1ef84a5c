"""Leads and admins are warned of what makes the bot overlook more, or staff hear less."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.decide import Content
from bot.core.readers import Readers
from bot.core.roles import Role
from bot.health import Health, Lines, health_of
from bot.models import MODEL_FILE, trouble
from bot.service import Service
from bot.store import Keys, Spool, Store
from tests.console_visits import console, signed_in
from tests.escalation_values import Clock, an_entry

pytestmark = pytest.mark.anyio

MISSING = "The embedding model is missing"
ALTERED = "The embedding model is not the file that was pinned"
SPOOLED = "Records wait in the spool (120 bytes)"
FAILING = "The last alert did not arrive by: alert url 1 mailto, staff chat."


@pytest.mark.parametrize(
    ("health", "told"),
    [
        pytest.param(Health(), [], id="well"),
        pytest.param(Health(model="missing"), [MISSING], id="model missing"),
        pytest.param(Health(model="altered"), [ALTERED], id="model altered"),
        pytest.param(Health(spool_bytes=120), [SPOOLED], id="spool"),
        pytest.param(Health(failing=("alert_url_1_mailto", "staff chat")), [FAILING], id="alerts"),
        pytest.param(
            Health("altered", 120, ("alert_url_1_mailto", "staff chat")),
            [ALTERED, SPOOLED, FAILING],
            id="all",
        ),
    ],
)
@pytest.mark.parametrize("role", ["admin", "lead", "reviewer"])
async def test_the_queue_and_the_figures_warn_leads_and_admins(
    health: Health, told: list[str], role: Role, store: Store, clock: Clock
) -> None:
    browser = await signed_in(console(store, clock, health=lambda: health), store, role=role)

    pages = [(await browser.get(path)).text for path in ("/", "/figures")]

    for page in pages:
        shown = [each for each in (MISSING, ALTERED, SPOOLED, FAILING) if each in page]
        assert shown == ([] if role == "reviewer" else told)


def test_a_model_that_is_missing_and_one_that_is_altered_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trouble(tmp_path) == "missing"
    (tmp_path / "model.onnx").write_bytes(b"no model")
    (tmp_path / "tokenizer.json").write_text("{}")
    assert trouble(tmp_path) == "altered"

    package = tmp_path / MODEL_FILE[0]
    package.mkdir()
    (package / "__init__.py").touch()
    shutil.copy(tmp_path / "model.onnx", package / MODEL_FILE[1])
    monkeypatch.syspath_prepend(tmp_path)
    assert trouble() == "altered"
    (package / MODEL_FILE[1]).unlink()
    assert trouble() == "missing"


def test_health_is_of_this_moment_and_a_model_that_nobody_wants_is_no_trouble(
    tmp_path: Path, content: Content
) -> None:
    assert isinstance(content.reader, Readers)
    by_words = replace(content, reader=replace(content.reader, embed=None))
    spool = Spool(tmp_path, Keys.generate())
    lines = Lines()

    wanted = health_of(Service(by_words, spool), lines, str(tmp_path))
    unwanted = health_of(Service(by_words, spool), lines, "off")
    with_it = health_of(Service(content, spool), lines, "minilm")
    lines.tell("staff chat", arrived=False)

    assert wanted() == Health("missing", 0, ("staff chat",))
    assert unwanted() == with_it() == Health("", 0, ("staff chat",))
    lines.tell("staff chat", arrived=True)
    assert unwanted() == Health()


async def test_what_waits_in_the_spool_counts_until_the_store_has_it(
    tmp_path: Path, content: Content
) -> None:
    keys = Keys.generate()
    spool = Spool(tmp_path, keys)
    service = Service(content, spool)
    health = health_of(service, Lines(), "off")

    await spool.keep(an_entry())
    waiting = health().spool_bytes
    service.store = await Store.open(f"sqlite:///{tmp_path}/bot.db", keys)
    await service.drain_spool()
    await service.store.close()

    assert waiting > 0
    assert health().spool_bytes == 0
