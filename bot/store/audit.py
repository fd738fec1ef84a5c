"""The history: a chain of events in which each names the hash of the one before.

The chain shows that a line was changed, taken out or put in. It stops nobody who can write
the whole database, unless the last hash is kept somewhere else too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.escalation import FIRST_NUMBER, Event, Rules
from bot.errors import KeyMissing
from bot.store.codec import AnyRow, short
from bot.store.keys import Keys
from bot.store.schema import event, head

GENESIS = "0" * 64
PAGE = 1_000  # events read at a time
CANARY = "baclofen-bot"


@dataclass(frozen=True, slots=True)
class Chain:
    """Where the history and the numbering of cases stand, held until the transaction ends."""

    number: int
    seq: int
    hash: str


@dataclass(slots=True)
class Writing:
    """A transaction that holds the chain; nobody else can change a case until it ends.

    `channel` is where the action came from.
    """

    connection: AsyncConnection
    keys: Keys
    rules: Rules
    now: datetime
    chain: Chain
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check of the chain found. `broken_at` is the first event that is not right.

    `hash` is that of the last event: keep it elsewhere, and a rewritten chain shows too.
    """

    events: int
    hash: str
    broken_at: int | None = None
    problem: str = ""


async def begin(connection: AsyncConnection, keys: Keys) -> None:
    """Make the head of the chain in a new database, or see that `keys` fit an old one.

    Raises KeyMissing when they do not.
    """
    row = (await connection.execute(select(head))).first()
    if row is None:
        fresh = {"id": 1, "number": FIRST_NUMBER - 1, "seq": 0, "hash": GENESIS}
        seals = {"canary": keys.encrypt(CANARY), "subject_canary": keys.fingerprint(CANARY)}
        await connection.execute(
            insert(head).values(**fresh, kept_from=1, kept_hash=GENESIS, **seals)
        )
        return
    keys.decrypt(row.canary)
    if row.subject_canary != keys.fingerprint(CANARY):
        raise KeyMissing(
            "The 'subject' line of the key file is not the one that this database was made "
            "with; put the older key file back."
        )


async def take(connection: AsyncConnection) -> Chain:
    """The chain, locked until the transaction ends: one writer at a time."""
    row = (await connection.execute(select(head).with_for_update())).one()
    return Chain(row.number, row.seq, row.hash)


async def append(
    writing: Writing, events: Iterable[Event], *, actor: str, case_id: str = ""
) -> None:
    """Add `events` to the history."""
    rows = []
    for each in events:
        chain = writing.chain
        row: dict[str, Any] = {
            "seq": chain.seq + 1,
            "at": writing.now,
            "actor": short(actor, 80),
            "escalation_id": case_id,
            "type": each.type,
            "before": json.dumps(each.before, sort_keys=True),
            "after": json.dumps(each.after, sort_keys=True),
            "channel": short(writing.channel, 20),
            "prev_hash": chain.hash,
        }
        row["hash"] = digest(row)
        rows.append(row)
        writing.chain = replace(chain, seq=row["seq"], hash=row["hash"])
    if rows:
        await writing.connection.execute(insert(event), rows)
    await put(writing.connection, writing.chain)


async def put(connection: AsyncConnection, chain: Chain) -> None:
    """Keep where the chain stands now."""
    values = {"number": chain.number, "seq": chain.seq, "hash": chain.hash}
    await connection.execute(update(head).values(**values))


def digest(row: dict[str, Any]) -> str:
    """The hash of an event: over all it says and the hash before it."""
    said = [
        row["seq"],
        row["at"].astimezone(UTC).isoformat(timespec="microseconds"),
        *(row[name] for name in ("actor", "escalation_id", "type", "before", "after")),
        row["channel"],
        row["prev_hash"],
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


async def verify(connection: AsyncConnection) -> Verified:
    """Read the whole chain and say whether it holds."""
    stand = (await connection.execute(select(head))).one()
    expected, seq, count = stand.kept_hash, stand.kept_from, 0
    async for row in _events(connection, stand.kept_from):
        problem = _problem(row, seq, expected)
        if problem:
            return Verified(count, expected, seq, problem)
        expected, seq, count = row.hash, seq + 1, count + 1
    if (seq - 1, expected) != (stand.seq, stand.hash):
        return Verified(count, expected, seq, "the last events are missing")
    return Verified(count, expected)


async def has(connection: AsyncConnection, wanted: str) -> bool:
    """Whether the chain has a link with the hash `wanted`."""
    in_chain = select(event.c.seq).where(event.c.hash == wanted)
    at_its_start = select(head.c.id).where(head.c.kept_hash == wanted)
    for query in (in_chain, at_its_start):
        if (await connection.execute(query)).first() is not None:
            return True
    return False


async def _events(connection: AsyncConnection, first: int) -> AsyncIterator[AnyRow]:
    while True:
        page = select(event).where(event.c.seq >= first).order_by(event.c.seq).limit(PAGE)
        rows = (await connection.execute(page)).all()
        for row in rows:
            yield row
        if len(rows) < PAGE:
            return
        first = rows[-1].seq + 1


def _problem(row: AnyRow, seq: int, expected: str) -> str:
    if row.seq != seq:
        return f"event {seq} is missing"
    if row.prev_hash != expected:
        return "it does not follow the event before it"
    if digest(dict(row._mapping)) != row.hash:
        return "its contents were changed"
    return ""
