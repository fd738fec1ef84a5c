"""Sentence embeddings: one text in, its unit vectors out, on one thread."""

from __future__ import annotations

import hashlib

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

MAX_TOKENS = 128  # the model's own training length
MAX_CHARACTERS = 2_000  # more than MAX_TOKENS can hold; bounds the work of the tokenizer

TOKEN_AXES = 3  # of an output with a vector for each token; a pooled one has two

Embedding = NDArray[np.float32]  # layers x width, unit vectors, the last layer last


class Embedder:
    """A sentence-transformers encoder: token vectors averaged, length one, a row a layer.

    Texts are embedded singly: with dynamic int8 arithmetic the neighbours in a batch
    would change a text's vector. May be called from several threads at once.
    """

    def __init__(
        self,
        graph: bytes,
        tokenizer: str,
        *,
        name: str,
        fused: bool = False,
        heard: frozenset[str] = frozenset(),
    ) -> None:
        """`graph` is ONNX with `input_ids` and token vectors (1 x tokens x width) as its
        outputs, those of the last layer last; `tokenizer` the text of a tokenizer.json.
        A graph of `fused` operators is run as it is, any other is optimised first.
        `heard` are the teaching voices that the model was tuned on.

        Raises whatever onnxruntime or tokenizers raise for broken input.
        """
        self._tokenizer = Tokenizer.from_str(tokenizer)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._session = onnxruntime.InferenceSession(
            graph, _one_thread(fused=fused), providers=["CPUExecutionProvider"]
        )
        self._inputs = [entry.name for entry in self._session.get_inputs()]
        outputs = self._session.get_outputs()
        self._outputs = [output.name for output in outputs if len(output.shape) == TOKEN_AXES]
        self.name = name
        self.heard = heard
        self.digest = hashlib.sha256(graph + tokenizer.encode()).hexdigest()

    def __call__(self, text: str) -> Embedding:
        """The vectors of `text`; a text without a known sign gets some too."""
        ids = self._tokenizer.encode(text[:MAX_CHARACTERS]).ids
        outputs = self._session.run(self._outputs, self._feed(ids))
        means = np.stack([output[0].mean(axis=0) for output in outputs])
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        return np.asarray(means / np.maximum(lengths, 1e-12), dtype=np.float32)

    @property
    def words(self) -> frozenset[str]:
        """The whole words that the model knows by themselves: words that are spelt rightly."""
        return frozenset(word for word in self._tokenizer.get_vocab() if word.isalpha())

    def _feed(self, ids: list[int]) -> dict[str, NDArray[np.int64]]:
        tokens = np.array([ids], dtype=np.int64)
        known = {"input_ids": tokens, "attention_mask": np.ones_like(tokens)}
        return {name: known.get(name, np.zeros_like(tokens)) for name in self._inputs}


def _one_thread(*, fused: bool) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    if fused:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only: warnings would go to stderr
    return options
