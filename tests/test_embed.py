import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from bot import models, training
from bot.core.embed import Embedder, tokens_of
from bot.core.learn import Recipe
from bot.errors import ModelError

SMALL = Recipe(least=1, components=4, gram_rounds=20, meaning_rounds=20)
TEXTS = ["play some jazz", "put on a song", "will it rain", "is it sunny out"]
LABELS = ["music", "music", "weather", "weather"]


@pytest.fixture(scope="session")
def minilm() -> Embedder:
    return models.embedder(tuned=False)


def cosine(minilm: Embedder, one: str, other: str) -> float:
    return float(minilm(one)[-1] @ minilm(other)[-1])


def test_close_meanings_are_closer_than_close_words(minilm: Embedder):
    asked = "my mother will not wake up"

    assert cosine(minilm, asked, "mum is unconscious") > cosine(minilm, asked, "I woke up early")


def test_each_layer_is_a_unit_vector(minilm: Embedder):
    found = minilm("hello there")

    assert found.shape == (4, 384)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("text", ["", "\0", "☂", "a" * 100_000, "word " * 20_000, "نص عربي"])
def test_any_text_has_an_embedding(minilm: Embedder, text: str):
    assert np.isfinite(minilm(text)).all()


def test_an_embedding_does_not_depend_on_what_came_before(minilm: Embedder):
    first = minilm("is it safe to drive")
    minilm("something else, rather longer than the first one was")

    assert (minilm("is it safe to drive") == first).all()


def test_the_fast_graph_says_what_the_packaged_model_says(minilm: Embedder):
    model, tokenizer = models.minilm_files()
    packaged = Embedder(model, tokens_of(tokenizer)[0], name="packaged", digest="")

    for text in ("can I drink wine with it", "he took twenty and his lips are blue"):
        assert float(minilm(text)[-1] @ packaged(text)[-1]) > 0.97


def test_an_altered_model_is_refused():
    with pytest.raises(ModelError, match="has the SHA-256 digest"):
        models._pinned(*models.MODEL_FILE, "0" * 64)


def test_a_package_that_is_not_there_is_named():
    with pytest.raises(ModelError, match="no_such_package is not installed"):
        models._pinned("no_such_package", "model.onnx", "0" * 64)


def test_any_onnx_folder_can_take_its_place(tmp_path: Path, minilm: Embedder):
    for package, path in (models.MODEL_FILE, models.TOKENIZER_FILE):
        spec = find_spec(package)
        assert spec is not None
        assert spec.submodule_search_locations
        source = Path(spec.submodule_search_locations[0]) / path
        shutil.copy(source, tmp_path / source.name)

    other = models.embedder(tmp_path)

    assert other("hello").shape == (1, 384)
    assert other.digest != minilm.digest


def test_a_folder_without_a_model_is_refused(tmp_path: Path):
    with pytest.raises(ModelError, match=r"model\.onnx cannot be read"):
        models.embedder(tmp_path)


def test_a_broken_model_is_refused(tmp_path: Path):
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    (tmp_path / "tokenizer.json").write_text("{}")

    with pytest.raises(ModelError, match="cannot be used"):
        models.embedder(tmp_path)


def test_a_trained_reader_is_kept_and_read_back(tmp_path: Path, minilm: Embedder):
    told: list[str] = []

    def learn() -> object:
        reader = training.learned(
            TEXTS,
            LABELS,
            minilm,
            cache=tmp_path,
            recipe=SMALL,
            progress=lambda what, share: told.append(what),
        )
        return reader.read("a sunny song", minilm("a sunny song"))

    first = learn()
    trained = len(told)

    assert trained > 0
    assert learn() == first
    assert len(told) == trained


def test_a_change_of_the_examples_trains_anew_and_drops_the_oldest_files(tmp_path: Path):
    training.learned(TEXTS, LABELS, None, cache=tmp_path, recipe=SMALL)

    for number in range(6):
        changed = training.learned(
            [*TEXTS, f"set {number} alarms"],
            [*LABELS, "alarm"],
            None,
            cache=tmp_path,
            recipe=SMALL,
        )

    assert "alarm" in changed.labels
    assert len(list(tmp_path.glob("learned-*"))) == 5


def test_a_broken_cache_is_made_anew(tmp_path: Path):
    training.learned(TEXTS, LABELS, None, cache=tmp_path, recipe=SMALL)
    (kept,) = tmp_path.glob("learned-*")
    kept.write_bytes(b"not an archive")

    reader = training.learned(TEXTS, LABELS, None, cache=tmp_path, recipe=SMALL)

    assert reader.read("play a song").best == "music"


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path):
    (tmp_path / "file").write_text("")

    reader = training.learned(TEXTS, LABELS, None, cache=tmp_path / "file", recipe=SMALL)

    assert reader.read("play a song").best == "music"
