"""Alerts: the ladder is climbed, survives a restart, tries again, and says no text."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from starlette.responses import Response
from starlette.routing import Match, Route
from telegram import Bot, CallbackQuery, Update, User
from telegram.error import Forbidden

from bot.alerts import Alerts, AppriseLine, Line, Target
from bot.channels.telegram_staff import NO_CASE, NOT_STAFF, NOT_YOURS, StaffDesk
from bot.console.app import PAGES
from bot.core.actions import Acknowledge
from bot.core.clocks import Calendar
from bot.core.escalation import Case, Rules
from bot.core.model import Level
from bot.health import Lines
from bot.store import Store
from bot.store.records import CaseFile
from bot.store.staff import StaffMember
from bot.work import Durable
from tests.escalation_values import MINUTE, NOW, RULES, TEXT, Clock, an_entry, an_exchange

pytestmark = pytest.mark.anyio


class NoWork:
    """Durable work that is away: these tests climb by themselves."""

    is_open = False

    def on(self, name: str, handler: object) -> None: ...


@dataclass
class Pager:
    """A line that writes down what it sent and when; `dead_until` it fails."""

    clock: Clock
    dead_until: datetime = NOW
    sent: list[tuple[float, str]] = field(default_factory=list)
    tried: list[float] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def targets(self, file: CaseFile, text: str, told: Sequence[StaffMember]) -> list[Target]:
        async def send() -> str:
            minutes = (self.clock() - NOW) / MINUTE
            self.tried.append(minutes)
            self.texts.append(text)
            if self.clock() < self.dead_until:
                return ""
            self.sent.append((round(minutes, 1), "+".join(each.id for each in told)))
            return "pager"

        return [Target("pager", send)]


class Watch:
    """Time that passes when somebody sleeps, and what happens at its moments.

    A sleep takes at least `STEP_S`: the ladder looks at its case every second, and thousands of
    looks would show no more than hundreds.
    """

    STEP_S = 5.0

    def __init__(self, clock: Clock, until: timedelta) -> None:
        self._clock = clock
        self._end = NOW + until
        self.at: dict[float, Any] = {}

    async def sleep(self, seconds: float) -> None:
        if self._clock() >= self._end:
            raise asyncio.CancelledError
        self._clock.move(timedelta(seconds=max(seconds, self.STEP_S)))
        for minute in [each for each in self.at if NOW + each * MINUTE <= self._clock()]:
            await self.at.pop(minute)()


async def on_duty(store: Store, *names: str) -> None:
    for place, name in enumerate(names, start=1):
        await store.staff.add(name, name.title(), "reviewer", password="", by="system")
        await store.staff.set_contact(name, telegram_id=str(place), by="system")
        await store.staff.set_duty(name, place, by="system")


def alerts_of(
    store: Store,
    clock: Clock,
    line: Line,
    watch: Watch,
    *,
    rules: Rules = RULES,
    told: Callable[[str, bool], None] = lambda _name, _arrived: None,
) -> Alerts:
    """The alerts of `store` over this one line, in the time of `watch`."""
    work = cast(Durable, NoWork())
    return Alerts(lambda: store, work, [line], rules, now=clock, sleep=watch.sleep, told=told)


async def climbed(
    store: Store, clock: Clock, pager: Pager, case: Case, watch: Watch, rules: Rules = RULES
) -> None:
    alerts = alerts_of(store, clock, pager, watch, rules=rules)
    try:
        await alerts.climb(case.id, case.alert_since)
    except asyncio.CancelledError:
        return


async def test_a_line_that_fails_is_known_until_its_next_alert_arrives(
    store: Store, clock: Clock
) -> None:
    await on_duty(store, "ana", "ben")
    case = await store.record(an_entry())
    pager = Pager(clock, dead_until=NOW + 2 * MINUTE)
    lines, seen = Lines(), list[bool]()

    def told(name: str, arrived: bool) -> None:
        lines.tell(name, arrived=arrived)
        seen.append("pager" in lines.failing)

    watch = Watch(clock, timedelta(minutes=30))
    alerts = alerts_of(store, clock, pager, watch, told=told)
    with contextlib.suppress(asyncio.CancelledError):
        await alerts.climb(case.id, case.alert_since)

    assert seen[0] is True
    assert seen[-1] is False
    assert lines.failing == set()


async def test_all_are_told_one_after_the_other(store: Store, clock: Clock) -> None:
    await on_duty(store, "ana", "ben", "cleo")
    case = await store.record(an_entry())
    pager = Pager(clock)

    await climbed(store, clock, pager, case, Watch(clock, timedelta(minutes=30)))

    assert [to for _, to in pager.sent] == ["ana", "ana", "ben", "ana+ben+cleo"]
    assert [at for at, _ in pager.sent] == pytest.approx([0, 2.5, 5, 10], abs=0.1)


async def test_an_alert_links_to_a_page_of_the_console(store: Store, clock: Clock) -> None:
    case = await store.record(an_entry())
    pager, no_work = Pager(clock), cast(Durable, NoWork())
    alerts = Alerts(lambda: store, no_work, [pager], Rules(), console_url="https://a.b", now=clock)
    await alerts.climb(case.id, case.alert_since)

    address = pager.texts[0].splitlines()[-1]

    assert address == "https://a.b/staff/case/1001"
    scope = {"type": "http", "method": "GET", "path": address.removeprefix("https://a.b/staff")}
    pages = [Route(page.path, Response()) for page in PAGES]
    assert any(page.matches(scope)[0] is Match.FULL for page in pages)


async def test_acknowledging_ends_it(store: Store, clock: Clock) -> None:
    await on_duty(store, "ana", "ben")
    case = await store.record(an_entry())
    pager, watch = Pager(clock), Watch(clock, timedelta(minutes=30))

    async def acknowledge() -> None:
        await store.act(case.id, Acknowledge("ana"))

    watch.at[3] = acknowledge
    await climbed(store, clock, pager, case, watch)

    assert len(pager.sent) == 2
    assert (await found(store, case)).alert_status == "acknowledged"


async def test_a_raised_level_begins_a_new_ladder_and_ends_the_old(
    store: Store, clock: Clock
) -> None:
    case = await store.record(an_entry(level=Level.URGENT))
    await store.act(case.id, Acknowledge("ana"))
    clock.move(MINUTE)

    raised = await store.record(an_entry(update_id="2", received_at=clock()))
    pager = Pager(clock)
    await climbed(store, clock, pager, case, Watch(clock, timedelta(minutes=5)))
    assert pager.sent == []
    await climbed(store, clock, pager, raised, Watch(clock, timedelta(minutes=2)))

    assert len(pager.sent) == 1


async def test_a_process_that_takes_over_repeats_no_alert(store: Store, clock: Clock) -> None:
    case = await store.record(an_entry())
    first, second = Pager(clock), Pager(clock)

    await climbed(store, clock, first, case, Watch(clock, timedelta(minutes=1)))
    await climbed(store, clock, second, case, Watch(clock, timedelta(minutes=4)))

    assert [at for at, _ in first.sent] == [0]
    assert [at for at, _ in second.sent] == pytest.approx([2.5], abs=0.1)


async def test_a_line_dead_for_an_hour_is_tried_with_growing_gaps(
    store: Store, clock: Clock
) -> None:
    case = await store.record(an_entry())
    pager = Pager(clock, dead_until=NOW + timedelta(hours=1))

    await climbed(store, clock, pager, case, Watch(clock, timedelta(hours=2)))

    gaps = [b - a for a, b in zip(pager.tried, pager.tried[1:], strict=False)]
    assert 8 <= len(pager.tried) <= 25
    assert max(gaps) <= 10.1
    assert len(pager.sent) == 1
    assert 60 <= pager.sent[0][0] <= 71
    file = await store.show(case.id)
    assert file is not None
    kinds = [each.event.type for each in file.events]
    assert kinds.count("alert_failed") == len(pager.tried) - 1
    assert kinds.count("alert_sent") == 1
    assert file.case.alert_status == "sent"


async def test_a_failed_alert_shows_on_the_case(store: Store, clock: Clock) -> None:
    case = await store.record(an_entry())
    pager = Pager(clock, dead_until=NOW + timedelta(hours=1))

    await climbed(store, clock, pager, case, Watch(clock, timedelta(seconds=20)))

    assert (await found(store, case)).alert_status == "failed"


async def test_no_alert_holds_what_was_written(store: Store, clock: Clock) -> None:
    case = await store.record(an_entry())
    pager = Pager(clock)

    await climbed(store, clock, pager, case, Watch(clock, timedelta(minutes=1)))

    assert pager.texts == ["EMERGENCY E-1001 · GB · waiting 0 min"]
    assert TEXT not in str(await store.show(case.id) and pager.texts)


async def test_outside_staffed_hours_the_ladder_waits_for_opening(
    store: Store, clock: Clock
) -> None:
    case = await store.record(an_entry())
    pager = Pager(clock)
    rules = Rules(calendar=Calendar.parse("mon-fri 12:06-17:00"))

    await climbed(store, clock, pager, case, Watch(clock, timedelta(minutes=8)), rules)

    assert [at for at, _ in pager.sent] == pytest.approx([6], abs=0.1)


async def test_a_store_without_staff_tells_the_channels_once(store: Store, clock: Clock) -> None:
    case = await store.record(an_entry())
    pager = Pager(clock)

    await climbed(store, clock, pager, case, Watch(clock, timedelta(hours=1)), Rules())

    assert pager.sent == [(0, "")]


def test_a_bad_address_is_told_without_its_secret_and_the_others_work() -> None:
    line = AppriseLine(["nosuch://user:hunter2@x", "json://127.0.0.1:1/"])

    assert len(line.problems) == 1
    assert "ALERT_URLS: address 1 (nosuch)" in line.problems[0]
    assert "hunter2" not in line.problems[0]
    targets = line.targets(cast(CaseFile, None), "x", ())
    assert [each.name for each in targets] == ["alert_url_2_json"]


async def test_an_address_that_does_not_answer_has_failed() -> None:
    [target] = AppriseLine(["json://127.0.0.1:1/"]).targets(cast(CaseFile, None), "x", ())

    assert await target.send() == ""


# ---- the staff's buttons ------------------------------------------------------------------


@dataclass
class Wire:
    """What Telegram would get."""

    forum: bool = False
    blocked: tuple[int, ...] = ()
    sent: list[dict[str, Any]] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)

    async def send_message(self, chat_id: int, text: str, **more: Any) -> None:
        if chat_id in self.blocked:
            raise Forbidden("bot was kicked from the supergroup chat")
        self.sent.append({"chat_id": chat_id, "text": text, **more})

    async def get_chat(self, chat_id: int) -> Any:
        return type("Chat", (), {"is_forum": self.forum})

    async def create_forum_topic(self, chat_id: int, name: str) -> Any:
        self.topics.append(name)
        return type("Topic", (), {"message_thread_id": 40 + len(self.topics)})


class Press:
    """A button pressed by a Telegram user. `keys` are those that stand there now."""

    def __init__(self, user: int, data: str) -> None:
        self.from_user = User(user, "X", False)
        self.data = data
        self.answers: list[str] = []
        self.edits: list[str] = []
        self.keys: dict[str, str] = {}

    async def answer(self, text: str, show_alert: bool) -> None:
        self.answers.append(text)

    async def edit_message_text(self, text: str, reply_markup: Any) -> None:
        self.edits.append(text)
        self.keys = keys_of(reply_markup)

    async def edit_message_reply_markup(self, reply_markup: Any) -> None:
        self.keys = keys_of(reply_markup)


def keys_of(markup: Any) -> dict[str, str]:
    """The data of each button, by its label."""
    return {key.text: key.callback_data for row in markup.inline_keyboard for key in row}


def a_desk(store: Store, wire: Wire, chat_id: int | None = -100) -> StaffDesk:
    return StaffDesk(cast(Bot, wire), lambda: store, chat_id=chat_id)


async def press(desk: StaffDesk, user: int, data: str) -> Press:
    pressed = Press(user, data)
    await desk.press(cast(CallbackQuery, pressed))
    return pressed


async def found(store: Store, case: Case) -> Case:
    case_now = await store.find(case.id)
    assert case_now is not None
    return case_now


async def test_an_alert_goes_to_the_staff_chat_and_to_who_is_on_duty(
    store: Store, clock: Clock
) -> None:
    await on_duty(store, "ana", "ben")
    case = await store.record(an_entry())
    wire = Wire()
    desk = a_desk(store, wire)
    alerts = alerts_of(store, clock, desk, Watch(clock, timedelta(seconds=1)))

    with pytest.raises(asyncio.CancelledError):
        await alerts.climb(case.id, case.alert_since)

    assert {each["chat_id"] for each in wire.sent} == {-100, 1}
    for each in wire.sent:
        [keys] = each["reply_markup"].inline_keyboard
        assert [key.text for key in keys] == ["Acknowledge", "Open"]
        assert all(len(key.callback_data.encode()) < 64 for key in keys)
        assert TEXT not in each["text"]


async def test_a_forum_gets_one_topic_a_case(store: Store, clock: Clock) -> None:
    case = await store.record(an_entry())
    wire = Wire(forum=True)
    alerts = alerts_of(store, clock, a_desk(store, wire), Watch(clock, timedelta(minutes=6)))

    with pytest.raises(asyncio.CancelledError):
        await alerts.climb(case.id, case.alert_since)

    assert wire.topics == ["E-1001 emergency"]
    assert [each["message_thread_id"] for each in wire.sent] == [41, 41, 41]


async def test_a_chat_that_the_bot_was_removed_from_is_a_failed_alert(store: Store) -> None:
    case = await store.record(an_entry())
    file = await store.show(case.id)
    assert file is not None

    [target] = a_desk(store, Wire(blocked=(-100,))).targets(file, "x", ())

    assert await target.send() == ""


async def test_the_first_press_wins_and_the_second_is_told_by_whom(store: Store) -> None:
    await on_duty(store, "ana", "ben")
    case = await store.record(an_entry())
    desk = a_desk(store, Wire())

    first = await press(desk, 1, f"desk:ack:{case.number}")
    second = await press(desk, 2, f"desk:ack:{case.number}")

    assert first.answers == ["E-1001 is yours."]
    assert second.answers == ["E-1001 is ana's already."]
    assert second.edits[-1].endswith("E-1001 is acknowledged by ana.")
    assert (await found(store, case)).assignee == "ana"


FORGED = ("ack", "open", "other", "take", "free", "close:1001:test:unread", "review:1001:info:yes")


@pytest.mark.parametrize(
    "data", [f"desk:{each}" if ":" in each else f"desk:{each}:1001" for each in FORGED]
)
async def test_nobody_outside_the_staff_is_obeyed(store: Store, data: str) -> None:
    case = await store.record(an_entry())
    wire = Wire()

    pressed = await press(a_desk(store, wire), 666, data)

    assert pressed.answers == [NOT_STAFF]
    assert (await found(store, case)) == case
    assert wire.sent == []


async def test_somebody_who_left_the_staff_is_not_obeyed(store: Store) -> None:
    await on_duty(store, "ana")
    await store.staff.set_active("ana", False, by="system")
    case = await store.record(an_entry())

    pressed = await press(a_desk(store, Wire()), 1, f"desk:ack:{case.number}")

    assert pressed.answers == [NOT_STAFF]


@pytest.mark.parametrize("data", ["desk:ack:", "desk:ack:99", "desk:ack:-1", "desk:", "desk:ack:²"])
async def test_a_forged_button_finds_no_case(store: Store, data: str) -> None:
    await on_duty(store, "ana")
    await store.record(an_entry())

    assert (await press(a_desk(store, Wire()), 1, data)).answers == [NO_CASE]


async def test_open_shows_the_text_in_private_and_logs_it(store: Store) -> None:
    await on_duty(store, "ana")
    case = await store.record(an_entry())
    wire = Wire()

    await press(a_desk(store, wire), 1, f"desk:open:{case.number}")

    assert {each["chat_id"] for each in wire.sent} == {1}
    assert TEXT in wire.sent[0]["text"]
    file = await store.show(case.id)
    assert file is not None
    assert [(each.actor, each.event.type) for each in file.events][-1] == ("ana", "viewed")


async def test_open_shows_the_conversation_around_the_alarm_in_order(store: Store) -> None:
    await on_duty(store, "ana")
    before = an_exchange(said="hello", update_id="1", received_at=NOW - MINUTE)
    case = await store.record(an_entry(before=(before,)))
    long = an_exchange(said="he moves", reply=("Stay. " * 100,), received_at=NOW + MINUTE)
    await store.exchanges.keep(long)
    wire = Wire()

    await press(a_desk(store, wire), 1, f"desk:open:{case.number}")

    said = wire.sent[0]["text"]
    parts = ("Before the alarm", "Person: hello", TEXT, "After the alarm", "Person: he moves")
    places = [said.index(part) for part in parts]
    assert places == sorted(places)
    assert "Bot: Stay. Stay." in said
    assert len(said) < 1200


async def test_open_without_a_private_chat_says_what_to_do(store: Store) -> None:
    await on_duty(store, "ana")
    case = await store.record(an_entry())

    pressed = await press(a_desk(store, Wire(blocked=(1,))), 1, f"desk:open:{case.number}")

    assert "press Start" in pressed.answers[0]


# ---- the whole work on a case, on a phone --------------------------------------------------


async def opened(desk: StaffDesk, wire: Wire, user: int, number: int) -> dict[str, str]:
    """Open a case and give the buttons below it."""
    await press(desk, user, f"desk:open:{number}")
    return keys_of(wire.sent[-1]["reply_markup"])


async def follow(desk: StaffDesk, user: int, keys: dict[str, str], *labels: str) -> Press:
    """Press one button after the other, each among those that the last one left."""
    for label in labels:
        data = keys[label]
        assert len(data.encode()) < 64, data
        pressed = await press(desk, user, data)
        keys = pressed.keys
    return pressed


async def test_an_opened_case_says_why_it_was_raised_and_what_was_shown(store: Store) -> None:
    await on_duty(store, "ana")
    case = await store.record(an_entry(delivery_status="sent"))
    await store.add_note(case.id, "ben", "called the clinic")
    wire = Wire()
    meaning = {"cannot_be_woken": "Somebody cannot be woken."}
    desk = StaffDesk(cast(Bot, wire), lambda: store, chat_id=None, reasons=meaning)

    await press(desk, 1, f"desk:open:{case.number}")

    said = wire.sent[0]["text"]
    assert said.startswith("E-1001 · emergency · unresponsive · GB")
    assert "Why: Somebody cannot be woken." in said
    assert "Reply: sent; numbers: 999" in said
    assert "Note, ben: called the clinic" in said


async def test_a_case_is_taken_reviewed_and_resolved_by_buttons_alone(store: Store) -> None:
    await on_duty(store, "ana")
    case = await store.record(an_entry(level=Level.URGENT, kind="drowsy"))
    wire = Wire()
    desk = a_desk(store, wire)
    keys = await opened(desk, wire, 1, case.number)
    assert list(keys) == ["Acknowledge", "Review"]

    taken = await follow(desk, 1, keys, "Acknowledge")
    assert taken.answers == ["E-1001 is yours."]
    judged = await follow(desk, 1, taken.keys, "Review", "Info", "Reply was right: partly")
    done = await follow(desk, 1, judged.keys, "Resolve", "Followed up")

    file = await store.show(case.id)
    assert file is not None
    assert (file.case.status, file.case.resolution) == ("resolved", "followed_up")
    assert (file.case.verdict, file.reviews[0].reply_was_right) == ("too_high", "partly")
    assert done.answers == ["E-1001 is resolved by ana."]
    assert {each.channel for each in file.events if each.actor == "ana"} == {"telegram"}


async def test_a_case_rests_wakes_and_is_handed_over_by_buttons(store: Store, clock: Clock) -> None:
    await on_duty(store, "ana", "ben")
    await store.staff.add("edi", "Edi", "editor", password="", by="system")
    case = await store.record(an_entry(level=Level.URGENT, kind="drowsy"))
    wire = Wire()
    desk = StaffDesk(cast(Bot, wire), lambda: store, chat_id=None, now=clock)
    keys = (await follow(desk, 1, await opened(desk, wire, 1, case.number), "Acknowledge")).keys

    resting = await follow(desk, 1, keys, "Snooze", "4 hours")
    assert (await found(store, case)).snoozed_until == NOW + timedelta(hours=4)
    awake = await follow(desk, 1, resting.keys, "Wake now")
    colleagues = await follow(desk, 1, awake.keys, "Hand over")
    assert list(colleagues.keys) == ["Ben", "Back"]
    given = await follow(desk, 1, colleagues.keys, "Ben")
    assert list(given.keys) == ["Assign to me", "Review"]
    back = await follow(desk, 1, given.keys, "Assign to me")
    await follow(desk, 1, back.keys, "Let go")

    assert (await found(store, case)).status == "new"


async def test_to_resolve_without_a_review_takes_a_button_that_says_so(store: Store) -> None:
    await on_duty(store, "ana")
    case = await store.record(an_entry())
    wire = Wire()
    desk = a_desk(store, wire)
    keys = (await follow(desk, 1, await opened(desk, wire, 1, case.number), "Acknowledge")).keys

    refused = await follow(desk, 1, keys, "Resolve", "Emergency services contacted")
    assert "Review E-1001 first" in refused.answers[0]
    assert (await found(store, case)).status == "acknowledged"
    await follow(desk, 1, refused.keys, "Resolve without a review (is counted)")

    assert (await found(store, case)).resolved_unreviewed


async def test_an_emergency_rests_only_after_a_review_by_buttons_too(
    store: Store, clock: Clock
) -> None:
    await on_duty(store, "ana")
    case = await store.record(an_entry())
    wire = Wire()
    desk = StaffDesk(cast(Bot, wire), lambda: store, chat_id=None, now=clock)
    keys = (await follow(desk, 1, await opened(desk, wire, 1, case.number), "Acknowledge")).keys

    refused = await follow(desk, 1, keys, "Snooze", "1 hour")

    assert "review it before it rests" in refused.answers[0]
    assert (await found(store, case)).status == "acknowledged"


@pytest.mark.parametrize(
    "data",
    [
        "desk:rest:1001:99999999",
        "desk:rest:1001:",
        "desk:close:1001:nonsense",
        "desk:close:1001",
        "desk:review:1001:info",
        "desk:review:1001:info:perhaps",
        "desk:level:1001:doom",
        "desk:nonsense:1001",
    ],
)
async def test_an_old_or_forged_choice_changes_nothing_and_tells_the_state(
    store: Store, data: str
) -> None:
    await on_duty(store, "ana")
    case = await store.record(an_entry())
    desk = a_desk(store, Wire())
    await press(desk, 1, "desk:ack:1001")
    before = await found(store, case)

    pressed = await press(desk, 1, data)

    assert pressed.answers == ["E-1001 is acknowledged by ana."]
    assert await found(store, case) == before


async def test_a_case_is_handed_to_nobody_who_does_not_work_on_cases(store: Store) -> None:
    await on_duty(store, "ana")
    await store.staff.add("edi", "Edi", "editor", password="", by="system")
    case = await store.record(an_entry())
    desk = a_desk(store, Wire())
    await press(desk, 1, "desk:ack:1001")

    pressed = await press(desk, 1, "desk:give:1001:edi")

    assert "do not work on cases" in pressed.answers[0]
    assert (await found(store, case)).assignee == "ana"


@pytest.mark.parametrize("act", ["open", "ack", "judge"])
async def test_an_editor_sees_no_case_and_takes_none(store: Store, act: str) -> None:
    await on_duty(store, "edi")
    await store.staff.add("boss", "Boss", "admin", password="", by="system")
    await store.staff.set_role("edi", "editor", by="system")
    case = await store.record(an_entry())
    wire = Wire()

    pressed = await press(a_desk(store, wire), 1, f"desk:{act}:1001")

    assert pressed.answers == [NOT_YOURS]
    assert wire.sent == []
    assert await found(store, case) == case


def an_answer(user: int, text: str, to: str, *, chat_type: str = "private") -> Update:
    """A Telegram user answers a message of the bot that says `to`."""
    bot = {"id": 99, "is_bot": True, "first_name": "Bot"}
    chat = {"id": user, "type": chat_type}
    said = {"message_id": 1, "date": 0, "chat": chat, "from": bot, "text": to}
    own = {"id": user, "is_bot": False, "first_name": "X"}
    message = {"message_id": 2, "date": 0, "chat": chat, "from": own, "text": text}
    payload = {"update_id": 1, "message": {**message, "reply_to_message": said}}
    return Update.de_json(payload, cast(Bot, None))


async def test_an_answer_to_a_case_in_private_is_a_note_and_goes_to_nobody_else(
    store: Store,
) -> None:
    await on_duty(store, "ana")
    case = await store.record(an_entry())
    wire = Wire()
    desk = a_desk(store, wire)
    await opened(desk, wire, 1, case.number)
    heading = wire.sent[-1]["text"]

    taken = await desk.takes(an_answer(1, "she is awake now", heading))

    file = await store.show(case.id)
    assert taken
    assert file is not None
    assert [(each.author, each.body) for each in file.notes] == [("ana", "she is awake now")]
    assert wire.sent[-1] == {"chat_id": 1, "text": "Note added to E-1001."}
    assert {each["chat_id"] for each in wire.sent} == {1}


@pytest.mark.parametrize(
    ("user", "to", "chat_type"),
    [
        (666, "E-1001 · emergency", "private"),
        (1, "Call 999 now.", "private"),
        (1, "E-1001 · emergency", "group"),
    ],
    ids=["a stranger", "an answer of the bot", "in a group"],
)
async def test_any_other_answer_is_a_message_like_every_other(
    store: Store, user: int, to: str, chat_type: str
) -> None:
    await on_duty(store, "ana")
    case = await store.record(an_entry())
    wire = Wire()

    taken = await a_desk(store, wire).takes(
        an_answer(user, "help she is blue", to, chat_type=chat_type)
    )

    file = await store.show(case.id)
    assert not taken
    assert file is not None
    assert file.notes == ()
    assert wire.sent == []
