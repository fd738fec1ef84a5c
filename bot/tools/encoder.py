"""The model while it is tuned: its first layers in PyTorch, and the head that steers them.

Imported by `tuning.tune` alone, since nothing else needs PyTorch.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from bot.core.embed import MAX_CHARACTERS
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
    dense,
)  # fmt: skip
from bot.core.weigh import GROUPS

if TYPE_CHECKING:
    from bot.tools.tuning import Base, Taught

RANK = 32
DROPPED, DROPPED_AT_HEAD = 0.1, 0.2
SMOOTHING = 0.05  # share of the truth that is spread over all labels
GROUP_SHARE = 0.5  # what the error in the level weighs beside the error in the label
WEIGHED_BY = 1_500  # texts that show which units do most

LINEAR = (
    "attention.self.query", "attention.self.key", "attention.self.value",
    "attention.output.dense", "intermediate.dense", "output.dense",
)  # fmt: skip
NORMS = ("attention.output.LayerNorm", "output.LayerNorm")


class Encoder:
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

    def narrowed(self, base: Base, units: int, texts: Sequence[str]) -> Encoder:
        """The same with the `units` of each feed-forward layer that do most on some `texts`."""
        some = random.Random(0).sample(list(texts), min(WEIGHED_BY, len(texts)))
        done: dict[str, Any] = {}
        with torch.no_grad():
            for text in some:
                ids, known = padded([base.tokens(text[:MAX_CHARACTERS])])
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
        return Encoder(base, self.layers, Tuning(self.layers, arrays))

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


class Head:
    """A linear model over the vectors; it only steers the training and is thrown away."""

    def __init__(self, labels: Sequence[str], groups: Sequence[int]) -> None:
        self.places = {label: place for place, label in enumerate(labels)}
        self.groups = torch.tensor(groups)
        coefficients = torch.randn(WIDTH, len(labels)) * (0.3 / math.sqrt(WIDTH))
        self.values = [coefficients.requires_grad_(True), torch.zeros(len(labels)).requires_grad_()]

    @classmethod
    def of(cls, taught: Sequence[Taught]) -> Head:
        """A head for the labels of these examples."""
        group_of = {one.label: one.group for one in taught}
        labels = sorted(group_of)
        return cls(labels, [group_of[label] for label in labels])

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


def padded(rows: Sequence[list[int]]) -> tuple[Any, Any]:
    """The ids, filled up to the same length, and which of them are known."""
    length = max(map(len, rows))
    ids = torch.tensor([row + [0] * (length - len(row)) for row in rows])
    known = torch.tensor([[place < len(row) for place in range(length)] for row in rows])
    return ids, known


def mean(states: Any, known: Any) -> Any:
    """The mean vector of each text, over the tokens that are `known`."""
    share = known[..., None].float()
    return (states * share).sum(1) / share.sum(1)


def distance(states: Sequence[Any], aims: Sequence[Any], known: Any) -> Any:
    """How far the token vectors are from those they aim at: one minus the cosine, on average."""
    cosine = torch.nn.functional.cosine_similarity
    far = [(1 - cosine(own, aim, dim=-1))[known] for own, aim in zip(states, aims, strict=True)]
    return torch.cat(far).mean()


def _tensor(values: Any) -> Any:
    return torch.tensor(np.asarray(values, np.float32))


def _dropped(values: Any, share: float) -> Any:
    return torch.nn.functional.dropout(values, share)
