"""Cases in the database: recording, acting and reading, inside a caller's transaction."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core import joining, lifecycle
from bot.core.actions import Action, Outcome, Refusal, Signal, Step
from bot.core.escalation import BOT, Case, Entry
from bot.errors import StoreError
from bot.store import audit
from bot.store.audit import Writing
from bot.store.codec import (
    AnyRow,
    case_of,
    case_row,
    events_of,
    exchange_of,
    line_of,
    note_of,
    review_of,
    rules_of,
    signal_of,
    signal_row,
)
from bot.store.keys import Keys
from bot.store.records import CaseFile
from bot.store.schema import (
    contact,
    escalation,
    event,
    exchange,
    note,
    review,
    signal,
    signal_rule,
    talk,
)

FAILED = ("failed", "blocked")


async def record(writing: Writing, entry: Entry) -> Case:
    """Keep `entry`, once: it joins the person's case or begins one."""
    connection, keys = writing.connection, writing.keys
    key = keys.fingerprint(entry.identity)
    known = (await connection.execute(select(signal).where(signal.c.entry_key == key))).first()
    if known is not None:
        return await _complete(connection, known, entry)
    taken = await _join_or_open(writing, entry)
    await _add_signal(connection, keys, entry, taken.case.id)
    await upsert(
        connection,
        contact,
        keys.subject(entry.chat),
        sealed=keys.encrypt(entry.chat),
        updated_at=writing.now,
    )
    await audit.append(writing, taken.events, actor=BOT, case_id=taken.case.id)
    return taken.case


async def act(writing: Writing, case: Case, action: Action) -> Outcome:
    """Let `action` happen to `case`, which was read in this transaction, or say why not."""
    outcome = lifecycle.step(case, action, writing.now, writing.rules)
    if isinstance(outcome, Refusal):
        return outcome
    await _update(writing.connection, outcome.case)
    await audit.append(writing, outcome.events, actor=action.actor, case_id=case.id)
    return outcome


async def raise_version(connection: AsyncConnection, case: Case) -> None:
    """Let what others are about to do to `case`, as they saw it, be refused."""
    await _update(connection, replace(case, row_version=case.row_version + 1))


async def find(connection: AsyncConnection, case_id: str | int) -> Case | None:
    """The case with this id or this number, or None."""
    column = escalation.c.number if isinstance(case_id, int) else escalation.c.id
    row = (await connection.execute(select(escalation).where(column == case_id))).first()
    return None if row is None else case_of(row)


async def read_file(connection: AsyncConnection, keys: Keys, case: Case) -> CaseFile:
    """All that is known of `case`, opened."""
    signals = await _rows(connection, signal, case.id, signal.c.received_at)
    reviews = await _rows(connection, review, case.id, review.c.created_at)
    notes = await _rows(connection, note, case.id, note.c.created_at)
    events = await _rows(connection, event, case.id, event.c.seq)
    lines = await _rows(connection, talk, case.id, talk.c.place)
    around = await _rows(connection, exchange, case.id, exchange.c.created_at)
    others = (
        select(escalation)
        .where(escalation.c.subject_key == case.subject_key, escalation.c.id != case.id)
        .order_by(escalation.c.number.desc())
        .limit(20)
    )
    return CaseFile(
        case=case,
        signals=tuple(signal_of(keys, row) for row in signals),
        reviews=tuple(review_of(keys, row) for row in reviews),
        notes=tuple(note_of(keys, row) for row in notes),
        events=events_of(events),
        earlier=tuple(case_of(row) for row in await connection.execute(others)),
        talk=tuple(line_of(keys, row) for row in lines),
        exchanges=tuple(exchange_of(keys, row) for row in around),
    )


async def upsert(connection: AsyncConnection, table: Any, key: str, **values: Any) -> None:
    """Put one row of `table`, in place of the one with the same subject key."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    fresh = dialect.insert(table).values(subject_key=key, **values)
    await connection.execute(
        fresh.on_conflict_do_update(index_elements=["subject_key"], set_=values)
    )


async def _complete(connection: AsyncConnection, known: AnyRow, entry: Entry) -> Case:
    """The case of a message that is known; its delivery is filled in when that was open."""
    case = await find(connection, known.escalation_id)
    if case is None:
        raise StoreError("A message has lost its case; the database was altered.")
    if entry.delivery_status is None or known.delivery_status is not None:
        return case
    await connection.execute(
        update(signal)
        .where(signal.c.id == known.id)
        .values(delivery_status=entry.delivery_status, reply_latency_ms=entry.reply_latency_ms)
    )
    if entry.delivery_status in FAILED and not case.delivery_failed:
        case = replace(case, delivery_failed=True, row_version=case.row_version + 1)
        await _update(connection, case)
    return case


async def _join_or_open(writing: Writing, entry: Entry) -> Step:
    """The person's open or lately resolved case with `entry` in it, or a new one."""
    subject_key = writing.keys.subject(entry.chat)
    latest = await _latest(writing.connection, subject_key)
    if latest is not None and joining.joins(latest, entry, writing.rules):
        joined = lifecycle.step(latest, Signal(BOT, entry), writing.now, writing.rules)
        if isinstance(joined, Refusal):
            raise StoreError(joined.reason)
        await _update(writing.connection, joined.case)
        return joined
    writing.chain = replace(writing.chain, number=writing.chain.number + 1)
    opened = joining.open_case(
        entry,
        writing.now,
        case_id=str(uuid.uuid4()),
        number=writing.chain.number,
        subject_key=subject_key,
        previous_id=latest.id if latest else "",
        rules=writing.rules,
    )
    await writing.connection.execute(insert(escalation).values(**case_row(opened.case)))
    return opened


async def _latest(connection: AsyncConnection, subject_key: str) -> Case | None:
    query = (
        select(escalation)
        .where(escalation.c.subject_key == subject_key)
        .order_by(escalation.c.number.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).first()
    return None if row is None else case_of(row)


async def _update(connection: AsyncConnection, case: Case) -> None:
    await connection.execute(
        update(escalation).where(escalation.c.id == case.id).values(**case_row(case))
    )


async def _add_signal(connection: AsyncConnection, keys: Keys, entry: Entry, case_id: str) -> None:
    own = str(uuid.uuid4())
    row = signal_row(keys, entry)
    await connection.execute(insert(signal).values(id=own, escalation_id=case_id, **row))
    spoke = [
        {"signal_id": own, "rule_id": rule, "kind": kind, "escalation_id": case_id}
        for rule, kind in sorted(rules_of(entry))
    ]
    if spoke:
        await connection.execute(insert(signal_rule), spoke)


async def _rows(connection: AsyncConnection, table: Any, case_id: str, order: Any) -> list[AnyRow]:
    query = select(table).where(table.c.escalation_id == case_id).order_by(order)
    return list(await connection.execute(query))
