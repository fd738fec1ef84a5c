"""What figures and exports for the regression set are made from; inside a caller's connection."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.casefilter import CaseFilter
from bot.core.escalation import Review
from bot.core.figures import Fact
from bot.core.model import Level
from bot.core.pseudonyms import Judged
from bot.store.codec import review_of, signal_of
from bot.store.keys import Keys
from bot.store.queries import conditions
from bot.store.schema import escalation, review, review_sample, signal

columns = escalation.c


async def facts(connection: AsyncConnection, wanted: CaseFilter) -> tuple[Fact, ...]:
    """What the figures need of each case."""
    query = select(
        columns.level,
        columns.top_rule,
        columns.language,
        columns.created_at,
        columns.alert_since,
        columns.acknowledged_at,
        columns.sla_status,
        columns.delivery_failed,
        columns.review_status,
        columns.verdict,
    ).where(*conditions(wanted))
    return tuple(
        Fact(
            level=Level(row.level),
            rule=row.top_rule,
            language=row.language,
            created_at=row.created_at,
            alert_since=row.alert_since,
            acknowledged_at=row.acknowledged_at,
            missed=row.sla_status == "missed",
            delivery_failed=row.delivery_failed,
            reviewed=row.review_status != "unreviewed",
            verdict=row.verdict,
        )
        for row in await connection.execute(query)
    )


async def reviews(
    connection: AsyncConnection, keys: Keys, since: datetime | None
) -> list[tuple[str, Review]]:
    """Every review of a case since then, with the id of its case, the oldest first."""
    query = select(review).where(review.c.escalation_id.is_not(None))
    if since is not None:
        query = query.where(review.c.created_at >= since)
    rows = await connection.execute(query.order_by(review.c.created_at))
    return [(row.escalation_id, review_of(keys, row)) for row in rows]


async def judged(connection: AsyncConnection, keys: Keys) -> list[Judged]:
    """Every message that was reviewed and can still be read, as its readers settled it.

    A case of several messages was judged by its worst: only those of the case's level count.
    """
    cases = (
        select(signal, columns.reviewed_level, columns.level.label("case_level"))
        .join(escalation, columns.id == signal.c.escalation_id)
        .where(columns.review_status == "reviewed", signal.c.sealed.is_not(None))
        .where(signal.c.level == columns.level)
        .order_by(signal.c.received_at)
    )
    topics = await _topics(connection, keys)
    found = []
    for row in await connection.execute(cases):
        message = signal_of(keys, row)
        topic = topics.get(row.escalation_id, "")
        level = Level(row.reviewed_level)
        kind = message.kind if level == message.level else ""
        found.append(Judged(message.text or "", level, kind, topic))
    return found + await _judged_samples(connection, keys, topics)


async def _topics(connection: AsyncConnection, keys: Keys) -> dict[str, str]:
    """The topic that the latest reader named, by the id of the case or the sample."""
    rows = await connection.execute(select(review).order_by(review.c.created_at))
    return {row.escalation_id or row.sample_id: review_of(keys, row).reviewed_topic for row in rows}


async def _judged_samples(
    connection: AsyncConnection, keys: Keys, topics: dict[str, str]
) -> list[Judged]:
    kept = select(review_sample).where(
        review_sample.c.review_status == "reviewed", review_sample.c.sealed.is_not(None)
    )
    return [
        Judged(
            keys.decrypt(row.sealed),
            Level(row.reviewed_level),
            "",
            topics.get(row.id) or row.topic,
            row.language,
        )
        for row in await connection.execute(kept.order_by(review_sample.c.at))
    ]
