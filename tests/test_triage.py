"""Danger read by rules: what hits, what a scope holds back, and what the message says besides."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.grammar import GIVEN
from bot.core.model import Level
from bot.core.signals import SignalProblem, Signals, signals_from
from bot.core.text import normalise
from bot.core.triage import SignalReading, read_signals
from bot.errors import ContentError
from tests.reading import ROOT, lexicon, read_yaml, reading, signals, understand


def level_of(found: SignalReading) -> str:
    return found.hits[0].level.label if found.hits else "calm"


def kinds(text: str) -> set[str]:
    return {f"{hit.level.label}/{hit.kind}".strip("/") for hit in reading(text).hits}


# ---- the fifteen rules, by pairs of messages that differ by the one thing


def rule_messages() -> list[Any]:
    """Each message of tests/cases/triage with the level that it must get."""
    return [
        pytest.param(message["text"], message["level"], id=f"{path.name}:{number}")
        for path in sorted((ROOT / "tests" / "cases" / "triage").glob("rule_*.yml"))
        for number, pair in enumerate(read_yaml(path)["pairs"], 1)
        for message in pair
    ]


@pytest.mark.parametrize(("text", "level"), rule_messages())
def test_a_message_gets_the_level_of_its_rule(text: str, level: str) -> None:
    escalates = Level.parse(level).escalates

    assert level_of(reading(text)) == (level if escalates else "calm")


def test_each_rule_has_ten_pairs_or_more() -> None:
    paths = sorted((ROOT / "tests" / "cases" / "triage").glob("rule_*.yml"))

    assert len(paths) == 15
    assert min(len(read_yaml(path)["pairs"]) for path in paths) >= 10


# ---- kinds


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I swallowed the whole bottle", "emergency/overdose"),
        ("lost count of how many he took", "emergency/overdose"),
        ("her lips are grey", "emergency/breathing"),
        ("six breaths a minute", "emergency/breathing"),
        ("shouting and shaking him, nothing", "emergency/unresponsive"),
        ("she keeps passing out", "emergency/unresponsive"),
        ("jerking all over with foam at the mouth", "emergency/seizure"),
        ("no baclofen for two days and he sees spiders on the wall", "emergency/withdrawal"),
        ("took all her pills and left a note", "emergency/suicide_attempt"),
        ("my throat is closing after the new tablet", "emergency/allergic"),
        ("the toddler had a tablet in her mouth", "emergency/child"),
        ("the pump stopped and I am itching and burning up", "emergency/pump"),
        ("one side of his face is drooping", "emergency/other"),
        ("choking on his vomit", "emergency/other"),
        ("nobody would miss me if I was gone", "suicide_crisis"),
        ("I keep cutting my arms", "suicide_crisis"),
        ("took my baclofen on top of two vodkas", "urgent/mixed"),
        ("I took my morning dose twice", "urgent/extra_dose"),
        ("I ran out of my baclofen yesterday", "urgent/stopped"),
        ("can't keep my eyes open since they raised my baclofen", "urgent/drowsy"),
        ("his baclofen pump keeps beeping", "urgent/pump_alarm"),
        ("I am on dialysis and took one baclofen", "urgent/other"),
    ],
)
def test_each_kind_is_told_apart(text: str, kind: str) -> None:
    assert kind in kinds(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("no respira, ayuda", "emergency/breathing"),
        ("tomó toda la caja de pastillas", "emergency/overdose"),
        ("elle ne se réveille pas", "emergency/unresponsive"),
        ("je veux mourir", "suicide_crisis"),
        ("er atmet nicht mehr", "emergency/breathing"),
        ("sie hat die ganze Packung Tabletten geschluckt", "emergency/overdose"),
        ("ele não acorda", "emergency/unresponsive"),
        ("quero me matar", "suicide_crisis"),
        ("non respira", "emergency/breathing"),
        ("voglio farla finita", "suicide_crisis"),
        ("hij wordt niet wakker", "emergency/unresponsive"),
        ("ze heeft te veel pillen geslikt", "emergency/overdose"),
        ("nie oddycha", "emergency/breathing"),
        ("chcę się zabić", "suicide_crisis"),
        ("он не просыпается", "emergency/unresponsive"),
        ("она выпила всю пачку таблеток", "emergency/overdose"),
        ("не дихає", "emergency/breathing"),
        ("хочу померти", "suicide_crisis"),
        ("nefes almıyor", "emergency/breathing"),
        ("intihar etmek istiyorum", "suicide_crisis"),
        ("لا يتنفس", "emergency/breathing"),
        ("أريد أن أموت", "suicide_crisis"),
        ("वह सांस नहीं ले रहा", "emergency/breathing"),
        ("मैं मरना चाहता हूं", "suicide_crisis"),
        ("wo saans nahi le raha", "emergency/breathing"),
        ("mujhe marna hai", "suicide_crisis"),
    ],
)
def test_emergency_words_of_every_language_are_active_for_everyone(text: str, kind: str) -> None:
    assert kind in kinds(text)


# ---- scope


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("jag vill inte leva längre", "suicide_crisis"),
        ("en halua enää elää", "suicide_crisis"),
        ("ayoko nang mabuhay", "suicide_crisis"),
        ("죽고 싶어요", "suicide_crisis"),
        ("我不想活了", "suicide_crisis"),
        ("i have självmordstankar", "suicide_crisis"),
        ("hän ei hengitä", "emergency"),
        ("hindi siya humihinga", "emergency"),
        ("숨을 안 쉬어요", "emergency"),
        ("הוא לא נושם", "emergency"),
        ("ok vil do thanks", "calm"),
        ("avant qu'il ne dise un mot", "calm"),
        ("jag vill ha en kopp kaffe", "calm"),
        ("想死你了宝贝", "calm"),
        ("죽고 싶을 만큼 맛있다", "calm"),
    ],
)
def test_the_plainest_words_are_known_in_languages_not_taught(text: str, level: str) -> None:
    assert level_of(reading(text)) == level


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("she is not choking on food", "negated"),
        ("I overdosed three years ago", "past"),
        ("what if he swallowed the whole bottle", "hypothetical"),
        ("symptoms of a seizure like having a seizure", "asked"),
        ("these shoes, I overdosed on glitter", "figurative"),
        ("in 2010, i took a whole bottle", "past"),
        ("we had an overdose of cousins at Easter", "figurative"),
        ("in the film she took a handful of pills", "news"),
        ("my dog is having a seizure", "animal"),
        ("the vet says she is having a seizure", "animal"),
    ],
)
def test_a_scope_holds_a_sign_back_and_says_so(text: str, scope: str) -> None:
    found = reading(text)

    assert level_of(found) == "calm"
    assert scope in {near.held_by for near in found.near_misses}
    assert found.has(scope)


@pytest.mark.parametrize(
    "text",
    [
        "I overdosed last year. My mother is not breathing",
        "he is not breathing, but he has no rash",
        "this queue is killing me, and my son swallowed my pills",
        "my dog is fine, my toddler ate my baclofen",
        "we saw a film. now he won't wake up",
        "what if it happens again? she can't breathe",
        "no fever, no rash, but she cannot be woken",
        "I was not sure, he took a handful",
        "how do I do CPR, he hung himself",
        "she overdosed on insulin",
        "my cat is fine. i can't breathe",
        "he took an overdose of blood pressure pills",
        "my dad is a vet, he isn't breathing",
        "army vet here, I took 30 tablets",
        "the vet in bed four has stopped breathing",
        "the vet has collapsed and is not breathing",
        "I see a vet on the street, he is not breathing",
        "the vet nurse has collapsed",
        "The vet's receptionist is jerking on the floor behind the desk",
        "the dog ate two, i took the rest",
        "my cat knocked the pills over and my son ate some",
        "dog swallowed one and my daughter the rest",
        "the kitten tore the box open and i finished what was left",
        "rex got one tablet, i took the remaining twenty",
        "the usher slumped over the rail",
        "the waiter's collapsed",
        "dog ate two tablets and i took the rest with vodka",
        "the terrier ate two, i took the rest",
        "the dog ate two, she took the rest",
        "i took 18 baclofen at the bus stop",
        "had 15 tablets and a bag of peanuts",
        "my toddler thought the pills were sweets and ate some",
        "camp mix-up: a boy aged 9 received his bunkmate's baclofen",
        "a pupil was handed the wrong medicine, baclofen, and seems well",
    ],
)
def test_a_scope_never_takes_away_a_second_sign(text: str) -> None:
    assert level_of(reading(text)) == "emergency"


@pytest.mark.parametrize(
    "text",
    [
        "the dog ate two, I took the rest away from him",
        "my puppy ate some of my baclofen and i took the rest to the vet",
        "my dog ate half my dinner and the kids had the rest of the pizza",
        "the vet nurse says the dog has collapsed twice",
        "the nurse said the market has collapsed",
        "he took the other 12 passengers",
        "the puppy had his jabs, i had the rest of the day off",
        "the dog had one biscuit and the kids had the others",
        "our cat had three kittens, my sister took one and my friend took the others",
        "the dog chewed one tablet yesterday and I took one as prescribed",
        "the driver has just collapsed the back seats",
        "my neighbour has collapsed drains",
        "the lady collapsed laughing",
        "i took the first bus and two exams",
        "my baclofen looks like a mint",
        "which of the tablets is the quickest way to get rid of leg spasms",
        "for muscle cramp, which meds are surest?",
        "a pupil was given his own baclofen at noon",
        "the doctor gave my child another medicine besides baclofen",
        "the bride collapsed in tears of joy",
        "which of my tablets is quickest for a headache",
    ],
)
def test_an_animal_alone_or_a_thing_is_no_emergency_for_people(text: str) -> None:
    assert level_of(reading(text)) == "calm"


@pytest.mark.parametrize(
    "text",
    [
        "my wife is buried. Which of my tablets would be the surest?",
        "which of dads pills ends it soonest",
        "which of these pills is the gentlest way out",
    ],
)
def test_who_asks_which_tablet_is_the_surest_way_means_to_die(text: str) -> None:
    assert level_of(reading(text)) == "suicide_crisis"


@given(st.sampled_from(["please", "thank you so much", "sorry to bother you", "have a nice day"]))
def test_a_polite_word_never_lowers_an_emergency(polite: str) -> None:
    for text in ("she is not breathing", "I took 20 tablets", "he won't wake up"):
        assert level_of(reading(f"{polite}. {text}")) == "emergency"
        assert level_of(reading(f"{text} {polite}")) == "emergency"


@pytest.mark.parametrize(
    ("text", "is_hint"),
    [
        ("I want to kill myself", False),
        ("she says she is suicidal", False),
        ("goodbye to you all", True),
        ("I am checking out", True),
        ("I bought a rope", True),
        ("would it look like an accident", True),
    ],
)
def test_words_that_may_as_well_be_harmless_are_a_hint(text: str, is_hint: bool) -> None:
    (hit,) = reading(text).hits

    assert hit.level is Level.SUICIDE_CRISIS
    assert hit.hint is is_hint


@pytest.mark.parametrize(
    ("harmless", "grave"),
    [
        ("how do i end it, the chat i mean", "how do i end it, life i mean"),
        ("how do i end it, the chat i mean", "how do i end it all before the meeting"),
        ("picked a date for the wedding", "picked a date and told nobody"),
        ("i want to drive a screw into a wall", "i want to drive the car into a wall"),
        ("thinking of walking to the bus", "thoughts of stepping in front of the bus"),
        ("rr 20 at 8 this morning", "rr 6 this morning"),
        ("sat with a bottle of wine", "sitting with the bottle open"),
        ("cannot get femoral line supplies", "cannot feel a femoral or a carotid"),
        ("not making it to my 10 o'clock appointment", "not making it to 40"),
        ("i keep hearing voices from the neighbours", "i keep hearing voices in my head"),
        ("gran hears voices on the radio", "gran hears voices, there is nobody"),
        ("i cannot see a way out of this maze", "i cannot see a way out anymore"),
        ("make the model crash look like an accident", "could it look like an accident"),
        ("saving until we have enough for a car", "stockpiling pills until he has enough"),
        ("she threw me under the bus", "i will throw me in front of the metro"),
        ("meet you on the other side of the road", "see you all on the other side"),
        ("pictures of driving lessons", "i get pictures of driving into a truck"),
    ],
)
def test_the_same_words_about_an_everyday_thing_are_no_sign(harmless: str, grave: str) -> None:
    assert not reading(harmless).hits
    assert reading(grave).hits


@pytest.mark.parametrize(
    ("text", "kinds_seen"),
    [
        ("I'm hallucinating", {"emergency/withdrawal"}),
        ("i keep hearing voices", {"emergency/withdrawal"}),
        ("she keeps hallucinating", {"emergency/withdrawal"}),
        ("is hallucinating a side effect of it?", set()),
        ("last year I was hallucinating, I am fine now", set()),
    ],
)
def test_who_sees_or_hears_what_is_not_there_is_in_danger_now(
    text: str, kinds_seen: set[str]
) -> None:
    assert kinds(text) == kinds_seen


# ---- evidence and facts


def test_evidence_points_at_the_words_as_they_were_written() -> None:
    raw = "Help!! I can't WAKE him"

    hit = reading(raw).hits[0]

    assert (hit.rule, hit.level, hit.kind) == ("waking_danger", Level.EMERGENCY, "unresponsive")
    assert [raw[e.start : e.end] for e in hit.evidence] == ["can't WAKE"]
    assert hit.evidence[0].text == "can't WAKE"
    assert hit.reason


def test_the_highest_level_comes_first() -> None:
    found = reading("ran out of baclofen on Monday and now she is not breathing")

    assert [hit.level for hit in found.hits] == sorted(
        (hit.level for hit in found.hits), reverse=True
    )
    assert len(found.hits) >= 2


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("I took 20 tablets", "self"),
        ("my husband took 20 tablets", "other"),
        ("she won't wake up", "other"),
        ("I can't breathe", "self"),
        ("overdose", ""),
        ("my dad is dead i think", "other"),
        ("i think i took too many", "self"),
    ],
)
def test_whom_it_is_about(text: str, subject: str) -> None:
    assert reading(text).subject == subject


@pytest.mark.parametrize(
    ("text", "alone"),
    [("I took 20 and I am home alone", True), ("took 20, nobody is here", True), ("hi", False)],
)
def test_whether_the_person_is_alone(text: str, alone: bool) -> None:
    assert reading(text).alone is alone


@pytest.mark.parametrize(
    ("text", "happened"),
    [
        ("I took two of them", True),
        ("she drank a beer", True),
        ("what if I took two", False),
        ("I did not take any", False),
        ("is it addictive", False),
    ],
)
def test_whether_something_happened_in_reality(text: str, happened: bool) -> None:
    assert reading(text).happened is happened


# ---- robustness


@given(st.text(max_size=300))
@settings(max_examples=60)
def test_reading_is_total(raw: str) -> None:
    for hit in reading(raw).hits:
        for evidence in hit.evidence:
            assert raw[evidence.start : evidence.end] == evidence.text


WORDS = (
    *("i", "took", "20", "pills", "not", "no", "if", "he", "is", "breathing", "wake", "her", "my"),
    *("dog", "last", "year", "wants", "to", "die", "baclofen", "and", "but", ".", ",", "?"),
    *("what", "fever", "stiff", "film", "handful"),
)


@given(
    st.lists(
        st.sampled_from(WORDS),
        max_size=40,
    )
)
@settings(max_examples=60)
def test_whatever_dangerous_words_come_to_stands_in_the_message(words: list[str]) -> None:
    raw = " ".join(words)

    hits = reading(raw).hits

    levels = [hit.level for hit in hits]
    assert levels == sorted(levels, reverse=True)
    for hit in hits:
        assert [raw[each.start : each.end] for each in hit.evidence] == [
            each.text for each in hit.evidence
        ]
        assert any(each.text for each in hit.evidence)


@pytest.mark.parametrize("word", ["took 20 pills ", "not breathing ", "x ", "overdose "])
def test_a_huge_message_is_read_in_bounded_time(word: str) -> None:
    raw = word * (100_000 // len(word))
    reading("warm up")

    start = time.thread_time()
    reading(raw)

    assert time.thread_time() - start < 5  # seconds; a runaway would take minutes


# ---- the data


def build(files: dict[str, Any]) -> Signals:
    return signals_from(files, lexicon())


RULE = {"level": "emergency", "kind": "other", "reason": "Because.", "when": "sign"}


def test_a_small_file_makes_a_working_reader() -> None:
    small = build({"a.yml": {"concepts": {"sign": "all alarm/alarms stop~"}, "rules": {"r": RULE}}})

    found = read_signals(normalise("All alarms are stopping", lexicon()), small)

    assert [hit.rule for hit in found.hits] == []
    assert level_of(read_signals(normalise("all the alarms stopped", lexicon()), small)) == "calm"
    assert level_of(read_signals(normalise("all alarms stopped", lexicon()), small)) == "emergency"


def test_files_add_to_each_others_concepts() -> None:
    both = build(
        {
            "en.yml": {"concepts": {"sign": "fire"}, "rules": {"r": RULE}},
            "xx.yml": {"concepts": {"sign": "feuer"}},
        }
    )

    assert level_of(read_signals(normalise("feuer", lexicon()), both)) == "emergency"


@pytest.mark.parametrize(
    ("data", "where", "words"),
    [
        ({"concepts": {"sign": ".. gap"}}, "sign", "gap"),
        ({"concepts": {"sign": "<nobody> here"}}, "sign", "is not a concept"),
        ({"concepts": {"a": "<b> x", "b": "<a> y"}}, "a, b", "circle"),
        ({"rules": {"r": {**RULE, "when": "nothing"}}}, "r", "is not a concept"),
        ({"concepts": {"sign": "x"}, "rules": {"r": {**RULE, "level": "high"}}}, "r", "level"),
        ({"concepts": {"sign": "x"}, "rules": {"r": {**RULE, "near": "far"}}}, "r", "near"),
        ({"concepts": {"sign": "x"}, "rules": {"r": {**RULE, "held_by": "moon"}}}, "r", "scope"),
        ({"concepts": {"sign": "x"}, "rules": {"r": {**RULE, "colour": "red"}}}, "r", "key"),
        ({"concepts": {"sign": "x"}, "rules": {"r": {**RULE, "hint": "no"}}}, "r", "write yes"),
        (
            {"concepts": {"sign": "x"}, "rules": {"r": {**RULE, "hint": "yes", "plain": "yes"}}},
            "r",
            "not both",
        ),
        ({"scopes": {"s": {"window": "wide"}}}, "s", "number"),
        ({"scopes": {"s": {"broken_by": "nobody"}}}, "s", "not a concept"),
        ({"notions": {}}, "file", "key"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(data: Any, where: str, words: str) -> None:
    with pytest.raises(ContentError) as caught:
        build({"bad.yml": data})

    problems = [p for p in caught.value.problems if isinstance(p, SignalProblem)]
    assert any(problem.where == where and words in problem.sentence for problem in problems)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ContentError) as caught:
        build({"bad.yml": {"concepts": {"sign": ".. x"}, "rules": {"r": {**RULE, "near": "far"}}}})

    assert len(caught.value.problems) == 2


def test_no_wording_of_the_shipped_rules_is_out_of_reach() -> None:
    """Every concept that a rule names is found by some phrase, or given by the amounts."""
    layers = signals().matcher.layers
    found = {p.concept for layer in layers for phrases in layer.values() for p in phrases}
    named = {name for rule in signals().rules for way in rule.ways for name in way}

    assert named - found <= set(GIVEN)


def test_a_message_is_read_within_a_millisecond_or_two() -> None:
    text = "my husband took his baclofen at ten and then he had two beers with his friends and now "
    text += "he is asleep on the sofa and I am not sure if I should wake him"
    understand(text)

    start = time.thread_time()
    for _ in range(20):
        reading(text)

    assert (time.thread_time() - start) / 20 < 0.02  # seconds of work, loosely
