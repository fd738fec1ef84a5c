"""What staff and a person write to each other while staff have taken over a conversation.

A line of staff waits until its channel has delivered it. Whoever takes over is there until
they leave, lose the case, or say nothing for too long.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.actions import Answer, Hear, Refusal
from bot.core.escalation import BOT, SYSTEM, Case
from bot.core.model import DeliveryStatus
from bot.core.takeover import STAYS
from bot.delivery import StaffLine
from bot.errors import KeyMissing
from bot.store import cases
from bot.store.audit import Writing
from bot.store.codec import AnyRow, line_of, short
from bot.store.engine import Database
from bot.store.exchanges import talk_key
from bot.store.keys import Keys
from bot.store.schema import contact, escalation, event, takeover, talk

log = logging.getLogger(__name__)

PLACES = 1_000_000  # more lines than any case has
UNTRIED = timedelta(days=1)
PERSON = ""  # the author of what the person of the case writes
HEARD = ("signal_linked", "person_wrote")  # what the history says when the person wrote
NOT_THEIRS = "Only the owner of the case writes; assign it to yourself first."
UNREACHABLE = "The chat of this person is not kept any more; nothing can be sent."


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A line that was written and now has to get to its chat."""

    id: str
    case: Case
    chat: str
    text: str


class Talk:
    """The conversations that staff took over."""

    def __init__(
        self,
        database: Database,
        keys: Keys,
        writing: Callable[[str], AbstractAsyncContextManager[Writing]],
    ) -> None:
        self._database = database
        self._keys = keys
        self._writing = writing

    async def write(
        self,
        number: int,
        author: str,
        text: str,
        *,
        row_version: int,
        leaving: bool,
        by_bot: bool = False,
    ) -> Letter | Refusal:
        """Keep what the owner of a case writes to its person, to be delivered.

        Refused to anybody else, and when the case changed since `row_version`: each text that
        is written changes it, so that one preview sends once. With `by_bot` the caller delivers
        nothing: the running bot takes it at its next look.
        """
        async with self._writing("") as writing:
            case = await cases.find(writing.connection, number)
            if case is None:
                return Refusal("There is no such case.")
            if case.status != "acknowledged" or case.assignee != author:
                return Refusal(NOT_THEIRS)
            if case.row_version != row_version:
                return Refusal(
                    f"{case.label} changed since the preview, or this was sent already: "
                    "read it before you write again."
                )
            letter = await self._add(writing, case, author, text, leaving=leaving, by_bot=by_bot)
            if isinstance(letter, Letter):
                await cases.raise_version(writing.connection, case)
            return letter

    async def leave(
        self, number: int, text: str, *, actor: str = SYSTEM, by_bot: bool = False
    ) -> Letter | Refusal:
        """Let the bot tell the person with `text` that nobody of the staff is there any more."""
        async with self._writing("") as writing:
            case = await cases.find(writing.connection, number)
            held = None if case is None else await _held(writing.connection, case.subject_key)
            if case is None or held is None or held.escalation_id != case.id:
                return Refusal("Nobody has taken over this conversation.")
            if actor not in (SYSTEM, held.staff_id):
                return Refusal(f"{held.staff_id} has taken over this conversation.")
            return await self._add(writing, case, actor, text, leaving=True, by_bot=by_bot)

    async def status_of(self, line_id: str) -> DeliveryStatus | None:
        """How the delivery of a line went, or None while it is on its way."""
        query = select(talk.c.delivery_status).where(talk.c.id == line_id)
        async with self._database.reading() as connection:
            found: DeliveryStatus | None = (await connection.execute(query)).scalar()
        return found

    async def settle(self, line_id: str, status: DeliveryStatus) -> None:
        """Note, once, how the delivery of a line went; the history of the case says so."""
        async with self._writing("") as writing:
            found = await writing.connection.execute(select(talk).where(talk.c.id == line_id))
            row = found.first()
            if row is not None:
                await _settle(writing, row, status)

    async def left_over(self, channels: Collection[str], before: datetime) -> tuple[Letter, ...]:
        """Lines on `channels` that nobody has tried to deliver since `before`, oldest first.

        They are the caller's to deliver now: for any other process they count as tried.
        """
        waiting = _waiting(talk.c.created_at).where(
            talk.c.tried_at < before, talk.c.sealed.is_not(None)
        )
        waiting = waiting.join(escalation, escalation.c.id == talk.c.escalation_id).where(
            escalation.c.channel.in_(channels)
        )
        async with self._database.reading() as connection:
            if (await connection.execute(waiting.limit(1))).first() is None:
                return ()
        async with self._writing("") as writing:
            rows = list(await writing.connection.execute(waiting))
            await _try(writing, [row.id for row in rows])
            found = [await self._letter(writing, row) for row in rows]
        return tuple(letter for letter in found if letter)

    async def still_trying(self, line_ids: Collection[str]) -> None:
        """Note that these lines are being delivered."""
        async with self._writing("") as writing:
            await _try(writing, line_ids)

    async def _letter(self, writing: Writing, row: AnyRow) -> Letter | None:
        case = await cases.find(writing.connection, row.escalation_id)
        sealed = select(contact.c.sealed).where(contact.c.subject_key == row.subject_key)
        chat = (await writing.connection.execute(sealed)).scalar()
        if case is None or chat is None:
            return None
        try:
            text = line_of(self._keys, row).text or ""
            return Letter(id=row.id, case=case, chat=self._keys.decrypt(chat), text=text)
        except KeyMissing:
            log.error("a line of staff waits: no key opens it")
            return None

    async def posted(self, chat: str, after: int, *, since: datetime) -> tuple[StaffLine, ...]:
        """What staff wrote to this chat since `since`, after the line at the place `after`.

        Oldest first. What waited counts as delivered from now on; a line that no key opens
        goes on waiting.
        """
        posted = _posted(self._keys.subject(chat), after, since)
        async with self._database.reading() as connection:
            rows = list(await connection.execute(posted))
        if any(row.delivery_status is None for row in rows):
            async with self._writing("") as writing:
                rows = list(await writing.connection.execute(posted))
                for row in rows:
                    if row.delivery_status is None and self._text_in(row) is not None:
                        await _settle(writing, row, "sent")
        lines = [(row.number * PLACES + row.place, self._text_in(row)) for row in rows]
        return tuple(StaffLine(place, text) for place, text in lines if text is not None)

    def _text_in(self, row: AnyRow) -> str | None:
        try:
            return line_of(self._keys, row).text
        except KeyMissing:
            log.error("a line of staff waits: no key opens it")
            return None

    async def hear(self, chat: str, text: str, *, identity: str) -> bool:
        """Keep what the person writes, if somebody of the staff is there. Whether it was kept.

        The same `identity` twice is kept once.
        """
        if await self.present(chat) is None:
            return False
        entry_key = talk_key(self._keys, chat, identity)
        known = select(talk.c.id).where(talk.c.entry_key == entry_key)
        async with self._writing("") as writing:
            held = await _held(writing.connection, self._keys.subject(chat))
            case = held and await cases.find(writing.connection, held.escalation_id)
            if case is None or held is None or held.until <= writing.now:
                return False
            if (await writing.connection.execute(known)).first() is not None:
                return True
            if isinstance(await cases.act(writing, case, Hear(BOT)), Refusal):
                return False
            await self._insert(writing, case, PERSON, text, entry_key=entry_key, status="sent")
            return True

    async def present(self, chat: str) -> str | None:
        """Who of the staff has taken over this chat, or None."""
        async with self._database.reading() as connection:
            held = await _held(connection, self._keys.subject(chat))
        return None if held is None else str(held.staff_id)

    async def taken_over(self, case: Case) -> str:
        """Who has taken over the conversation of `case`, or ""."""
        query = select(takeover.c.staff_id).where(takeover.c.escalation_id == case.id)
        async with self._database.reading() as connection:
            return str((await connection.execute(query)).scalar() or "")

    async def ended(self, now: datetime) -> tuple[int, ...]:
        """The cases whose takeover is over without a word: silence, or another owner."""
        is_over = or_(
            takeover.c.until <= now,
            escalation.c.status != "acknowledged",
            escalation.c.assignee != takeover.c.staff_id,
        )
        query = select(escalation.c.number).join(
            takeover, takeover.c.escalation_id == escalation.c.id
        )
        async with self._database.reading() as connection:
            return tuple((await connection.execute(query.where(is_over))).scalars())

    async def undelivered(self, before: datetime) -> tuple[str, ...]:
        """The lines from before `before` that no channel has delivered."""
        query = _waiting().where(talk.c.created_at < before)
        async with self._database.reading() as connection:
            return tuple(row.id for row in await connection.execute(query))

    async def _add(
        self, writing: Writing, case: Case, author: str, text: str, *, leaving: bool, by_bot: bool
    ) -> Letter | Refusal:
        sealed = select(contact.c.sealed).where(contact.c.subject_key == case.subject_key)
        chat = (await writing.connection.execute(sealed)).scalar()
        await writing.connection.execute(
            delete(takeover).where(takeover.c.subject_key == case.subject_key)
        )
        if chat is None:
            return Refusal(UNREACHABLE)
        if not leaving:
            row = {"subject_key": case.subject_key, "escalation_id": case.id}
            until = writing.now + STAYS
            await writing.connection.execute(
                insert(takeover).values(staff_id=author, until=until, **row)
            )
        own = await self._insert(writing, case, author, text, leaving=leaving, by_bot=by_bot)
        return Letter(id=own, case=case, chat=self._keys.decrypt(chat), text=text)

    async def _insert(
        self,
        writing: Writing,
        case: Case,
        author: str,
        text: str,
        *,
        leaving: bool = False,
        by_bot: bool = False,
        entry_key: str = "",
        status: DeliveryStatus | None = None,
    ) -> str:
        own = str(uuid.uuid4())
        last = select(func.max(talk.c.place)).where(talk.c.escalation_id == case.id)
        row = {
            "id": own,
            "escalation_id": case.id,
            "subject_key": case.subject_key,
            "entry_key": entry_key or own,
            "place": 1 + int((await writing.connection.execute(last)).scalar() or 0),
            "created_at": writing.now,
            "author": short(author, 80),
            "leaving": leaving,
            "sealed": self._keys.encrypt(text),
            "delivery_status": status,
            # As one that nobody has tried for long, it is the running bot's to deliver.
            "tried_at": writing.now - UNTRIED if by_bot else writing.now,
        }
        await writing.connection.execute(insert(talk).values(**row))
        return own


def _posted(subject_key: str, after: int, since: datetime) -> Select[Any]:
    """Lines of staff that the page of a chat shows, in order, each with its case's number."""
    number, place = divmod(after, PLACES)
    return (
        select(talk, escalation.c.number)
        .join(escalation, escalation.c.id == talk.c.escalation_id)
        .where(
            talk.c.subject_key == subject_key,
            talk.c.created_at >= since,
            talk.c.author != PERSON,
            talk.c.sealed.is_not(None),
            or_(talk.c.delivery_status.is_(None), talk.c.delivery_status == "sent"),
            or_(
                talk.c.delivery_status.is_(None),  # one that no key opened when its turn was
                escalation.c.number > number,
                and_(escalation.c.number == number, talk.c.place > place),
            ),
        )
        .order_by(escalation.c.number, talk.c.place)
    )


def _waiting(order: Any = talk.c.place) -> Select[Any]:
    """Lines that no channel has delivered yet, in order."""
    return select(talk).where(talk.c.delivery_status.is_(None)).order_by(order)


async def _try(writing: Writing, line_ids: Collection[str]) -> None:
    tried = update(talk).where(talk.c.id.in_(line_ids)).values(tried_at=writing.now)
    await writing.connection.execute(tried)


async def _held(connection: AsyncConnection, subject_key: str) -> AnyRow | None:
    query = select(takeover).where(takeover.c.subject_key == subject_key)
    return (await connection.execute(query)).first()


async def _settle(writing: Writing, row: AnyRow, status: DeliveryStatus) -> None:
    """Note how the delivery went. Nobody stays in a conversation that they cannot reach."""
    done = await writing.connection.execute(
        update(talk)
        .where(talk.c.id == row.id, talk.c.delivery_status.is_(None))
        .values(delivery_status=status)
    )
    case = await cases.find(writing.connection, row.escalation_id)
    if done.rowcount != 1 or case is None:
        return
    if status != "sent":
        await _lose(writing, row)
    unread = await _unread_since(writing.connection, row)
    await cases.act(writing, case, Answer(row.author, status == "sent", row.leaving, unread))


async def _lose(writing: Writing, row: AnyRow) -> None:
    """End the takeover that the line in `row` was part of, which did not arrive.

    Whoever saw an earlier line of it is still to be told that nobody is there; see `ended`.
    """
    mine = takeover.c.subject_key == row.subject_key
    arrived = (
        select(talk.c.leaving)
        .where(
            talk.c.escalation_id == row.escalation_id,
            talk.c.author != PERSON,
            talk.c.delivery_status == "sent",
        )
        .order_by(talk.c.place.desc())
        .limit(1)
    )
    if (await writing.connection.execute(arrived)).scalar() is False:
        await writing.connection.execute(update(takeover).where(mine).values(until=writing.now))
    else:
        await writing.connection.execute(delete(takeover).where(mine))


async def _unread_since(connection: AsyncConnection, row: AnyRow) -> datetime | None:
    """When the person first wrote after the line in `row` was written, if they did."""
    query = select(func.min(event.c.at)).where(
        event.c.escalation_id == row.escalation_id,
        event.c.type.in_(HEARD),
        event.c.at > row.created_at,
    )
    found: datetime | None = (await connection.execute(query)).scalar()
    return found
