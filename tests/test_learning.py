"""What staff teach: samples to look for misses, and messages for the regression set."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.core.actions import Refusal
from bot.core.model import Decision, Level, Message, NearMiss, Person, Reply, Versions
from bot.core.pseudonyms import Judged, case_file, pseudonymise
from bot.core.sampling import Sample, draw
from bot.store import Store
from bot.store.samples import SampleRecord
from tests.escalation_values import NOW, TEXT, Clock, an_entry

VERSIONS = Versions("1.0", "c0ffee", "2026-11")
MESSAGE = Message(chat="tg:1", text="is it ok with wine?", update_id="5")
DECISION = Decision(
    level=Level.INFO,
    message_level=Level.INFO,
    kind="",
    topic="mixing_alcohol",
    reply=Reply(("No.",)),
    person=Person(),
)
NEAR = replace(DECISION, near_misses=(NearMiss("mixed", "question", "wine"),))


def drawn(decision: Decision, lot: float, rate: float, near_rate: float = 0) -> Sample | None:
    return draw(
        MESSAGE, decision, at=NOW, lot=lot, rate=rate, near_rate=near_rate, versions=VERSIONS
    )


# ---- samples -----------------------------------------------------------------------


def test_nothing_is_sampled_unless_the_operator_sets_a_rate() -> None:
    assert drawn(NEAR, 0.0, 0.0) is None


def test_a_random_sample_stands_for_the_messages_it_was_drawn_from() -> None:
    sample = drawn(DECISION, 0.009, 0.01)

    assert sample is not None
    assert (sample.stratum, sample.sampling_weight) == ("random", pytest.approx(100))
    assert drawn(DECISION, 0.011, 0.01) is None


def test_a_message_near_the_threshold_is_in_a_stratum_of_its_own() -> None:
    sample = drawn(NEAR, 0.3, 0.01, 0.5)

    assert sample is not None
    assert (sample.stratum, sample.sampling_weight) == ("near_threshold", pytest.approx(2))
    assert drawn(DECISION, 0.3, 0.01, 0.5) is None


def test_the_random_stratum_is_drawn_from_all_messages() -> None:
    sample = drawn(NEAR, 0.005, 0.01, 1.0)

    assert sample is not None
    assert sample.stratum == "random"


def test_what_escalated_is_no_sample() -> None:
    assert drawn(replace(DECISION, message_level=Level.URGENT), 0.0, 1.0) is None


@pytest.mark.anyio
async def test_a_sample_is_kept_once_encrypted_and_judged_by_the_first_reader(
    store: Store,
) -> None:
    sample = drawn(DECISION, 0.0, 1.0)
    assert sample is not None
    await store.samples.add(sample)
    await store.samples.add(sample)

    (waiting,) = await store.samples.list()
    judged = await store.samples.judge(waiting.id, "ana", Level.URGENT, topic="x", reason="had it")
    again = await store.samples.judge(waiting.id, "ben", Level.INFO)

    assert (waiting.text, waiting.topic) == ("is it ok with wine?", "mixing_alcohol")
    assert isinstance(judged, SampleRecord)
    assert judged.reviewed_level == Level.URGENT
    assert isinstance(again, Refusal)
    assert await store.samples.list() == ()
    assert await store.samples.list(reviewed=True) == (judged,)
    assert await store.samples.missed() == (1, 1)


@pytest.mark.anyio
async def test_only_the_random_stratum_speaks_for_all_messages(store: Store) -> None:
    near = drawn(NEAR, 0.0, 0.0, 1.0)
    assert near is not None
    await store.samples.add(near)
    (waiting,) = await store.samples.list(stratum="near_threshold")
    await store.samples.judge(waiting.id, "ana", Level.EMERGENCY)

    assert await store.samples.list(stratum="random") == ()
    assert await store.samples.missed() == (0, 0)


@pytest.mark.anyio
async def test_a_sample_goes_with_retention_and_on_request(store: Store, clock: Clock) -> None:
    for chat in ("tg:1", "tg:2"):
        sample = drawn(DECISION, 0.0, 1.0)
        assert sample is not None
        await store.samples.add(replace(sample, chat=chat))

    await store.forget("tg:1")
    assert sorted(str(each.text) for each in await store.samples.list()) == [
        "None",
        "is it ok with wine?",
    ]
    clock.move(timedelta(days=31))

    assert (await store.redact_due()).samples == 1
    assert [each.text for each in await store.samples.list()] == [None, None]


# ---- the regression set ------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my wife Maria took 15 tablets of 10mg", "my wife Alex took 15 tablets of 10mg"),
        (
            "I'm in Leeds and Tom won't wake, Tom is blue",
            "I'm in Smalltown and Alex won't wake, Alex is blue",
        ),
        ("call me on +44 7700 900123 please", "call me on 5550100 please"),
        ("mail jo.b@mail.co.uk or @jo_b99", "mail someone@example.org or @someone"),
        ("born 12/03/1981, nhs 943 476 5919", "born 1/1/2000, nhs 5550100"),
        ("we are at 14 Acacia Avenue M1 1AE", "we are at 1 Example Street AB1 2CD"),
        ("Dr Smith said no", "Dr Robin said no"),
        ("my name is maria and I feel sick", "my name is Alex and I feel sick"),
        ("took 5 x 25mg Baclofen on Monday in May", "took 5 x 25mg Baclofen on Monday in May"),
        ("Help. She took 60", "Help. She took 60"),
    ],
)
def test_names_numbers_and_places_are_replaced_and_amounts_stay(text: str, expected: str) -> None:
    assert pseudonymise(text) == expected


@given(st.text())
def test_any_text_can_be_pseudonymised(text: str) -> None:
    assert isinstance(pseudonymise(text), str)


def test_judged_messages_make_a_case_file_for_a_person_to_read() -> None:
    written = case_file(
        [
            Judged("he won't\nwake", Level.EMERGENCY, "unresponsive", ""),
            Judged("i want to die", Level.SUICIDE_CRISIS, "x", ""),
            Judged("is it: ok? # no", Level.INFO, "", "mixing_alcohol"),
            Judged("is it: ok? # no", Level.INFO, "", "mixing_alcohol"),
            Judged("hello there", Level.CHAT, "", ""),
            Judged("my dog ate it", Level.OUT_OF_SCOPE, "", "pet"),
        ]
    )

    assert yaml.safe_load(written)["messages"] == {
        "emergency/unresponsive": "he won't wake\n",
        "suicide_crisis": "i want to die\n",
        "mixing_alcohol": "is it: ok? # no\n",
        "out_of_scope/pet": "my dog ate it\n",
    }
    assert "# no topic: hello there" in written
    assert written.startswith("# Read every line before it is used")


@pytest.mark.anyio
async def test_reviewed_messages_are_given_with_what_their_readers_settled_on(
    store: Store,
) -> None:
    case = await store.record(an_entry())
    unread = await store.record(an_entry(chat="tg:2"))
    for reader in ("ana", "ben"):
        await store.add_review(case.id, reader, Level.INFO, topic="overdose_amount")
    await store.add_review(unread.id, "ana", Level.INFO)

    (found,) = await store.judged()

    assert (found.text, found.label) == (TEXT, "overdose_amount")


@pytest.mark.anyio
async def test_what_was_redacted_teaches_nothing(store: Store) -> None:
    case = await store.record(an_entry())
    for reader in ("ana", "ben"):
        await store.add_review(case.id, reader, Level.EMERGENCY)
    await store.forget("tg:4711")

    assert await store.judged() == ()


@pytest.mark.anyio
async def test_the_facts_behind_the_figures_come_from_the_cases(store: Store) -> None:
    case = await store.record(an_entry(delivery_status="failed"))
    await store.add_review(case.id, "ana", Level.URGENT)

    (fact,) = await store.facts()

    assert (fact.level, fact.rule, fact.delivery_failed) == (
        Level.EMERGENCY,
        "cannot_be_woken",
        True,
    )
    assert (fact.verdict, fact.reviewed, fact.acknowledged_at) == ("too_high", True, None)
    assert await store.agreement() is None
