"""The store: what the bot remembers of people, and its escalations with their history."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Self

from sqlalchemy import select

from bot.core.actions import Action, Outcome, Refusal
from bot.core.casefilter import ALL, QUEUE, CaseFilter
from bot.core.escalation import SYSTEM, Case, Entry, Event, ReplyWasRight, Review, Rules
from bot.core.figures import Fact, first_two, kappa
from bot.core.model import Level, Person
from bot.core.pseudonyms import Judged
from bot.errors import StoreAway
from bot.store import (
    audit,
    cases,
    casework,
    codec,
    engine,
    exchanges,
    insight,
    migrate,
    privacy,
    queries,
)
from bot.store.audit import Verified, Writing
from bot.store.exchanges import Exchanges
from bot.store.history import History
from bot.store.keys import Keys
from bot.store.privacy import Retention, Until
from bot.store.records import CaseFile, Forgotten, Redacted
from bot.store.samples import Samples
from bot.store.schema import contact, person
from bot.store.staff import Staff
from bot.store.talk import Talk

EXPORT_PAGE = 500
OPEN_ATTEMPTS = 3
OPEN_GAP_S = 0.2
NO_CASE = Refusal("There is no such case.")


class Store:
    """An open store. Every method is one short transaction and may be called at any time.

    Every method raises StoreAway when the database is locked, full, slow or unreachable, and
    StoreError when it refuses; KeyMissing when a text was encrypted with an unknown key.
    Times in and out are aware.
    """

    def __init__(
        self,
        database: engine.Database,
        keys: Keys,
        *,
        rules: Rules,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._keys = keys
        self._rules = rules
        self._now = now
        self.staff = Staff(database, keys, self._writing, now)
        self.samples = Samples(database, keys, self._writing)
        self.talk = Talk(database, keys, self._writing)
        self.exchanges = Exchanges(database, keys, self._writing)
        self.history = History(database)

    @classmethod
    async def open(
        cls,
        url: str,
        keys: Keys,
        *,
        rules: Rules | None = None,
        now: Callable[[], datetime] | None = None,
        create: bool = True,
    ) -> Self:
        """Open the store at `url`, migrating its tables; `create` makes them where none are.

        Raises StoreMissing when nothing is there and `create` is False, SettingsError for a bad
        address, StoreNewer for a newer database, KeyMissing for keys that are not its own,
        StoreAway when it cannot be reached.
        """
        if not create:
            engine.need_file(url)
        database = engine.connect(url)
        try:
            await _prepare(database, keys, create=create)
        except BaseException:
            await database.close()
            raise
        return cls(database, keys, rules=rules or Rules(), now=now or _utc_now)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._database.close()

    async def ping(self) -> None:
        """Ask for a sign of life."""
        await engine.ping(self._database)

    # ---- people ----------------------------------------------------------------

    async def person(self, chat: str) -> Person:
        """What is known of the person in `chat`: the blank one at first."""
        query = select(person.c.sealed).where(person.c.subject_key == self._keys.subject(chat))
        async with self._database.reading_for_reply() as connection:
            sealed = (await connection.execute(query)).scalar()
        return Person() if sealed is None else codec.open_person(self._keys, sealed)

    async def keep_person(self, chat: str, known: Person) -> None:
        """Remember `known` of the person in `chat`."""
        sealed = codec.seal_person(self._keys, known)
        key = self._keys.subject(chat)
        async with self._database.writing() as connection:
            await cases.upsert(connection, person, key, sealed=sealed, updated_at=self._now())

    async def forget(self, chat: str, until: Until | None = None) -> Forgotten:
        """Take away all that the person in `chat` wrote and is; skeletons of cases stay.

        With `until`, what began after that time stays as well.
        """
        return await self._forget(self._keys.subject(chat), SYSTEM, until=until)

    async def forget_for(self, actor: str, chat: str | Case, *, channel: str = "") -> Forgotten:
        """The same because `actor` of the staff was asked to: by a chat, or by a case of it."""
        key = chat.subject_key if isinstance(chat, Case) else self._keys.subject(chat)
        return await self._forget(key, actor, channel)

    async def _forget(
        self, key: str, actor: str, channel: str = "", until: Until | None = None
    ) -> Forgotten:
        async with self._writing(channel) as writing:
            return await privacy.forget(writing, key, actor, until)

    async def chat_of(self, case: Case) -> str | None:
        """The chat id to answer `case` in, or None when it is not kept any more."""
        query = select(contact.c.sealed).where(contact.c.subject_key == case.subject_key)
        async with self._database.reading() as connection:
            sealed = (await connection.execute(query)).scalar()
        return None if sealed is None else self._keys.decrypt(sealed)

    # ---- cases -----------------------------------------------------------------

    async def record(self, entry: Entry) -> Case:
        """Keep an escalated message, with what was said before it: it joins the person's case or
        begins one.

        The same entry twice is kept once; the second may bring its delivery status.
        """
        async with self._writing(entry.channel) as writing:
            case = await cases.record(writing, entry)
            await exchanges.surround(writing, case.id, entry)
            return case

    async def is_answered(self, entry: Entry) -> bool:
        """Whether this entry was recorded with a reply that reached the person."""
        async with self._database.reading_for_reply() as connection:
            return await queries.is_answered(connection, self._keys.fingerprint(entry.identity))

    async def act(
        self,
        case_id: str | int,
        action: Action,
        *,
        channel: str = "",
        row_version: int | None = None,
    ) -> Outcome:
        """Let `action` happen to the case with this id or number; the history says so.

        Gives the Step, or the Refusal in a sentence. With `row_version`, it is refused when
        the case has changed since that version was read. `channel` is where staff acted.
        """
        async with self._taken(case_id, channel) as (writing, case):
            if case is None:
                return NO_CASE
            if row_version is not None and case.row_version != row_version:
                return Refusal(f"{case.label} changed in the meantime; look at it again.")
            return await cases.act(writing, case, action)

    async def add_note(
        self, case_id: str | int, author: str, body: str, *, channel: str = ""
    ) -> Outcome:
        """Add a private note. A correction is a new one."""
        async with self._taken(case_id, channel) as (writing, case):
            return await casework.add_note(writing, case, author, body) if case else NO_CASE

    async def add_review(
        self,
        case_id: str | int,
        reviewer: str,
        level: Level,
        *,
        topic: str = "",
        reply_was_right: ReplyWasRight = "",
        reason: str = "",
        is_authoritative: bool = False,
        channel: str = "",
    ) -> Outcome:
        """Add what a reader thinks of the case; a lead's authoritative one settles it."""
        async with self._taken(case_id, channel) as (writing, case):
            if case is None:
                return NO_CASE
            given = Review(
                reviewer=reviewer,
                reviewed_level=level,
                level_then=case.level,
                created_at=writing.now,
                reviewed_topic=topic,
                reply_was_right=reply_was_right,
                reason=reason,
                is_authoritative=is_authoritative,
            )
            return await casework.add_review(writing, case, given)

    async def undo(self, case_id: str | int, actor: str, *, channel: str = "") -> Outcome:
        """Take back what `actor` did to the case in the last ten seconds."""
        async with self._taken(case_id, channel) as (writing, case):
            return await casework.undo(writing, case, actor) if case else NO_CASE

    async def tick(self) -> tuple[Case, ...]:
        """Let every clock that is due act: rests end, idle owners lose cases, clocks are missed.

        Gives the cases that changed. Calling it late or twice does no harm.
        """
        changed: list[Case] = []
        async with self._database.reading() as connection:
            # It is asked every second; only what is due takes the place of a writer.
            if not await casework.is_due(connection, self._now(), self._rules):
                return ()
        while True:
            async with self._writing() as writing:
                batch = await casework.tick(writing)
            changed += batch
            if len(batch) < casework.BATCH:
                return tuple(changed)

    async def find(self, case_id: str | int) -> Case | None:
        """The case with this id or number, or None."""
        async with self._database.reading() as connection:
            return await cases.find(connection, case_id)

    async def show(self, case_id: str | int) -> CaseFile | None:
        """All that is known of a case, opened. Whoever shows it to staff acts `View` first."""
        async with self._database.reading() as connection:
            case = await cases.find(connection, case_id)
            if case is None:
                return None
            return await cases.read_file(connection, self._keys, case)

    async def list(
        self, wanted: CaseFilter = QUEUE, *, limit: int = 50, after: Case | None = None
    ) -> tuple[Case, ...]:
        """Cases in the order of the queue: the page behind `after`."""
        async with self._database.reading() as connection:
            return await queries.page(connection, wanted, limit=limit, after=after)

    async def newest(
        self, wanted: CaseFilter = ALL, *, limit: int = 50, below: int | None = None
    ) -> tuple[Case, ...]:
        """Cases by number, the highest first: those below the number `below`."""
        async with self._database.reading() as connection:
            return await queries.newest(connection, wanted, limit=limit, below=below)

    async def export(self, wanted: CaseFilter = ALL) -> AsyncIterator[Case]:
        """Every case of those, the highest number first, read a page at a time."""
        below: int | None = None
        while page := await self.newest(wanted, limit=EXPORT_PAGE, below=below):
            for case in page:
                yield case
            below = page[-1].number

    async def unacknowledged(self, *, limit: int) -> tuple[tuple[str, datetime], ...]:
        """The id of at most `limit` new cases, most urgent first, and when alerts began."""
        async with self._database.reading() as connection:
            return await queries.unacknowledged(connection, limit=limit)

    async def count(self, wanted: CaseFilter, *, at_most: int | None = None) -> int:
        """How many cases there are of those; with `at_most` it counts no further."""
        async with self._database.reading() as connection:
            return await queries.count(connection, wanted, at_most=at_most)

    async def counts(self) -> dict[tuple[str, Level], int]:
        """How many cases are open, by status and level."""
        async with self._database.reading() as connection:
            return await queries.open_counts(connection)

    async def hidden_emergencies(self, wanted: CaseFilter) -> int:
        """How many emergencies that nobody acknowledged a list of `wanted` leaves out."""
        async with self._database.reading() as connection:
            return await queries.hidden_emergencies(connection, wanted)

    async def false_alarms(self) -> tuple[tuple[str, int], ...]:
        """The rules of the latest cases that were judged too high, the most frequent first."""
        async with self._database.reading() as connection:
            return await queries.false_alarms(connection)

    # ---- figures and learning ------------------------------------------------------

    async def facts(self, wanted: CaseFilter = ALL) -> tuple[Fact, ...]:
        """What `bot.core.figures` needs of each of those cases."""
        async with self._database.reading() as connection:
            return await insight.facts(connection, wanted)

    async def agreement(self, since: datetime | None = None) -> float | None:
        """How far two readers of the same case agree (Cohen's kappa), or None: too few."""
        async with self._database.reading() as connection:
            return kappa(first_two(await insight.reviews(connection, self._keys, since)))

    async def judged(self) -> tuple[Judged, ...]:
        """Every message that was reviewed and can still be read, for the regression set."""
        async with self._database.reading() as connection:
            return tuple(await insight.judged(connection, self._keys))

    # ---- history and privacy ---------------------------------------------------

    async def log(self, event: Event, *, actor: str, channel: str = "", case_id: str = "") -> None:
        """Add an event that changes no case: `exported`, `signed_in`, `settings_changed`."""
        async with self._writing(channel) as writing:
            await audit.append(writing, (event,), actor=actor, case_id=case_id)

    async def verify_audit(self) -> Verified:
        """Read the whole chain of events and say whether it holds."""
        async with self._database.reading() as connection:
            return await audit.verify(connection)

    async def has_event(self, digest: str) -> bool:
        """Whether an event with this hash is in the history, or was the last that went away."""
        async with self._database.reading() as connection:
            return await audit.has(connection, digest)

    async def redact_due(self, retention: Retention | None = None) -> Redacted:
        """Take away what is older than `retention` allows, in short transactions."""
        kept, now = retention or Retention(), self._now()
        total = Redacted()
        while True:
            async with self._writing() as writing:
                texts = await privacy.redact_texts(writing, now - kept.texts)
            async with self._writing() as writing:
                rest = await privacy.drop_skeletons(writing, now - kept.skeletons)
            total = total + texts + rest
            if texts.messages < privacy.BATCH and rest.cases < privacy.BATCH:
                return total

    async def reencrypt(self) -> None:
        """Put everything under the newest key, in short transactions."""
        for place in range(len(privacy.SEALED)):
            after: str | None = ""
            while after is not None:
                async with self._writing() as writing:
                    after = await privacy.reencrypt(writing, place, after)

    @asynccontextmanager
    async def _writing(self, channel: str = "") -> AsyncIterator[Writing]:
        async with self._database.writing() as connection:
            chain = await audit.take(connection)
            yield Writing(connection, self._keys, self._rules, self._now(), chain, channel)

    @asynccontextmanager
    async def _taken(
        self, case_id: str | int, channel: str
    ) -> AsyncIterator[tuple[Writing, Case | None]]:
        """A transaction with the case in it, which nobody else can change."""
        async with self._writing(channel) as writing:
            yield writing, await cases.find(writing.connection, case_id)


async def _prepare(database: engine.Database, keys: Keys, *, create: bool) -> None:
    """Make or migrate the tables. Another process may be at it: then try again a few times."""
    for attempts_left in reversed(range(OPEN_ATTEMPTS)):
        try:
            async with database.writing() as connection:
                await connection.run_sync(migrate.migrate, create=create)
                await audit.begin(connection, keys)
            return
        except StoreAway:
            if not attempts_left:
                raise
            await asyncio.sleep(OPEN_GAP_S)


def _utc_now() -> datetime:
    return datetime.now(UTC)
