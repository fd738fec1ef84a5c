"""The store, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.core.actions import Acknowledge, Refusal, Resolve, Signal, Snooze, Step, Tag, View
from bot.core.casefilter import ALL, QUEUE, CaseFilter
from bot.core.escalation import Event, in_list_order
from bot.core.model import GuideState, Level, Person, State
from bot.errors import KeyMissing, SettingsError, StoreAway, StoreError, StoreNewer
from bot.store import Keys, Retention, Store, privacy
from bot.store.engine import READERS
from tests.databases import PATIENT_S
from tests.escalation_values import HOUR, MINUTE, NOW, RULES, TEXT, Clock, an_entry

pytestmark = pytest.mark.anyio


# ---- people ------------------------------------------------------------------------


async def test_a_stranger_is_the_blank_person(store: Store) -> None:
    assert await store.person("tg:1") == Person()


async def test_what_is_known_of_a_person_is_remembered(store: Store) -> None:
    known = Person(
        country="CA",
        country_source="told",
        state=State(level=Level.EMERGENCY, guide=GuideState("overdose"), escalated_at=NOW),
    )

    await store.keep_person("tg:1", known)
    await store.keep_person("tg:2", Person(country="NZ"))
    await store.keep_person("tg:1", replace(known, language="fr"))

    assert await store.person("tg:1") == replace(known, language="fr")


async def test_a_reply_learns_of_its_person_while_lists_use_every_connection(store: Store) -> None:
    await store.keep_person("tg:1", Person(country="CA"))

    async with contextlib.AsyncExitStack() as stack:
        for _ in range(READERS):
            await stack.enter_async_context(store._database.reading())
        async with asyncio.timeout(PATIENT_S):
            assert (await store.person("tg:1")).country == "CA"


async def test_new_cases_and_no_others_wait_for_an_alert_the_most_urgent_first(
    store: Store,
) -> None:
    urgent = await store.record(an_entry(chat="tg:1", level=Level.URGENT))
    taken = await store.record(an_entry(chat="tg:2"))
    emergency = await store.record(an_entry(chat="tg:3"))
    await store.act(taken.id, Acknowledge("ana"))

    found = await store.unacknowledged(limit=10)

    assert found == ((emergency.id, emergency.alert_since), (urgent.id, urgent.alert_since))


# ---- recording ---------------------------------------------------------------------


async def test_an_escalation_is_recorded_with_all_that_explains_it(store: Store) -> None:
    case = await store.record(an_entry())

    file = await store.show(case.number)

    assert file is not None
    assert file.case == case == await store.find(case.id)
    assert (case.label, case.level, case.status, case.country) == (
        "E-1001",
        Level.EMERGENCY,
        "new",
        "GB",
    )
    (signal,) = file.signals
    entry = an_entry()
    assert (signal.text, signal.evidence, signal.near_misses) == (
        entry.text,
        entry.evidence,
        entry.near_misses,
    )
    assert (signal.decision_path, signal.reply, signal.numbers_shown) == (
        ("signals", "emergency"),
        ("Call 999 now.",),
        ("999",),
    )
    assert (signal.versions, signal.received_at) == (entry.versions, NOW)
    assert [each.event.type for each in file.events] == ["created"]


async def test_a_redelivered_update_is_recorded_once(store: Store) -> None:
    first = await store.record(an_entry())
    second = await store.record(an_entry())

    assert first == second
    assert second.signals == 1
    assert await store.count(ALL) == 1


async def test_ten_deliveries_at_once_are_one_record(store: Store) -> None:
    cases = await asyncio.gather(*(store.record(an_entry()) for _ in range(10)))

    assert {case.id for case in cases} == {cases[0].id}
    file = await store.show(cases[0].id)
    assert file is not None
    assert len(file.signals) == 1


async def test_messages_of_one_person_at_once_make_one_case(store: Store) -> None:
    entries = [an_entry(update_id=str(each)) for each in range(10)]

    cases = await asyncio.gather(*(store.record(entry) for entry in entries))

    assert {case.id for case in cases} == {cases[0].id}
    assert max(case.signals for case in cases) == 10


async def test_numbers_of_cases_made_at_once_have_no_gap(store: Store) -> None:
    entries = [an_entry(chat=f"tg:{each}") for each in range(10)]

    cases = await asyncio.gather(*(store.record(entry) for entry in entries))

    assert sorted(case.number for case in cases) == list(range(1001, 1011))


async def test_the_delivery_is_filled_in_afterwards(store: Store) -> None:
    await store.record(an_entry())
    case = await store.record(an_entry(delivery_status="blocked", reply_latency_ms=31))
    again = await store.record(an_entry(delivery_status="sent", reply_latency_ms=99))

    file = await store.show(case.id)
    assert file is not None
    assert case.delivery_failed
    assert again.delivery_failed
    assert (file.signals[0].delivery_status, file.signals[0].reply_latency_ms) == ("blocked", 31)


async def test_a_repeat_joins_the_open_case_and_raises_it(store: Store) -> None:
    first = await store.record(an_entry(level=Level.URGENT))
    second = await store.record(an_entry(update_id="2"))
    third = await store.record(an_entry(update_id="3", level=Level.URGENT, edited=True))

    assert first.id == second.id == third.id
    assert (third.level, third.signals) == (Level.EMERGENCY, 3)


async def test_a_message_a_day_after_the_end_begins_a_case_that_names_the_earlier(
    store: Store, clock: Clock
) -> None:
    first = await store.record(an_entry())
    await store.act(first.id, Acknowledge("ana"))
    await store.act(first.id, Resolve("ana", "test", unreviewed=True))
    clock.move(24 * HOUR + MINUTE)

    second = await store.record(an_entry(update_id="2", received_at=clock.now))

    file = await store.show(second.id)
    assert file is not None
    assert (second.previous_id, second.number) == (first.id, 1002)
    assert [case.number for case in file.earlier] == [1001]


async def test_a_message_within_a_day_opens_the_case_again(store: Store, clock: Clock) -> None:
    case = await store.record(an_entry())
    await store.act(case.id, Acknowledge("ana"))
    await store.act(case.id, Resolve("ana", "test", unreviewed=True))
    clock.move(HOUR)

    again = await store.record(an_entry(update_id="2", received_at=clock.now))

    assert (again.id, again.status) == (case.id, "new")


@pytest.mark.parametrize(
    "said",
    ["", "\0", "\ud83d", "‮'; DROP TABLE escalation; --", "x" * 100_000, "🆘" * 500],
    ids=["nothing", "nul", "half a pair", "sql", "long", "emoji"],
)
async def test_any_text_is_kept_as_it_was(store: Store, said: str) -> None:
    case = await store.record(an_entry(text=said, kind="\0", evidence=()))

    file = await store.show(case.id)
    assert file is not None
    assert file.signals[0].text == said


async def test_names_that_are_too_long_are_cut_and_not_refused(store: Store) -> None:
    long = "x" * 500

    case = await store.record(
        an_entry(
            kind=long, topic=long, update_id=long, country=long, language=long, channel="tg" * 40
        )
    )

    assert (await store.find(case.id)) is not None


# ---- acting ------------------------------------------------------------------------


async def test_of_two_who_acknowledge_at_once_one_wins(store: Store) -> None:
    case = await store.record(an_entry())

    outcomes = await asyncio.gather(
        *(store.act(case.id, Acknowledge(name)) for name in ("ana", "ben", "cleo", "dan"))
    )

    won = [each for each in outcomes if isinstance(each, Step)]
    lost = [each for each in outcomes if isinstance(each, Refusal)]
    assert len(won) == 1
    owner = won[0].case.assignee
    assert {each.reason for each in lost} == {f"E-1001 is {owner}'s already."}
    assert len(lost) == 3


async def test_an_action_on_an_old_version_is_refused(store: Store) -> None:
    case = await store.record(an_entry())
    await store.act(case.id, Tag("ana", ("x",)))

    outcome = await store.act(case.id, Acknowledge("ben"), row_version=case.row_version)

    assert outcome == Refusal("E-1001 changed in the meantime; look at it again.")


async def test_an_action_on_no_case_is_refused(store: Store) -> None:
    assert isinstance(await store.act("none", View("ana")), Refusal)
    assert await store.find(99) is None
    assert await store.show("none") is None


async def test_who_read_a_case_and_where_is_in_its_history(store: Store) -> None:
    case = await store.record(an_entry())

    await store.act(case.number, View("ana"), channel="console")

    file = await store.show(case.id)
    assert file is not None
    seen = file.events[-1]
    assert (seen.event.type, seen.actor, seen.channel) == ("viewed", "ana", "console")


async def test_a_case_comes_back_as_it_was_kept(store: Store) -> None:
    case = await store.record(an_entry(also=("running_out",)))
    outcome = await store.act(case.id, Tag("ana", ("call back", "x")))

    assert isinstance(outcome, Step)
    assert await store.find(case.id) == outcome.case


# ---- lists -------------------------------------------------------------------------


async def make_cases(store: Store, clock: Clock) -> None:
    levels = (Level.URGENT, Level.SUICIDE_CRISIS, Level.EMERGENCY)
    for each in range(12):
        clock.move(MINUTE)
        entry = an_entry(
            chat=f"tg:{each}",
            level=levels[each % 3],
            received_at=clock.now,
            country=("GB", "CA")[each % 2],
        )
        case = await store.record(entry)
        if each % 4 == 0:
            await store.act(case.id, Acknowledge("ana"))
        if each == 8:
            await store.act(case.id, Resolve("ana", "test", unreviewed=True))


async def test_the_list_has_the_order_of_the_pure_rule(store: Store, clock: Clock) -> None:
    await make_cases(store, clock)

    listed = await store.list(ALL, limit=100)

    assert len(listed) == 12
    assert list(listed) == in_list_order(list(reversed(listed)))


async def test_pages_of_the_list_meet_without_gap_or_repeat(store: Store, clock: Clock) -> None:
    await make_cases(store, clock)
    whole = await store.list(QUEUE, limit=100)

    pages, after = [], None
    while page := await store.list(QUEUE, limit=4, after=after):
        pages.extend(page)
        after = page[-1]

    assert len(whole) == 11
    assert tuple(pages) == whole


async def test_an_export_has_every_case_newest_first(store: Store, clock: Clock) -> None:
    await make_cases(store, clock)

    exported = [case.number async for case in store.export()]

    assert exported == list(range(1012, 1000, -1))


FILTERS = {
    CaseFilter(statuses=("new",)): 9,
    CaseFilter(statuses=("acknowledged", "resolved")): 3,
    CaseFilter(levels=(Level.EMERGENCY, Level.URGENT)): 8,
    CaseFilter(assignee="nobody"): 9,
    CaseFilter(assignee="ana"): 3,
    CaseFilter(country="CA"): 6,
    CaseFilter(language="en", channel="tg", kind="unresponsive", topic="overdose_signs"): 12,
    CaseFilter(language="fr"): 0,
    CaseFilter(rule="cannot_be_woken"): 12,
    CaseFilter(rule="took_extra"): 12,
    CaseFilter(rule="nothing"): 0,
    CaseFilter(version="c0ffee"): 12,
    CaseFilter(version="1.1"): 0,
    CaseFilter(since=NOW + 3 * MINUTE, before=NOW + 6 * MINUTE): 3,
    CaseFilter(verdict="correct"): 0,
    CaseFilter(review_statuses=("unreviewed",)): 12,
    CaseFilter(alert_status="pending"): 9,
    CaseFilter(breached=True): 0,
    CaseFilter(delivery_failed=True): 0,
    CaseFilter(repeated=True): 0,
    CaseFilter(tag="a"): 0,
}


async def test_each_filter_lists_what_it_says(store: Store, clock: Clock) -> None:
    await make_cases(store, clock)

    counted = {wanted: await store.count(wanted) for wanted in FILTERS}
    listed = {wanted: len(await store.list(wanted, limit=100)) for wanted in FILTERS}
    newest = {wanted: len(await store.newest(wanted, limit=100)) for wanted in FILTERS}

    assert counted == FILTERS
    assert listed == FILTERS
    assert newest == FILTERS


async def test_a_filter_by_label_takes_it_whole(store: Store) -> None:
    case = await store.record(an_entry())
    await store.act(case.id, Tag("ana", ("call-back",)))

    assert await store.count(CaseFilter(tag="call-back")) == 1
    assert await store.count(CaseFilter(tag="call")) == 0
    assert await store.count(CaseFilter(tag="%")) == 0


async def test_what_is_open_is_counted_by_status_and_level(store: Store, clock: Clock) -> None:
    await make_cases(store, clock)

    assert await store.counts() == {
        ("new", Level.URGENT): 3,
        ("new", Level.SUICIDE_CRISIS): 3,
        ("new", Level.EMERGENCY): 3,
        ("acknowledged", Level.URGENT): 1,
        ("acknowledged", Level.SUICIDE_CRISIS): 1,
    }


async def test_a_filter_that_hides_an_emergency_says_how_many(store: Store, clock: Clock) -> None:
    await make_cases(store, clock)

    assert await store.hidden_emergencies(CaseFilter(levels=(Level.URGENT,))) == 3
    assert await store.hidden_emergencies(CaseFilter(country="CA")) == 1
    assert await store.hidden_emergencies(QUEUE) == 0


# ---- privacy -----------------------------------------------------------------------


async def dump(store: Store) -> str:
    """Everything in the database, as text."""
    tables = (
        "escalation signal signal_rule review note event head review_sample contact person talk "
        "exchange"
    )
    async with store._database.reading() as connection:
        rows = [
            str(row)
            for table in tables.split()
            for row in await connection.execute(text(f"SELECT * FROM {table}"))
        ]
    return "\n".join(rows)


async def test_no_text_and_no_chat_id_can_be_read_in_the_database(store: Store) -> None:
    await store.record(an_entry(chat="tg:chat-4711"))
    await store.keep_person("tg:chat-4711", Person(country="GB", state=State(kind="overdose")))

    found = await dump(store)

    assert "unresponsive" in found
    for secret in ("fifteen", "wake her", "chat-4711", "Call 999"):
        assert secret not in found


async def test_a_forgotten_person_leaves_a_skeleton(store: Store) -> None:
    case = await store.record(an_entry())
    other = await store.record(an_entry(chat="tg:5"))
    await store.keep_person("tg:4711", Person(country="GB"))

    forgotten = await store.forget("tg:4711")

    assert (forgotten.cases, forgotten.messages, forgotten.known) == (1, 1, True)
    assert forgotten.stays
    assert await store.person("tg:4711") == Person()
    assert await store.chat_of(case) is None
    file, kept = await store.show(case.id), await store.show(other.id)
    assert file is not None
    assert kept is not None
    (signal,) = file.signals
    assert (signal.text, signal.redacted_at) == (None, NOW)
    assert [each.rule for each in signal.evidence] == ["cannot_be_woken", "somebody_else"]
    assert {each.text for each in signal.evidence} == {""}
    assert (file.case.redacted, file.case.status, file.case.level) == (
        True,
        "new",
        Level.EMERGENCY,
    )
    assert file.events[-1].event == Event("redacted", {}, {"why": "forget"})
    assert kept.signals[0].text == TEXT


async def test_a_stranger_can_be_forgotten(store: Store) -> None:
    assert (await store.forget("tg:1")).known is False


async def test_a_person_who_was_forgotten_can_write_again(store: Store) -> None:
    case = await store.record(an_entry())
    await store.forget("tg:4711")

    again = await store.record(an_entry(update_id="2"))

    assert (again.id, again.redacted) == (case.id, False)
    assert await store.chat_of(again) == "tg:4711"


async def test_texts_go_after_thirty_days_and_not_before(store: Store, clock: Clock) -> None:
    old = await store.record(an_entry())
    await store.keep_person("tg:4711", Person(country="GB"))
    clock.move(timedelta(days=29))
    young = await store.record(an_entry(chat="tg:5", received_at=clock.now))

    nothing = await store.redact_due()
    clock.move(timedelta(days=2))
    redacted = await store.redact_due()

    assert (nothing.messages, redacted.messages, redacted.people) == (0, 1, 1)
    files = [await store.show(case.id) for case in (old, young)]
    assert [file.signals[0].text for file in files if file] == [None, TEXT]
    assert await store.chat_of(old) == "tg:4711", "the case is open, so it must be answerable"


async def test_more_than_a_batch_is_redacted_in_one_run(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privacy, "BATCH", 2)
    for each in range(5):
        await store.record(an_entry(update_id=str(each)))
    clock.move(timedelta(days=31))

    assert (await store.redact_due()).messages == 5


async def test_a_resolved_case_and_its_history_go_after_a_year(store: Store, clock: Clock) -> None:
    done = await store.record(an_entry())
    await store.act(done.id, Acknowledge("ana"))
    await store.act(done.id, Resolve("ana", "test", unreviewed=True))
    waits = await store.record(an_entry(chat="tg:5"))
    clock.move(timedelta(days=366))
    last = await store.record(an_entry(chat="tg:6", received_at=clock.now))

    redacted = await store.redact_due(Retention())

    assert redacted.cases == 1
    assert redacted.events == 4
    assert await store.find(done.id) is None
    assert await store.find(waits.id) is not None, "a new case never expires by itself"
    assert await store.find(last.id) is not None
    assert (await store.verify_audit()).broken_at is None


async def test_a_new_key_opens_everything_and_the_old_one_is_not_needed_any_more(
    store: Store, keys: Keys, clock: Clock, database_url: str
) -> None:
    case = await store.record(an_entry())
    await store.keep_person("tg:4711", Person(country="GB"))
    rotated = keys.rotated()

    between = await Store.open(database_url, rotated, rules=RULES, now=clock)
    await between.reencrypt()
    await between.close()
    after = await Store.open(database_url, rotated.newest_only(), rules=RULES, now=clock)

    file = await after.show(case.id)
    assert file is not None
    assert file.signals[0].text == TEXT
    assert (await after.person("tg:4711")).country == "GB"
    await after.close()
    with pytest.raises(KeyMissing):
        await Store.open(database_url, keys)


# ---- the history -------------------------------------------------------------------


async def write(store: Store, statement: str) -> None:
    async with store._database.writing() as connection:
        await connection.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET actor = 'x' WHERE seq = 1",
        "DELETE FROM event WHERE seq = 1",
        "DELETE FROM event",
    ],
)
async def test_the_database_refuses_to_change_the_history(store: Store, statement: str) -> None:
    await store.record(an_entry())

    with pytest.raises(StoreError):
        await write(store, statement)

    assert (await store.verify_audit()).events == 1


async def tamper(store: Store, statement: str) -> None:
    """Do what somebody could who can write the file and drop its triggers."""
    if store._database.is_sqlite:
        await write(store, "DROP TRIGGER event_never_changes")
        await write(store, "DROP TRIGGER event_never_goes")
    else:
        await write(store, "ALTER TABLE event DISABLE TRIGGER ALL")
    await write(store, statement)


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE event SET actor = 'bos' WHERE seq = 2", 2),
        ("UPDATE event SET after = REPLACE(after, 'n', 'm') WHERE seq = 1", 1),
        ("UPDATE event SET escalation_id = 'x' WHERE seq = 3", 3),
        ("DELETE FROM event WHERE seq = 2", 2),
        ("DELETE FROM event WHERE seq = 4", 4),
        ("UPDATE event SET hash = prev_hash WHERE seq = 4", 4),
    ],
)
async def test_the_chain_shows_where_the_history_was_altered(
    store: Store, statement: str, broken_at: int
) -> None:
    for each in range(4):
        await store.record(an_entry(chat=f"tg:{each}"))
    assert (await store.verify_audit()).broken_at is None

    await tamper(store, statement)

    found = await store.verify_audit()
    assert found.broken_at == broken_at
    assert found.problem


async def test_the_chain_holds_through_a_redaction(store: Store) -> None:
    await store.record(an_entry())
    await store.forget("tg:4711")

    found = await store.verify_audit()

    assert (found.events, found.broken_at) == (2, None)


async def test_the_history_holds_no_text(store: Store) -> None:
    case = await store.record(an_entry(chat="tg:chat-4711"))
    await store.act(case.id, Acknowledge("ana"))
    await store.log(Event("exported", {}, {"rows": 3}), actor="ana", channel="cli")

    async with store._database.reading() as connection:
        rows = [str(row) for row in await connection.execute(text("SELECT * FROM event"))]

    assert len(rows) == 3
    assert not any("fifteen" in row or "chat-4711" in row for row in rows)


# ---- opening -----------------------------------------------------------------------


async def test_an_open_store_can_be_opened_again(
    store: Store, database_url: str, keys: Keys
) -> None:
    case = await store.record(an_entry())

    again = await Store.open(database_url, keys)

    assert (await again.find(case.id)) is not None
    await again.close()


async def test_two_that_start_at_once_make_the_tables_once(empty_url: str, keys: Keys) -> None:
    opened = await asyncio.gather(*(Store.open(empty_url, keys) for _ in range(3)))

    case = await opened[0].record(an_entry())
    assert [await each.find(case.id) for each in opened] == [case] * 3
    async with opened[0]._database.reading() as connection:
        rows = await connection.execute(text("SELECT count(*) FROM alembic_version"))
        assert rows.scalar() == 1
    for each in opened:
        assert (await each.verify_audit()).events == 1
        await each.close()


async def test_a_newer_database_is_refused(store: Store, database_url: str, keys: Keys) -> None:
    await write(store, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(StoreNewer, match="9999"):
        await Store.open(database_url, keys)


async def test_other_keys_are_refused_before_anything_is_written(
    store: Store, database_url: str, keys: Keys
) -> None:
    texts = keys.as_text().replace("subject", "#").splitlines()[-1].split()[1]
    others = Keys(b"x" * 32, (texts,))

    for wrong in (Keys.generate(), others):
        with pytest.raises(KeyMissing):
            await Store.open(database_url, wrong)


async def test_a_migrated_database_has_the_tables_that_the_code_names(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    from bot.store.schema import metadata

    def differences(connection: object) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})  # type: ignore[arg-type]
        return list(compare_metadata(context, metadata))

    async with store._database.reading() as connection:
        assert await connection.run_sync(differences) == []


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://host/name", "sqlite://", "sqlite:///:memory:"]
)
async def test_a_bad_address_is_a_settings_error(url: str, keys: Keys) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        await Store.open(url, keys)


# ---- a database that is in trouble -------------------------------------------------


async def test_a_locked_file_is_away_and_comes_back(tmp_path: Path, keys: Keys) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/bot.db", keys)
    other = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(StoreAway):
        await store.record(an_entry())
    assert await store.person("tg:1") == Person(), "reading waits for no writer"
    other.execute("ROLLBACK")
    other.close()

    assert (await store.record(an_entry())).number == 1001
    await store.close()


async def test_a_full_disk_is_away(tmp_path: Path, keys: Keys) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/bot.db", keys)
    await write(store, "PRAGMA max_page_count = 1")

    with pytest.raises(StoreAway, match="full"):
        await store.record(an_entry(text="x" * 100_000))
    await store.close()


async def test_a_file_that_is_no_database_is_told(tmp_path: Path, keys: Keys) -> None:
    (tmp_path / "bot.db").write_text("this is not a database, it is a sentence. " * 100)

    with pytest.raises(StoreError, match="not a database"):
        await Store.open(f"sqlite:///{tmp_path}/bot.db", keys)


async def test_a_folder_that_cannot_be_made_is_away(tmp_path: Path, keys: Keys) -> None:
    (tmp_path / "var").write_text("a file where the folder should be")

    with pytest.raises(StoreAway, match="var"):
        await Store.open(f"sqlite:///{tmp_path}/var/sub/bot.db", keys)


async def test_a_server_that_is_not_there_is_away(keys: Keys) -> None:
    with pytest.raises(StoreAway):
        await Store.open("postgresql://bot@127.0.0.1:9/bot", keys)


async def test_a_server_that_goes_away_comes_back(
    postgres_url: str, store: Store, database_url: str
) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("A file has no connections to lose.")
    import psycopg

    await store.record(an_entry())
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 't%'"
        )

    assert (await store.record(an_entry(update_id="2"))).signals == 2


async def test_no_error_shows_what_a_person_wrote(store: Store) -> None:
    await write(store, "DROP TABLE signal_rule")

    with pytest.raises(StoreError) as caught:
        await store.record(an_entry())

    assert "fifteen" not in str(caught.value)
    assert "fifteen" not in str(caught.value.__cause__)


async def test_a_signal_that_was_refused_is_a_fault_and_not_lost_silently(store: Store) -> None:
    case = await store.record(an_entry())

    outcome = await store.act(case.id, Signal("bot", an_entry(update_id="2")))

    assert isinstance(outcome, Step)


# ---- what staff add ----------------------------------------------------------------


async def test_a_note_is_kept_private_and_its_words_are_in_no_history(store: Store) -> None:
    case = await store.record(an_entry())

    await store.add_note(case.id, "ana", "called the sister", channel="console")

    file = await store.show(case.id)
    assert file is not None
    (note,) = file.notes
    assert (note.author, note.body, note.created_at) == ("ana", "called the sister", NOW)
    assert file.events[-1].event == Event("note_added", {}, {"note": note.id})
    assert "sister" not in await dump(store)


async def test_an_empty_note_is_refused(store: Store) -> None:
    case = await store.record(an_entry())

    assert await store.add_note(case.id, "ana", "  ") == Refusal("The note is empty.")


async def test_two_readers_agree_and_the_case_is_reviewed(store: Store) -> None:
    case = await store.record(an_entry())

    first = await store.add_review(case.id, "ana", Level.URGENT, reason="she was awake")
    second = await store.add_review(case.id, "ben", Level.URGENT, reply_was_right="partly")

    assert isinstance(first, Step)
    assert isinstance(second, Step)
    assert (first.case.review_status, second.case.review_status) == ("needs_second", "reviewed")
    assert (second.case.verdict, second.case.reviewed_level) == ("too_high", Level.URGENT)
    file = await store.show(case.id)
    assert file is not None
    assert [(each.reviewer, each.reason) for each in file.reviews] == [
        ("ana", "she was awake"),
        ("ben", ""),
    ]
    assert await store.count(CaseFilter(verdict="too_high")) == 1


async def test_readers_who_differ_wait_for_a_lead(store: Store) -> None:
    case = await store.record(an_entry())
    await store.add_review(case.id, "ana", Level.EMERGENCY)

    differ = await store.add_review(case.id, "ben", Level.INFO)
    settled = await store.add_review(case.id, "lea", Level.URGENT, is_authoritative=True)

    assert isinstance(differ, Step)
    assert isinstance(settled, Step)
    assert differ.case.review_status == "awaiting_resolution"
    assert (settled.case.review_status, settled.case.verdict) == ("reviewed", "too_high")
    assert settled.events[0].type == "review_resolved"


async def test_what_was_just_done_can_be_undone(store: Store, clock: Clock) -> None:
    case = await store.record(an_entry())
    await store.act(case.id, Acknowledge("ana"))
    clock.move(timedelta(seconds=5))

    by_other = await store.undo(case.id, "ben")
    undone = await store.undo(case.id, "ana", channel="console")
    again = await store.undo(case.id, "ana")

    assert isinstance(by_other, Refusal)
    assert isinstance(undone, Step)
    assert isinstance(again, Step)
    assert (undone.case.status, undone.case.waiting_since) == ("new", NOW)
    assert again.case.status == "acknowledged", "an undo is undone like anything else"


async def test_a_look_by_somebody_else_stands_in_no_way_of_an_undo(store: Store) -> None:
    case = await store.record(an_entry())
    await store.act(case.id, Acknowledge("ana"))
    await store.act(case.id, View("ben"))

    undone = await store.undo(case.id, "ana")

    assert isinstance(undone, Step)
    assert undone.case.status == "new"


async def test_nothing_is_undone_once_a_new_message_came(store: Store) -> None:
    case = await store.record(an_entry())
    await store.act(case.id, Acknowledge("ana"))
    await store.record(an_entry(update_id="2"))

    assert isinstance(await store.undo(case.id, "ana"), Refusal)


async def test_clocks_act_when_they_are_due(store: Store, clock: Clock) -> None:
    waits = await store.record(an_entry(chat="tg:1"))
    idle = await store.record(an_entry(chat="tg:2"))
    rests = await store.record(an_entry(chat="tg:3", level=Level.URGENT))
    await store.act(idle.id, Acknowledge("ana"))
    await store.act(rests.id, Acknowledge("ana"))
    await store.act(rests.id, Snooze("ana", NOW + 9 * MINUTE))

    assert await store.tick() == ()
    clock.move(10 * MINUTE)
    changed = {case.id: case for case in await store.tick()}

    assert changed[waits.id].sla_status == "missed"
    assert (changed[idle.id].status, changed[idle.id].assignee) == ("new", "")
    assert (changed[rests.id].status, changed[rests.id].assignee) == ("acknowledged", "ana")
    assert await store.tick() == ()


async def test_what_staff_wrote_goes_with_the_rest(store: Store, clock: Clock) -> None:
    case = await store.record(an_entry())
    await store.add_note(case.id, "ana", "a note")
    await store.add_review(case.id, "ana", Level.URGENT, reason="a reason")
    clock.move(timedelta(days=31))

    redacted = await store.redact_due()

    file = await store.show(case.id)
    assert file is not None
    assert (redacted.notes, file.notes[0].body, file.reviews[0].reason) == (2, None, "")
    assert file.reviews[0].reviewed_level == Level.URGENT
