"""What training on our own examples adds to the embedding model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot import models
from bot.content import load
from bot.core.decide import Content
from bot.core.embed import Embedder, tokens_of
from bot.core.minilm import DOWN, LAYER, UP, WHOLE, WIDTH, Tuning, base_weights, dense, fast_graph
from bot.errors import ModelError
from bot.tools.leave_out import voices_of
from bot.tools.tuning import Base, Taught, e5_base, minilm_base, tune
from bot.tools.weighing import own_voice

ROOT = Path(__file__).parent.parent
PHRASES = ("he took twenty pills", "can i drink wine with it", "she will not wake up", "hello")


@pytest.fixture(scope="module")
def ours() -> Embedder:
    return models.embedder()


@pytest.fixture(scope="module")
def general() -> Embedder:
    return models.embedder(tuned=False)


def test_the_tuned_model_tells_danger_from_its_harmless_twin_more_clearly(
    ours: Embedder, general: Embedder
):
    danger, same, harmless = "he wont wake up", "cannot rouse her", "he wont get up for school"

    def gain(embed: Embedder) -> float:
        vector = embed(danger)[-1]
        return float(vector @ embed(same)[-1] - vector @ embed(harmless)[-1])

    assert gain(ours) > gain(general)


def test_an_altered_tuning_is_refused_with_the_way_to_mend_it(tmp_path: Path):
    altered = tmp_path / "minilm.npz"
    altered.write_bytes(models.TUNING_FILE.read_bytes()[:-1] + b"x")

    with pytest.raises(ModelError, match="check the file out again"):
        models.tuning(altered)


def test_a_tuning_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ModelError, match=r"minilm\.npz cannot be read"):
        models.tuning(tmp_path / "minilm.npz")


def test_a_tuning_is_kept_and_read_back(tmp_path: Path):
    own = models.tuning()

    digest = models.save_tuning(own, tmp_path / "copy.npz")
    back = models.tuning(tmp_path / "copy.npz", digest)

    assert back.layers == own.layers
    assert back.heard == own.heard
    assert all((back.arrays[name] == values).all() for name, values in own.arrays.items())


@pytest.mark.parametrize("kind", ["corrected", "whole"])
def test_a_tuning_that_changes_nothing_leaves_the_model_as_it_was(general: Embedder, kind: str):
    files = models.minilm_files()
    weights, matrix_of = base_weights(files[0])
    arrays = {}
    for bias, matrix in matrix_of.items():
        values = dense(weights, matrix)
        if kind == "whole":
            arrays[bias + WHOLE] = values
        else:
            arrays[bias + DOWN], arrays[bias + UP] = values[:, :2], 0 * values[:2]

    graph = fast_graph(files[0], Tuning(6, arrays))
    same = Embedder(graph, tokens_of(files[1])[0], name="same", digest="", fused=True)

    for text in PHRASES:
        assert float(same(text)[-1] @ general(text)[-1]) > 0.99


def test_some_voices_were_never_heard_so_that_strangers_can_be_measured(ours: Embedder):
    loaded = load(ROOT)

    strangers = voices_of(loaded, ours.heard)

    assert len(strangers) >= 10
    with_near = {one.voice for one in loaded.teaching if own_voice(one.voice) in strangers}
    assert not with_near & ours.heard
    sizes = [one.voice in ours.heard for one in loaded.teaching]
    assert 0.05 < 1 - sum(sizes) / len(sizes) < 0.4


@pytest.mark.parametrize(
    ("text", "plain"),
    [("i cannot wake him", "i can not wake him"), ("im not breathing well", "i am not breathing")],
)
def test_words_that_the_model_knows_are_still_read_as_contractions(
    content: Content, text: str, plain: str
):
    assert content.reader.detail(text).normalised.startswith(plain)


@pytest.mark.parametrize("base", [minilm_base, lambda: e5_base(1)], ids=["MiniLM", "E5"])
def test_tuning_learns_from_examples_and_can_go_on(base: Callable[[], Base]):
    pytest.importorskip("torch", reason="PyTorch is for tuning only and not in the lock files")
    model = base()
    taught = [Taught(text, text, place, "voice") for place, text in enumerate(PHRASES)]
    told: list[str] = []

    def made(begun: Tuning | None, narrow: int = 0) -> Tuning:
        return tune(taught * 40, model, layers=1, rounds=3, begun=begun, narrow=narrow,
                    progress=lambda what, _share: told.append(what))  # fmt: skip

    first = made(None)
    narrow = made(first, narrow=64)
    again = made(narrow)

    assert first.heard == narrow.heard == again.heard == {"voice"}
    matrix = f"{LAYER}0.intermediate.dense.bias{WHOLE}"
    assert again.arrays[matrix].shape == narrow.arrays[matrix].shape == (WIDTH, 64)
    losses = [float(what.rpartition(" ")[2]) for what in told]
    assert losses[-1] < losses[0]


def test_without_pytorch_tuning_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)

    with pytest.raises(ModelError, match="pip install torch"):
        tune([], minilm_base(), layers=1, rounds=1, progress=lambda *_: None)
