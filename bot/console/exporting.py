"""Exports of a list: without what people wrote, unless a lead asks; always in the history."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import Response, StreamingResponse

from bot.console.queue import read_query
from bot.console.visit import CHANNEL, Visit
from bot.core.casefilter import ALL
from bot.core.escalation import Case, Event
from bot.core.export import case_row, csv_lines, jsonl_lines
from bot.store import Store
from bot.store.timeline import texts

MEDIA = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


async def export(visit: Visit) -> Response:
    """One row a case, as CSV or JSONL."""
    form = "jsonl" if visit.field("format") == "jsonl" else "csv"
    with_text = bool(visit.field("text"))
    if with_text:
        visit.need("export_text")
    listed = read_query(visit, visit.field("q", longest=500))
    if listed.problem:
        visit.tell(listed.problem, refused=True)
        return visit.to("/")
    wanted = listed.wanted if listed.query else ALL
    told = {"rows": await visit.store.count(wanted), "text": with_text, "format": form}
    await visit.store.log(Event("exported", {}, told), actor=visit.member.id, channel=CHANNEL)
    name = f"escalations-{visit.now:%Y-%m-%d}.{form}"
    return StreamingResponse(
        _lines(visit.store, visit.store.export(wanted), form=form, with_text=with_text),
        media_type=MEDIA[form],
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


async def _lines(
    store: Store, cases: AsyncIterator[Case], *, form: str, with_text: bool
) -> AsyncIterator[str]:
    if form == "csv":
        yield next(iter(csv_lines((), text=with_text)))
    async for case in cases:
        row: dict[str, Any] = case_row(case)
        if with_text:
            row.update(texts(await store.show(case.id)))
        lines = csv_lines((row,), text=with_text) if form == "csv" else jsonl_lines((row,))
        yield list(lines)[-1]
