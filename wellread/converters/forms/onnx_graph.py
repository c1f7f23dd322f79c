"""A graph being written, in fp32 or fp16: nodes, constants, and the few operations that a BERT is made of.

A value is named after what it computes, and a constant after its tensor, so the file reads as the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from wellread.converters.weights import Weights
from wellread.registry.records import Architecture


class Graph:
    """Writes into ``proto``. Every method that computes something returns the name of the value."""

    dtype: ClassVar[np.dtype[Any]] = np.dtype("<f4")
    kind: ClassVar[int] = TensorProto.FLOAT
    masked: ClassVar[float] = -1e9
    """Added to the score of a key that is masked: what TensorFlow's modules add."""

    def __init__(self, weights: Weights, proto: onnx.GraphProto) -> None:
        self.weights = weights
        self.proto = proto
        self._stored: set[str] = set()

    @property
    def architecture(self) -> Architecture:
        return self.weights.architecture

    def op(self, kind: str, inputs: Sequence[str], output: str, **attributes: object) -> str:
        """A node with one output."""
        return self.ops(kind, inputs, [output], **attributes)[0]

    def ops(self, kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: object) -> Sequence[str]:
        """A node with several outputs."""
        self.proto.node.append(helper.make_node(kind, inputs, outputs, name=outputs[0], **attributes))
        return outputs

    def output(self, value: str, name: str) -> None:
        """Give a value the name of a float32 output."""
        if self.kind != TensorProto.FLOAT:
            self.op("Cast", [value], name, to=TensorProto.FLOAT)
        elif value != name:
            self.op("Identity", [value], name)

    def constant(self, name: str, array: NDArray[Any]) -> str:
        """A constant, stored once however often it is asked for."""
        if name not in self._stored:
            self._stored.add(name)
            kind = helper.np_dtype_to_tensor_dtype(array.dtype)
            tensor = self.proto.initializer.add(name=name, data_type=kind, dims=array.shape)
            # tobytes, not ascontiguousarray: the latter turns scalars into vectors.
            tensor.raw_data = array.tobytes("C")
        return name

    def number(self, name: str, value: float) -> str:
        return self.constant(name, np.array(value, self.dtype))

    def integers(self, name: str, values: Sequence[int]) -> str:
        return self.constant(name, np.array(values, "<i8"))

    def weight(self, name: str, transpose: bool = False) -> str:
        """A tensor of the model, as it is or transposed."""
        tensor = self.weights.tensors[name]
        return self.constant(name, (tensor.T if transpose else tensor).astype(self.dtype, copy=False))

    def lookup(self, table: str, ids: str, output: str) -> str:
        """The rows of a table."""
        return self.op("Gather", [self.weight(table), ids], output)

    def multiply(self, value: str, name: str, output: str) -> str:
        """``value @ weight.T`` for a canonical (out, in) weight."""
        return self.op("MatMul", [value, self.weight(name, transpose=True)], output)

    def dense(self, value: str, name: str, output: str) -> str:
        """``value @ weight.T + bias``."""
        product = self.multiply(value, f"{name}.weight", f"{output}_product")
        return self.op("Add", [product, self.weight(f"{name}.bias")], output)

    def norm(self, value: str, name: str, output: str) -> str:
        """Layer normalisation over the last axis."""
        scale, shift = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.op("LayerNormalization", [value, scale, shift], output, axis=-1, epsilon=self.architecture.norm_eps)


class HalfGraph(Graph):
    """The same in float16; -1e9 does not fit, so a masked key gets the least number that does."""

    dtype = np.dtype("<f2")
    kind = TensorProto.FLOAT16
    masked = -65504.0
