"""People are remembered while the store is slow or away, and never overwritten by a guess."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.core.model import GuideState, Level, Person, State
from bot.errors import StoreAway
from bot.people import EPISODE_S, HURRY_S, People, reconcile
from bot.store import Keys, Store
from tests.databases import PATIENT_S

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
    people = People(keep_s=PATIENT_S)
    async with moody(database_url) as store:
        await store.keep_person(CHAT, KNOWN)
        store.slow_s = 5
        assert await find(people, store, hurries=True) == Person()
        store.slow_s = 0

        assert await people.keep(store, CHAT) == "stored"

        assert await store.person(CHAT) == KNOWN
        assert people.waiting == ()


async def test_what_a_guess_missed_is_found_as_soon_as_the_store_answers(
    database_url: str,
) -> None:
    people = People(keep_s=PATIENT_S)
    async with moody(database_url) as store:
        await store.keep_person(CHAT, KNOWN)
        store.is_away = True
        assert await find(people, store) == Person()
        store.is_away = False

        assert await find(people, store) == KNOWN


async def test_what_another_process_stored_during_an_outage_is_not_lost(database_url: str) -> None:
    people = People(keep_s=PATIENT_S)
    async with moody(database_url) as store:
        assert await find(people, store) == Person()
        store.is_away = True
        assert await people.keep(store, CHAT) == "away"
        store.is_away = False
        await store.keep_person(CHAT, KNOWN)

        assert await people.keep(store, CHAT) == "stored"

        assert await store.person(CHAT) == KNOWN


@pytest.mark.parametrize(("hurries", "finds"), [(True, False), (False, True)])
async def test_only_what_can_wait_waits_for_a_slow_store(
    database_url: str, hurries: bool, finds: bool
) -> None:
    async with moody(database_url) as store:
        await store.keep_person(CHAT, KNOWN)
        store.slow_s = HURRY_S + 0.1

        found = await find(People(keep_s=PATIENT_S), store, hurries=hurries)

        assert found == (KNOWN if finds else Person())


async def stored_crisis(people: People, store: Store) -> None:
    """`people` stored the open crisis and have nothing that waits."""
    people.note(CHAT, KNOWN, await people.find(store, CHAT, 10, lambda: False))
    assert await people.keep(store, CHAT) == "stored"
    assert people.waiting == ()


@pytest.mark.parametrize("trouble", ["slow", "away", "not there yet"])
async def test_an_open_crisis_is_known_after_it_is_stored_when_the_store_is_late(
    database_url: str, trouble: str
) -> None:
    people = People(keep_s=PATIENT_S)
    async with moody(database_url) as store:
        await stored_crisis(people, store)
        store.slow_s = 5 if trouble == "slow" else 0
        store.is_away = trouble == "away"

        assert people.recall(CHAT) == KNOWN
        found = await find(people, None if trouble == "not there yet" else store, hurries=True)
        assert found == KNOWN


async def test_what_another_process_stored_wins_over_a_remembered_crisis(
    database_url: str,
) -> None:
    people, over = People(keep_s=PATIENT_S), Person("GB", "told")
    async with moody(database_url) as store:
        await stored_crisis(people, store)
        await store.keep_person(CHAT, over)

        assert await find(people, store) == over
        assert await people.keep(store, CHAT) == "stored"
        assert people.recall(CHAT) is None


async def test_a_crisis_that_is_stored_while_the_store_looks_is_not_overlooked(
    database_url: str,
) -> None:
    people = People(keep_s=PATIENT_S)

    class Early(Store):
        """A store that reads the person right before what waits is stored."""

        async def person(self, chat: str) -> Person:
            found = await super().person(chat)
            if asks_first:
                asks_first.pop()
                assert await people.keep(self, chat) == "stored"
            return found

    asks_first = [True]
    store = await Early.open(database_url, Keys.generate())
    people.note(CHAT, KNOWN, await people.find(None, CHAT, 10, lambda: False))

    found = await people.find(store, CHAT, 10, lambda: False)

    assert people.waiting == (), "it was stored meanwhile"
    assert found.person == KNOWN
    await store.close()


async def test_a_remembered_crisis_ends_with_its_day_or_when_it_is_to_be_forgotten(
    database_url: str,
) -> None:
    now = [0.0]
    people = People(keep_s=PATIENT_S, steady=lambda: now[0])
    async with moody(database_url) as store:
        await stored_crisis(people, store)
        now[0] = EPISODE_S - 1
        assert people.recall(CHAT) == KNOWN
        now[0] = EPISODE_S
        assert people.recall(CHAT) is None

        await stored_crisis(people, store)
        people.drop(CHAT)
        assert people.recall(CHAT) is None


async def test_only_the_latest_crises_are_remembered(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.people.REMEMBERED", 2)
    people = People(keep_s=PATIENT_S)
    async with moody(database_url) as store:
        for chat in ("a", "b", "a", "c"):
            people.note(chat, KNOWN, await people.find(store, chat, 10, lambda: False))
            assert await people.keep(store, chat) == "stored"

    assert [chat for chat in "abc" if people.recall(chat)] == ["a", "c"]


async def test_a_person_whose_record_is_broken_is_answered_and_left_as_they_are(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Store):
        async def person(self, chat: str) -> Person:
            raise ValueError("words of a person")

    people, store = People(keep_s=PATIENT_S), await Broken.open(database_url, Keys.generate())
    await store.keep_person(CHAT, KNOWN)

    assert await find(people, store) == Person()
    assert await people.keep(store, CHAT) == "unreadable"

    assert await Store.person(store, CHAT) == KNOWN
    assert "ValueError" in caplog.text + str([vars(each) for each in caplog.records])
    assert "words of a person" not in caplog.text
    await store.close()


async def test_memory_has_room_for_the_latest_and_forgets_who_wants_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.people.REMEMBERED", 2)
    people = People(keep_s=PATIENT_S)
    for chat in ("a", "b", "a", "c"):
        people.note(chat, KNOWN, await people.find(None, chat, 0.5, lambda: False))

    people.drop("c")

    assert people.waiting == ("a",)
