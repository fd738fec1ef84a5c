"""Tells staff of a case until somebody acknowledges it: the ladder, carried out.

Where a ladder stands is read from the case's own history at every step, so that a process
that takes it over goes on where the last one stopped. No alert holds what a person wrote.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from apprise import Apprise

from bot.core.actions import Alert
from bot.core.escalation import BOT, Case, Rules
from bot.core.ladder import Rung, alert_text, climbs, ladder, retry_gap
from bot.errors import StoreError
from bot.store import Store
from bot.store.records import CaseFile
from bot.store.staff import StaffMember
from bot.work import Durable, Job, Queue, in_thread

log = logging.getLogger(__name__)

JSON = dict[str, Any]
Sleep = Callable[[float], Awaitable[None]]
Reached = tuple[int, str]  # the number of a rung, and the name of a target

HANDLER = "ladder"
QUEUE = Queue("alerts", 0.5)
LOOK_S = 1.0  # seconds between two looks for new cases
REST_S = 30.0  # the longest that a ladder sleeps, so that a clock that jumps delays it no more
AWAY_S = 2.0  # seconds to wait while the store is away
SEND_S = 30.0  # seconds that sending one alert may take
MANY = 500  # new cases looked at in one go


@dataclass(frozen=True, slots=True)
class Target:
    """Where an alert goes. `name` stands in the case's history, so it is no secret.

    `send` gives "" when the alert did not arrive, else the name, perhaps with `#` and a place
    in it that the next alert goes to as well.
    """

    name: str
    send: Callable[[], Awaitable[str]]


class Line(Protocol):
    """A way to reach staff."""

    def targets(self, file: CaseFile, text: str, told: Sequence[StaffMember]) -> list[Target]:
        """Where an alert of `file`'s case goes that is meant for `told`."""


class Alerts:
    """Sees to it that each new case climbs its ladder, once in all processes.

    `store` gives the open store, or None while there is none. `now` is the time of day and
    `steady` one that never jumps, by which a ladder is climbed. `told` hears of each target
    whether its alert arrived.
    """

    def __init__(
        self,
        store: Callable[[], Store | None],
        durable: Durable,
        lines: Sequence[Line],
        rules: Rules,
        *,
        console_url: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady: Callable[[], datetime] | None = None,
        sleep: Sleep = asyncio.sleep,
        told: Callable[[str, bool], None] = lambda _name, _arrived: None,
    ) -> None:
        self._store = store
        self._durable = durable
        self._lines = lines
        self._rules = rules
        self._console_url = console_url
        self._now = now
        self._steady = steady or now
        self._sleep = sleep
        self._told = told
        self._begun: set[str] = set()
        durable.on(HANDLER, self._take)

    async def watch(self) -> None:
        """Begin a ladder for each new case, and let due clocks act, until cancelled."""
        while True:
            try:
                await self.look()
            except StoreError as error:
                log.warning("cases not looked at: %s", error)
            except Exception as error:  # whatever the database of durable work raises
                log.warning("ladder not kept", extra={"error": type(error).__name__})
            await self._sleep(LOOK_S)

    async def look(self) -> None:
        """Keep a ladder for each new case that has none. Raises StoreError."""
        store = self._store()
        if store is None or not self._durable.is_open:
            return
        await store.tick()
        jobs = [_job(*each) for each in await store.unacknowledged(limit=MANY)]
        fresh = [job for job in jobs if job.id not in self._begun]
        if fresh:
            await in_thread(lambda: self._durable.keep(fresh))
        self._begun = {job.id for job in jobs}

    async def climb(self, case_id: str, since: datetime) -> None:
        """Alert, rung after rung, until the ladder that began at `since` is over.

        The time goes on evenly from here, whatever the clock does. A ladder that seems to
        begin later begins now: the clock was put back since.
        """
        attempt, reached = 0, set[Reached]()
        ahead = max(self._now(), since) - self._steady()
        while True:
            now = self._steady() + ahead
            try:
                wait_s, failed = await self._step(case_id, since, attempt, now, reached)
            except StoreError as error:
                log.warning("ladder waits for the store: %s", error)
                wait_s, failed = AWAY_S, attempt > 0
            if wait_s is None:
                return
            attempt = attempt + 1 if failed else 0
            await self._sleep(wait_s)

    async def _take(self, data: JSON) -> None:
        await self.climb(data["case"], datetime.fromisoformat(data["since"]))

    async def _step(
        self, case_id: str, since: datetime, attempt: int, now: datetime, reached: set[Reached]
    ) -> tuple[float | None, bool]:
        """Do what is due. How long to wait then, None for the end; and whether it failed.

        `reached` are the targets that this climb has reached, and learns of more.
        """
        store = self._store()
        if store is None:
            return AWAY_S, attempt > 0
        file = await store.show(case_id)
        if file is None or not climbs(file.case, since):
            return None, False
        staff = await store.staff.on_duty()
        rungs = ladder(file.case, tuple(member.id for member in staff), self._rules)
        due = [rung for rung in rungs if rung.at <= now]
        later = [rung for rung in rungs if rung.at > now]
        next_s = (later[0].at - now).total_seconds() if later else None
        open_targets = self._open_targets(file, due[-1], staff, since) if due else []
        open_targets = [each for each in open_targets if (due[-1].number, each.name) not in reached]
        if not open_targets:
            return (None, False) if next_s is None else (min(next_s, REST_S), False)
        sent = await self._send(store, file.case, due[-1], open_targets)
        arrived = zip(open_targets, sent, strict=True)
        reached |= {(due[-1].number, target.name) for target, is_sent in arrived if is_sent}
        if all(sent):
            return (None, False) if next_s is None else (min(next_s, REST_S), False)
        gap_s = retry_gap(attempt + 1).total_seconds()
        return (gap_s if next_s is None else min(gap_s, next_s)), True

    def _open_targets(
        self, file: CaseFile, rung: Rung, staff: Sequence[StaffMember], since: datetime
    ) -> list[Target]:
        """The targets of `rung` that did not get its alert yet."""
        reached = {
            str(each.event.after.get("to", "")).partition("#")[0]
            for each in file.events
            if each.event.type == "alert_sent"
            and each.at >= since
            and each.event.after.get("rung") == rung.number
        }
        told = [member for member in staff if member.id in rung.to]
        address = f"{self._console_url}/staff/case/{file.case.number}" if self._console_url else ""
        text = alert_text(file.case, self._now(), address)
        targets = [each for line in self._lines for each in line.targets(file, text, told)]
        return [each for each in targets if each.name.partition("#")[0] not in reached]

    async def _send(
        self, store: Store, case: Case, rung: Rung, targets: Sequence[Target]
    ) -> list[bool]:
        """Send to all at once and record each; what was sent last, as it is the case's state."""
        sent = await asyncio.gather(*(_delivered(target) for target in targets))
        for target, place in sorted(
            zip(targets, sent, strict=True), key=lambda each: bool(each[1])
        ):
            self._told(target.name, bool(place))
            action = Alert(BOT, place or target.name, bool(place), rung.number)
            await store.act(case.id, action)
        return [bool(place) for place in sent]


class AppriseLine:
    """Mail, Slack, Matrix, ntfy, PagerDuty, SMS gateways: whatever Apprise can reach."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._services: list[tuple[str, Apprise]] = []
        self.problems: list[str] = []
        for number, url in enumerate(urls, start=1):
            service = Apprise()
            # An address holds secrets, so only its place in the list and its kind are told.
            name = f"alert_url_{number}_{url.partition(':')[0][:20]}"
            if service.add(url):
                self._services.append((name, service))
            else:
                self.problems.append(
                    f"ALERT_URLS: address {number} ({url.partition(':')[0][:20]}) is none that "
                    "Apprise knows; see https://github.com/caronc/apprise/wiki. The others work."
                )

    def targets(self, _file: CaseFile, text: str, _told: Sequence[StaffMember]) -> list[Target]:
        """Every address, whoever is told."""
        return [_by_apprise(name, service, text) for name, service in self._services]


def _by_apprise(name: str, service: Apprise, text: str) -> Target:
    async def send() -> str:
        title, _, _ = text.partition("\n")
        # Apprise gives False rather than raising, and None when nothing was to be sent.
        arrived = await in_thread(lambda: service.notify(body=text, title=title))
        return name if arrived else ""

    return Target(name, send)


async def _delivered(target: Target) -> str:
    """Where the alert arrived, or "". A line that breaks or hangs has failed."""
    try:
        async with asyncio.timeout(SEND_S):
            return await target.send()
    except Exception as error:
        log.error("alert not sent", extra={"target": target.name, "error": type(error).__name__})
        return ""


def _job(case_id: str, since: datetime) -> Job:
    own = f"ladder-{case_id}-{since.timestamp():.3f}"
    data = {"case": case_id, "since": since.isoformat()}
    return Job(own, QUEUE.name, HANDLER, data, lane=own)
