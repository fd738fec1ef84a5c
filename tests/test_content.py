"""Broken content is refused with every problem at its place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.content import Loaded, load
from bot.errors import ContentError

ROOT = Path(__file__).parents[1]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped content that a test may break."""
    copy_of_content(tmp_path)
    return tmp_path


def copy_of_content(to: Path) -> None:
    for folder in ("responses", "intents"):
        shutil.copytree(ROOT / folder, to / folder)


def problems_of(root: Path) -> list[str]:
    with pytest.raises(ContentError) as caught:
        load(root, proofs=True)
    return [str(problem) for problem in caught.value.problems]


@pytest.fixture(scope="module")
def shipped() -> Loaded:
    return load(ROOT, proofs=True)


def test_the_shipped_content_is_sound(shipped: Loaded) -> None:
    assert len(shipped.knowledge.topics) == 63
    assert set(shipped.knowledge.books["en"].answers) == set(shipped.knowledge.topics)


ANSWER = "responses/en/mixing/mixing_alcohol.yml"
INTENT = "intents/en/mixing/mixing_alcohol.yml"
CARD = "responses/en/levels/emergency/overdose.yml"
LINES = "responses/helplines.yml"
VOICE = "intents/en/voices/teen_slang_boy.yml"


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


def mixing(about: str) -> str:
    return f"responses/en/mixing/mixing_{about}.yml"


# No file twice but where both breaks can stand in it: all are made at once.
BROKEN: dict[str, tuple[str, Callable[[str], str], str]] = {
    "broken YAML": (mixing("otc"), lambda text: "answer: 'open\n" + text, ":"),
    "duplicate key": (
        mixing("antidepressants"), lambda text: text + "answer: again\n", "'answer' stands twice"
    ),
    "unknown key": (
        mixing("cannabis"), lambda text: text + "colour: red\n", "'colour' is not known"
    ),
    "unknown topic": (
        ANSWER, replaced("- find_help", "- find_hlp"), "names no topic: 'find_hlp'"
    ),
    "unknown placeholder": (
        mixing("street_drugs"), replaced("{drug_line}", "{durg_line}"), "{durg_line}"
    ),
    "a number of its own": (
        mixing("sleep_aids"),
        replaced("answer: |\n", "answer: |\n  Call 0800 123 456 today.\n"),
        "looks like a phone number",
    ),
    "no source": (
        mixing("gabapentinoids"),
        lambda text: text.split("sources:")[0] + "danger_signs: overdose\n"
        "reviewed:\n  status: pending\n",
        "no source",
    ),
    "no danger signs": (
        mixing("opioids"),
        replaced("danger_signs: overdose", "danger_signs: none"),
        "must carry danger signs",
    ),
    "signed by nobody": (
        mixing("muscle_relaxants"), replaced("status: pending", "status: signed"), "signed needs"
    ),
    "unknown review status": (
        mixing("benzodiazepines"),
        replaced("status: pending", "status: done"),
        "status 'done' is not known",
    ),
    "an unwritten source": (
        "responses/en/basics/uses.yml",
        replaced("sources:\n", "sources:\n  - TODO\n"),
        "'sources' is not written yet ('TODO')",
    ),
    "a dose order": (
        "responses/en/basics/typical_dose.yml",
        replaced("answer: |\n", "answer: |\n  It helps. Take 10 mg three times a day.\n"),
        ":2:13: 'Take 10 mg' tells the reader a dose",
    ),
    "a dose order in a card": (
        "responses/en/levels/urgent/drowsy.yml",
        replaced("steps:\n", "steps:\n  - You can take two tablets.\n"),
        "'You can take two tablets' tells the reader a dose",
    ),
    "no question": (INTENT, lambda text: "\n".join(text.split("\n")[1:]), "'question' is missing"),
    "card without number": (
        CARD, replaced("Call {emergency} now. Say", "Call now. Say"), "must hold {emergency}"
    ),
    "unknown guide question": (CARD, replaced("- awake", "- awaik"), "'awaik' is no question"),
    "invalid phone number": (LINES, replaced("number: '911'", "number: '9l1'"), "no phone number"),
    "unknown label": (
        VOICE, replaced("urgent/mixed:", "urgent/mixd:"), "'urgent/mixd' is no level/kind"
    ),
    "unknown style": (VOICE, replaced("style: hard", "style: tough"), "style is 'tough'"),
}  # fmt: skip


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What is told of content that is broken in all these ways at once."""
    root = tmp_path_factory.mktemp("broken")
    copy_of_content(root)
    for path, change, _ in BROKEN.values():
        file = root / path
        file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")
    return problems_of(root)


@pytest.mark.parametrize("name", BROKEN)
def test_broken_content_is_refused_at_its_place(told: list[str], name: str) -> None:
    path, _, sentence = BROKEN[name]

    assert [line for line in told if line.startswith(f"{path}:") and sentence in line]


def test_nothing_is_told_of_files_that_are_sound(told: list[str]) -> None:
    assert {line.partition(":")[0] for line in told} == {path for path, _, _ in BROKEN.values()}


@pytest.mark.parametrize(
    ("path", "line"),
    [
        pytest.param("intents/en/mixing/mixing_alcohol.yml", "question: 'open", id="topic"),
        pytest.param("intents/en/voices/teen_slang_boy.yml", "who: [a", id="voice"),
        pytest.param("intents/en/triage/body.yml", "concepts: {a", id="signals"),
        pytest.param("intents/en/replies.yml", "groups: 'a", id="typed replies"),
        pytest.param("responses/en/mixing/mixing_alcohol.yml", "answer: 'open", id="answer"),
        pytest.param("responses/en/levels/emergency/overdose.yml", "means: [a", id="card"),
        pytest.param("responses/en/guide/questions.yml", "first: [a", id="guide"),
        pytest.param("responses/en/phrases.yml", "hello: 'a", id="phrases"),
        pytest.param("responses/helplines.yml", "meta: {a", id="helplines"),
        pytest.param("intents/en/countries.yml", "GB: {a", id="countries"),
    ],
)
def test_of_an_unreadable_file_its_fault_is_told_and_nothing_that_follows(
    copy: Path, path: str, line: str
) -> None:
    file = copy / path
    file.write_text(f"# A note\n{line}\n{file.read_text(encoding='utf-8')}", encoding="utf-8")

    (told,) = problems_of(copy)

    assert told.startswith(f"{path}:2:{line.index(' ') + 2}: ")
    assert told.endswith("(yaml)")


def test_what_keeps_a_file_from_being_read_is_told_first(copy: Path) -> None:
    (copy / "responses/en/withdrawal/tapering.yml").write_text("answer: [\n", encoding="utf-8")
    (copy / ANSWER).unlink()

    first, *others = problems_of(copy)

    assert first.startswith("responses/en/withdrawal/tapering.yml:1:9:")
    assert [line.partition(": ")[0] for line in others] == [f"{ANSWER}:1:1"]


def test_a_missing_answer_and_a_missing_card_are_told_together(copy: Path) -> None:
    (copy / ANSWER).unlink()
    (copy / CARD).unlink()

    found = "\n".join(problems_of(copy))

    assert "the topic has no answer" in found
    assert "no card; write this file" in found


def test_a_message_taught_under_two_labels_is_told_with_both_places(copy: Path) -> None:
    voice = copy / "intents/en/voices/zz_new.yml"
    voice.write_text(
        "who: A test\nstyle: ordinary\nmessages:\n"
        "  uses: |\n    is the purple umbrella contagious\n"
        "  tapering: |\n    Is the purple umbrella contagious?\n",
        encoding="utf-8",
    )

    found = problems_of(copy)

    assert found == [
        "intents/en/voices/zz_new.yml:7:5: also taught as 'uses' in "
        "intents/en/voices/zz_new.yml:5; keep one (two-labels)"
    ]


def test_a_message_both_taught_and_proved_is_told_with_both_places(copy: Path) -> None:
    for folder in ("intents/en/voices", "tests/cases/en/voices"):
        (copy / folder).mkdir(parents=True, exist_ok=True)
        (copy / folder / "zz_new.yml").write_text(
            "who: A test\nstyle: ordinary\nmessages:\n"
            "  uses: |\n    is the purple umbrella contagious\n",
            encoding="utf-8",
        )

    found = problems_of(copy)

    assert len(found) == 1
    assert found[0].startswith("tests/cases/en/voices/zz_new.yml:5:")
    assert "intents/en/voices/zz_new.yml:5" in found[0]


def test_words_that_yaml_would_turn_into_other_things_stay_text(copy: Path) -> None:
    file = copy / VOICE
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("  uses: |\n", "  uses: |\n    Off\n    0044\n    12:30\n"), "utf-8"
    )

    examples = {example.text for example in load(copy).teaching}

    assert {"Off", "0044", "12:30"} <= examples


def test_the_answers_say_that_no_clinician_has_signed_them(shipped: Loaded) -> None:
    answers = shipped.knowledge.books["en"].answers.values()

    assert {answer.review_status for answer in answers} == {"pending"}
