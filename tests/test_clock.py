"""A clock of the machine that jumps makes nothing fire and nothing hang."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from bot.alerts import Alerts
from bot.clock import SteadyClock, machine_elapsed, machine_time
from bot.core.actions import Acknowledge
from bot.core.decide import Content
from bot.core.model import DeliveryStatus, Level, Message, Reply
from bot.service import Service
from bot.settings import Settings
from bot.store import Keys, Spool, Store
from bot.work import Durable
from bot.working import do_chores
from tests.databases import PATIENT_S
from tests.escalation_values import HOUR, MINUTE, NOW, RULES, an_entry
from tests.test_alerts import NoWork, Pager, on_duty

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
BACK, FORWARD = -HOUR, DAY
JUMPS = pytest.mark.parametrize("jump", [BACK, FORWARD], ids=["an hour back", "a day forward"])


class Machine:
    """A machine whose clock can jump. `jumps` has the minute of each, since the start."""

    def __init__(self, jumps: dict[float, timedelta] | None = None) -> None:
        self.up = timedelta()
        self._off = timedelta()
        self._jumps = jumps or {}
        self.clock = SteadyClock(self.time_of_day, lambda: self.up)

    def time_of_day(self) -> datetime:
        return NOW + self.up + self._off

    def jump(self, by: timedelta) -> None:
        self._off += by

    def go_on(self, by: timedelta) -> datetime:
        """Let time pass, and give the time of day."""
        self.up += by
        for minute in [each for each in self._jumps if each * MINUTE <= self.up]:
            self.jump(self._jumps.pop(minute))
        return self.clock()


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
async def store(database_url: str, machine: Machine) -> AsyncIterator[Store]:
    opened = await Store.open(database_url, Keys.generate(), rules=RULES, now=machine.clock)
    yield opened
    await opened.close()


@JUMPS
def test_the_time_goes_on_evenly_and_a_new_one_that_stays_is_believed(
    machine: Machine, jump: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    machine.go_on(MINUTE)
    machine.jump(jump)

    just_after = machine.go_on(MINUTE)
    later = machine.go_on(8 * MINUTE)
    in_the_end = [machine.go_on(2 * MINUTE), machine.go_on(MINUTE)]

    assert (just_after, later) == (NOW + 2 * MINUTE, NOW + 10 * MINUTE)
    assert in_the_end == [NOW + 12 * MINUTE + jump, NOW + 13 * MINUTE + jump]
    assert machine.clock.steady() == NOW + 13 * MINUTE
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert f"jumped by {jump.total_seconds():+.0f} s" in caplog.messages[0]
    assert "NTP" in caplog.messages[0]
    assert "believed" in caplog.messages[1]


@JUMPS
def test_a_jump_that_is_put_right_was_never_seen(
    machine: Machine, jump: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    machine.jump(jump)
    machine.go_on(9 * MINUTE)
    machine.jump(-jump)

    assert machine.go_on(30 * MINUTE) == NOW + 39 * MINUTE
    assert machine.go_on(HOUR) == NOW + 99 * MINUTE
    assert "back at the time before" in caplog.messages[-1]


def test_gentle_corrections_and_a_machine_that_sleeps_are_no_jump(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(20):
        machine.jump(timedelta(seconds=1))
        machine.go_on(MINUTE)

    assert machine.go_on(8 * HOUR) == NOW + 8 * HOUR + 20 * MINUTE + timedelta(seconds=20)
    assert caplog.messages == []
    assert not machine.clock.is_doubtful


def test_the_clock_of_this_machine_tells_the_time() -> None:
    before, up = machine_time(), machine_elapsed()
    told = SteadyClock()()

    assert before <= told <= machine_time()
    assert machine_elapsed() >= up


@JUMPS
async def test_a_jump_makes_no_clock_of_a_case_fire(
    store: Store, machine: Machine, jump: timedelta
) -> None:
    waiting = await store.record(an_entry(chat="tg:1"))
    taken = await store.record(an_entry(chat="tg:2"))
    await store.act(taken.id, Acknowledge("ana"))
    machine.go_on(MINUTE)
    machine.jump(jump)

    machine.go_on(3 * MINUTE)
    at_once = await store.tick()
    machine.jump(-jump)
    machine.go_on(2 * MINUTE)
    late = await store.tick()
    machine.go_on(5 * MINUTE)
    returned = await store.tick()

    assert at_once == ()
    assert [(case.id, case.sla_status) for case in late] == [(waiting.id, "missed")]
    assert [case.id for case in returned] == [taken.id]


async def climbed(
    store: Store, machine: Machine, since: datetime, case_id: str, minutes: float
) -> list[tuple[float, str]]:
    """The minute, by the time that passed, of every alert, and who got it."""
    pager, sent = Pager(cast(Any, machine.clock), dead_until=NOW - DAY), []

    async def sleep(seconds: float) -> None:
        sent.extend((round(machine.up / MINUTE, 1), to) for _, to in pager.sent)
        pager.sent.clear()
        if machine.up >= minutes * MINUTE:
            raise TimeoutError
        machine.go_on(timedelta(seconds=max(seconds, 1)))

    alerts = Alerts(
        lambda: store,
        cast(Durable, NoWork()),
        [pager],
        RULES,
        now=machine.clock,
        steady=machine.clock.steady,
        sleep=sleep,
    )
    try:
        await alerts.climb(case_id, since)
    except TimeoutError:
        return sent
    return sent + [(round(machine.up / MINUTE, 1), to) for _, to in pager.sent]


@JUMPS
@pytest.mark.parametrize("at", [0.5, 8])
async def test_a_ladder_is_climbed_evenly_through_a_jump_that_is_believed(
    store: Store, machine: Machine, jump: timedelta, at: float
) -> None:
    await on_duty(store, "ana", "ben")
    case = await store.record(an_entry(level=Level.SUICIDE_CRISIS))
    machine._jumps[at] = jump

    sent = await climbed(store, machine, case.alert_since, case.id, 45)

    assert [to for _, to in sent] == ["ana", "ana", "ben", "ana+ben"]
    assert [minute for minute, _ in sent] == pytest.approx([0, 7.5, 15, 30], abs=0.1)


async def test_a_ladder_from_before_the_clock_was_put_back_is_climbed_after_a_restart(
    store: Store, machine: Machine
) -> None:
    await on_duty(store, "ana", "ben")
    case = await store.record(an_entry())
    machine.jump(BACK)
    machine.clock = SteadyClock(machine.time_of_day, lambda: machine.up)
    assert machine.clock() < case.alert_since

    sent = await climbed(store, machine, case.alert_since, case.id, 30)

    assert [minute for minute, _ in sent] == pytest.approx([0, 2.5, 5, 10], abs=0.1)


async def test_nothing_is_deleted_for_a_day_after_a_jump(
    store: Store, machine: Machine, keys: Keys, content: Content, tmp_path: Path
) -> None:
    chores: dict[str, Any] = {}

    class Work(NoWork):
        def on(self, name: str, handler: object) -> None:
            chores[name] = handler

        async def drop_older(self, _: timedelta) -> int:
            return 0

    async def text() -> str | None:
        await chores["chores"]({})
        file = await store.show(case.id)
        assert file is not None
        return file.signals[0].text

    case = await store.record(an_entry())
    service = Service(content, Spool(tmp_path, keys), store)
    settings = Settings(_env_file=None, var_dir=tmp_path)  # pyright: ignore[reportCallIssue]
    do_chores(cast(Durable, Work()), service, settings, machine.clock)
    machine.jump(40 * DAY)

    at_once = [await text()]
    for _ in range(20):
        machine.go_on(HOUR)
        at_once.append(await text())
    machine.go_on(5 * HOUR)
    after = await text()

    assert None not in at_once
    assert after is None


@JUMPS
async def test_people_are_answered_and_recorded_while_the_clock_jumps(
    store: Store, machine: Machine, jump: timedelta, keys: Keys, content: Content, tmp_path: Path
) -> None:
    service = Service(
        content, Spool(tmp_path, keys), store, store_timeout_s=PATIENT_S, clock=machine.clock
    )
    got: list[Reply] = []

    async def send(reply: Reply) -> DeliveryStatus:
        got.append(reply)
        return "sent"

    await service.receive(Message("web:1", "he took 30 baclofen and wont wake up"), send)
    machine.jump(jump)
    machine.go_on(MINUTE)
    await service.receive(Message("web:1", "not sure"), send)
    machine.go_on(20 * MINUTE)
    await service.receive(Message("web:1", "he is blue"), send)

    assert len(got) == 3
    assert "CPR" in " ".join(got[1].texts)
    (case,) = await store.list()
    assert case.level is Level.EMERGENCY
    assert case.waiting_since == NOW
