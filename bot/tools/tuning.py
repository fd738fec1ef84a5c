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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot import models
from bot.content import Loaded
from bot.core.embed import MAX_CHARACTERS, Tokens, Vectors, tokens_of
from bot.core.knowledge import level_of
from bot.core.minilm import (
    DOWN,
    EMBEDDINGS,
    EPSILON,
    HEADS,
    LAYER,
    UP,
    WHOLE,
    WIDTH,
    Tuning,
    Weights,
    base_weights,
    dense,
)  # fmt: skip
from bot.core.readers import seen_elsewhere
from bot.core.tongues import HOME
from bot.core.weigh import GROUPS
from bot.errors import ModelError
from bot.reading import words_of
from bot.tools.weighing import CALM, GROUP_OF, folds_of, own_voice

# torch ships types that strict checking cannot follow; its values are Any here.
torch: Any

RANK = 32
ENGLISH = 6_000  # examples that teach a model for other languages beside theirs
BATCH = 64
SMOOTHING = 0.05  # share of the truth that is spread over all labels
GROUP_SHARE = 0.5  # what the error in the level weighs beside the error in the label
DROPPED, DROPPED_AT_HEAD = 0.1, 0.2
WARMING = 0.06  # share of the steps until the rate is at its highest; it then falls as a cosine
LEAST_RATE = 0.02  # of the highest
HEAD_RATE, MATRIX_RATE, NORM_RATE = 3e-3, 1.5e-3, 5e-4
WHOLE_RATE = 5e-4
STEERED = 3.0  # what the distance to the wide model weighs beside the error in the label
WEIGHED_BY = 1_500  # texts that show which units do most
DECAY = 0.01
MISTYPED = 0.3  # share of the texts that get a typo each time they are seen
LOUDEST = 1.0  # length that a step's slopes are cut to
POOLED = 24  # batches whose texts are sorted by length together

LINEAR = (
    "attention.self.query", "attention.self.key", "attention.self.value",
    "attention.output.dense", "intermediate.dense", "output.dense",
)  # fmt: skip
NORMS = ("attention.output.LayerNorm", "output.LayerNorm")

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
    loaded: Loaded, *, trained: Path, keep_back: float, elsewhere: bool
) -> Iterator[Taught]:
    """The examples as the model shall see them; about the share `keep_back` of them is kept
    for strangers, whole voices of all sizes. The model for English is taught by what is taken
    for English; the one for other languages (`elsewhere`) by these and, lest it forget what
    English shows it, by ENGLISH examples.

    Raises ModelError for a missing model.
    """
    words = words_of(loaded, models.embedder(tuned=False), trained=trained)
    topics = loaded.knowledge.topics
    fold_of = folds_of([one.voice for one in loaded.teaching], round(1 / keep_back))
    heard = [one for one in loaded.teaching if fold_of[own_voice(one.voice)]]
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
    global torch
    try:
        import torch
    except ImportError as error:
        raise ModelError("tune needs PyTorch: pip install torch") from error
    torch.manual_seed(0)
    dice = random.Random(0)
    encoder = _Encoder(base, layers, begun)
    wide = None
    if narrow:
        wide, encoder = encoder, encoder.narrowed(base, narrow, [one.text for one in taught])
    labels = sorted({one.label for one in taught})
    group_of = {one.label: one.group for one in taught}
    head = _Head(labels, [group_of[label] for label in labels])
    optimiser = torch.optim.AdamW(
        [
            {"params": head.values, "lr": HEAD_RATE, "weight_decay": DECAY},
            {"params": encoder.factors, "lr": MATRIX_RATE, "weight_decay": DECAY},
            {"params": encoder.wholes, "lr": WHOLE_RATE, "weight_decay": DECAY},
            {"params": encoder.rest, "lr": NORM_RATE, "weight_decay": 0.0},
        ]
    )
    steps = rounds * math.ceil(len(taught) / BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, steps))
    done, lately = 0, 0.0
    for _ in range(rounds):
        for batch in _batches(taught, dice):
            texts = (_mistyped(one.text, dice)[:MAX_CHARACTERS] for one in batch)
            ids, known = _padded([base.tokens(text) for text in texts])
            states = list(encoder.states(ids, known, dropped=DROPPED))
            loss = head.loss(_mean(states[-1], known), batch)
            if wide is not None:
                with torch.no_grad():
                    aims = list(wide.states(ids, known))
                loss = loss + STEERED * _distance(states, aims, known)
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


class _Encoder:
    """The first layers of the model, for training: batches of texts in, token vectors out."""

    def __init__(self, base: Base, layers: int, begun: Tuning | None) -> None:
        self.layers = layers
        self.vectors = base.vectors
        begun_with = {} if begun is None else begun.arrays
        weights = base.weights
        kinds = weights.get(f"{EMBEDDINGS}token_type_embeddings.weight", np.zeros((1, WIDTH)))
        self.places = _tensor(dense(weights, f"{EMBEDDINGS}position_embeddings.weight") + kinds[0])
        self.matrices: dict[str, Any] = {}
        self.learned: dict[str, Any] = {}
        norms = [f"{EMBEDDINGS}LayerNorm"]
        for layer in range(layers):
            norms += [f"{LAYER}{layer}.{name}" for name in NORMS]
            for name in LINEAR:
                bias = f"{LAYER}{layer}.{name}.bias"
                self.learned[bias] = _tensor(begun_with.get(bias, weights[bias]))
                if bias + WHOLE in begun_with:
                    self.learned[bias + WHOLE] = _tensor(begun_with[bias + WHOLE])
                    continue
                self.matrices[bias] = _tensor(dense(weights, base.matrix_of[bias]))
                inputs, outputs = self.matrices[bias].shape
                down = torch.randn(inputs, RANK) / math.sqrt(inputs)
                self.learned[bias + DOWN] = _tensor(begun_with.get(bias + DOWN, down))
                self.learned[bias + UP] = _tensor(
                    begun_with.get(bias + UP, np.zeros((RANK, outputs)))
                )
        for name in norms:
            for part in (f"{name}.weight", f"{name}.bias"):
                self.learned[part] = _tensor(begun_with.get(part, weights[part]))
        for values in self.learned.values():
            values.requires_grad_(True)

    @property
    def factors(self) -> list[Any]:
        """What is learned beside the matrices."""
        return [values for name, values in self.learned.items() if name.endswith((DOWN, UP))]

    @property
    def wholes(self) -> list[Any]:
        """The matrices that are learned themselves."""
        return [values for name, values in self.learned.items() if name.endswith(WHOLE)]

    @property
    def rest(self) -> list[Any]:
        """The learned biases and norms."""
        ends = (DOWN, UP, WHOLE)
        return [values for name, values in self.learned.items() if not name.endswith(ends)]

    def arrays(self) -> dict[str, NDArray[np.float16]]:
        """What was learned, in half the digits."""
        return {
            name: values.detach().numpy().astype(np.float16)
            for name, values in self.learned.items()
        }

    def narrowed(self, base: Base, units: int, texts: Sequence[str]) -> _Encoder:
        """The same with the `units` of each feed-forward layer that do most on some `texts`."""
        some = random.Random(0).sample(list(texts), min(WEIGHED_BY, len(texts)))
        done: dict[str, Any] = {}
        with torch.no_grad():
            for text in some:
                ids, known = _padded([base.tokens(text[:MAX_CHARACTERS])])
                for _ in self.states(ids, known, done=done):
                    pass
        arrays: dict[str, NDArray[Any]] = dict(self.arrays())
        for layer in range(self.layers):
            first, second = (f"{LAYER}{layer}.{name}.bias" for name in LINEAR[4:])
            into, out = self._matrix(first).detach(), self._matrix(second).detach()
            kept = (done[first] * out.norm(dim=1)).argsort(descending=True)[:units].sort().values
            for bias, matrix in ((first, into[:, kept]), (second, out[kept])):
                arrays[bias + WHOLE] = matrix.numpy()
                del arrays[bias + DOWN], arrays[bias + UP]
            arrays[first] = arrays[first][kept.numpy()]
        return _Encoder(base, self.layers, Tuning(self.layers, arrays))

    def states(
        self, ids: Any, known: Any, *, dropped: float = 0.0, done: dict[str, Any] | None = None
    ) -> Iterator[Any]:
        """The vectors of the tokens after each layer. `done` adds up what each unit of the
        feed-forward layers did."""
        words = _tensor(self.vectors(ids.numpy().ravel())).view(*ids.shape, WIDTH)
        mixed = words + self.places[: ids.shape[1]]
        values = _dropped(self._normed(f"{EMBEDDINGS}LayerNorm", mixed), dropped)
        seen = known[:, None, None, :]
        for layer in range(self.layers):
            values = self._layer(f"{LAYER}{layer}.", values, seen, dropped, done)
            yield values

    def _layer(
        self, prefix: str, values: Any, seen: Any, dropped: float, done: dict[str, Any] | None
    ) -> Any:
        texts, length, width = values.shape
        query, key, value = (
            self._linear(f"{prefix}{name}.bias", values)
            .view(texts, length, HEADS, width // HEADS)
            .transpose(1, 2)
            for name in LINEAR[:3]
        )
        looked = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        looked = looked.transpose(1, 2).reshape(texts, length, width)
        turned = _dropped(self._linear(f"{prefix}{LINEAR[3]}.bias", looked), dropped)
        values = self._normed(f"{prefix}{NORMS[0]}", values + turned)
        first = f"{prefix}{LINEAR[4]}.bias"
        inner = torch.nn.functional.gelu(self._linear(first, values))
        if done is not None:
            done[first] = done.get(first, 0.0) + inner.abs().sum(dim=(0, 1))
        outer = _dropped(self._linear(f"{prefix}{LINEAR[5]}.bias", inner), dropped)
        return self._normed(f"{prefix}{NORMS[1]}", values + outer)

    def _matrix(self, bias: str) -> Any:
        if bias + WHOLE in self.learned:
            return self.learned[bias + WHOLE]
        return self.matrices[bias] + self.learned[bias + DOWN] @ self.learned[bias + UP]

    def _linear(self, bias: str, values: Any) -> Any:
        return values @ self._matrix(bias) + self.learned[bias]

    def _normed(self, name: str, values: Any) -> Any:
        gain, shift = self.learned[f"{name}.weight"], self.learned[f"{name}.bias"]
        return torch.nn.functional.layer_norm(values, (WIDTH,), gain, shift, EPSILON)


class _Head:
    """A linear model over the vectors; it only steers the training and is thrown away."""

    def __init__(self, labels: Sequence[str], groups: Sequence[int]) -> None:
        self.places = {label: place for place, label in enumerate(labels)}
        self.groups = torch.tensor(groups)
        coefficients = torch.randn(WIDTH, len(labels)) * (0.3 / math.sqrt(WIDTH))
        self.values = [coefficients.requires_grad_(True), torch.zeros(len(labels)).requires_grad_()]

    def loss(self, vectors: Any, batch: Sequence[Taught]) -> Any:
        """How far off the labels are, and the levels."""
        functional = torch.nn.functional
        scores = _dropped(vectors, DROPPED_AT_HEAD) @ self.values[0] + self.values[1]
        labels = torch.tensor([self.places[one.label] for one in batch])
        groups = torch.tensor([one.group for one in batch])
        logs = scores.log_softmax(-1)
        each = [logs[:, self.groups == group].logsumexp(1) for group in range(len(GROUPS))]
        by_label = functional.cross_entropy(scores, labels, label_smoothing=SMOOTHING)
        return by_label + GROUP_SHARE * functional.nll_loss(torch.stack(each, 1), groups)


def _mean(states: Any, known: Any) -> Any:
    """The mean vector of each text, over the tokens that are `known`."""
    share = known[..., None].float()
    return (states * share).sum(1) / share.sum(1)


def _distance(states: Sequence[Any], aims: Sequence[Any], known: Any) -> Any:
    """How far the token vectors are from those they aim at: one minus the cosine, on average."""
    cosine = torch.nn.functional.cosine_similarity
    far = [(1 - cosine(own, aim, dim=-1))[known] for own, aim in zip(states, aims, strict=True)]
    return torch.cat(far).mean()


def _tensor(values: Any) -> Any:
    return torch.tensor(np.asarray(values, np.float32))


def _dropped(values: Any, share: float) -> Any:
    return torch.nn.functional.dropout(values, share)


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


def _padded(rows: Sequence[list[int]]) -> tuple[Any, Any]:
    """The ids, filled up to the same length, and which of them are known."""
    length = max(map(len, rows))
    ids = torch.tensor([row + [0] * (length - len(row)) for row in rows])
    known = torch.tensor([[place < len(row) for place in range(length)] for row in rows])
    return ids, known


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
