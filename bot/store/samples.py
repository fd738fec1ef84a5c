"""Messages that were not escalated, kept for staff to look for misses."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.actions import Refusal
from bot.core.escalation import Event, ReplyWasRight, Review
from bot.core.model import Level
from bot.core.sampling import Sample, Stratum
from bot.store import audit
from bot.store.audit import Writing
from bot.store.casework import review_row
from bot.store.codec import AnyRow, short, version_columns
from bot.store.engine import Database
from bot.store.keys import Keys
from bot.store.schema import review, review_sample


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRecord:
    """A kept sample. `text` is None once it was redacted; so `reviewed_level` until judged."""

    id: str
    at: datetime
    text: str | None
    level: Level
    topic: str
    language: str
    stratum: Stratum
    sampling_weight: float
    reviewed_level: Level | None


class Samples:
    """The samples and what readers made of them."""

    def __init__(
        self,
        database: Database,
        keys: Keys,
        writing: Callable[[str], AbstractAsyncContextManager[Writing]],
    ) -> None:
        self._database = database
        self._keys = keys
        self._writing = writing

    async def add(self, sample: Sample) -> None:
        """Keep `sample`, once."""
        identity = f"{sample.chat}\0{sample.update_id or sample.at.isoformat()}\0sample"
        key = self._keys.fingerprint(identity)
        known = select(review_sample.c.id).where(review_sample.c.entry_key == key)
        row = {
            "entry_key": key,
            "subject_key": self._keys.subject(sample.chat),
            "at": sample.at,
            "level": int(sample.level),
            "topic": short(sample.topic, 80),
            "language": short(sample.language, 12),
            "stratum": sample.stratum,
            "sampling_weight": sample.sampling_weight,
            "sealed": self._keys.encrypt(sample.text),
            "review_status": "unreviewed",
            **version_columns(sample.versions),
        }
        async with self._writing("") as writing:
            if (await writing.connection.execute(known)).first() is None:
                fresh = insert(review_sample).values(id=str(uuid.uuid4()), **row)
                await writing.connection.execute(fresh)

    async def list(
        self, *, stratum: Stratum | None = None, reviewed: bool = False, limit: int = 50
    ) -> tuple[SampleRecord, ...]:
        """Samples, the oldest first: those that wait for a reader, or those that had one."""
        status = "reviewed" if reviewed else "unreviewed"
        wanted = select(review_sample).where(review_sample.c.review_status == status)
        if stratum is not None:
            wanted = wanted.where(review_sample.c.stratum == stratum)
        async with self._database.reading() as connection:
            rows = await connection.execute(wanted.order_by(review_sample.c.at).limit(limit))
            return tuple(self._record(row) for row in rows)

    async def judge(
        self,
        sample_id: str,
        reviewer: str,
        level: Level,
        *,
        topic: str = "",
        reply_was_right: ReplyWasRight = "",
        reason: str = "",
        channel: str = "",
    ) -> SampleRecord | Refusal:
        """Keep what a reader makes of a sample. The first reader settles it.

        The reply is not kept with a sample: whether it was right follows from its topic, and
        stays open ("") where the reader does not say.
        """
        async with self._writing(channel) as writing:
            row = await _row(writing.connection, sample_id)
            if row is None:
                return Refusal("There is no such sample.")
            if row.review_status == "reviewed":
                return Refusal("Somebody was faster; that sample is judged.")
            given = Review(
                reviewer=reviewer,
                reviewed_level=level,
                level_then=Level(row.level),
                created_at=writing.now,
                reviewed_topic=topic,
                reply_was_right=reply_was_right,
                reason=reason,
            )
            values = review_row(writing.keys, given)
            await writing.connection.execute(
                insert(review).values(id=str(uuid.uuid4()), sample_id=sample_id, **values)
            )
            await writing.connection.execute(
                update(review_sample)
                .where(review_sample.c.id == sample_id)
                .values(review_status="reviewed", reviewed_level=int(level))
            )
            event = Event("reviewed", {}, {"sample": sample_id, "verdict": given.verdict})
            await audit.append(writing, (event,), actor=reviewer)
            judged = await _row(writing.connection, sample_id)
            return Refusal("There is no such sample.") if judged is None else self._record(judged)

    async def missed(self, since: datetime | None = None) -> tuple[int, int]:
        """How many of the random samples were reviewed, and how many should have escalated.

        `since` bounds when the message came in.
        """
        found = (await self.missed_by_language(since)).values()
        return sum(read for read, _ in found), sum(missed for _, missed in found)

    async def missed_by_language(self, since: datetime | None = None) -> dict[str, tuple[int, int]]:
        """The same for each language."""
        columns = review_sample.c
        missed = func.count().filter(columns.reviewed_level >= int(Level.URGENT))
        query = (
            select(columns.language, func.count().label("read"), missed.label("missed"))
            .where(columns.stratum == "random", columns.review_status == "reviewed")
            .group_by(columns.language)
            .order_by(columns.language)
        )
        if since is not None:
            query = query.where(columns.at >= since)
        async with self._database.reading() as connection:
            rows = await connection.execute(query)
            return {row.language: (row.read, row.missed) for row in rows}

    def _record(self, row: AnyRow) -> SampleRecord:
        return SampleRecord(
            id=row.id,
            at=row.at,
            text=self._keys.decrypt(row.sealed) if row.sealed else None,
            level=Level(row.level),
            topic=row.topic,
            language=row.language,
            stratum=row.stratum,
            sampling_weight=row.sampling_weight,
            reviewed_level=None if row.reviewed_level is None else Level(row.reviewed_level),
        )


async def _row(connection: AsyncConnection, sample_id: str) -> AnyRow | None:
    found = await connection.execute(select(review_sample).where(review_sample.c.id == sample_id))
    return found.first()
