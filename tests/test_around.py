"""The conversation around a case: what is kept of it, when, in which order, and how it goes."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text as sql

from bot.core.actions import Acknowledge, Resolve
from bot.core.decide import Content
from bot.core.escalation import Case
from bot.core.exchange import EXCHANGES, Exchange
from bot.core.export import case_row
from bot.core.ladder import alert_text
from bot.core.model import DeliveryStatus, Level, Message, Reply
from bot.metrics import metrics
from bot.recent import Recent
from bot.service import Service
from bot.store import Keys, Retention, Spool, Store
from bot.store.exchanges import MOST
from bot.store.privacy import Until
from bot.store.records import CaseFile, ExchangeRecord, SignalRecord
from bot.store.timeline import Stretch, texts, timeline
from tests.databases import PATIENT_S, AwayStore
from tests.escalation_values import HOUR, MINUTE, NOW, Clock, a_case, allowed, an_entry, an_exchange

pytestmark = pytest.mark.anyio

MARKER = "zebra umbrella"  # in nothing that the bot or its content says
EMERGENCY = "he took 30 baclofen and wont wake up"
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


async def file_of(store: Store, number: int = 1001) -> CaseFile:
    file = await store.show(number)
    assert file is not None
    return file


async def said_in(store: Store, number: int = 1001) -> list[str | None]:
    return [each.text for each in (await file_of(store, number)).exchanges]


# ---- when it is kept -------------------------------------------------------------------------


async def _nothing(store: Store, clock: Clock) -> None:
    del store, clock


async def _a_case(store: Store, clock: Clock) -> None:
    del clock
    await store.record(an_entry())


async def _another_chat(store: Store, clock: Clock) -> None:
    del clock
    await store.record(an_entry(chat="tg:5"))


async def _resolved(store: Store, clock: Clock) -> None:
    await _a_case(store, clock)
    await store.act(1001, Acknowledge("ana"))
    allowed(await store.act(1001, Resolve("ana", "followed_up", unreviewed=True)))


async def _opened_again(store: Store, clock: Clock) -> None:
    await _resolved(store, clock)
    await store.record(an_entry(update_id="900009"))


async def _a_day_ago(store: Store, clock: Clock) -> None:
    await _a_case(store, clock)
    clock.move(DAY + MINUTE)


async def _a_day_ago_and_again(store: Store, clock: Clock) -> None:
    await _a_day_ago(store, clock)
    await store.record(an_entry(update_id="900009", received_at=clock()))
    clock.move(23 * HOUR)


async def _a_day_ago_with_staff_in_it(store: Store, clock: Clock) -> None:
    await _a_day_ago(store, clock)
    case = allowed(await store.act(1001, Acknowledge("ana")))
    version = case.row_version
    await store.talk.write(1001, "ana", "hello", row_version=version, leaving=False)


async def _forgotten(store: Store, clock: Clock) -> None:
    await _a_case(store, clock)
    await store.forget("tg:4711")


async def _forgotten_and_again(store: Store, clock: Clock) -> None:
    await _forgotten(store, clock)
    await store.record(an_entry(update_id="900009"))


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        pytest.param(_nothing, False, id="no case"),
        pytest.param(_another_chat, False, id="the case of another chat"),
        pytest.param(_a_case, True, id="an open case"),
        pytest.param(_resolved, False, id="a resolved case"),
        pytest.param(_opened_again, True, id="a case that was opened again"),
        pytest.param(_a_day_ago, False, id="an alarm of yesterday that nobody closed"),
        pytest.param(_a_day_ago_and_again, True, id="an alarm of yesterday and one of today"),
        pytest.param(_a_day_ago_with_staff_in_it, True, id="staff in the conversation"),
        pytest.param(_forgotten, False, id="a forgotten person"),
        pytest.param(_forgotten_and_again, True, id="an alarm after forgetting"),
    ],
)
async def test_what_is_said_is_kept_with_the_open_case_of_its_chat(
    store: Store, clock: Clock, before: Callable[..., Awaitable[None]], kept: bool
) -> None:
    await before(store, clock)

    found = await store.exchanges.keep(an_exchange(received_at=clock()))

    assert found is kept
    async with store._database.reading() as connection:
        rows = (await connection.execute(sql("SELECT count(*) FROM exchange"))).scalar()
    assert rows == int(kept)


async def test_the_same_message_is_kept_once_and_learns_of_its_delivery(store: Store) -> None:
    await store.record(an_entry())

    await store.exchanges.keep(an_exchange(delivery_status=None))
    await store.exchanges.keep(an_exchange(delivery_status="blocked"))
    await store.exchanges.keep(an_exchange(delivery_status="sent"))

    (kept,) = (await file_of(store)).exchanges
    assert (kept.text, kept.reply) == ("yes", ("Lay them on their side.",))
    assert kept.delivery_status == "blocked"


async def test_an_alarm_and_a_word_to_staff_are_not_said_a_second_time(store: Store) -> None:
    await store.record(an_entry())
    case = allowed(await store.act(1001, Acknowledge("ana")))
    await store.talk.write(1001, "ana", "hi", row_version=case.row_version, leaving=False)
    await store.talk.hear("tg:4711", "thank you", identity="900002")

    await store.exchanges.keep(an_exchange(update_id="900001"))
    await store.exchanges.keep(an_exchange(update_id="900002"))
    await store.exchanges.keep(an_exchange(update_id="900003"))
    at_first = await said_in(store)
    await store.record(an_entry(update_id="900003"))

    assert at_first == ["yes"]
    assert await said_in(store) == []


@pytest.mark.parametrize(("heard", "waits"), [(True, True), (False, False)])
async def test_staff_in_the_conversation_have_something_to_read(
    store: Store, clock: Clock, heard: bool, waits: bool
) -> None:
    await _a_day_ago_with_staff_in_it(store, clock)

    for _ in range(2):
        await store.exchanges.keep(an_exchange(received_at=clock()), heard=heard)

    file = await file_of(store)
    assert (file.case.waiting_since is not None) is waits
    assert [each.event.type for each in file.events].count("person_wrote") == int(waits)


async def test_a_flood_makes_no_record_of_any_length(store: Store) -> None:
    flood = tuple(an_exchange(update_id=str(number)) for number in range(MOST))
    await store.record(an_entry(before=flood))

    assert not await store.exchanges.keep(an_exchange(update_id="one more"))
    assert len((await file_of(store)).exchanges) == MOST


async def test_what_was_said_before_comes_with_the_alarm_once(store: Store) -> None:
    before = (
        an_exchange(said="hello", update_id="1", received_at=NOW - 2 * MINUTE),
        an_exchange(said="is it much?", update_id="2", received_at=NOW - MINUTE),
    )

    for delivery in (None, "sent"):
        await store.record(an_entry(before=before, delivery_status=delivery))
    await store.record(an_entry(before=before, update_id="900009"))

    assert await said_in(store) == ["hello", "is it much?"]


# ---- how it goes -----------------------------------------------------------------------------


async def test_it_is_encrypted_and_goes_with_retention(store: Store, clock: Clock) -> None:
    await store.record(an_entry(before=(an_exchange(said=MARKER, update_id="1"),)))
    await store.exchanges.keep(an_exchange(reply=(MARKER,)))
    async with store._database.reading() as connection:
        rows = str(list(await connection.execute(sql("SELECT * FROM exchange"))))
        history = str(list(await connection.execute(sql("SELECT * FROM event"))))

    await store.reencrypt()
    still = await said_in(store)
    clock.move(timedelta(days=31))
    await store.redact_due()

    assert "sent" in rows
    assert MARKER not in rows
    assert MARKER not in history
    assert still == [MARKER, "yes"]
    assert [(each.text, each.reply) for each in (await file_of(store)).exchanges] == [
        (None, ())
    ] * 2
    assert (await store.verify_audit()).broken_at is None


async def test_forgetting_takes_what_was_said_until_it_was_asked_for(store: Store) -> None:
    await store.record(an_entry(before=(an_exchange(update_id="1"),)))
    later = an_exchange(said="later", update_id="2", received_at=NOW + HOUR)
    await store.exchanges.keep(later)

    # Our clock is behind that of the chat.
    await store.forget("tg:4711", Until(told=NOW + MINUTE, noted=NOW - HOUR))
    at_first = await said_in(store)
    await store.forget("tg:4711")

    assert at_first == [None, "later"]
    assert await said_in(store) == [None, None]


async def test_a_case_that_goes_takes_it_along(store: Store, clock: Clock) -> None:
    await store.record(an_entry(before=(an_exchange(),)))
    await store.act(1001, Acknowledge("ana"))
    await store.act(1001, Resolve("ana", "followed_up", unreviewed=True))

    clock.move(timedelta(days=400))
    await store.redact_due(Retention())

    async with store._database.reading() as connection:
        assert (await connection.execute(sql("SELECT count(*) FROM exchange"))).scalar() == 0


# ---- in memory -------------------------------------------------------------------------------


class Steady:
    """A clock of seconds that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def noted(*said: Exchange, **limits: Any) -> Recent:
    recent = Recent(**limits)
    for each in said:
        recent.note(each)
    return recent


NUMBERED = tuple(an_exchange(said=str(n), update_id=str(n)) for n in range(EXCHANGES + 2))
HELD = [str(n) for n in range(2, EXCHANGES + 2)]


@pytest.mark.parametrize(
    ("recent", "at", "expected"),
    [
        pytest.param(noted(*NUMBERED), NOW, HELD, id="the last few"),
        pytest.param(noted(NUMBERED[0], NUMBERED[0]), NOW, ["0"], id="a redelivered one once"),
        pytest.param(noted(NUMBERED[0]), NOW + 30 * MINUTE, ["0"], id="half an hour"),
        pytest.param(noted(NUMBERED[0]), NOW + 31 * MINUTE, [], id="no longer"),
        pytest.param(noted(an_exchange(chat="tg:5")), NOW, [], id="not of another chat"),
        pytest.param(
            noted(NUMBERED[0], an_exchange(chat="tg:5"), chats=1), NOW, [], id="too many chats"
        ),
        pytest.param(
            noted(NUMBERED[0], an_exchange(chat="tg:5", said="x" * 80), characters=90),
            NOW,
            [],
            id="too many characters",
        ),
        pytest.param(noted(an_exchange(said="x" * 80), characters=50), NOW, [], id="too long"),
    ],
)
def test_a_little_of_what_was_said_lately_is_held(
    recent: Recent, at: Any, expected: list[str]
) -> None:
    assert [each.said for each in recent.before("tg:4711", at)] == expected


def test_what_was_said_leaves_memory_by_itself_and_when_it_is_dropped() -> None:
    steady = Steady()
    recent = Recent(steady=steady)
    recent.note(an_exchange())
    recent.note(an_exchange(chat="tg:5"))
    recent.drop("tg:5")
    recent.settle(an_exchange(chat="tg:5"))
    at_first = recent.size

    steady.now = 29 * 60
    recent.note(an_exchange(chat="tg:6"))
    steady.now = 31 * 60
    recent.drop_old()

    assert at_first == an_exchange().size
    assert recent.size == an_exchange().size
    assert recent.before("tg:4711", NOW) == ()
    assert recent.before("tg:5", NOW) == ()
    assert len(recent.before("tg:6", NOW)) == 1


def test_what_came_of_an_answer_is_held_with_it() -> None:
    recent = noted(an_exchange(delivery_status=None))

    recent.settle(an_exchange(delivery_status="failed"))

    assert [each.delivery_status for each in recent.before("tg:4711", NOW)] == ["failed"]


# ---- one line of time ------------------------------------------------------------------------


def test_the_conversation_is_one_line_of_time() -> None:
    file = a_file(
        signals=((2, "900003", "alarm"), (4, "900006", "alarm again")),
        exchanges=((1, "900001", "before"), (2, "900002", "same second"), (3, "900005", "between"),
                   (4, "900007", "after"), (5, "900008", None)),
    )  # fmt: skip

    shown = [
        part.text
        if isinstance(part, SignalRecord)
        else (part.place, [(line.author, line.text) for line in part.lines])
        for part in timeline(file)
    ]

    assert shown == [
        ("before", [("", "before"), ("bot", "ok"), ("", "same second"), ("bot", "ok")]),
        "alarm",
        ("between", [("", "between"), ("bot", "ok")]),
        "alarm again",
        ("after", [("", "after"), ("bot", "ok"), ("", None)]),
    ]


def test_nothing_stands_for_what_was_never_kept() -> None:
    parts = timeline(a_file(signals=((1, "1", "alarm"),), exchanges=()))

    assert [type(part) for part in parts] == [SignalRecord]


def a_file(
    *, signals: tuple[tuple[int, str, str], ...], exchanges: tuple[tuple[int, str, Any], ...]
) -> CaseFile:
    return CaseFile(
        case=a_case(),
        signals=tuple(a_signal(NOW + at * SECOND, own, said) for at, own, said in signals),
        reviews=(),
        notes=(),
        events=(),
        earlier=(),
        exchanges=tuple(
            ExchangeRecord(
                id=own,
                update_id=own,
                created_at=NOW + at * SECOND,
                edited=False,
                text=said,
                reply=("ok",) if said else (),
                delivery_status="sent",
            )
            for at, own, said in exchanges
        ),
    )


def a_signal(at: Any, update_id: str, said: str) -> SignalRecord:
    entry = an_entry()
    return SignalRecord(
        id=update_id,
        update_id=update_id,
        received_at=at,
        edited=False,
        text=said,
        redacted_at=None,
        level=Level.EMERGENCY,
        kind=entry.kind,
        topic=entry.topic,
        evidence=(),
        near_misses=(),
        decision_path=(),
        reply=(),
        reply_id="",
        numbers_shown=(),
        delivery_status="sent",
        reply_latency_ms=1,
        versions=entry.versions,
    )


# ---- the whole service -----------------------------------------------------------------------


class Outbox:
    """What the person got."""

    def __init__(self) -> None:
        self.sent: list[Reply] = []

    async def __call__(self, reply: Reply) -> DeliveryStatus:
        self.sent.append(reply)
        return "sent"


def a_service(content: Content, keys: Keys, folder: Path, store: Store | None) -> Service:
    return Service(content, Spool(folder, keys), store, store_timeout_s=PATIENT_S)


async def converse(service: Service, *said: str, first: int = 1, **changes: Any) -> None:
    """Messages of one chat, ten seconds apart, numbered from `first`."""
    for number, each in enumerate(said, start=first):
        at = NOW + number * 10 * SECOND
        message = Message("tg:4711", each, at=at, update_id=str(number))
        await service.receive(replace(message, **changes), Outbox())


def shown_in(file: CaseFile) -> list[str | None]:
    """What the person said, in order; alarms with a mark."""
    return [
        said
        for part in timeline(file)
        for said in (
            [f"! {part.text}"]
            if isinstance(part, SignalRecord)
            else [line.text for line in part.lines if not line.author]
        )
    ]


async def test_a_conversation_is_kept_around_its_alarm(
    store: Store, content: Content, keys: Keys, tmp_path: Path
) -> None:
    service = a_service(content, keys, tmp_path, store)

    await converse(service, "hi", "what is baclofen?", EMERGENCY, "yes", "ok thanks")
    await converse(service, EMERGENCY, "yes", first=3)  # delivered once more

    file = await file_of(store)
    assert shown_in(file) == ["hi", "what is baclofen?", f"! {EMERGENCY}", "yes", "ok thanks"]
    assert all(each.delivery_status == "sent" for each in file.exchanges)
    assert all(each.reply for each in file.exchanges)
    assert len(await store.list()) == 1


async def test_without_an_alarm_nothing_is_kept_and_after_a_restart_nothing_is_known(
    store: Store, content: Content, keys: Keys, tmp_path: Path
) -> None:
    await converse(a_service(content, keys, tmp_path, store), "hi", MARKER)
    async with store._database.reading() as connection:
        rows = (await connection.execute(sql("SELECT count(*) FROM exchange"))).scalar()

    await converse(a_service(content, keys, tmp_path, store), EMERGENCY, first=3)

    assert rows == 0
    assert shown_in(await file_of(store)) == [f"! {EMERGENCY}"]


@pytest.mark.parametrize(
    "goodbye",
    [
        pytest.param(lambda service: converse(service, "/forget", first=2), id="forget"),
        pytest.param(lambda service: _leaves(service), id="the page is left"),
        pytest.param(lambda service: _staff_forget(service), id="staff forget them"),
    ],
)
async def test_whoever_leaves_or_is_forgotten_leaves_nothing_in_memory(
    store: Store,
    content: Content,
    keys: Keys,
    tmp_path: Path,
    goodbye: Callable[[Service], Awaitable[None]],
) -> None:
    service = a_service(content, keys, tmp_path, store)
    await converse(service, MARKER)

    await goodbye(service)
    await converse(service, EMERGENCY, first=3)

    assert shown_in(await file_of(store)) == [f"! {EMERGENCY}"]


async def _leaves(service: Service) -> None:
    service.leave("tg:4711")


async def _staff_forget(service: Service) -> None:
    """As `privacy forget` does it, from a process of its own."""
    assert service.store is not None
    await service.store.forget_for("ana", "tg:4711")


async def test_what_others_say_in_a_group_is_never_kept(
    store: Store, content: Content, keys: Keys, tmp_path: Path
) -> None:
    service = a_service(content, keys, tmp_path, store)

    await converse(service, "hi", EMERGENCY, "ok thanks", group=True)

    assert shown_in(await file_of(store)) == [f"! {EMERGENCY}"]


async def test_with_the_store_away_it_waits_with_the_record(
    database_url: str, store: Store, content: Content, keys: Keys, tmp_path: Path
) -> None:
    away = await AwayStore.open(database_url, keys)
    service = a_service(content, keys, tmp_path, away)
    await converse(service, "hi", EMERGENCY, "what is baclofen?")
    spooled = b"".join(each.read_bytes() for each in tmp_path.glob("spool*"))

    for _ in range(2):
        service.store = store
        await service.drain_spool()
        await converse(service, "what is baclofen?", first=3)
    await away.close()

    assert b"wont wake" not in spooled
    assert shown_in(await file_of(store)) == ["hi", f"! {EMERGENCY}", "what is baclofen?"]


async def test_no_alarm_means_nothing_waits_in_the_spool(
    database_url: str, content: Content, keys: Keys, tmp_path: Path
) -> None:
    away = await AwayStore.open(database_url, keys)
    service = a_service(content, keys, tmp_path, away)

    await converse(service, "hi", "what is baclofen?")

    assert service.spool_bytes == 0
    await away.close()


@pytest.mark.parametrize("place", [0, 2], ids=["before the alarm", "after it"])
async def test_what_was_said_is_in_no_log_alert_figure_or_default_export(
    store: Store,
    content: Content,
    keys: Keys,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    place: int,
) -> None:
    caplog.set_level(logging.DEBUG)
    service = a_service(content, keys, tmp_path, store)
    said = ["hi", EMERGENCY]
    said.insert(place, f"what is baclofen? {MARKER}")

    await converse(service, *said)
    service.store = None  # where more is logged
    await converse(service, *said, first=4)

    file = await file_of(store)
    assert MARKER in str(file.exchanges)
    assert MARKER in texts(file)["conversation"]
    case: Case = file.case
    told = [alert_text(case, NOW), str(case_row(case)), str(file.events), caplog.text]
    told.append(await metrics(service, _no_backlog, model="", recording=True))
    told += [str(record.__dict__) for record in caplog.records]
    for each in told:
        assert each
        assert MARKER not in each


async def _no_backlog() -> None:
    return None


def test_a_stretch_that_was_deleted_says_so_as_a_whole() -> None:
    parts = timeline(a_file(signals=((1, "1", "alarm"),), exchanges=((2, "2", None),)))

    assert [part.is_gone for part in parts if isinstance(part, Stretch)] == [True]
