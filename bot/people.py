"""What is known of people: what the store keeps, and in memory what it could not keep yet."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from bot.core.model import Person
from bot.errors import StoreAway, StoreError, whereabouts
from bot.store import Store

log = logging.getLogger(__name__)

REMEMBERED = 2000  # chats kept in memory while the store is away, the oldest dropped
EPISODE_S = 24 * 3600.0  # how long an open crisis is remembered after it was stored
HURRY_S = 0.25  # how long the answer to something urgent waits for what the store knows

# Whether a person was stored; `unreadable`: what is stored of them cannot be joined with it.
Kept = Literal["stored", "unreadable", "away"]


@dataclass(frozen=True, slots=True)
class Known:
    """A person. `stored` is what the store had of them, None where it did not say in time.

    `is_late` says that the store did not take the person when it was time, so that others may
    have stored something meanwhile.
    """

    person: Person
    stored: Person | None = None
    is_late: bool = False


class Crises:
    """The latest people in an open crisis who are stored, for when the store is late."""

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._people: dict[str, tuple[float, Person]] = {}  # the oldest first

    def recall(self, chat: str) -> Person | None:
        """The person as they were stored last, unless that is too long ago."""
        self._drop_old()
        at_and_person = self._people.get(chat)
        return at_and_person[1] if at_and_person else None

    def note(self, chat: str, person: Person) -> None:
        """The person is stored like this: remember them for as long as there is a crisis."""
        self._people.pop(chat, None)
        if person.state.level.escalates:
            self._people[chat] = (self._steady(), person)
        self._drop_old()

    def drop(self, chat: str) -> None:
        """Know nothing of the person any more."""
        self._people.pop(chat, None)

    def _drop_old(self) -> None:
        over = self._steady() - EPISODE_S
        while self._people:
            chat, (at, _) = next(iter(self._people.items()))
            if at > over and len(self._people) <= REMEMBERED:
                return
            del self._people[chat]


class People:
    """People by chat. Memory comes before the store: it is what was decided last.

    A person who is stored leaves it, so that other processes may go on with them. Only an open
    crisis is still remembered, and counts where the store does not answer in time.
    """

    def __init__(self, *, keep_s: float, steady: Callable[[], float] = time.monotonic) -> None:
        self._keep_s = keep_s
        self._known: dict[str, Known] = {}
        self._crises = Crises(steady)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The chats of those who are not stored yet."""
        return tuple(self._known)

    def is_waiting(self, chat: str) -> bool:
        """Whether the person is in memory, to be stored."""
        return chat in self._known

    def recall(self, chat: str) -> Person | None:
        """The person as memory has them."""
        known = self._known.get(chat)
        return known.person if known else self._crises.recall(chat)

    async def find(
        self, store: Store | None, chat: str, within_s: float, hurries: Callable[[], bool]
    ) -> Known:
        """The person as far as memory and the store can tell in time; a blank one otherwise.

        What the store tells counts more than a crisis that was stored before it was asked.

        `hurries` is asked when the store is slow: whether the answer cannot wait for it.
        """
        known, before = self._known.get(chat), self._crises.recall(chat)
        if store is None or (known and known.stored is not None):
            return known or Known(before or Person())
        stored = await _asked(store, chat, within_s, hurries)
        known, crisis = self._known.get(chat), self._crises.recall(chat)  # perhaps others since
        if crisis is not None and crisis is not before:
            stored = crisis  # it was stored while the store looked, perhaps too early to see it
        if stored is None or (known and known.stored is not None):
            return known or Known(crisis or Person())
        if known is None:
            return Known(stored, stored)
        return Known(reconcile(stored, known.person), stored)

    def note(self, chat: str, person: Person, basis: Known) -> None:
        """Keep in memory what was decided about `basis`, until it is stored."""
        known = self._known.pop(chat, basis)
        stored = basis.stored if known.stored is None else known.stored
        self._known[chat] = Known(person, stored, known.is_late)
        if len(self._known) > REMEMBERED:
            self._known.pop(next(iter(self._known)))

    def drop(self, chat: str) -> None:
        """Know nothing of the person any more."""
        self._known.pop(chat, None)
        self._crises.drop(chat)

    async def keep(self, store: Store | None, chat: str) -> Kept:
        """Store the person, if that is still to be done.

        What was decided without knowing what is stored is never written over it: the two
        become one.
        """
        known = self._known.get(chat)
        kept: Kept = "away"
        if known is None:
            return "stored"
        if store is not None:
            try:
                async with asyncio.timeout(self._keep_s):
                    await self._keep(store, chat, known)
                    return "stored"
            except (StoreAway, TimeoutError):
                pass
            except Exception as error:  # what is stored cannot be read: memory has to do
                kept = "unreadable"
                log.error("person not stored", extra={"error": whereabouts(error)})
        if chat in self._known:
            self._known[chat] = replace(self._known[chat], is_late=True)
        return kept

    async def _keep(self, store: Store, chat: str, known: Known) -> None:
        if known.is_late or known.stored is None:
            stored = await store.person(chat)
            known = self._known.get(chat, known)
            if stored != known.stored:
                known = Known(reconcile(stored, known.person), stored, known.is_late)
                self._known[chat] = known
        await store.keep_person(chat, known.person)
        latest = self._known.get(chat)
        if latest is known:
            del self._known[chat]
            self._crises.note(chat, known.person)
        elif latest:
            self._known[chat] = replace(latest, stored=known.person, is_late=False)


def reconcile(stored: Person, newer: Person) -> Person:
    """One person of two: what `newer` told comes first, and no open crisis is lost."""
    told = newer.country and (newer.country_source == "told" or not stored.country)
    return Person(
        country=newer.country if told else stored.country,
        country_source=newer.country_source if told else stored.country_source,
        language=stored.language if newer.language == Person().language else newer.language,
        state=newer.state if newer.state.level >= stored.state.level else stored.state,
    )


async def _asked(
    store: Store, chat: str, within_s: float, hurries: Callable[[], bool]
) -> Person | None:
    """What the store has of the person; None when it does not say in time."""
    asking = asyncio.create_task(store.person(chat))
    asking.add_done_callback(_seen)
    try:
        done, _ = await asyncio.wait({asking}, timeout=min(within_s, HURRY_S))
        if not done and within_s > HURRY_S and not hurries():
            done, _ = await asyncio.wait({asking}, timeout=within_s - HURRY_S)
        if done:
            return asking.result()
        log.warning("person unknown, store slow")
    except StoreError as error:
        log.warning("person unknown, store away", extra={"error": type(error).__name__})
    except Exception as error:  # whatever is wrong with what is stored: the answer comes first
        log.error("person unknown", extra={"error": whereabouts(error)})
    finally:
        asking.cancel()
    return None


def _seen(task: asyncio.Task[Person]) -> None:
    """Look at the error of a question that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
