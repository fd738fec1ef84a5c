"""Reading the history in pages, and telling cheaply whether anything happened since."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from bot.store.codec import events_of
from bot.store.engine import Database
from bot.store.records import EventRecord
from bot.store.schema import escalation, event, head


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One event, with the number of its case where it has one that is still kept."""

    record: EventRecord
    number: int | None


class History:
    """The history as staff read it. Nothing here changes it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last(self) -> int:
        """The number of the last event: it grows with everything that happens."""
        async with self._database.reading() as connection:
            found: int = (await connection.execute(select(head.c.seq))).scalar_one()
            return found

    async def page(
        self,
        *,
        actor: str = "",
        type_: str = "",
        number: int | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> tuple[HistoryLine, ...]:
        """At most `limit` events, the newest first, those before the event `before`."""
        query = select(event, escalation.c.number).outerjoin(
            escalation, escalation.c.id == event.c.escalation_id
        )
        if actor:
            query = query.where(event.c.actor == actor)
        if type_:
            query = query.where(event.c.type == type_)
        if number is not None:
            query = query.where(escalation.c.number == number)
        if before is not None:
            query = query.where(event.c.seq < before)
        async with self._database.reading() as connection:
            rows = list(await connection.execute(query.order_by(event.c.seq.desc()).limit(limit)))
        records = events_of(rows)
        return tuple(
            HistoryLine(record, row.number) for record, row in zip(records, rows, strict=True)
        )
