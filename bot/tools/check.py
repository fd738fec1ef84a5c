"""`check`: what the loader does not see: a proving message that nearly stands in intents."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from rapidfuzz import fuzz

from bot.content import Problem, intents
from bot.content.problems import Problems
from bot.core.helplines import fold

NEAR = 92.0  # rapidfuzz ratio, 0 to 100; from here on two messages are copies
RAREST = 3  # a near copy shares at least one of its rarest words
SHORTEST = 4  # words; shorter messages are alike by nature


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
