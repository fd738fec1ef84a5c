"""Taking texts away: on request, on schedule; and putting them under a new key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Table,
    delete,
    exists,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.actions import Redact
from bot.core.escalation import SYSTEM
from bot.store import cases
from bot.store.audit import Writing
from bot.store.codec import case_of
from bot.store.records import Forgotten, Redacted
from bot.store.schema import (
    IS_OPEN,
    contact,
    escalation,
    event,
    exchange,
    head,
    note,
    person,
    review,
    review_sample,
    signal,
    signal_rule,
    staff,
    takeover,
    talk,
)

BATCH = 200  # rows a transaction, so that no record has to wait for long

# Every column that holds something encrypted, with the key of its row.
SEALED: tuple[tuple[Table, Column[Any], Column[Any]], ...] = (
    (signal, signal.c.id, signal.c.sealed),
    (note, note.c.id, note.c.sealed),
    (talk, talk.c.id, talk.c.sealed),
    (exchange, exchange.c.id, exchange.c.sealed),
    (review, review.c.id, review.c.sealed),
    (review_sample, review_sample.c.id, review_sample.c.sealed),
    (contact, contact.c.subject_key, contact.c.sealed),
    (person, person.c.subject_key, person.c.sealed),
    (staff, staff.c.id, staff.c.totp_sealed),
    (head, head.c.id, head.c.canary),
)

# What else is said or written in a case, emptied by when it was.
DATED = (note, review, talk, exchange)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept: texts, and then what is left of a case and its history."""

    texts: timedelta = timedelta(days=30)
    skeletons: timedelta = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Until:
    """When somebody asked to be forgotten, by both clocks, which may be minutes apart: `told` by
    that of the chat's messages, `noted` by ours. Each row is held against the clock it is of."""

    told: datetime
    noted: datetime


async def forget(writing: Writing, key: str, actor: str, until: Until | None = None) -> Forgotten:
    """Take away all that the person of this subject key wrote; skeletons of cases stay.

    The history says that it was `actor`. With `until`, when it was asked for, what began
    afterwards stays: an emergency above all, with the way to answer it.
    """
    connection = writing.connection
    theirs = select(escalation).where(escalation.c.subject_key == key)
    found = [case_of(row) for row in await connection.execute(theirs)]
    received = signal.c.received_at
    later = set() if until is None else await _heard(connection, key, received > until.told)
    earlier = set() if until is None else await _heard(connection, key, received <= until.told)
    messages = await _empty_cases(connection, [case.id for case in found], writing.now, until)
    for case in found:
        if until is None or case.id in earlier:
            await cases.act(writing, case, Redact(actor, "forget"))
    seen = (review_sample.c.subject_key == key, review_sample.c.sealed.is_not(None))
    samples = update(review_sample).where(*seen, *_told(review_sample.c.at, until))
    await connection.execute(samples.values(sealed=None, redacted_at=writing.now))
    over = (takeover.c.subject_key == key, takeover.c.escalation_id.not_in(later))
    await connection.execute(delete(takeover).where(*over))
    # Always: while the wish waited, the talk went on from what was known before it.
    gone = await connection.execute(delete(person).where(person.c.subject_key == key))
    if not later:
        await connection.execute(delete(contact).where(contact.c.subject_key == key))
    return Forgotten(len(found), messages, bool(found) or gone.rowcount > 0)


async def redact_texts(writing: Writing, before: datetime) -> Redacted:
    """Take away at most a batch of the texts that are older than `before`."""
    connection = writing.connection
    old = (
        select(signal.c.id, signal.c.escalation_id)
        .where(signal.c.received_at < before, signal.c.sealed.is_not(None))
        .order_by(signal.c.received_at)
        .limit(BATCH)
    )
    found = list(await connection.execute(old))
    await connection.execute(
        update(signal)
        .where(signal.c.id.in_([row.id for row in found]))
        .values(sealed=None, redacted_at=writing.now)
    )
    for case_id in sorted({row.escalation_id for row in found}):
        case = await cases.find(connection, case_id)
        if case is not None:
            await cases.act(writing, case, Redact(SYSTEM, "retention"))
    return Redacted(
        messages=len(found),
        notes=sum([await _empty(connection, table, before) for table in DATED]),
        samples=await _empty_samples(connection, before, writing.now),
        people=await _drop_people(connection, before),
    )


async def drop_skeletons(writing: Writing, before: datetime) -> Redacted:
    """Take away at most a batch of the resolved cases from before `before`, and old events."""
    connection = writing.connection
    old = (
        select(escalation.c.id)
        .where(escalation.c.status == "resolved", escalation.c.resolved_at < before)
        .limit(BATCH)
    )
    ids = list((await connection.execute(old)).scalars())
    for table in (signal_rule, signal, takeover, *DATED):
        await connection.execute(delete(table).where(table.c.escalation_id.in_(ids)))
    await connection.execute(delete(escalation).where(escalation.c.id.in_(ids)))
    return Redacted(cases=len(ids), events=await _drop_events(connection, before))


async def reencrypt(writing: Writing, place: int, after: str) -> str | None:
    """Put a batch of `SEALED[place]` behind the row `after` under the newest key.

    Gives the last row's key, or None when none is left.
    """
    table, key, column = SEALED[place]
    page = select(key, column).where(column.is_not(None)).order_by(key).limit(BATCH)
    if after:
        page = page.where(key > after)
    rows = list(await writing.connection.execute(page))
    for own, sealed in rows:
        fresh = {column.name: writing.keys.reencrypt(sealed)}
        await writing.connection.execute(update(table).where(key == own).values(**fresh))
    return str(rows[-1][0]) if len(rows) == BATCH else None


def _told(column: Column[Any], until: Until | None) -> tuple[ColumnElement[bool], ...]:
    return () if until is None else (column <= until.told,)


def _noted(column: Column[Any], until: Until | None) -> tuple[ColumnElement[bool], ...]:
    return () if until is None else (column <= until.noted,)


async def _heard(connection: AsyncConnection, key: str, then: ColumnElement[bool]) -> set[str]:
    """The cases of a person that something was said in then."""
    query = (
        select(signal.c.escalation_id)
        .join(escalation, escalation.c.id == signal.c.escalation_id)
        .where(escalation.c.subject_key == key, then)
    )
    return set((await connection.execute(query)).scalars())


async def _empty_cases(
    connection: AsyncConnection, ids: list[str], now: datetime, until: Until | None
) -> int:
    theirs = (signal.c.escalation_id.in_(ids), signal.c.sealed.is_not(None))
    gone = await connection.execute(
        update(signal)
        .where(*theirs, *_told(signal.c.received_at, until))
        .values(sealed=None, redacted_at=now)
    )
    for table in DATED:
        # What was said around an alarm is by the clock of the chat, as the alarm is.
        done = _told if table is exchange else _noted
        await connection.execute(
            update(table)
            .where(table.c.escalation_id.in_(ids), *done(table.c.created_at, until))
            .values(sealed=None)
        )
    return gone.rowcount


async def _empty(connection: AsyncConnection, table: Table, before: datetime) -> int:
    old = (table.c.created_at < before, table.c.sealed.is_not(None))
    return (await connection.execute(update(table).where(*old).values(sealed=None))).rowcount


async def _empty_samples(connection: AsyncConnection, before: datetime, now: datetime) -> int:
    old = (review_sample.c.at < before, review_sample.c.sealed.is_not(None))
    values = {"sealed": None, "redacted_at": now}
    return (await connection.execute(update(review_sample).where(*old).values(values))).rowcount


async def _drop_people(connection: AsyncConnection, before: datetime) -> int:
    """Conversations that rest since `before`; whoever has an open case stays reachable."""
    waits = exists().where(
        escalation.c.subject_key == contact.c.subject_key, literal_column(IS_OPEN)
    )
    await connection.execute(delete(contact).where(contact.c.updated_at < before, ~waits))
    gone = await connection.execute(delete(person).where(person.c.updated_at < before))
    return gone.rowcount


async def _drop_events(connection: AsyncConnection, before: datetime) -> int:
    """The oldest part of the chain; what is kept is checked from there on."""
    stand = (await connection.execute(select(head))).one()
    first_kept = (
        await connection.execute(select(func.min(event.c.seq)).where(event.c.at >= before))
    ).scalar()
    kept_from = stand.seq + 1 if first_kept is None else first_kept
    if kept_from <= stand.kept_from:
        return 0
    last = select(event.c.hash).where(event.c.seq == kept_from - 1)
    kept_hash = (await connection.execute(last)).scalar_one()
    await connection.execute(update(head).values(kept_from=kept_from, kept_hash=kept_hash))
    return (await connection.execute(delete(event).where(event.c.seq < kept_from))).rowcount
