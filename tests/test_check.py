"""What `check` finds beyond the loader, and how faults of YAML and dose orders are told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.content.minimums import too_little
from bot.content.orders import dose_orders
from bot.content.problems import Problems
from bot.content.yaml_text import read
from bot.errors import ContentError
from bot.tools.check import examine
from bot.tools.new import new_topic

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def unfilled(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What is told of the shipped content with a topic that `new` started and nobody wrote."""
    root = tmp_path_factory.mktemp("unfilled")
    for folder in ("responses", "intents", "tests/cases"):
        shutil.copytree(ROOT / folder, root / folder)
    new_topic(root, "mixing", "mixing_tea", 'Tea: is it "safe"?', due="2027-01-01")
    with pytest.raises(ContentError) as caught:
        examine(root)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    "start",
    [
        "intents/en/mixing/mixing_tea.yml:5:5: no message of a person",
        "intents/en/mixing/mixing_tea.yml:8:5: no message of a person",
        "intents/en/mixing/mixing_tea.yml:3:1: 0 examples of 'mixing_tea', 30 are needed",
        "intents/en/mixing/mixing_tea.yml:6:1: 0 near misses, 5 are needed",
        "responses/en/mixing/mixing_tea.yml:2:3: 'answer' is not written yet",
        "responses/en/mixing/mixing_tea.yml:4:3: 'more' is not written yet",
        "responses/en/mixing/mixing_tea.yml:8:5: 'sources' is not written yet",
        "tests/cases/en/mixing/mixing_tea.yml:4:5: no message of a person",
        "tests/cases/en/mixing/mixing_tea.yml:1:1: 0 messages prove 'mixing_tea', 12 are needed",
    ],
)
def test_a_new_topic_that_nobody_wrote_is_refused_at_each_place(
    unfilled: list[str], start: str
) -> None:
    assert len([line for line in unfilled if line.startswith(start) and "; " in line]) == 1


def test_nothing_else_is_told_of_a_new_topic(unfilled: list[str]) -> None:
    assert len(unfilled) == 9


def a_topic(root: Path, *, examples: int, voices: int, near: int, proofs: int) -> None:
    """One topic of so many messages."""
    said = [f"message number {number} of many" for number in range(examples)]
    blocks = "".join(
        f"  voice{voice}: |\n" + "".join(f"    {text}\n" for text in said[voice::voices])
        for voice in range(voices)
    )
    misses = "".join(f"    near miss {number}\n" for number in range(near))
    proving = "".join(f"    proof {number}\n" for number in range(proofs))
    for path, text in {
        "intents/en/mixing/tea.yml": f"question: Tea?\nexamples:\n{blocks}near_misses:\n"
        f"  urgent/other: |\n{misses}",
        "tests/cases/en/mixing/tea.yml": f"reaches:\n  proof: |\n{proving}",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


ENOUGH = {"examples": 30, "voices": 6, "near": 5, "proofs": 12}


@pytest.mark.parametrize(
    ("lacking", "told"),
    [
        ({}, []),
        ({"examples": 29}, ["29 examples of 'tea', 30 are needed"]),
        ({"voices": 5}, ["'tea' is said in 5 voices, 6 are needed"]),
        ({"near": 4}, ["4 near misses, 5 are needed"]),
        ({"proofs": 11}, ["11 messages prove 'tea', 12 are needed"]),
        ({"near": 4, "proofs": 0}, ["4 near misses", "0 messages prove 'tea'"]),
    ],
    ids=str,
)
def test_a_topic_with_too_little_is_told_of(
    tmp_path: Path, lacking: dict[str, int], told: list[str]
) -> None:
    a_topic(tmp_path, **ENOUGH | lacking)

    found = [problem.sentence for problem in too_little(tmp_path)]

    assert len(found) == len(told)
    assert all(sentence.startswith(start) for sentence, start in zip(found, told, strict=True))


def test_a_message_that_stands_twice_counts_once_and_voices_elsewhere_count_too(
    tmp_path: Path,
) -> None:
    a_topic(tmp_path, **ENOUGH | {"examples": 29})
    file = tmp_path / "intents/en/mixing/tea.yml"
    file.write_text(
        file.read_text("utf-8").replace(
            "voice0: |\n", "voice0: |\n    Message number 1 of many!\n"
        ),
        "utf-8",
    )
    twice = [problem.sentence for problem in too_little(tmp_path)]
    voice = tmp_path / "intents/en/voices/gran.yml"
    voice.parent.mkdir()
    voice.write_text("who: A\nstyle: hard\nmessages:\n  tea: |\n    and tea\n", "utf-8")

    assert [sentence[:2] for sentence in twice] == ["29"]
    assert too_little(tmp_path) == ()


def test_nothing_is_counted_while_a_file_with_messages_cannot_be_read(tmp_path: Path) -> None:
    a_topic(tmp_path, **ENOUGH | {"proofs": 1})
    (tmp_path / "tests/cases/en/mixing/zz.yml").write_text("reaches: [\n", "utf-8")

    assert too_little(tmp_path) == ()


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("answer: 'open\nmore: x\n", 1, 9, "the quote that opens here is never closed"),
        (
            "a: b\nc: 'it is\nd: it's e\n",
            2,
            4,
            "the quote that opens here is closed only in line 3",
        ),
        ("a: b\nc: [1, 2\nd: e\n", 2, 4, "the '[' that opens here is not closed"),
        ("a: {emergency} now\n", 1, 16, "did not find expected key"),
        ("a: {emergency\nb: c\n", 1, 4, "the '{' that opens here is not closed"),
        ("a: b\nc d\ne: f\n", 2, 1, "a line without ':'"),
        ("a: b\n\tc: d\n", 2, 1, "found a tab"),
        ("a: x: y\n", 1, 5, "mapping values are not allowed"),
        ("a: |\n  x\n y\nb: c\n", 3, 2, "did not find expected key"),
        ("a: é\nz: \x07b\n", 2, 4, "the character U+0007 is no text"),
        ("a: &x [*x]\n", 1, 1, "a part of the file holds itself"),
        ("", 1, 1, "the file is empty"),
        ("- a\n", 1, 1, "the file must be 'key: value' lines"),
    ],
    ids=lambda value: repr(value) if isinstance(value, str) else "",
)
def test_a_fault_of_yaml_is_told_where_it_was_made(
    tmp_path: Path, text: str, line: int, column: int, said: str
) -> None:
    (tmp_path / "a.yml").write_text(text, encoding="utf-8")
    problems = Problems()

    read(tmp_path / "a.yml", tmp_path, problems)

    (problem,) = problems.sorted()
    assert (problem.line, problem.column) == (line, column)
    assert problem.sentence.startswith(said)


def test_a_byte_that_is_not_utf8_is_told_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_bytes("a: é\nb: caf".encode() + b"\xe9\n")
    problems = Problems()

    read(tmp_path / "a.yml", tmp_path, problems)

    (problem,) = problems.sorted()
    assert (problem.line, problem.column, problem.rule) == (2, 7, "encoding")


@pytest.mark.parametrize(
    "text",
    [
        "Take 10 mg three times a day.",
        "take ten milligrams",
        "Take baclofen 10 mg at night.",
        "Take the 10 mg tablets three times a day.",
        "- Take 2.5 mg in the morning.",
        "It helps.\nTake 10 mg.",
        "First eat, then take 5-10 mg.",
        "If it hurts, take another pill.",
        "Rest and take 10 mg.",
        "Please take half your dose.",
        "Start with half a tablet.",
        "Take a double dose.",
        "Take one extra tablet.",
        "Cut your dose by 5 mg each week.",
        "Halve your dose to 5 mg.",
        "You can take 10 mg.",
        "You should take two tablets at night.",
        "You may safely take up to 60 mg a day.",
        "You could try a 25 mg dose.",
        "You need 10 mg.",
        "You can double your dose to 40 mg.",
        "Your dose should be 20 mg.",
        "We suggest 5 mg at night.",
        "Do not take more than 80 mg a day.",
    ],
)
def test_a_dose_that_a_reader_is_told_to_take_is_found(text: str) -> None:
    (order,) = dose_orders(text)

    assert order in text


@pytest.mark.parametrize(
    "text",
    [
        "The usual maximum is 80 mg a day.",
        "A common start for adults is 5 mg three times a day.",
        "The US label sets a ceiling of 80 mg a day, split into several doses.",
        "Most adults start at 5 mg and take 10 mg later.",
        "Doctors lower the dose by 5 to 10 mg a week.",
        "Tablets: the US has 5, 10, 15 and 20 mg.",
        "Do not take two tablets at once to catch up.",
        "You should not take two doses at once.",
        "Do not stop suddenly, even on 10 mg a day.",
        "Even one tablet can make a small child very ill.",
        "If you took 50 mg, call now.",
        "Have you taken 10 mg or more?",
        "Take your pump card with you.",
        "Take no spare tablets unless the clinic says so.",
        "Take extra care with liquids: mg and mL are not the same thing.",
        "Use a pill box.",
        "Ask your doctor whether a lower dose is right.",
    ],
)
def test_a_fact_about_doses_is_no_order(text: str) -> None:
    assert list(dose_orders(text)) == []
