"""The history in pages, on SQLite and PostgreSQL."""

from __future__ import annotations

import pytest

from bot.core.actions import Acknowledge, View
from bot.store import Store
from tests.escalation_values import an_entry

pytestmark = pytest.mark.anyio


async def test_the_last_event_has_a_number_that_grows_with_everything(store: Store) -> None:
    before = await store.history.last()

    case = await store.record(an_entry())
    created = await store.history.last()
    await store.act(case.id, View("ana"))

    assert before < created < await store.history.last()


async def test_pages_begin_with_the_newest_and_can_be_narrowed(store: Store) -> None:
    await store.record(an_entry())
    await store.record(an_entry(chat="tg:2", update_id="2"))
    await store.act(1001, Acknowledge("ana"), channel="console")

    async def found(**wanted: object) -> list[tuple[str, int | None]]:
        lines = await store.history.page(**wanted)  # type: ignore[arg-type]
        return [(line.record.event.type, line.number) for line in lines]

    assert await found() == [("acknowledged", 1001), ("created", 1002), ("created", 1001)]
    assert await found(actor="ana") == [("acknowledged", 1001)]
    assert await found(type_="created", limit=1) == [("created", 1002)]
    assert await found(number=1001) == [("acknowledged", 1001), ("created", 1001)]
    newest = (await store.history.page(limit=1))[0].record.seq
    assert await found(before=newest) == [("created", 1002), ("created", 1001)]
