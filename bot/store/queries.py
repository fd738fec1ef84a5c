"""Lists of cases: filters as SQL, the queue's order, counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.casefilter import ALL, NOBODY, QUEUE, CaseFilter
from bot.core.escalation import Case
from bot.core.model import Level
from bot.store.codec import case_of, queue_rank, rank_of
from bot.store.schema import IS_OPEN, IS_TAGGED, NOT_WAITING, escalation, signal, signal_rule

columns = escalation.c
OFTEN = 3_000  # messages in which a rule has to speak until it is looked for case by case
LATEST = 1_000  # false alarms that are told by rule
RULES_MAX = 12
QUEUE_ORDER = (columns.queue_rank, columns.listed_at, columns.number)


async def page(
    connection: AsyncConnection, wanted: CaseFilter, *, limit: int, after: Case | None = None
) -> tuple[Case, ...]:
    """At most `limit` cases in the order of the queue, those behind `after`."""
    often = await _speaks_often(connection, wanted.rule)
    query = page_query(wanted, limit=limit, after=after, often=often)
    return tuple(case_of(row) for row in await connection.execute(query))


def page_query(
    wanted: CaseFilter, *, limit: int, after: Case | None = None, often: bool = False
) -> Select[Any]:
    """The query behind `page`, which an index of the queue's order answers.

    The index alone finds which cases they are, and only those are read.
    """
    where = conditions(wanted, often=often)
    found = select(columns.id).where(*where).order_by(*QUEUE_ORDER).limit(limit)
    if after is not None:
        found = found.where(tuple_(*QUEUE_ORDER) > tuple_(*_place(after)))
    return select(escalation).where(columns.id.in_(found)).order_by(*QUEUE_ORDER)


async def newest(
    connection: AsyncConnection, wanted: CaseFilter, *, limit: int, below: int | None = None
) -> tuple[Case, ...]:
    """At most `limit` cases by number, the highest first, those below `below`."""
    query = select(escalation).where(*conditions(wanted))
    if below is not None:
        query = query.where(columns.number < below)
    rows = await connection.execute(query.order_by(columns.number.desc()).limit(limit))
    return tuple(case_of(row) for row in rows)


async def unacknowledged(
    connection: AsyncConnection, *, limit: int
) -> tuple[tuple[str, datetime], ...]:
    """The id of at most `limit` new cases, in the order of the queue, and when alerts began."""
    query = (
        select(columns.id, columns.alert_since)
        .where(literal_column(IS_OPEN), columns.status == "new")
        .order_by(*QUEUE_ORDER)
        .limit(limit)
    )
    return tuple((row.id, row.alert_since) for row in await connection.execute(query))


async def count(
    connection: AsyncConnection, wanted: CaseFilter, *, at_most: int | None = None
) -> int:
    """How many cases there are of those; it stops counting at `at_most`."""
    often = at_most is not None and await _speaks_often(connection, wanted.rule)
    found = select(columns.id).where(*conditions(wanted, often=often)).limit(at_most)
    query = select(func.count()).select_from(found.subquery())
    return int((await connection.execute(query)).scalar_one())


async def open_counts(connection: AsyncConnection) -> dict[tuple[str, Level], int]:
    """How many cases are open, by status and level."""
    query = (
        select(columns.status, columns.level, func.count())
        .where(literal_column(IS_OPEN))
        .group_by(columns.status, columns.level)
    )
    rows = await connection.execute(query)
    return {(status, Level(level)): number for status, level, number in rows}


async def hidden_emergencies(connection: AsyncConnection, wanted: CaseFilter) -> int:
    """How many emergencies that nobody acknowledged `wanted` leaves out."""
    if wanted in (ALL, QUEUE):
        return 0
    often = await _speaks_often(connection, wanted.rule)
    shown = func.count().filter(and_(*conditions(wanted, often=often)))
    query = select(func.count() - shown).where(columns.queue_rank == 0)
    return int((await connection.execute(query)).scalar_one())


async def false_alarms(connection: AsyncConnection) -> tuple[tuple[str, int], ...]:
    """The rules of the latest cases that were judged too high, the most frequent first."""
    latest = (
        select(columns.top_rule)
        .where(columns.verdict == "too_high")
        .order_by(columns.number.desc())
        .limit(LATEST)
        .subquery()
    )
    often = func.count().label("often")
    query = select(latest.c.top_rule, often).group_by(latest.c.top_rule)
    query = query.order_by(often.desc(), latest.c.top_rule).limit(RULES_MAX)
    return tuple((row.top_rule, row.often) for row in await connection.execute(query))


def conditions(wanted: CaseFilter, *, often: bool = False) -> tuple[ColumnElement[Any], ...]:
    """`wanted` as conditions on `escalation`; `often` says that its rule speaks in many cases."""
    return tuple(_conditions(wanted, often=often))


def _conditions(wanted: CaseFilter, *, often: bool) -> Iterator[ColumnElement[Any]]:
    if wanted.number is not None:
        yield columns.number == wanted.number
    if wanted == QUEUE:
        yield literal_column(IS_OPEN)  # lets the index of the queue answer
    elif wanted.statuses:
        # Joined with nothing, so that SQLite takes the list's index, which has all the rest,
        # and not the one of the clocks.
        yield columns.status.concat("").in_(wanted.statuses)
    if wanted.levels:
        yield columns.level.in_([int(level) for level in wanted.levels])
        # The same said of what the list is ordered by, so that its index skips the rest.
        yield columns.queue_rank.between(*_ranks(wanted.levels))
    if wanted.assignee:
        yield columns.assignee == ("" if wanted.assignee == NOBODY else wanted.assignee)
    if wanted.review_statuses:
        yield columns.review_status.in_(wanted.review_statuses)
    if wanted.version:
        named = (columns.engine_version, columns.content_version, columns.dataset_version)
        yield or_(*(column == wanted.version for column in named))
    if wanted.tag:
        yield columns.id.in_(_tagged(wanted.tag))
    if wanted.rule:
        yield _spoke(wanted.rule, often=often)
    if wanted.since is not None:
        yield columns.created_at >= wanted.since
    if wanted.before is not None:
        yield columns.created_at < wanted.before
    if wanted.breached:
        yield columns.sla_status == "missed"
    if wanted.delivery_failed:
        yield columns.delivery_failed.is_(True)
    if wanted.repeated:
        yield columns.signals > 1
    yield from _equalities(wanted)


def _equalities(wanted: CaseFilter) -> Iterator[ColumnElement[Any]]:
    names = ("verdict", "alert_status", "country", "language", "channel", "kind", "topic")
    for name in names:
        value = getattr(wanted, name)
        if value:
            yield columns[name] == value


def _tagged(tag: str) -> Select[Any]:
    """The cases with this label, found among those that have one."""
    other = escalation.alias("tagged")
    has = other.c.tags.contains(f'"{tag}"', autoescape=True)
    return select(other.c.id).where(literal_column(f"tagged.{IS_TAGGED}"), has)


def _spoke(rule: str, *, often: bool) -> ColumnElement[bool]:
    """Whether the rule spoke: asked of each case where it does often, else found by the rule."""
    if often:
        here = signal_rule.c.escalation_id == columns.id
        return exists().where(here, signal_rule.c.rule_id == rule)
    return columns.id.in_(select(signal_rule.c.escalation_id).where(signal_rule.c.rule_id == rule))


async def _speaks_often(connection: AsyncConnection, rule: str) -> bool:
    if not rule:
        return False
    found = select(signal_rule.c.escalation_id).where(signal_rule.c.rule_id == rule).limit(OFTEN)
    query = select(func.count()).select_from(found.subquery())
    return int((await connection.execute(query)).scalar_one()) == OFTEN


def _ranks(levels: tuple[Level, ...]) -> tuple[int, int]:
    """The first and last place in the order that a case of these levels can have."""
    first, last = rank_of(max(levels)), rank_of(min(levels))
    return (0 if Level.EMERGENCY in levels else first), last


def _place(case: Case) -> tuple[Any, ...]:
    listed_at = case.waiting_since or NOT_WAITING
    return (
        literal(queue_rank(case)),
        literal(listed_at, columns.listed_at.type),
        literal(case.number),
    )


async def is_answered(connection: AsyncConnection, entry_key: str) -> bool:
    """Whether the reply to the message of this key reached the person, as far as is recorded."""
    query = select(signal.c.delivery_status).where(signal.c.entry_key == entry_key)
    return (await connection.execute(query)).scalar() in ("sent", "blocked")
