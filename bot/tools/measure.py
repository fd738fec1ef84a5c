"""`evaluate`: what is printed, over the proving messages and any labelled file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.content import Loaded, intents
from bot.content.problems import Problems
from bot.core.decide import Content
from bot.core.policy import Policy
from bot.reading import embedders
from bot.tools.evaluate import Judged, judge, reliability, report
from bot.tools.labelled import Row, from_examples, from_file
from bot.tools.leave_out import classifier, leave_one_voice_out
from bot.tools.mutate import recall
from bot.training import Progress

TOPIC_FILES = "one file a topic"


def proving_rows(root: Path, topics: dict[str, str]) -> tuple[Row, ...]:
    """The messages of tests/cases/, with the style of their voices."""
    voices, placed = intents.proving_files(root, Problems())
    styles = {voice.id: voice.style for voice in voices}
    examples = [item.example for item in placed]
    return from_examples(examples, topics, styles=styles, source="tests/cases")


def evaluate(
    root: Path, content: Content, files: Sequence[Path], *, mutations: bool = False
) -> Iterator[str]:
    """Every figure over tests/cases/ (or over the files, where some are named)."""
    classify = classifier(content)
    if files:
        for path in files:
            judged = judge(from_file(path), classify)
            yield from report(path.name, judged, groups=("level", "kind", "style"))
            yield from reliability(judged)
        return
    rows = proving_rows(root, dict(content.knowledge.topics))
    judged = judge(rows, classify)
    for style in ("ordinary", "hard", ""):
        of_style = tuple(pair for pair in judged if pair[0].style == style)
        title = f"tests/cases, {style} voices" if style else f"tests/cases, {TOPIC_FILES}"
        if of_style:
            yield from report(title, of_style, groups=("voice",) if style else ())
    yield from report("tests/cases, all", judged, groups=("level", "kind"))
    yield from reliability(judged)
    if mutations:
        yield from recall(rows, classify)


def strangers(
    loaded: Loaded,
    *,
    trained: Path,
    embeddings: str,
    voices: Sequence[str],
    policy: Policy,
    progress: Progress,
) -> Iterator[str]:
    """How we do on the next stranger: each voice read by readers that never heard it."""
    everything: list[Judged] = []
    for voice, judged in leave_one_voice_out(
        loaded,
        embedders(embeddings),
        trained=trained,
        policy=policy,
        voices=voices,
        progress=progress,
    ):
        yield from report(f"without {voice}", judged)
        everything += judged
    for style in ("ordinary", "hard", ""):
        of_style = tuple(pair for pair in everything if pair[0].style == style)
        if of_style:
            yield from report(f"left out, {style or 'no'} style", of_style)
    yield from report("left out, all", everything, groups=("voice", "level", "kind"))
    yield from reliability(everything)
