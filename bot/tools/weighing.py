"""`weigh`: fits the coefficients of bot/core/weigh.py on voices that taught nothing.

The voices that the embedding model was not tuned on are dealt into folds of like size. The
learned reader is taught without a fold and reads it; over these readings, beside the signals,
the coefficients are fitted. Each figure printed is for a fold that neither the reader nor the
coefficients have seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot import training
from bot.content import Loaded
from bot.core.knowledge import level_of
from bot.core.model import Level
from bot.core.policy import Policy
from bot.core.readers import Odds, is_english
from bot.core.triage import read_signals
from bot.core.weigh import GROUPS, features
from bot.reading import Embedders
from bot.tools.leave_out import Lessons

FOLDS = 5
ALWAYS_TAUGHT = -1  # the fold of voices that cannot be strangers
STRENGTH = 0.5  # inverse L2 penalty of the coefficients
ROUNDS = 500  # more than the optimiser needs
GROUP_OF = {Level.EMERGENCY: 0, Level.SUICIDE_CRISIS: 1, Level.URGENT: 2}
CALM = GROUPS.index("calm")
BARS = (
    (0.05, 0.15),
    (0.08, 0.2),
    (0.12, 0.25),
    (0.16, 0.3),
    (0.22, 0.35),
    (0.3, 0.4),
    (0.4, 0.5),
    (0.5, 0.5),
)

Numbers = NDArray[np.float32]
Coefficients = dict[str, tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class Stranger:
    """One message read by readers that never heard its voice.

    `group` is its place in GROUPS, `fold` the fold that it was in.
    """

    active: Mapping[str, float]
    group: int
    fold: int
    english: bool
    style: str


def folds_of(voices: Sequence[str], count: int = FOLDS) -> dict[str, int]:
    """The fold of each voice: the largest voices first, each to the emptiest fold.

    `voices` has the voice of each message. A voice's near misses go with it.
    """
    sizes = [0] * count
    found: dict[str, int] = {}
    for voice, size in Counter(map(own_voice, voices)).most_common():
        found[voice] = int(np.argmin(sizes))
        sizes[found[voice]] += size
    return found


def own_voice(voice: str) -> str:
    """The voice that a voice's near misses go with: its own."""
    return voice.removeprefix("near_")


def strangers(
    loaded: Loaded,
    embedders: Embedders,
    *,
    trained: Path,
    progress: training.Progress = training.in_silence,
) -> list[Stranger]:
    """Every example of a voice that no embedding model ever heard, as a stranger. Takes as
    long as FOLDS trainings."""
    lessons = Lessons(loaded, embedders, trained=trained, progress=progress)
    heard = embedders.heard
    fold_of = folds_of([one.voice for one in lessons.examples if one.voice not in heard])
    fold = np.array([
        ALWAYS_TAUGHT if one.voice in heard else fold_of[own_voice(one.voice)]
        for one in lessons.examples
    ])  # fmt: skip
    styles = {voice.id: voice.style for voice in loaded.voices}
    topics = loaded.knowledge.topics
    found: list[Stranger] = []
    for number in range(FOLDS):
        progress("Teaching without a fold", number / FOLDS)
        readers = lessons.readers(fold != number)
        for place in np.flatnonzero(fold == number):
            one = lessons.examples[place]
            english = is_english(lessons.words.language_of(one.text))
            utterance = lessons.words.as_read(one.text)
            odds = Odds.of(readers.understood(utterance, english=english).reading, topics)
            found.append(
                Stranger(
                    active=features(
                        odds.by_group,
                        read_signals(utterance, lessons.words.signals),
                        english=english,
                    ),
                    group=GROUP_OF.get(level_of(one.label, topics), CALM),
                    fold=number,
                    english=english,
                    style=styles.get(one.voice, ""),
                )
            )
    return found


def fitted(rows: Sequence[Stranger]) -> Coefficients:
    """The coefficients that fit these readings best, calm being 0."""
    from bot.core import softmax

    names = sorted({name for row in rows for name in row.active} - {"bias"})
    table = _table(rows, names)
    target = np.array([row.group for row in rows])
    linear = softmax.fit(table, target, strength=STRENGTH, rounds=ROUNDS)
    everything = np.vstack([linear.coefficients, linear.biases])
    against_calm = everything[:, :CALM] - everything[:, [CALM]]
    return {
        name: (float(row[0]), float(row[1]), float(row[2]))
        for name, row in zip((*names, "bias"), against_calm, strict=True)
    }


def _table(rows: Sequence[Stranger], names: Sequence[str]) -> Numbers:
    return np.array([[row.active.get(name, 0.0) for name in names] for row in rows], np.float32)


def probabilities(rows: Sequence[Stranger], coefficients: Coefficients) -> Numbers:
    """The probability of each of GROUPS for each row."""
    names = list(coefficients)
    weights = np.array([(*coefficients[name], 0.0) for name in names], np.float32)
    sums = _table(rows, names) @ weights
    powers = np.exp(sums - sums.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def by_others(rows: Sequence[Stranger]) -> Numbers:
    """The probabilities of each row, by coefficients fitted on the other folds."""
    found = np.zeros((len(rows), len(GROUPS)), np.float32)
    fold = np.array([row.fold for row in rows])
    for number in np.unique(fold):
        others = [row for row in rows if row.fold != number]
        own = [row for row in rows if row.fold == number]
        found[fold == number] = probabilities(own, fitted(others))
    return found


def report(rows: Sequence[Stranger], policy: Policy) -> Iterator[str]:
    """The coefficients as they stand in bot/core/weigh.py, and what each bar would catch."""
    own = (policy.crisis, policy.escalates)
    for title, name, english in (
        ("English", "COEFFICIENTS", True),
        ("other languages", "ELSEWHERE", False),
    ):
        chosen = [row for row in rows if row.english is english]
        yield f"== {title}: {len(chosen)} messages by voices left out"
        if not chosen:
            yield f"Every voice taught the embedding model, none is a stranger: {name} stays.\n"
            continue
        yield f"{name}: dict[str, tuple[float, float, float]] = {{"
        order = {feature: place for place, feature in enumerate(_order())}
        found = fitted(chosen)
        for feature in sorted(found, key=lambda one: order.get(one, len(order))):
            numbers = ", ".join(f"{number:.2f}" for number in found[feature])
            yield f'    "{feature}": ({numbers}),'
        yield "}"
        yield ""
        shares = by_others(chosen)
        for style in ("ordinary", "hard", ""):
            places = [place for place, row in enumerate(chosen) if row.style == style]
            if places:
                yield f"{style or 'no'} style: {len(places)} messages"
                yield from sweep([chosen[place] for place in places], shares[places], own)
        yield ""


def _order() -> Iterator[str]:
    yield from (f"log {group}" for group in GROUPS)
    yield from (f"signal {group}" for group in GROUPS)


def sweep(rows: Sequence[Stranger], shares: Numbers, own: tuple[float, float]) -> Iterator[str]:
    """What would be caught and falsely raised at several bars, `own` marked among them."""
    group = np.array([row.group for row in rows])
    crisis = shares[:, :2].sum(axis=1)
    escalates = shares[:, :CALM].sum(axis=1)
    yield "bars: crisis, any   crisis caught   urgent escalated   any false alarm   false crisis"
    for bars in sorted({*BARS, own}):
        serious = crisis >= bars[0]
        raised = serious | (escalates >= bars[1])
        mark = "*" if bars == own else " "
        yield (
            f"{mark} {bars[0]:.2f} {bars[1]:.2f}         {_share(serious, group < 2):>12}"
            f"{_share(raised, group == 2):>19}{_share(raised, group == CALM):>18}"
            f"{_share(serious, group == CALM):>15}"
        )


def _share(holds: NDArray[np.bool_], among: NDArray[np.bool_]) -> str:
    return f"{100 * holds[among].mean():.1f} %" if among.any() else "-"
