"""How the tests read the content files, before anything of the product does it for them."""

from __future__ import annotations

import fcntl
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from bot.content import load
from bot.core.knowledge import Knowledge
from bot.core.repair import Vocabulary, repair, vocabulary_from
from bot.core.signals import Signals, signals_from
from bot.core.text import Utterance, normalise
from bot.core.triage import SignalReading, read_signals
from bot.core.words import Lexicon, lexicon_from

ROOT = Path(__file__).parents[1]


def read_yaml(path: Path) -> Any:
    """What the file holds, every scalar as text."""
    return yaml.load(path.read_text(encoding="utf-8"), yaml.CBaseLoader)


@lru_cache
def knowledge() -> Knowledge:
    """The curated knowledge of the shipped content, without any reader."""
    return load(ROOT).knowledge


@lru_cache
def lexicon() -> Lexicon:
    """The lexicon of the shipped content."""
    return lexicon_from(*(read_yaml(path) for path in _first_english("*/words.yml")))


@lru_cache
def signals() -> Signals:
    """The signals of the shipped content, of every language."""
    files = {str(p.relative_to(ROOT)): read_yaml(p) for p in _first_english("*/triage/*.yml")}
    return signals_from(files, lexicon())


@lru_cache
def vocabulary() -> Vocabulary:
    """The words that typo repair knows: those of the signals, and of the examples."""
    return vocabulary_from((*signals().vocabulary, *_example_words()), lexicon())


def understand(text: str) -> Utterance:
    """The message, normalised and repaired."""
    return repair(normalise(text, lexicon()), vocabulary())


def reading(text: str) -> SignalReading:
    """What the signals make of a message."""
    return read_signals(understand(text), signals())


def _example_words() -> list[str]:
    """Words that at least three teaching messages have, the most frequent first."""
    counts: Counter[str] = Counter()
    for path in sorted((ROOT / "intents" / "en").glob("*/*.yml")):
        if path.parent.name != "triage":
            counts.update(_words_of(read_yaml(path)))
    return [word for word, count in counts.most_common() if count >= 3]


def _words_of(data: Any) -> list[str]:
    blocks = [*data.get("examples", {}).values(), *data.get("messages", {}).values()]
    lines = "\n".join(blocks).splitlines()
    return [word for line in lines for word in {t.word for t in normalise(line, lexicon()).tokens}]


def _first_english(pattern: str) -> list[Path]:
    paths = sorted((ROOT / "intents").glob(pattern))
    return sorted(paths, key=lambda path: "en" not in path.parts)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Of the processes that run tests one trains, while the others wait for its readers."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
