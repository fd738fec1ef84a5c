"""What training makes of the examples, and the folder that keeps it for the next start."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.core import tongues
from bot.core.grams import Vocabulary
from bot.core.learn import STANDARD, Learned, Linear, Recipe, Vectors, known_labels
from bot.core.tongues import Tongues
from bot.errors import ModelError
from bot.models import Embeds

FORMAT = 4  # of the cache files; a change makes all of them anew
# The modules of our core that what is learned hangs on: how texts are read, and how it is taught.
LEARNING = (
    "amounts", "e5", "embed", "grams", "learn", "minilm", "network", "readers", "repair", "softmax",
    "teach", "text", "tongues", "words",
)  # fmt: skip
KEPT = 5  # files of each sort: readers of both kinds, with and without embeddings, and one more
WORKERS = 2  # threads that embed the examples; each text is embedded singly

Progress = Callable[[str, float], None]  # is told what goes on and the share that is done


def in_silence(_what: str, _share: float) -> None:
    """Progress that is told to nobody."""


def learned(
    texts: Sequence[str],
    labels: Sequence[str],
    embed: Embeds | None,
    *,
    cache: Path,
    prepare: Callable[[str], str] = str,
    embedded_as: Callable[[str], str] | None = None,
    depends_on: str = "",
    recipe: Recipe = STANDARD,
    progress: Progress = in_silence,
) -> Learned:
    """The reader for these examples: from the folder `cache` if it was trained before,
    else trained now and kept there. Embeddings are kept by text, so that a change of a
    few examples embeds only those. An unreadable or unwritable cache is done without.

    `prepare` makes of each text what the reader shall see, when it is trained, and
    `embedded_as` what the embedder shall see, where that is something else. `depends_on`
    names what `prepare` hangs on beside our own code: a version of content.
    """
    model = "" if embed is None else embed.digest
    key = _key(model, depends_on, asdict(recipe), list(texts), list(labels))
    kept = _load_learned(cache / f"learned-{key}.npz", recipe)
    if kept is not None:
        return kept
    as_typed, texts = texts, [prepare(text) for text in texts]
    seen = texts if embedded_as is None else [embedded_as(text) for text in as_typed]
    # Imported here: scipy takes a second to import, and only training needs it.
    from bot.core.teach import learn_grams, train

    def told(share: float) -> None:
        progress("Learning from the examples", share)

    if embed is None:
        made = train(texts, labels, recipe=recipe, progress=told)
    else:
        with ThreadPoolExecutor(1) as pool:
            by_grams = pool.submit(learn_grams, texts, labels, recipe=recipe)
            embeddings = embed_all(seen, embed, cache=cache, progress=progress)
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
    embed: Embeds,
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
            if embedding is None:
                raise ModelError(f"the embedding model {embed.name} cannot be made")
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


def kept_tongues(texts: Sequence[tuple[str, str]], *, cache: Path) -> Tongues:
    """What tells the languages of these texts apart, from the folder `cache` if it was made
    before."""
    path = cache / f"tongues-{_key(list(texts))}.npz"
    arrays = _load(path)
    if arrays is None:
        made = tongues.taught(texts)
        arrays = {
            "languages": np.array(made.languages),
            "runs": np.array("\n".join(made.places)),
            "odds": made.odds,
        }
        _save(path, arrays, replaces="tongues-*.npz")
    runs = arrays["runs"].item().split("\n")
    places = {run: place for place, run in enumerate(runs)}
    return Tongues(tuple(arrays["languages"].tolist()), places, arrays["odds"])


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
        arrays["steps"] = learned.vectors.steps
        arrays["scales"] = learned.vectors.scales
        arrays["directions"] = learned.vectors.directions
    return arrays


def _load_learned(path: Path, recipe: Recipe) -> Learned | None:
    arrays = _load(path)
    if arrays is None:
        return None
    places = range(sum(name.startswith("layer_") for name in arrays) // 2)
    texts = tuple(arrays["texts"].item().split("\n"))
    starts = tuple(arrays["starts"].tolist())
    return Learned(
        labels=tuple(arrays["labels"].tolist()),
        texts=texts,
        starts=starts,
        vocabulary=Vocabulary.restore(arrays["grams"].tolist(), arrays["idf"]),
        by_grams=Linear(arrays["gram_coefficients"], arrays["gram_biases"]),
        by_meaning=tuple(
            Linear(arrays[f"layer_{place}_coefficients"], arrays[f"layer_{place}_biases"])
            for place in places
        ),
        vectors=Vectors(arrays["steps"], arrays["scales"], arrays["directions"])
        if "steps" in arrays
        else None,
        recipe=recipe,
        known=known_labels(texts, starts),
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
