"""What staff add to a case, and what its clocks do; inside a caller's transaction."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ColumnElement, and_, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core import lifecycle
from bot.core.actions import Judge, Note, Outcome, Refusal, Step, Undo
from bot.core.escalation import Case, Review, Rules
from bot.store import cases
from bot.store.audit import Writing
from bot.store.codec import case_of, events_of, review_of, short
from bot.store.keys import Keys
from bot.store.schema import escalation, event, note, review

# What may have happened since without standing in the way of an undo.
ASIDE = (
    *("viewed", "alert_sent", "alert_failed", "note_added", "tagged"),
    *("reply_sent", "reply_failed", "person_wrote"),
)
BATCH = 200  # cases that a tick looks at in one transaction


async def add_note(writing: Writing, case: Case, author: str, body: str) -> Outcome:
    """Add a private note; its body is in no history."""
    if not body.strip():
        return Refusal("The note is empty.")
    own = str(uuid.uuid4())
    row = {"id": own, "escalation_id": case.id, "author": short(author, 80)}
    sealed = writing.keys.encrypt(body)
    await writing.connection.execute(
        insert(note).values(sealed=sealed, created_at=writing.now, **row)
    )
    return await cases.act(writing, case, Note(author, own))


async def add_review(writing: Writing, case: Case, given: Review) -> Outcome:
    """Add a reader's review, and settle where the review of the case stands."""
    row = review_row(writing.keys, given)
    await writing.connection.execute(
        insert(review).values(id=str(uuid.uuid4()), escalation_id=case.id, **row)
    )
    query = select(review).where(review.c.escalation_id == case.id).order_by(review.c.created_at)
    found = [review_of(writing.keys, each) for each in await writing.connection.execute(query)]
    # Two reviews of the same instant have no order of their own; the new one is the last.
    reviews = (*(each for each in found if each != given), given)
    return await cases.act(writing, case, Judge(given.reviewer, reviews))


def review_row(keys: Keys, given: Review) -> dict[str, object]:
    """The columns of a review, but for its id and what it is about."""
    return {
        "reviewer": short(given.reviewer, 80),
        "reviewed_level": int(given.reviewed_level),
        "level_then": int(given.level_then),
        "reviewed_topic": short(given.reviewed_topic, 80),
        "reply_was_right": given.reply_was_right,
        "sealed": keys.encrypt(given.reason) if given.reason else None,
        "created_at": given.created_at,
        "is_authoritative": given.is_authoritative,
    }


async def undo(writing: Writing, case: Case, actor: str) -> Outcome:
    """Take back the last thing that happened to the case, if `actor` just did it."""
    last = (
        select(event)
        .where(event.c.escalation_id == case.id, event.c.type.not_in(ASIDE))
        .order_by(event.c.seq.desc())
        .limit(1)
    )
    found = events_of(await writing.connection.execute(last))
    if not found:
        return Refusal("There is nothing to undo.")
    action = Undo(actor, found[0].event, found[0].actor, found[0].at)
    return await cases.act(writing, case, action)


async def is_due(connection: AsyncConnection, now: datetime, rules: Rules) -> bool:
    """Whether a tick would find a case to look at."""
    found = await connection.execute(select(escalation.c.id).where(_due(now, rules)).limit(1))
    return found.first() is not None


async def tick(writing: Writing) -> list[Case]:
    """Let the clocks of at most a batch of cases do what is due. Gives the changed cases."""
    due = select(escalation).where(_due(writing.now, writing.rules)).limit(BATCH)
    changed = []
    for case in map(case_of, list(await writing.connection.execute(due))):
        action = lifecycle.due(case, writing.now, writing.rules)
        if action is None:
            continue
        outcome = await cases.act(writing, case, action)
        if isinstance(outcome, Step):
            changed.append(outcome.case)
    return changed


def _due(now: datetime, rules: Rules) -> ColumnElement[bool]:
    columns = escalation.c
    staffed = "active" if rules.calendar.is_open(now) else "not_staffed"
    other = "not_staffed" if staffed == "active" else "active"
    late = and_(columns.acknowledge_due_at < now, columns.sla_status != "missed")
    turned = and_(
        columns.sla_status == other,
        or_(columns.acknowledge_due_at.is_(None), columns.acknowledge_due_at >= now),
    )
    return or_(
        and_(columns.status == "snoozed", columns.snoozed_until <= now),
        and_(columns.status == "acknowledged", columns.return_due_at <= now),
        and_(columns.status == "new", or_(late, turned)),
    )
