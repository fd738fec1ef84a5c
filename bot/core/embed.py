"""Sentence embeddings: one text in, its unit vectors out, on one thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

MAX_TOKENS = 128  # the model's own training length
MAX_CHARACTERS = 2_000  # more than MAX_TOKENS can hold; bounds the work of the tokenizer

TOKEN_AXES = 3  # of an output with a vector for each token; a pooled one has two

Tokens = Callable[[str], list[int]]  # a text: the ids of its tokens, MAX_TOKENS at most
Vectors = Callable[[NDArray[np.int64]], NDArray[np.float32]]  # ids of tokens: their vectors
Embedding = NDArray[np.float32]  # layers x width, unit vectors, the last layer last


class Embedder:
    """A sentence-transformers encoder: token vectors averaged, length one, a row a layer.

    Texts are embedded singly: with dynamic int8 arithmetic the neighbours in a batch
    would change a text's vector. May be called from several threads at once.
    """

    def __init__(
        self,
        graph: bytes,
        tokens: Tokens,
        *,
        name: str,
        digest: str,
        fused: bool = False,
        heard: frozenset[str] = frozenset(),
        words: frozenset[str] = frozenset(),
        vectors: Vectors | None = None,
    ) -> None:
        """`graph` is ONNX with token vectors (1 x tokens x width) as its outputs, those of
        the last layer last. Its input is `input_ids`, or what `vectors` makes of the ids of
        the `tokens`. A graph of `fused` operators is run as it is, any other is optimised first.
        `words` are those that it knows whole, `heard` the teaching voices that the model was
        tuned on; `digest` stands for all that the vectors hang on.

        Raises whatever onnxruntime or tokenizers raise for broken input.
        """
        self._tokens = tokens
        self._vectors = vectors
        self._session = onnxruntime.InferenceSession(
            graph, _one_thread(fused=fused), providers=["CPUExecutionProvider"]
        )
        self._inputs = [entry.name for entry in self._session.get_inputs()]
        outputs = self._session.get_outputs()
        self._outputs = [output.name for output in outputs if len(output.shape) == TOKEN_AXES]
        self.name = name
        self.words = words
        self.heard = heard
        self.digest = digest

    def __call__(self, text: str) -> Embedding:
        """The vectors of `text`; a text without a known sign gets some too."""
        ids = self._tokens(text[:MAX_CHARACTERS])
        outputs = self._session.run(self._outputs, self._feed(ids))
        means = np.concatenate(outputs).mean(axis=1)
        lengths = np.sqrt(np.square(means).sum(axis=1, keepdims=True))
        return np.asarray(means / np.maximum(lengths, 1e-12), dtype=np.float32)

    def _feed(self, ids: list[int]) -> dict[str, NDArray[Any]]:
        tokens = np.array([ids], dtype=np.int64)
        if self._vectors is not None:
            return {name: self._vectors(tokens[0])[None] for name in self._inputs}
        known = {"input_ids": tokens, "attention_mask": np.ones_like(tokens)}
        return {name: known.get(name, np.zeros_like(tokens)) for name in self._inputs}


def tokens_of(tokenizer: str) -> tuple[Tokens, frozenset[str]]:
    """What the text of a tokenizer.json makes of texts, and the whole words that it knows by
    themselves: words that are spelt rightly."""
    made = Tokenizer.from_str(tokenizer)
    made.no_padding()
    made.enable_truncation(MAX_TOKENS)
    words = frozenset(word for word in made.get_vocab() if word.isalpha())
    return lambda text: list(made.encode(text).ids), words


def _one_thread(*, fused: bool) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    if fused:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only: warnings would go to stderr
    return options
