"""Staff take a conversation over: what the person sees, what the bot does, what is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text as sql

from bot.core.actions import Acknowledge, Assign, Refusal, Resolve, View
from bot.core.decide import Content
from bot.core.escalation import Case
from bot.core.model import Decision, DeliveryStatus, Level, Message, Person, Reply
from bot.core.takeover import STAYS, approved, framed, is_reachable, passed_on, steps_back
from bot.errors import StoreAway
from bot.service import Service
from bot.store import Keys, Retention, Spool, Store
from bot.takeover import GIVEN_UP, LEFT_OVER, Takeover
from tests.databases import PATIENT_S
from tests.escalation_values import MINUTE, Clock, an_entry
from tests.escalation_values import a_case as a_new_case
from tests.reading import knowledge

pytestmark = pytest.mark.anyio

OPENING = "A person from the support team writes to you. This is not the bot:"
LEFT = "The person from the support team has left this chat."


@dataclass
class Line:
    """A channel that delivers, or not."""

    status: DeliveryStatus = "sent"
    error: Exception | None = None
    hangs: bool = False
    tried: int = 0
    got: list[str] = field(default_factory=list)

    async def __call__(self, chat: str, text: str) -> DeliveryStatus:
        self.tried += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.error:
            raise self.error
        self.got.append(text)
        return self.status


async def owned(store: Store, chat: str = "tg:4711", **changes: object) -> Case:
    """A case that ana has taken."""
    entry = an_entry(chat=chat, channel=chat.partition(":")[0], **changes)
    case = await store.record(entry)
    await store.act(case.id, Acknowledge("ana"))
    return await of(store, case)


async def of(store: Store, case: Case) -> Case:
    found = await store.find(case.id)
    assert found is not None
    return found


def takeover(store: Store, clock: Clock, line: Line) -> Takeover:
    return Takeover(
        lambda: store, knowledge(), {"tg": line}, free=True, now=clock, fetch_s=PATIENT_S
    )


async def lines_of(store: Store, case: Case) -> list[tuple[str, str | None, str | None]]:
    file = await store.show(case.id)
    assert file is not None
    return [(line.author, line.text, line.delivery_status) for line in file.talk]


async def lines_status(store: Store, case_id: str) -> list[str | None]:
    query = sql("SELECT delivery_status FROM talk WHERE escalation_id = :case ORDER BY place")
    async with store._database.reading() as connection:
        return list((await connection.execute(query, {"case": case_id})).scalars())


async def events_of(store: Store, case: Case) -> list[str]:
    file = await store.show(case.id)
    assert file is not None
    return [each.event.type for each in file.events]


# ---- how it reads ------------------------------------------------------------------------


def test_a_message_of_staff_says_that_a_human_writes_and_when_they_are_gone() -> None:
    case = a_new_case()

    stays = framed(knowledge(), case, "Are you safe?", leaving=False)
    leaves = framed(knowledge(), case, "Take care.", leaving=True)
    left = framed(knowledge(), case, "", leaving=True)

    assert stays == f"{OPENING}\n\nAre you safe?"
    assert leaves.startswith(f"{OPENING}\n\nTake care.\n\n{LEFT}")
    assert left.startswith(LEFT)
    assert left.endswith("Call 999.")


def test_approved_texts_carry_the_numbers_of_the_country_and_promise_nothing() -> None:
    texts = approved(knowledge(), a_new_case())

    assert len(texts) >= 5
    assert any("999" in each.text for each in texts)
    for each in texts:
        assert "{" not in each.text
        assert "soon" not in each.text
        assert "minutes" not in each.text


@pytest.mark.parametrize(
    ("chat", "reachable"),
    [
        ("tg:4711", True),
        ("tg:-1004711", False),
        ("web:ab12", True),
        ("terminal", False),
        ("tg:", False),
    ],
)
def test_staff_reach_private_chats_only(chat: str, reachable: bool) -> None:
    assert is_reachable(chat) is reachable


# ---- when the bot steps back --------------------------------------------------------------


def a_decision(path: tuple[str, ...], level: Level = Level.INFO, **changes: object) -> Decision:
    decision = Decision(level, level, "", "", Reply(("answer",)), Person(), path=path)
    return replace(decision, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("message", "decision", "expected"),
    [
        pytest.param(Message("tg:1", "ok"), a_decision(("match",)), True, id="an answer"),
        pytest.param(Message("tg:1", "ok"), a_decision(("none", "fallback")), True, id="nothing"),
        pytest.param(
            Message("tg:1", "x"), a_decision(("match",), Level.URGENT), False, id="an alarm"
        ),
        pytest.param(Message("tg:1", "x"), a_decision(("guide", "a")), False, id="the guide"),
        pytest.param(
            Message("tg:1", "x"),
            a_decision(("guide", "unclear"), Level.EMERGENCY),
            True,
            id="what the guide did not understand",
        ),
        pytest.param(Message("tg:1", "/help"), a_decision(("command",)), False, id="a command"),
        pytest.param(Message("tg:1", button="b"), a_decision(("match",)), False, id="a button"),
        pytest.param(Message("tg:1", "x"), a_decision(()), False, id="no path"),
        pytest.param(
            Message("tg:1", "x"), a_decision(("match",), asks=True), False, id="the grey zone"
        ),
        pytest.param(Message("tg:-1", "x", group=True), a_decision(("match",)), False, id="group"),
    ],
)
def test_the_bot_steps_back_from_mere_talk_only(
    message: Message, decision: Decision, expected: bool
) -> None:
    assert steps_back(message, decision) is expected


def test_what_is_passed_on_says_so_with_the_number_and_changes_no_state() -> None:
    person = Person(country="GB", state=replace(Person().state, topic="what_is_baclofen"))
    heard = a_decision(("match",), person=Person(country="GB"))

    decision = passed_on(knowledge(), person, heard)

    assert "passed this on" in decision.reply.texts[0]
    assert "999" in decision.reply.texts[0]
    assert decision.person == person
    assert decision.path == ("taken_over", "match")


# ---- writing, on both databases -----------------------------------------------------------


async def test_what_staff_write_is_kept_delivered_and_noted(store: Store, clock: Clock) -> None:
    line, case = Line(), await owned(store)

    went = await takeover(store, clock, line).write(case, "ana", "Are you safe?", leaving=False)

    assert went == "sent"
    assert line.got == [f"{OPENING}\n\nAre you safe?"]
    assert await lines_of(store, case) == [("ana", line.got[0], "sent")]
    assert await store.talk.present("tg:4711") == "ana"
    assert (await events_of(store, case))[-1] == "reply_sent"
    assert (await of(store, case)).first_response_at == clock()


@pytest.mark.parametrize("broken", [Line("blocked"), Line("failed"), Line(error=OSError("x"))])
async def test_what_does_not_arrive_is_noted_and_takes_nothing_over(
    store: Store, clock: Clock, broken: Line
) -> None:
    case = await owned(store)

    went = await takeover(store, clock, broken).write(case, "ana", "hello", leaving=False)

    assert went in ("blocked", "failed")
    assert await store.talk.present("tg:4711") is None
    assert (await events_of(store, case))[-1] == "reply_failed"
    assert (await of(store, case)).first_response_at is None


async def fetched(desk: Takeover, after: int = 0, chat: str = "web:ab") -> list[str]:
    """What staff wrote, without the line that says who they are."""
    return [line.text.splitlines()[-1] for line in await desk.fetch(chat, after)]


async def test_a_line_counts_once_it_was_fetched_and_any_page_may_have_it(
    store: Store, clock: Clock
) -> None:
    case, desk = await owned(store, "web:ab"), takeover(store, clock, Line())

    went = await desk.write(case, "ana", "one", leaving=False)
    await desk.write(await of(store, case), "ana", "two", leaving=False)
    before = await lines_of(store, case)
    first, second = await desk.fetch("web:ab", 0)

    assert went is None
    assert [status for _, _, status in before] == [None, None]
    assert await fetched(takeover(store, clock, Line())) == ["one", "two"]
    assert await fetched(desk, first.place) == ["two"]
    assert await fetched(desk, second.place) == []
    assert await fetched(desk, chat="web:cd") == []
    assert [status for _, _, status in await lines_of(store, case)] == ["sent", "sent"]
    assert (await events_of(store, case)).count("reply_sent") == 2


async def test_a_line_that_cannot_be_opened_waits_and_holds_up_no_other(
    store: Store, clock: Clock
) -> None:
    case, desk = await owned(store, "web:ab"), takeover(store, clock, Line())
    await desk.write(case, "ana", "one", leaving=False)
    await desk.write(await of(store, case), "ana", "two", leaving=False)
    foreign = Keys.generate().encrypt("two")
    async with store._database.writing() as connection:
        (own,) = await connection.execute(sql("SELECT sealed FROM talk WHERE place = 2"))
        put = sql("UPDATE talk SET sealed = :sealed WHERE place = 2")
        await connection.execute(put, {"sealed": foreign})

    without, statuses = await fetched(desk), await lines_status(store, case.id)
    async with store._database.writing() as connection:
        await connection.execute(put, {"sealed": own.sealed})

    assert (without, statuses) == (["one"], ["sent", None])
    assert await fetched(desk, after=10**12) == ["two"], "it was never shown"
    assert await fetched(desk, after=10**12) == []


async def test_a_line_that_no_page_asks_for_is_given_up(store: Store, clock: Clock) -> None:
    case, desk = await owned(store, "web:ab"), takeover(store, clock, Line())
    await desk.write(case, "ana", "hello", leaving=True)

    clock.move(GIVEN_UP + MINUTE)
    await desk.look()

    assert (await lines_of(store, case))[0][2] == "failed"
    assert await desk.fetch("web:ab", 0) == ()
    assert (await events_of(store, case))[-1] == "reply_failed"


async def test_a_line_that_a_dead_process_left_is_delivered_once_by_another(
    store: Store, clock: Clock
) -> None:
    line, case, dead = Line(), await owned(store), Line(hangs=True)
    desk = takeover(store, clock, dead)
    dying = asyncio.create_task(desk.write(case, "ana", "are you safe?", leaving=False))
    async with asyncio.timeout(PATIENT_S):
        while not dead.tried:
            await asyncio.sleep(0.01)
    others = [takeover(store, clock, line) for _ in range(2)]

    for _ in range(3):  # while it lives it is the only one that tries
        clock.move(LEFT_OVER - timedelta(seconds=1))
        await desk.look()
        await others[0].look()
    in_time = list(line.got)
    dying.cancel()
    for task in desk._sending.values():
        task.cancel()
    clock.move(LEFT_OVER + timedelta(seconds=1))
    await asyncio.gather(*(other.look() for other in others))
    clock.move(LEFT_OVER + timedelta(seconds=1))
    await others[0].look()

    assert (in_time, dead.tried) == ([], 1)
    assert line.got == [f"{OPENING}\n\nare you safe?"]
    assert await lines_status(store, case.id) == ["sent"]


async def test_only_the_owner_of_the_case_as_it_is_now_writes(store: Store, clock: Clock) -> None:
    line, case = Line(), await owned(store)
    desk = takeover(store, clock, line)

    stranger = await desk.write(case, "leo", "hi", leaving=False)
    await store.act(case.id, Assign("ana", "leo"))
    was_owner = await desk.write(case, "ana", "hi", leaving=False)
    stale = await desk.write(case, "leo", "hi", leaving=False)

    assert all(isinstance(each, Refusal) for each in (stranger, was_owner, stale))
    assert line.got == []
    assert await lines_of(store, case) == []


@pytest.mark.parametrize("chat", ["tg:4711", "web:ab"])
async def test_one_preview_confirmed_twice_at_once_sends_one_message(
    store: Store, clock: Clock, chat: str
) -> None:
    case, desk = await owned(store, chat), takeover(store, clock, Line())

    went = await asyncio.gather(
        *(desk.write(case, "ana", "are you safe?", leaving=False) for _ in range(2))
    )

    assert [isinstance(each, Refusal) for each in went].count(True) == 1
    assert len(await lines_of(store, case)) == 1


async def test_a_forgotten_person_is_not_written_to(store: Store, clock: Clock) -> None:
    line, case = Line(), await owned(store)
    desk = takeover(store, clock, line)
    await desk.write(case, "ana", "a secret of ours", leaving=False)

    await store.forget("tg:4711")
    case = await of(store, case)
    went = await desk.write(case, "ana", "hello", leaving=False)

    assert isinstance(went, Refusal)
    assert len(line.got) == 1
    assert await lines_of(store, case) == [("ana", None, "sent")]
    assert await store.talk.present("tg:4711") is None
    assert not await desk.can_reach(case)


async def test_with_the_store_away_nothing_is_sent() -> None:
    desk = Takeover(lambda: None, knowledge(), {"tg": Line()})

    with pytest.raises(StoreAway):
        await desk.write(a_new_case(), "ana", "hello", leaving=False)
    assert await desk.fetch("web:ab", 0) == ()


async def test_a_page_waits_for_no_slow_store(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(*_: object, **__: object) -> tuple[object, ...]:
        await asyncio.sleep(3)
        return ()

    monkeypatch.setattr(store.talk, "posted", slow)
    async with asyncio.timeout(1.5):
        assert await Takeover(lambda: store, knowledge(), {}, now=clock).fetch("web:ab", 0) == ()


# ---- leaving ------------------------------------------------------------------------------


async def test_whoever_leaves_says_so_in_their_last_message(store: Store, clock: Clock) -> None:
    line, case = Line(), await owned(store)

    await takeover(store, clock, line).write(case, "ana", "Take care.", leaving=True)

    assert LEFT in line.got[0]
    assert await store.talk.present("tg:4711") is None


async def _by_time(store: Store, clock: Clock, case: Case) -> None:
    del store, case
    clock.move(STAYS + MINUTE)


async def _by_hand_over(store: Store, clock: Clock, case: Case) -> None:
    del clock
    await store.act(case.id, Assign("ana", "leo"))


async def _by_resolving(store: Store, clock: Clock, case: Case) -> None:
    del clock
    await store.act(case.id, Resolve("ana", "followed_up", unreviewed=True))


@pytest.mark.parametrize("end", [_by_time, _by_hand_over, _by_resolving])
async def test_the_person_is_told_when_somebody_is_gone_without_a_word(
    store: Store, clock: Clock, end: Callable[..., object]
) -> None:
    line, case = Line(), await owned(store)
    desk = takeover(store, clock, line)
    await desk.write(case, "ana", "hello", leaving=False)
    await desk.look()
    assert len(line.got) == 1

    await end(store, clock, case)  # type: ignore[misc]
    await desk.look()
    await desk.look()

    assert len(line.got) == 2
    assert line.got[1].startswith(LEFT)
    assert await store.talk.present("tg:4711") is None


@pytest.mark.parametrize("leaves_first", [False, True])
async def test_a_person_who_saw_a_line_is_told_when_a_later_one_failed(
    store: Store, clock: Clock, leaves_first: bool
) -> None:
    line, case = Line(), await owned(store)
    desk = takeover(store, clock, line)
    await desk.write(case, "ana", "hello", leaving=leaves_first)
    line.error = OSError("no line")
    await desk.write(await of(store, case), "ana", "are you safe?", leaving=False)
    held = await store.talk.present("tg:4711")
    heard = await store.talk.hear("tg:4711", "hi", identity="2")

    line.error = None
    await desk.look()
    await desk.look()

    assert held == (None if leaves_first else "ana")
    assert not heard
    assert len(line.got) == (1 if leaves_first else 2)
    assert LEFT in line.got[-1]
    assert await store.talk.present("tg:4711") is None


async def test_a_goodbye_that_fails_is_not_tried_for_ever(store: Store, clock: Clock) -> None:
    line, case = Line(), await owned(store)
    desk = takeover(store, clock, line)
    await desk.write(case, "ana", "hello", leaving=False)
    line.status = "blocked"
    await desk.write(await of(store, case), "ana", "are you safe?", leaving=False)

    for _ in range(3):
        await desk.look()

    assert len(line.got) == 3
    assert await store.talk.present("tg:4711") is None


async def test_a_case_that_cannot_be_ended_holds_up_no_other(
    store: Store, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    line, broken, case = Line(), await owned(store, "tg:11"), await owned(store, "tg:12")
    desk = takeover(store, clock, line)
    await desk.write(broken, "ana", "hello", leaving=False)
    await desk.write(case, "ana", "hello", leaving=False)
    async with store._database.writing() as connection:
        put = sql("UPDATE contact SET sealed = :sealed WHERE subject_key = :key")
        foreign = Keys.generate().encrypt("tg:11")
        await connection.execute(put, {"sealed": foreign, "key": broken.subject_key})

    clock.move(STAYS + MINUTE)
    await desk.look()

    assert await store.talk.present("tg:12") is None
    assert [text.startswith(LEFT) for text in line.got] == [False, False, True]
    assert "KeyMissing" in caplog.text


async def test_the_watch_goes_on_after_an_unexpected_error(
    store: Store, clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.takeover.LOOK_S", 0.01)
    line, case, idle = Line(), await owned(store), asyncio.Event()
    desk = takeover(store, clock, line)
    await desk.write(case, "ana", "hello", leaving=False)
    clock.move(STAYS + MINUTE)

    def fails_once() -> Store:
        desk.store = lambda: store
        raise ValueError("words of a person")

    def away() -> None:
        idle.set()

    desk.store = fails_once
    watching = asyncio.create_task(desk.watch())
    async with asyncio.timeout(PATIENT_S):
        while [each[2] for each in await lines_of(store, case)] != ["sent", "sent"]:
            if watching.done():
                break
            await asyncio.sleep(0.01)
        desk.store = away
        await asyncio.wait(
            {watching, asyncio.create_task(idle.wait())}, return_when="FIRST_COMPLETED"
        )
    still_runs = not watching.done()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)

    assert still_runs
    assert line.got[1].startswith(LEFT)
    assert "ValueError" in caplog.text
    assert "words of a person" not in caplog.text


# ---- what the person writes back ------------------------------------------------------------


async def test_what_the_person_writes_is_kept_once_and_waits_to_be_read(
    store: Store, clock: Clock
) -> None:
    case, desk = await owned(store), takeover(store, clock, Line())
    before = await store.talk.hear("tg:4711", "too early", identity="1")
    await desk.write(case, "ana", "hello", leaving=False)
    at_first = await of(store, case)

    heard = await store.talk.hear("tg:4711", "I am here", identity="2")
    twice = await store.talk.hear("tg:4711", "I am here", identity="2")
    now = await of(store, case)

    assert (before, heard, twice) == (False, True, True)
    assert [line[:2] for line in await lines_of(store, case)][1:] == [("", "I am here")]
    assert (await events_of(store, case)).count("person_wrote") == 1
    assert now.waiting_since == clock()
    stale = await desk.write(at_first, "ana", "as if unread", leaving=False)
    assert isinstance(stale, Refusal)
    await desk.write(now, "ana", "read", leaving=False)
    assert (await of(store, case)).waiting_since is None


async def _hears(store: Store, clock: Clock, case: Case) -> None:
    del clock, case
    await store.talk.hear("web:ab", "are you still there", identity="2")


async def _signals(store: Store, clock: Clock, case: Case) -> None:
    del case
    await store.record(
        an_entry(
            chat="web:ab",
            channel="web",
            update_id="2",
            level=Level.URGENT,
            received_at=clock(),
        )
    )


async def _raises(store: Store, clock: Clock, case: Case) -> None:
    del case
    await store.record(an_entry(chat="web:ab", channel="web", update_id="2", received_at=clock()))


async def _hears_and_is_read(store: Store, clock: Clock, case: Case) -> None:
    await _hears(store, clock, case)
    await store.act(case.id, View("ana"))


async def _hears_and_is_handed_over(store: Store, clock: Clock, case: Case) -> None:
    await _hears(store, clock, case)
    await store.act(case.id, Assign("ana", "leo"))


@pytest.mark.parametrize(
    ("meanwhile", "status", "waits"),
    [
        pytest.param(_hears, "acknowledged", True, id="an ordinary message"),
        pytest.param(_signals, "acknowledged", True, id="another signal"),
        pytest.param(_raises, "new", True, id="a raised emergency"),
        pytest.param(_hears_and_is_read, "acknowledged", False, id="a message that was read"),
        pytest.param(_hears_and_is_handed_over, "acknowledged", True, id="another owner"),
    ],
)
@pytest.mark.parametrize("waited_before", [False, True])
async def test_what_came_in_before_a_line_arrived_still_waits_to_be_read(
    store: Store,
    clock: Clock,
    meanwhile: Callable[..., Awaitable[None]],
    status: str,
    waits: bool,
    waited_before: bool,
) -> None:
    case = await owned(store, "web:ab", level=Level.URGENT)
    desk = takeover(store, clock, Line())
    if waited_before:
        await desk.write(case, "ana", "hello", leaving=False)
        await store.talk.hear("web:ab", "hi", identity="1")
    clock.move(MINUTE)
    await desk.write(await of(store, case), "ana", "are you safe?", leaving=False)
    clock.move(MINUTE)
    came_in = clock()
    await meanwhile(store, clock, case)
    clock.move(MINUTE)

    await desk.fetch("web:ab", 0)
    now = await of(store, case)

    assert now.status == status
    assert (now.waiting_since is not None) is waits
    if waits and not waited_before:
        assert now.waiting_since == came_in
    assert now.first_response_at == clock()


async def test_their_words_are_encrypted_and_go_with_retention(store: Store, clock: Clock) -> None:
    case, desk = await owned(store), takeover(store, clock, Line())
    await desk.write(case, "ana", "marker of staff", leaving=False)
    await store.talk.hear("tg:4711", "marker of the person", identity="2")
    async with store._database.reading() as connection:
        rows = str(list(await connection.execute(sql("SELECT * FROM talk"))))
        history = str(list(await connection.execute(sql("SELECT * FROM event"))))

    await store.reencrypt()
    still = [text for _, text, _ in await lines_of(store, case)]
    clock.move(timedelta(days=31))
    await store.redact_due()

    assert "marker" not in rows
    assert "marker" not in history
    assert still == [f"{OPENING}\n\nmarker of staff", "marker of the person"]
    assert [text for _, text, _ in await lines_of(store, case)] == [None, None]
    assert (await store.verify_audit()).broken_at is None


async def test_a_case_that_goes_takes_its_conversation_along(store: Store, clock: Clock) -> None:
    case, desk = await owned(store), takeover(store, clock, Line())
    await desk.write(case, "ana", "hello", leaving=False)
    await store.act(case.id, Resolve("ana", "followed_up", unreviewed=True))

    clock.move(timedelta(days=400))
    await store.redact_due(Retention())

    assert await store.find(case.id) is None
    async with store._database.reading() as connection:
        assert (await connection.execute(sql("SELECT count(*) FROM talk"))).scalar() == 0


# ---- the whole service -----------------------------------------------------------------------


@dataclass
class Outbox:
    """What the person got."""

    sent: list[Reply] = field(default_factory=list)

    async def __call__(self, reply: Reply) -> DeliveryStatus:
        self.sent.append(reply)
        return "sent"


EMERGENCY = "he took 30 baclofen and wont wake up"
HELPS = "/help"
TALK = "thank you for writing to me, that is kind"


@pytest.fixture
def service(content: Content, store: Store, clock: Clock, keys: Keys, tmp_path: Path) -> Service:
    """The bot where staff may write to people."""
    return Service(
        content,
        Spool(tmp_path, keys),
        store,
        store_timeout_s=PATIENT_S,
        patience_s=PATIENT_S,
        staff_write=True,
        clock=clock,
    )


async def taken_over(
    service: Service, store: Store, clock: Clock, outbox: Outbox
) -> tuple[Case, Takeover]:
    """The case of a person with an emergency to whom Ana has written, and her desk."""
    await service.receive(Message("tg:4711", EMERGENCY, update_id="1"), outbox)
    (case,) = await store.list()
    await store.act(case.id, Acknowledge("ana"))
    desk = takeover(store, clock, Line())
    await desk.write(await of(store, case), "ana", "hello", leaving=False)
    return case, desk


async def test_during_a_takeover_talk_goes_to_the_human_and_an_emergency_gets_its_card(
    store: Store, clock: Clock, service: Service
) -> None:
    outbox = Outbox()
    case, desk = await taken_over(service, store, clock, outbox)

    talk = await service.receive(Message("tg:4711", TALK, update_id="2"), outbox)
    alarm = await service.receive(
        Message("tg:4711", "I want to kill myself tonight", update_id="3"), outbox
    )
    await desk.leave(await of(store, case), "ana")
    after = await service.receive(Message("tg:4711", TALK, update_id="4"), outbox)

    assert talk.path[0] == "taken_over"
    assert "passed this on" in outbox.sent[1].texts[0]
    assert alarm.message_level is Level.SUICIDE_CRISIS
    assert "passed this on" not in outbox.sent[2].texts[0]
    assert after.path[0] != "taken_over"
    said = [text for author, text, _ in await lines_of(store, case) if author == ""]
    assert said == [TALK]
    assert (await of(store, case)).signals == 2


async def test_without_takeovers_the_bot_answers_and_keeps_nothing(
    store: Store, clock: Clock, content: Content, keys: Keys, tmp_path: Path
) -> None:
    service = Service(content, Spool(tmp_path, keys), store, clock=clock)
    case, outbox = await owned(store), Outbox()
    await takeover(store, clock, Line()).write(case, "ana", "hello", leaving=False)

    decision = await service.receive(Message("tg:4711", TALK, update_id="2"), outbox)

    assert decision.path[0] != "taken_over"
    assert len(await lines_of(store, case)) == 1


async def test_staff_read_what_the_person_presses_and_sends_in_the_order_they_did(
    store: Store, clock: Clock, service: Service
) -> None:
    outbox = Outbox()
    case, _ = await taken_over(service, store, clock, outbox)
    button = outbox.sent[0].buttons[0]

    await asyncio.gather(
        *(
            service.receive(replace(message, update_id=str(number)), outbox)
            for number, message in enumerate(
                [
                    Message("tg:4711", button=button.action),
                    Message("tg:4711", HELPS),
                    Message("tg:4711", TALK),
                    Message("tg:4711", button="old:button"),
                    Message("tg:4711", attachment="photo"),
                ],
                start=2,
            )
        )
    )

    file = await store.show(case.id)
    assert file is not None
    to_staff = [text for author, text, _ in await lines_of(store, case) if author == ""]
    answered = [each.text for each in file.exchanges]
    assert to_staff == [f"[button] {button.label}", TALK]
    assert answered == [HELPS, "[button] old:button", "[photo]"]
    assert all(each.reply for each in file.exchanges)
    assert file.case.waiting_since is not None
