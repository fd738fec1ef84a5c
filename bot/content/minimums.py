"""How much each topic must have before it is served: examples, near misses, proofs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bot.content import intents
from bot.content.intents import NEAR, Placed, TopicFile
from bot.content.problems import Problem, Problems
from bot.content.unfilled import is_unfilled
from bot.core.helplines import fold

EXAMPLES = 30  # messages that teach a topic, in English
VOICES = 6  # in which they are
NEAR_MISSES = 5  # messages that look like the topic and belong elsewhere
PROVING = 12  # messages in tests/cases/ that must reach it


def too_little(root: Path) -> tuple[Problem, ...]:
    """Each topic that has too little of something.

    The same message twice counts once. Nothing is told while a file that holds messages cannot
    be read: what is missing may stand in it.
    """
    problems, unread = Problems(), Problems()
    files = intents.topic_files(root, unread)
    said = intents.voice_files(root / "intents" / "en" / "voices", root, "en", unread)[1]
    proving = intents.proving_files(root, unread)[1]
    if unread.unreadable:
        return ()
    every = (*(each for file in files for each in file.examples), *said)
    taught = intents.by_label(each for each in every if not is_unfilled(each))
    proved = intents.by_label(
        each for each in proving if each.example.language == "en" and not is_unfilled(each)
    )
    for file in files:
        _check(file, taught.get(file.topic, ()), proved.get(file.topic, ()), problems)
    return problems.sorted()


def _check(
    file: TopicFile, taught: Iterable[Placed], proved: Iterable[Placed], problems: Problems
) -> None:
    own = tuple(each for each in taught if not each.example.voice.startswith(NEAR))
    voices = {each.example.voice for each in own}
    examples, proofs = _texts(own), _texts(proved)
    near = _texts(each for each in file.examples if each.example.voice == NEAR + file.topic)
    where = "'examples' or in intents/en/voices/"
    if examples < EXAMPLES:
        said = f"{examples} examples of '{file.topic}', {EXAMPLES} are needed; add some to {where}"
        problems.add(file.path, file.examples_at, "minimum", said)
    elif len(voices) < VOICES:
        said = (
            f"'{file.topic}' is said in {len(voices)} voices, {VOICES} are needed; add messages "
            f"of other people to {where}"
        )
        problems.add(file.path, file.examples_at, "minimum", said)
    if near < NEAR_MISSES:
        said = f"{near} near misses, {NEAR_MISSES} are needed; add some to 'near_misses'"
        problems.add(file.path, file.near_at, "minimum", said)
    if proofs < PROVING:
        path = f"tests/cases/en/{file.group}/{file.topic}.yml"
        said = (
            f"{proofs} messages prove '{file.topic}', {PROVING} are needed; add some to 'reaches'"
        )
        problems.add(path, (1, 1), "minimum", said)


def _texts(placed: Iterable[Placed]) -> int:
    """How many different messages these are."""
    kept = (each.example.text for each in placed if not is_unfilled(each))
    return len({fold(text) or text for text in kept})
