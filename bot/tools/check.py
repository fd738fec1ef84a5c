"""`check`: everything that is wrong with content, what the loader does not see included.

That is: a topic that has too little, and a proving message that nearly stands in intents.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from rapidfuzz import fuzz

from bot.content import Loaded, Problem, Problems, intents, load
from bot.content.minimums import too_little
from bot.core.helplines import fold
from bot.core.signals import signals_from
from bot.core.words import lexicon_from
from bot.errors import ContentError

NEAR = 92.0  # rapidfuzz ratio, 0 to 100; from here on two messages are copies
RAREST = 3  # a near copy shares at least one of its rarest words
SHORTEST = 4  # words; shorter messages are alike by nature


def examine(root: Path) -> Loaded:
    """The content under `root`. Raises ContentError with every problem at once."""
    few = too_little(root)
    try:
        loaded = load(root, proofs=True)
        signals_from(loaded.signals, lexicon_from(*loaded.words))
    except ContentError as error:
        raise ContentError((*error.problems, *few)) from None
    found = (*few, *near_copies(root))
    if found:
        raise ContentError(found)
    return loaded


def near_copies(root: Path) -> tuple[Problem, ...]:
    """Every proving message that is nearly one of the teaching ones, with both places."""
    problems = Problems()
    taught = _teaching(root, problems)
    proving = intents.proving_files(root, problems)[1]
    texts = [fold(item.example.text) for item in taught]
    postings: dict[str, list[int]] = defaultdict(list)
    for index, text in enumerate(texts):
        for word in set(text.split()):
            postings[word].append(index)
    for item in proving:
        text = fold(item.example.text)
        if len(text.split()) < SHORTEST:
            continue
        rare = sorted(set(text.split()), key=lambda word: len(postings.get(word, ())))[:RAREST]
        candidates = {index for word in rare for index in postings.get(word, ())}
        for index in sorted(candidates):
            if fuzz.ratio(text, texts[index], score_cutoff=NEAR):
                near = taught[index]
                problems.add(
                    item.path,
                    item.place,
                    "near-copy",
                    f"nearly taught in {near.path}:{near.place[0]}; "
                    "a message that proves must not teach",
                )
                break
    return problems.sorted()


def _teaching(root: Path, problems: Problems) -> tuple[intents.Placed, ...]:
    placed = [item for file in intents.topic_files(root, problems) for item in file.examples]
    for folder in sorted((root / "intents").glob("*/voices")):
        language = folder.parent.name
        placed += intents.voice_files(folder, root, language, problems)[1]
    return tuple(placed)
