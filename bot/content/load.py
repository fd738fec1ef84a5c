"""Loads all content at once, or says everything that is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.content import intents, responses
from bot.content.numbers import helplines_from
from bot.content.problems import Problems
from bot.content.unfilled import check_examples_filled
from bot.content.yaml_text import plain_table, read
from bot.core.knowledge import Book, Knowledge, Wordings
from bot.core.model import Example, Versions
from bot.errors import ContentError

ENGINE_VERSION = "1"
LANGUAGES = ("en", "es", "fr", "de", "pt", "it", "nl", "pl", "ru", "uk", "tr", "ar", "hi")


@dataclass(frozen=True, slots=True)
class Loaded:
    """Content that passed its checks: curated knowledge, and what the readers learn from.

    `signals` are the parsed files of intents/<language>/triage/, by path; `words` are
    intents/<language>/words.yml, English first. `version` changes with any byte
    of intents/, on which all that is learned hangs: an answer may change without new training.
    """

    knowledge: Knowledge
    teaching: tuple[Example, ...]
    voices: tuple[intents.Voice, ...]
    signals: Mapping[str, Mapping[str, Any]]
    words: tuple[Mapping[str, Any], ...]
    version: str


def load(root: Path, *, retention_days: int = 30, proofs: bool = False) -> Loaded:
    """Everything under intents/ and responses/; with `proofs`, tests/cases/ is checked too.

    Raises ContentError with every problem at once, each at `path:line:column`.
    """
    problems = Problems()
    files = intents.topic_files(root, problems)
    topics = {file.topic: file.group for file in files}
    voices, said = teaching_voices(root, problems)
    placed = tuple(item for file in files for item in file.examples) + said
    books = {
        language: responses.read_book(root, language, topics, problems)
        for language in LANGUAGES
        if (root / "responses" / language / "phrases.yml").exists() or language == "en"
    }
    _check_complete(books["en"], files, problems)
    intents.check_labels(placed, topics, problems)
    proving = intents.proving_files(root, problems)[1] if proofs else ()
    intents.check_labels(proving, topics, problems)
    check_examples_filled((*placed, *proving), problems)
    intents.check_same_text(placed, proving, problems)
    knowledge = _knowledge(root, problems, files, topics, books, retention_days)
    signals, words = _signals(root, problems)
    if problems.found:
        raise ContentError(problems.sorted())
    return Loaded(
        knowledge=knowledge,
        teaching=tuple(item.example for item in placed),
        voices=voices,
        signals=signals,
        words=words,
        version=version_of(root, "intents"),
    )


def teaching_voices(
    root: Path, problems: Problems
) -> tuple[tuple[intents.Voice, ...], tuple[intents.Placed, ...]]:
    """The voices of every language and what they say."""
    voices: list[intents.Voice] = []
    said: list[intents.Placed] = []
    for language in LANGUAGES:
        folder = root / "intents" / language / "voices"
        found, examples = intents.voice_files(folder, root, language, problems)
        voices += found
        said += examples
    return tuple(voices), tuple(said)


def version_of(root: Path, *folders: str) -> str:
    """A short hash over every YAML file of the folders, names included."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted((root / folder).rglob("*.yml")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _knowledge(
    root: Path,
    problems: Problems,
    files: tuple[intents.TopicFile, ...],
    topics: dict[str, str],
    books: Mapping[str, Book],
    retention_days: int,
) -> Knowledge:
    helplines_path = root / "responses" / "helplines.yml"
    helplines = helplines_from(
        read(helplines_path, root, problems),
        read(root / "intents" / "en" / "countries.yml", root, problems),
    )
    return Knowledge(
        versions=Versions(
            engine=ENGINE_VERSION,
            content=version_of(root, "intents", "responses"),
            helplines=hashlib.sha256(
                helplines_path.read_bytes() if helplines_path.exists() else b""
            ).hexdigest()[:12],
        ),
        topics=topics,
        questions={file.topic: file.question for file in files},
        books=books,
        helplines=helplines,
        wordings=_wordings(root, problems, topics),
        retention_days=retention_days,
        groups=tuple(dict.fromkeys(topics.values())),
        staff_texts=responses.read_staff_texts(root, problems),
    )


def _wordings(root: Path, problems: Problems, topics: dict[str, str]) -> Wordings:
    """The typed replies of intents/, and those that only the guide reads."""
    found = intents.wordings(root, problems, topics)
    typed = responses.read_typed(root, problems)
    groups = {
        name: found.groups.get(name, ()) + typed.get(name, ()) for name in {*found.groups, *typed}
    }
    return replace(found, groups=groups)


def _signals(
    root: Path, problems: Problems
) -> tuple[dict[str, Mapping[str, Any]], tuple[Mapping[str, Any], ...]]:
    signals: dict[str, Mapping[str, Any]] = {}
    for language in LANGUAGES:
        for path in sorted((root / "intents" / language / "triage").glob("*.yml")):
            sheet = read(path, root, problems)
            signals[sheet.path] = plain_table(sheet.table)
    paths = [root / "intents" / language / "words.yml" for language in LANGUAGES]
    words = tuple(
        plain_table(read(path, root, problems).table)
        for path in paths
        if path.exists() or path == paths[0]
    )
    return signals, words


def _check_complete(
    english: Book, files: tuple[intents.TopicFile, ...], problems: Problems
) -> None:
    for file in files:
        path = f"responses/en/{file.group}/{file.topic}.yml"
        if file.topic not in english.answers:
            problems.add(path, (1, 1), "missing-answer", "the topic has no answer; write this file")
    for label in intents.ESCALATING_LABELS:
        if label not in english.cards:
            where = f"{label}/{label}" if "/" not in label else label
            path = f"responses/en/levels/{where}.yml"
            problems.add(path, (1, 1), "missing-card", "no card; write this file")
