"""What people tell under an open case that is no answer: facts, good news, jokes, mumbles."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.content.load import LANGUAGES
from bot.core import told, typed
from bot.core.decide import Content, decide
from bot.core.model import Assessment, GuideState, Level, Message, Person, State
from tests.reading import knowledge
from tests.test_decide import Sees
from tests.test_guide import CANNOT_WAKE, guide_of, shown, talk

KNOWN = knowledge().wordings
OVERDOSE = "my dad took 30 baclofen"
EXTRA = "i took one extra tablet by mistake, feel fine"

FACTS = {
    "en": [
        "shes 14",
        "he is 14 years old",
        "hes 64",
        "60kg",
        "he weighs 60 kg",
        "he took it at 3pm",
    ],
    "es": ["tiene 14 años", "pesa 60 kilos"],
    "fr": ["elle a 14 ans", "il pèse 60 kg"],
    "de": ["sie ist 14 Jahre alt", "er wiegt 60 kg"],
    "pt": ["tem 14 anos", "pesa 60 quilos"],
    "it": ["ha 14 anni", "pesa 60 chili"],
    "nl": ["hij is 14 jaar", "ze weegt 60 kilo"],
    "pl": ["ma 14 lat", "waży 60 kg"],
    "ru": ["ему 64 года", "она весит 60 кг"],
    "uk": ["їй 14 років", "він важить 60 кг"],
    "tr": ["14 yaşında", "60 kilo"],
    "ar": ["عمره 14 سنة", "وزنه 60 كيلو"],
    "hi": ["वह 14 साल का है", "वजन 60 किलो है"],
}
NO_FACTS = [
    *("he took 30", "took 20 an hour ago", "she had 20", "she took ten", "she took 10 tablets"),
    *("his heart stopped", "is she 14?", "an hour ago he fell", "he is blue", "no"),
]
GOOD_NEWS = {
    "en": ["he is sitting up now", "hes talking to me", "she is awake"],
    "es": ["está hablando", "se ha despertado"],
    "fr": ["il parle", "elle est réveillée"],
    "de": ["er redet mit mir", "sie ist wach"],
    "pt": ["está falando", "acordou"],
    "it": ["mi parla", "è sveglia"],
    "nl": ["hij praat", "ze is wakker"],
    "pl": ["rozmawia", "obudził się"],
    "ru": ["он говорит", "она очнулась"],
    "uk": ["він розмовляє", "вона прокинулася"],
    "tr": ["konuşuyor", "uyandı"],
    "ar": ["يتكلم", "استيقظت"],
    "hi": ["बात कर रहा है", "होश में है"],
}
NO_NEWS = [
    *("he is talking nonsense", "he is not talking", "is he awake?", "maybe she is awake"),
    *(
        "no habla",
        "er redet wirr",
        "он не говорит",
        "il ne parle pas",
        "konuşmuyor",
        "the kids woke up",
    ),
]
JOKES = {
    "en": ["no its a joke", "it was just a joke lol"],
    "es": ["es una broma", "no, es una broma"],
    "fr": ["c'est une blague", "non, je plaisante"],
    "de": ["nein, das war nur ein Scherz", "Fehlalarm"],
    "pt": ["não, é brincadeira", "estou brincando"],
    "it": ["no, era uno scherzo", "sto scherzando"],
    "nl": ["nee, het is een grapje", "vals alarm"],
    "pl": ["żartuję", "to był żart"],
    "ru": ["это шутка", "нет, я пошутил"],
    "uk": ["це жарт", "ні, я пожартував"],
    "tr": ["şaka", "hayır şaka yaptım"],
    "ar": ["أمزح", "لا، كنت أمزح"],
    "hi": ["मज़ाक है", "mazaak tha"],
}
NO_JOKES = [
    *("its not a joke", "no joke", "no es una broma", "das ist kein Scherz", "это не шутка"),
    *("şaka değil", "मज़ाक नहीं", "nie żartuję", "ce n'est pas une blague", "geen grapje"),
]
NO_PHONE = {
    "en": "no phone here",
    "es": "no tengo teléfono",
    "fr": "pas de téléphone",
    "de": "kein Telefon",
    "pt": "não tenho telefone",
    "it": "non ho il telefono",
    "nl": "geen telefoon",
    "pl": "nie mam telefonu",
    "ru": "нет телефона",
    "uk": "немає телефону",
    "tr": "telefonum yok",
    "ar": "ليس لدي هاتف",
    "hi": "फोन नहीं है",
}
NO_FEVER = {
    "en": "i dont have a fever",
    "es": "no tengo fiebre",
    "fr": "je n'ai pas de fièvre",
    "de": "ich habe kein Fieber",
    "pt": "não tenho febre",
    "it": "non ho la febbre",
    "nl": "ik heb geen koorts",
    "pl": "nie mam gorączki",
    "ru": "у меня нет температуры",
    "uk": "температури немає",
    "tr": "ateşim yok",
    "ar": "ليس لدي حمى",
    "hi": "बुखार नहीं है",
}
NO_IDEA = ["no idea", "ni idea", "aucune idée", "keine Ahnung", "nie mam pojęcia", "без понятия"]


def each(table: dict[str, list[str]]) -> list[object]:
    return [pytest.param(said, id=f"{lang}: {said}") for lang in table for said in table[lang]]


def opened(language: str, level: Level = Level.EMERGENCY, **more: object) -> Person:
    """Somebody whose dad took an overdose, at the first question."""
    guide = GuideState("emergency/overdose", asked="breathing")
    state = State(level=level, kind="overdose", subject="other", guide=guide)
    person = Person(country="DE", country_source="told", language=language, state=state)
    return replace(person, state=replace(state, **more))  # type: ignore[arg-type]


def under_cpr(language: str) -> Person:
    guide = GuideState("emergency/breathing", asked="naloxone", cpr=True)
    return opened(language, kind="breathing", guide=guide)


# ---- facts and good news -------------------------------------------------------------


@pytest.mark.parametrize("said", each(FACTS))
def test_a_fact_is_known(said: str) -> None:
    assert told.is_fact(said, KNOWN, plainly=True)


@pytest.mark.parametrize("said", NO_FACTS)
def test_what_may_be_an_alarm_is_no_fact(said: str) -> None:
    assert not told.is_fact(said, KNOWN)


@pytest.mark.parametrize("said", each(GOOD_NEWS))
def test_good_news_are_known(said: str) -> None:
    assert told.is_good_news(said, KNOWN)


@pytest.mark.parametrize("said", NO_NEWS)
def test_doubt_denial_and_raving_are_no_good_news(said: str) -> None:
    assert not told.is_good_news(said, KNOWN)


@pytest.mark.parametrize("language", sorted(FACTS))
def test_a_fact_keeps_the_open_card_and_its_question(content: Content, language: str) -> None:
    for said in (*FACTS[language], GOOD_NEWS[language][0]):
        before = opened(language)
        after = decide(Message("test", said), before, content)

        assert after.level is Level.EMERGENCY
        assert (after.kind, guide_of(after).kind) == ("overdose", "emergency/overdose"), said
        assert guide_of(after).asked == "breathing", said
        assert len(after.reply.texts) == 1, said


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("his lips are blue now", "breathing"),
        ("now he is having a fit", "seizure"),
        ("he wont wake up anymore", "unresponsive"),
        ("her face is swelling up", "allergic"),
    ],
)
def test_a_new_danger_still_starts_its_card(content: Content, said: str, kind: str) -> None:
    assert talk(content, OVERDOSE, said).kind == kind


@pytest.mark.parametrize(
    ("found", "starts"),
    [
        (Assessment(Level.EMERGENCY, "seizure", 0.97), True),
        (Assessment(Level.EMERGENCY, "seizure", 0.8), False),
        (Assessment(Level.EMERGENCY, "overdose", 0.97), False),
        (Assessment(Level.URGENT, "drowsy", 0.8), False),
    ],
)
def test_what_only_the_learned_reader_saw_must_be_plain_and_new(
    content: Content, found: Assessment, starts: bool
) -> None:
    seen = Content(content.knowledge, Sees(found))
    after = decide(Message("test", "somehow he seems different"), opened("en"), seen)

    assert (guide_of(after).kind != "emergency/overdose") is starts
    assert after.level is Level.EMERGENCY


def test_a_learned_alarm_of_a_higher_level_always_starts_its_card(content: Content) -> None:
    before = talk(content, EXTRA)
    seen = Content(content.knowledge, Sees(Assessment(Level.EMERGENCY, "overdose", 0.33)))

    after = decide(Message("test", "somehow he seems different"), before.person, seen)

    assert after.level is Level.EMERGENCY


@pytest.mark.parametrize(("said", "is_child"), [("shes 3", True), ("shes 14", False)])
def test_the_age_of_a_child_is_more_than_a_fact_below_an_emergency(
    content: Content, said: str, is_child: bool
) -> None:
    before = talk(content, "my dad took one extra tablet by mistake, feels fine")
    seen = Content(content.knowledge, Sees(Assessment(Level.EMERGENCY, "child", 0.7)))

    after = decide(Message("test", said), before.person, seen)

    assert (after.kind == "child") is is_child


def test_a_time_that_no_answer_names_takes_the_guide_on(content: Content) -> None:
    guide = GuideState("emergency/overdose", asked="when_and_how_much")
    after = decide(Message("test", "he took it at 3pm"), opened("en", guide=guide), content)

    assert guide_of(after).asked not in ("", "when_and_how_much")


# ---- "no" and what follows it ----------------------------------------------------------


@pytest.mark.parametrize("said", each(JOKES))
def test_a_joke_is_known(said: str) -> None:
    assert told.claims_joke(said, KNOWN)


@pytest.mark.parametrize("said", NO_JOKES)
def test_no_joke_is_none(said: str) -> None:
    assert not told.claims_joke(said, KNOWN)


@pytest.mark.parametrize("language", sorted(JOKES))
def test_a_joke_closes_nothing_and_answers_nothing(content: Content, language: str) -> None:
    for said in JOKES[language]:
        after = decide(Message("test", said), opened(language), content)

        assert after.path == ("guide", "denial"), said
        assert after.level is Level.EMERGENCY
        assert guide_of(after) == opened(language).state.guide
        going = decide(Message("test", said), under_cpr(language), content)
        assert guide_of(going).cpr


@pytest.mark.parametrize("said", NO_JOKES)
def test_that_it_is_no_joke_is_no_answer(content: Content, said: str) -> None:
    after = talk(content, CANNOT_WAKE, said)

    assert guide_of(after).asked == "breathing"
    assert "999" in shown(after)


@pytest.mark.parametrize("language", sorted(NO_PHONE))
def test_who_has_no_phone_did_not_say_that_breath_is_gone(content: Content, language: str) -> None:
    after = decide(Message("test", NO_PHONE[language]), opened(language), content)

    assert after.path == ("guide", "cannot_call")
    assert guide_of(after).asked == "breathing"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        *(("no its my uncle", "not_sure"), ("no we are at my house", "not_sure")),
        *(("no please hurry", "no_or_gasping"), ("no he isnt", "no_or_gasping")),
        *(("no hes just lying there", "no_or_gasping"), ("no not at all", "no_or_gasping")),
        *(("yes but he is turning blue", "no_or_gasping"), ("yes but faint", "not_sure")),
        *((said, "not_sure") for said in NO_IDEA),
    ],
)
def test_the_rest_of_the_sentence_decides(said: str, answer: str) -> None:
    question = knowledge().books["en"].questions["breathing"]

    assert typed.answer_id(said, question, KNOWN) == answer


@pytest.mark.parametrize(
    ("said", "answered"),
    [("no one is here", "alone"), ("no she didnt do it on purpose", "on_purpose")],
)
def test_a_no_with_another_answer_behind_it_is_that_answer(
    content: Content, said: str, answered: str
) -> None:
    after = talk(content, OVERDOSE, said)

    assert guide_of(after).asked == "breathing"
    assert guide_of(after).done == (answered,)
    assert not guide_of(after).cpr


def test_a_no_of_something_else_starts_no_cpr_before_the_chest_was_asked_of_twice(
    content: Content,
) -> None:
    checks = talk(content, CANNOT_WAKE, "not sure")
    again = talk(content, "no we are at my house", person=checks.person)

    assert guide_of(checks).asked == guide_of(again).asked == "chest_moves"
    assert not guide_of(again).cpr
    assert guide_of(talk(content, "no", person=again.person)).cpr
    assert guide_of(talk(content, "no we are at my house", person=again.person)).cpr


@pytest.mark.parametrize("language", sorted(NO_FEVER))
def test_a_fever_that_is_denied_is_none(language: str) -> None:
    question = knowledge().books[language].questions["severe_withdrawal_signs"]

    assert typed.answer_id(NO_FEVER[language], question, KNOWN) == "no"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        *(("no sign of a fever", "no"), ("i dont think he has a fever", "no")),
        *(("dont know if he has a fever", "yes"), ("no he has a fever", "yes")),
        *(("he isnt shaking but has a fever", "yes"), ("never had a fever", "no")),
    ],
)
def test_a_not_reaches_what_it_denies_and_no_more(said: str, answer: str) -> None:
    question = knowledge().books["en"].questions["severe_withdrawal_signs"]

    assert typed.answer_id(said, question, KNOWN) == answer


@pytest.mark.parametrize("said", ["not an accident", "it wasnt an accident", "not by mistake"])
def test_no_accident_was_on_purpose(said: str) -> None:
    question = knowledge().books["en"].questions["on_purpose"]

    assert typed.answer_id(said, question, KNOWN) == "yes"


# ---- what nobody understands ---------------------------------------------------------------


@pytest.mark.parametrize("opening", [EXTRA, "my dad is very sleepy on baclofen but wakes up"])
@pytest.mark.parametrize("said", ["asdf", "ok", "qwer zxcv"])
def test_a_mumble_raises_no_level(content: Content, opening: str, said: str) -> None:
    decision = talk(content, opening)
    for _ in range(6):
        decision = talk(content, said, person=decision.person)

        assert decision.person.state.level is Level.URGENT
        assert "999" in shown(decision)
        if not guide_of(decision).asked or guide_of(decision).asked == "chest_moves":
            return


def test_not_sure_still_counts_as_the_worse_answer(content: Content) -> None:
    assert talk(content, EXTRA, "not sure").level is Level.EMERGENCY


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_what_is_said_to_it_is_said_in_every_language(language: str) -> None:
    phrases = knowledge().books[language].phrases

    assert {"told_noted", "told_good", "sign_of_life", "crew_took_over"} <= set(phrases)
