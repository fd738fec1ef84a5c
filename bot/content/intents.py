"""What people say: topics, examples by voice and typed wordings from intents/<language>/."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bot.content.problems import Problems
from bot.content.yaml_text import Place, Sheet, read
from bot.core.helplines import fold
from bot.core.knowledge import FollowUp, Wordings
from bot.core.model import Example, Level

EMERGENCY_KINDS = (
    "overdose", "breathing", "unresponsive", "seizure", "withdrawal", "suicide_attempt",
    "allergic", "child", "pump", "other",
)  # fmt: skip
URGENT_KINDS = ("mixed", "extra_dose", "stopped", "drowsy", "pump_alarm", "other")
OUTSIDE_KINDS = (
    "pet", "other_medicine", "other_health", "figure_of_speech", "everyday", "news_study",
    "nonsense",
)  # fmt: skip
ESCALATING_LABELS = (
    *(f"emergency/{kind}" for kind in EMERGENCY_KINDS),
    Level.SUICIDE_CRISIS.label,
    *(f"urgent/{kind}" for kind in URGENT_KINDS),
)
FIXED_LABELS = (*ESCALATING_LABELS, *(f"out_of_scope/{kind}" for kind in OUTSIDE_KINDS))
NOT_GROUPS = {"triage", "voices"}
STYLES = ("ordinary", "hard")
NEAR = "near_"  # what the voice of a topic's near misses begins with


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks in a file of examples. `style` is ordinary or hard."""

    id: str
    who: str
    style: str


@dataclass(frozen=True, slots=True)
class Placed:
    """An example and where it stands."""

    example: Example
    path: str
    place: Place


@dataclass(frozen=True, slots=True)
class TopicFile:
    """One topic's part of intents/: its group, the question it answers, its examples.

    `path` is the file's, `examples_at` and `near_at` are where the two lists begin.
    """

    topic: str
    group: str
    question: str
    examples: tuple[Placed, ...]
    path: str
    examples_at: Place
    near_at: Place


def topic_files(root: Path, problems: Problems) -> tuple[TopicFile, ...]:
    """Every topic: the tree is the registry, the file's name is the id."""
    found = []
    for path in sorted((root / "intents" / "en").glob("*/*.yml")):
        if path.parent.name in NOT_GROUPS:
            continue
        sheet = read(path, root, problems)
        sheet.only("question", "examples", "near_misses")
        examples = (
            *_blocks(sheet.sub("examples", required=True), label=path.stem, language="en"),
            *_near_misses(sheet.sub("near_misses"), path.stem),
        )
        question = sheet.text("question", required=True)
        found.append(
            TopicFile(
                topic=path.stem,
                group=path.parent.name,
                question=question,
                examples=examples,
                path=sheet.path,
                examples_at=sheet.place("examples"),
                near_at=sheet.place("near_misses"),
            )
        )
    return tuple(found)


def voice_files(
    folder: Path, root: Path, language: str, problems: Problems
) -> tuple[tuple[Voice, ...], tuple[Placed, ...]]:
    """The voices of a folder and what they say."""
    voices, examples = [], []
    for path in sorted(folder.glob("*.yml")):
        sheet = read(path, root, problems)
        sheet.only("who", "style", "messages", "reviewed")
        style = sheet.text("style", required=True)
        if style and style not in STYLES:
            sheet.report(
                sheet.place("style"), "value", f"style is '{style}'; write ordinary or hard"
            )
        voices.append(Voice(path.stem, sheet.text("who", required=True), style))
        messages = sheet.sub("messages", required=True)
        examples += [
            placed
            for label in messages.table.items
            for placed in _block(messages, label, label=label, voice=path.stem, language=language)
        ]
    return tuple(voices), tuple(examples)


def proving_files(root: Path, problems: Problems) -> tuple[tuple[Voice, ...], tuple[Placed, ...]]:
    """The messages that prove: tests/cases/<language>/<group>/<topic>.yml and voices."""
    cases = root / "tests" / "cases"
    voices: list[Voice] = []
    examples: list[Placed] = []
    for folder in sorted(cases.glob("*/*")):
        language = folder.parent.name
        if folder.parent.name == "triage" or not folder.is_dir():
            continue
        if folder.name == "voices":
            more_voices, said = voice_files(folder, root, language, problems)
            voices += more_voices
            examples += said
            continue
        for path in sorted(folder.glob("*.yml")):
            sheet = read(path, root, problems)
            sheet.only("reaches")
            examples += _blocks(
                sheet.sub("reaches", required=True), label=path.stem, language=language
            )
    return tuple(voices), tuple(examples)


def wordings(root: Path, problems: Problems, topics: dict[str, str]) -> Wordings:
    """intents/en/replies.yml: yes, no, "help is coming", follow-ups."""
    sheet = read(root / "intents" / "en" / "replies.yml", root, problems)
    sheet.only("groups", "follow_ups")
    groups = sheet.sub("groups", required=True)
    follow_ups = sheet.sub("follow_ups")
    return Wordings(
        groups={key: _folded(groups, key) for key in groups.table.items},
        follow_ups=tuple(
            _follow_up(follow_ups.sub(key), key, topics) for key in follow_ups.table.items
        ),
    )


def by_label(placed: Iterable[Placed]) -> defaultdict[str, list[Placed]]:
    """The messages of each label, in their order; none of a label that nobody gave."""
    found: defaultdict[str, list[Placed]] = defaultdict(list)
    for each in placed:
        found[each.example.label].append(each)
    return found


def check_labels(placed: tuple[Placed, ...], topics: dict[str, str], problems: Problems) -> None:
    """Reports examples under a label that does not exist."""
    known = {*FIXED_LABELS, *topics}
    told = set()
    for item in placed:
        key = (item.path, item.example.label)
        if item.example.label in known or key in told:
            continue
        told.add(key)
        problems.add(
            item.path,
            item.place,
            "unknown-label",
            f"'{item.example.label}' is no level/kind and no topic; docs/editors.md lists them",
        )


def check_same_text(
    teaching: tuple[Placed, ...], proving: tuple[Placed, ...], problems: Problems
) -> None:
    """Reports a message taught under two labels, and one that is both taught and proved."""
    taught: dict[str, Placed] = {}
    for item in teaching:
        key = fold(item.example.text) or item.example.text
        first = taught.setdefault(key, item)
        if first.example.label != item.example.label:
            problems.add(
                item.path,
                item.place,
                "two-labels",
                f"also taught as '{first.example.label}' in {first.path}:{first.place[0]}; "
                "keep one",
            )
    for item in proving:
        first_taught = taught.get(fold(item.example.text) or item.example.text)
        if first_taught:
            problems.add(
                item.path,
                item.place,
                "taught-and-proved",
                f"also taught in {first_taught.path}:{first_taught.place[0]}; "
                "a message that proves must not teach",
            )


def _blocks(sheet: Sheet, *, label: str, language: str) -> tuple[Placed, ...]:
    return tuple(
        placed
        for voice in sheet.table.items
        for placed in _block(sheet, voice, label=label, voice=voice, language=language)
    )


def _near_misses(sheet: Sheet, topic: str) -> tuple[Placed, ...]:
    return tuple(
        placed
        for label in sheet.table.items
        for placed in _block(sheet, label, label=label, voice=NEAR + topic, language="en")
    )


def _block(sheet: Sheet, key: str, *, label: str, voice: str, language: str) -> tuple[Placed, ...]:
    return tuple(
        Placed(Example(text, label, voice, language), sheet.path, place)
        for text, place in sheet.lines(key)
    )


def _folded(sheet: Sheet, key: str) -> tuple[str, ...]:
    return tuple(fold(text) for text, _ in sheet.lines(key) if fold(text))


def _follow_up(sheet: Sheet, key: str, topics: dict[str, str]) -> FollowUp:
    sheet.only("after", "to", "words")
    goes_to = sheet.text("to", required=True)
    after = tuple(part.strip() for part in sheet.text("after", required=True).split(","))
    for name in (goes_to, *after):
        if name not in topics and name not in topics.values():
            sheet.report(sheet.table.place, "unknown-topic", f"'{name}' is no topic and no group")
    return FollowUp(key, after, _folded(sheet, "words"), goes_to)
