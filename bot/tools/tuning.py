"""`tune`: trains the first layers of the embedding model on our teaching examples.

The matrices stay as they are; what is learned is a correction of low rank for each (Hu, 2021),
beside biases and norms. A model that is to be `narrow` loses most units of its feed-forward
layers, keeps those that do most, learns these anew, and is steered by the wide one that it
begins with. Some voices are kept back, so that `weigh` and `evaluate
--leave-one-voice-out` can still ask what the readers make of strangers. Needs PyTorch, which
nothing else does: `pip install torch`. Takes about an hour on two cores.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot import models
from bot.content import Loaded
from bot.core.embed import MAX_CHARACTERS, Tokens, Vectors, tokens_of
from bot.core.knowledge import level_of
from bot.core.minilm import (
    EMBEDDINGS,
    Tuning,
    Weights,
    base_weights,
    dense,
)  # fmt: skip
from bot.core.readers import seen_elsewhere
from bot.core.tongues import HOME
from bot.errors import ModelError
from bot.reading import words_of
from bot.tools.weighing import CALM, GROUP_OF, folds_of, own_voice

HEARD = 1  # the fold of a voice that is known; the first one, 0, is kept back
ENGLISH = 12_000  # examples that teach a model for other languages beside theirs
BATCH = 64
WARMING = 0.06  # share of the steps until the rate is at its highest; it then falls as a cosine
LEAST_RATE = 0.02  # of the highest
HEAD_RATE, MATRIX_RATE, NORM_RATE = 3e-3, 1.5e-3, 5e-4
WHOLE_RATE = 5e-4
GOING_ON = 0.5  # of these rates (the head's stays), for a model that begins with what it knows
STEERED = 3.0  # what the distance to the wide model weighs beside the error in the label
DECAY = 0.01
MISTYPED = 0.3  # share of the texts that get a typo each time they are seen
LOUDEST = 1.0  # length that a step's slopes are cut to
POOLED = 24  # batches whose texts are sorted by length together

Told = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Taught:
    """One example; `text` as the readers see it, `group` that of its level, from 0."""

    text: str
    label: str
    group: int
    voice: str


@dataclass(frozen=True, slots=True)
class Base:
    """A model to be tuned: its weights (as `minilm.base_weights` gives them), what cuts texts
    into tokens, and the vectors of these."""

    weights: Weights
    matrix_of: dict[str, str]
    tokens: Tokens
    vectors: Vectors


def minilm_base() -> Base:
    """The installed model for English. Raises ModelError."""
    model, tokenizer = models.minilm_files()
    weights, matrix_of = base_weights(model)
    table = dense(weights, f"{EMBEDDINGS}word_embeddings.weight")
    return Base(weights, matrix_of, tokens_of(tokenizer)[0], lambda ids: table[ids])


def e5_base(layers: int) -> Base:
    """The installed model for other languages. Raises ModelError."""
    packed = models.e5_file()
    weights, matrix_of = packed.base_weights(layers)
    return Base(weights, matrix_of, packed.tokens(), packed.words)


def taught_by(
    loaded: Loaded,
    *,
    trained: Path,
    keep_back: float,
    elsewhere: bool,
    known: frozenset[str] = frozenset(),
) -> Iterator[Taught]:
    """The examples as the model shall see them. About the share `keep_back` of those by voices
    that are not `known` to it yet is kept for strangers, whole voices of all sizes. The model for
    English is taught by what is taken for English; the one for other languages (`elsewhere`) by
    these and, lest it forget what English shows it, by ENGLISH examples.

    Raises ModelError for a missing model.
    """
    words = words_of(loaded, models.embedder(tuned=False), trained=trained)
    topics = loaded.knowledge.topics
    strange = [one.voice for one in loaded.teaching if own_voice(one.voice) not in known]
    fold_of = folds_of(strange, round(1 / keep_back))
    heard = [one for one in loaded.teaching if fold_of.get(own_voice(one.voice), HEARD)]
    random.Random(0).shuffle(heard)
    english = 0
    for one in heard:
        if elsewhere and one.language == HOME:
            english += 1
            if english > ENGLISH:
                continue
        elif not elsewhere and not words.sound_english(one.text):
            continue
        yield Taught(
            seen_elsewhere(one.text) if elsewhere else words.as_read(one.text).text,
            one.label,
            GROUP_OF.get(level_of(one.label, topics), CALM),
            one.voice,
        )


def tune(
    taught: Sequence[Taught],
    base: Base,
    *,
    layers: int,
    rounds: int,
    begun: Tuning | None = None,
    narrow: int = 0,
    progress: Told,
) -> Tuning:
    """What `rounds` over the examples make of the first `layers` layers, from `begun` on, with
    `narrow` units in each feed-forward layer, or all of them (0).

    Raises ModelError if PyTorch is not installed.
    """
    try:
        import torch

        from bot.tools.encoder import DROPPED, Encoder, Head, distance, mean, padded
    except ImportError as error:
        raise ModelError("tune needs PyTorch: pip install torch") from error
    torch.manual_seed(0)
    dice = random.Random(0)
    encoder = Encoder(base, layers, begun)
    wide = None
    if narrow:
        wide, encoder = encoder, encoder.narrowed(base, narrow, [one.text for one in taught])
    head = Head.of(taught)
    share = GOING_ON if begun and not narrow else 1.0
    optimiser = torch.optim.AdamW(
        [
            {"params": head.values, "lr": HEAD_RATE, "weight_decay": DECAY},
            {"params": encoder.factors, "lr": share * MATRIX_RATE, "weight_decay": DECAY},
            {"params": encoder.wholes, "lr": share * WHOLE_RATE, "weight_decay": DECAY},
            {"params": encoder.rest, "lr": share * NORM_RATE, "weight_decay": 0.0},
        ]
    )
    steps = rounds * math.ceil(len(taught) / BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, steps))
    done, lately = 0, 0.0
    for _ in range(rounds):
        for batch in _batches(taught, dice):
            texts = (_mistyped(one.text, dice)[:MAX_CHARACTERS] for one in batch)
            ids, known = padded([base.tokens(text) for text in texts])
            states = list(encoder.states(ids, known, dropped=DROPPED))
            loss = head.loss(mean(states[-1], known), batch)
            if wide is not None:
                with torch.no_grad():
                    aims = list(wide.states(ids, known))
                loss = loss + STEERED * distance(states, aims, known)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_([*encoder.learned.values(), *head.values], LOUDEST)
            optimiser.step()
            schedule.step()
            done += 1
            lately += (loss.item() - lately) / min(done, 50)
            progress(f"Tuning, loss {lately:.2f}", done / steps)
    heard = frozenset(one.voice for one in taught)
    return Tuning(layers, encoder.arrays(), heard | (begun.heard if begun else frozenset()))


def _rate(step: int, steps: int) -> float:
    warm = min(1.0, (step + 1) / (WARMING * steps))
    return warm * max(LEAST_RATE, 0.5 * (1 + math.cos(math.pi * step / steps)))


def _batches(taught: Sequence[Taught], dice: random.Random) -> Iterator[list[Taught]]:
    """All examples in random batches of texts of like length."""
    mixed = list(taught)
    dice.shuffle(mixed)
    found: list[list[Taught]] = []
    for start in range(0, len(mixed), BATCH * POOLED):
        pool = sorted(mixed[start : start + BATCH * POOLED], key=lambda one: len(one.text))
        found += [pool[place : place + BATCH] for place in range(0, len(pool), BATCH)]
    dice.shuffle(found)
    yield from found


def _mistyped(text: str, dice: random.Random) -> str:
    """The text, now and then with a letter lost, swapped, doubled or struck wrongly."""
    if dice.random() > MISTYPED or len(text) < 6:
        return text
    letters = list(text)
    for _ in range(1 + len(letters) // 40):
        place = dice.randrange(1, len(letters) - 1)
        kind = dice.random()
        if kind < 0.35:
            del letters[place]
        elif kind < 0.6:
            letters[place], letters[place - 1] = letters[place - 1], letters[place]
        elif kind < 0.8:
            letters.insert(place, letters[place])
        else:
            letters[place] = dice.choice("abcdefghijklmnopqrstuvwxyz")
        if len(letters) < 5:
            break
    return "".join(letters)
