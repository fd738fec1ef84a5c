"""People are remembered while the store is slow or away, and never overwritten by a guess."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.core.model import GuideState, Level, Person, State
from bot.errors import StoreAway
from bot.people import HURRY_S, People, reconcile
from bot.store import Keys, Store

pytestmark = pytest.mark.anyio

CRISIS = State(level=Level.EMERGENCY, kind="overdose", guide=GuideState("overdose", "breathing"))
KNOWN = Person("GB", "told", "en", CRISIS)
CHAT = "tg:4711"


class Moody(Store):
    """A real store that is away or slow at times."""

    is_away = False
    slow_s = 0.0

    async def person(self, chat: str) -> Person:
        await self._mood()
        return await super().person(chat)

    async def keep_person(self, chat: str, known: Person) -> None:
        await self._mood()
        await super().keep_person(chat, known)

    async def _mood(self) -> None:
        await asyncio.sleep(self.slow_s)
        if self.is_away:
            raise StoreAway("locked")


@asynccontextmanager
async def moody(url: str) -> AsyncIterator[Moody]:
    store = await Moody.open(url, Keys.generate())
    try:
        yield store
    finally:
        await store.close()


async def find(people: People, store: Store | None, *, hurries: bool = False) -> Person:
    """The person, as a message finds them that changes nothing."""
    known = await people.find(store, CHAT, 10, lambda: hurries)
    people.note(CHAT, known.person, known)
    return known.person


@pytest.mark.parametrize(
    ("stored", "newer", "expected"),
    [
        pytest.param(KNOWN, Person(), KNOWN, id="nothing new"),
        pytest.param(Person(), KNOWN, KNOWN, id="nothing stored"),
        pytest.param(
            KNOWN, Person("DE", "told"), Person("DE", "told", "en", CRISIS), id="a new country"
        ),
        pytest.param(KNOWN, Person("DE", "locale"), KNOWN, id="a country that nobody told"),
        pytest.param(
            Person("FR", "locale", "fr"),
            Person(language="de"),
            Person("FR", "locale", "de"),
            id="a new language",
        ),
        pytest.param(
            KNOWN, Person(state=State(topic="alcohol")), KNOWN, id="talk ends no open crisis"
        ),
        pytest.param(
            Person("GB", "told", "en", State(topic="alcohol")),
            Person(state=CRISIS),
            KNOWN,
            id="a crisis comes before talk",
        ),
    ],
)
def test_two_versions_of_a_person_become_one(
    stored: Person, newer: Person, expected: Person
) -> None:
    assert reconcile(stored, newer) == expected


async def test_a_guess_is_never_written_over_the_person_that_is_stored(database_url: str) -> None:
    people = People(keep_s=2)
    async with moody(database_url) as store:
        await store.keep_person(CHAT, KNOWN)
        store.slow_s = 5
        assert await find(people, store, hurries=True) == Person()
        store.slow_s = 0

        assert await people.keep(store, CHAT)

        assert await store.person(CHAT) == KNOWN
        assert people.waiting == ()


async def test_what_a_guess_missed_is_found_as_soon_as_the_store_answers(
    database_url: str,
) -> None:
    people = People(keep_s=2)
    async with moody(database_url) as store:
        await store.keep_person(CHAT, KNOWN)
        store.is_away = True
        assert await find(people, store) == Person()
        store.is_away = False

        assert await find(people, store) == KNOWN


async def test_what_another_process_stored_during_an_outage_is_not_lost(database_url: str) -> None:
    people = People(keep_s=2)
    async with moody(database_url) as store:
        assert await find(people, store) == Person()
        store.is_away = True
        assert not await people.keep(store, CHAT)
        store.is_away = False
        await store.keep_person(CHAT, KNOWN)

        assert await people.keep(store, CHAT)

        assert await store.person(CHAT) == KNOWN


@pytest.mark.parametrize(("hurries", "finds"), [(True, False), (False, True)])
async def test_only_what_can_wait_waits_for_a_slow_store(
    database_url: str, hurries: bool, finds: bool
) -> None:
    async with moody(database_url) as store:
        await store.keep_person(CHAT, KNOWN)
        store.slow_s = HURRY_S + 0.1

        found = await find(People(keep_s=2), store, hurries=hurries)

        assert found == (KNOWN if finds else Person())


async def test_a_person_whose_record_is_broken_is_answered_and_left_as_they_are(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Store):
        async def person(self, chat: str) -> Person:
            raise ValueError("words of a person")

    people, store = People(keep_s=2), await Broken.open(database_url, Keys.generate())
    await store.keep_person(CHAT, KNOWN)

    assert await find(people, store) == Person()
    assert not await people.keep(store, CHAT)

    assert await Store.person(store, CHAT) == KNOWN
    assert "ValueError" in caplog.text + str([vars(each) for each in caplog.records])
    assert "words of a person" not in caplog.text
    await store.close()


async def test_memory_has_room_for_the_latest_and_forgets_who_wants_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.people.REMEMBERED", 2)
    people = People(keep_s=2)
    for chat in ("a", "b", "a", "c"):
        people.note(chat, KNOWN, await people.find(None, chat, 0.5, lambda: False))

    people.drop("c")

    assert people.waiting == ("a",)
