"""The conversation around a case: what its person said without alarm, and the bot's answers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core import joining
from bot.core.actions import Hear
from bot.core.escalation import BOT, Case, Entry
from bot.core.exchange import Exchange
from bot.store import cases
from bot.store.audit import Writing
from bot.store.codec import case_of, exchange_row
from bot.store.engine import Database
from bot.store.keys import Keys
from bot.store.schema import IS_OPEN, escalation, exchange, signal, takeover, talk

MOST = 500  # exchanges of one case; a flood makes no record of any length


class Exchanges:
    """What was said around cases."""

    def __init__(
        self,
        database: Database,
        keys: Keys,
        writing: Callable[[str], AbstractAsyncContextManager[Writing]],
    ) -> None:
        self._database = database
        self._keys = keys
        self._writing = writing

    async def keep(self, said: Exchange, *, heard: bool = False) -> bool:
        """Keep `said` with the open case of its person. False when there is none to keep it with,
        or when that holds MOST already.

        The same one twice is kept once; the second may bring its delivery status. With `heard`,
        somebody of the staff who is in the conversation has something to read.
        """
        subject_key = self._keys.subject(said.chat)
        async with self._database.reading() as connection:
            # Most people have no case; only what is kept takes the place of a writer.
            if await _open_case(connection, subject_key) is None:
                return False
        async with self._writing("") as writing:
            found = await _open_case(writing.connection, subject_key)
            if found is None:
                return False
            case, alarm_at = found
            is_held = await _is_held(writing, case)
            if not is_held and not joining.is_around(
                case, said.received_at, alarm_at, writing.rules
            ):
                return False
            if await _count(writing.connection, case) >= MOST:
                return False
            if await add(writing, case.id, (said,)) and is_held and heard:
                await cases.act(writing, case, Hear(BOT))
            return True

    async def latest(self) -> datetime | None:
        """When the last of all that is kept was said."""
        async with self._database.reading() as connection:
            query = select(func.max(exchange.c.created_at))
            found: datetime | None = (await connection.execute(query)).scalar()
            return found


async def surround(writing: Writing, case_id: str, entry: Entry) -> None:
    """Keep with a case what was said before the alarm `entry`.

    A message that was an alarm only when it was delivered again is not said a second time.
    """
    key = writing.keys.fingerprint(entry.identity)
    await writing.connection.execute(delete(exchange).where(exchange.c.entry_key == key))
    await add(writing, case_id, entry.before)


async def add(writing: Writing, case_id: str, said: tuple[Exchange, ...]) -> int:
    """Keep with a case what was said, each once. Gives how many are new.

    What the case holds already as an alarm, or as a word to staff, is not said a second time.
    """
    by_key = {writing.keys.fingerprint(each.identity): each for each in said}
    if not by_key:
        return 0
    known = await _complete(writing.connection, by_key)
    alarms = select(signal.c.entry_key).where(signal.c.entry_key.in_(by_key))
    known |= set((await writing.connection.execute(alarms)).scalars())
    to_staff = {talk_key(writing.keys, each.chat, each.own): key for key, each in by_key.items()}
    heard = select(talk.c.entry_key).where(talk.c.entry_key.in_(to_staff))
    known |= {to_staff[key] for key in (await writing.connection.execute(heard)).scalars()}
    fresh = [
        {
            "id": str(uuid.uuid4()),
            "escalation_id": case_id,
            "entry_key": key,
            **exchange_row(writing.keys, each),
        }
        for key, each in by_key.items()
        if key not in known
    ]
    if fresh:
        await writing.connection.execute(insert(exchange), fresh)
    return len(fresh)


def talk_key(keys: Keys, chat: str, own: str) -> str:
    """What makes a word to staff the same one when it comes twice."""
    return keys.fingerprint(f"{chat}\0{own}\0talk")


async def _complete(connection: AsyncConnection, by_key: Mapping[str, Exchange]) -> set[str]:
    """The keys that are kept already; a delivery that was open is filled in."""
    kept = select(exchange).where(exchange.c.entry_key.in_(by_key))
    rows = list(await connection.execute(kept))
    for row in rows:
        status = by_key[row.entry_key].delivery_status
        if row.delivery_status is None and status is not None:
            await connection.execute(
                update(exchange).where(exchange.c.id == row.id).values(delivery_status=status)
            )
    return {row.entry_key for row in rows}


async def _open_case(connection: AsyncConnection, subject_key: str) -> tuple[Case, datetime] | None:
    """The person's open case and when its last alarm was that is not forgotten, or None."""
    alarm_at: Any = (
        select(func.max(signal.c.received_at))
        .where(signal.c.escalation_id == escalation.c.id, signal.c.sealed.is_not(None))
        .scalar_subquery()
    )
    query = select(escalation, alarm_at.label("alarm_at")).where(
        escalation.c.subject_key == subject_key, literal_column(IS_OPEN)
    )
    row = (await connection.execute(query)).first()
    return None if row is None or row.alarm_at is None else (case_of(row), row.alarm_at)


async def _count(connection: AsyncConnection, case: Case) -> int:
    query = select(func.count()).where(exchange.c.escalation_id == case.id)
    return (await connection.execute(query)).scalar_one()


async def _is_held(writing: Writing, case: Case) -> bool:
    """Whether somebody of the staff is in the conversation."""
    held = select(takeover.c.until).where(takeover.c.escalation_id == case.id)
    until: datetime | None = (await writing.connection.execute(held)).scalar()
    return until is not None and until > writing.now
