"""The int8 graph: dynamic quantisation, written straight from the weights.

    weight       int8, symmetric, a scale for each output channel     round(w / s), s = max |w| / 127
    activation   uint8, scale and zero point of the batch at hand     DynamicQuantizeLinear
    product      int32, times both scales                             MatMulInteger, Cast, Mul
    word table   int8, a scale for each word

The nodes are those that onnxruntime's own ``quantize_dynamic`` makes, so its sessions fuse them alike; but the bytes
depend on the weights alone and not on its version, and nothing but the result is ever held (docs/decisions/int8.md).
Attention scores and layer norms stay in float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from wellread.converters.forms.onnx_graph import Graph
from wellread.converters.weights import Weights

_LEVELS = 127


class Int8Graph(Graph):
    """A graph whose tables and matrix products with weights are int8."""

    def __init__(self, weights: Weights, proto: onnx.GraphProto) -> None:
        super().__init__(weights, proto)
        self._activations: dict[str, tuple[str, str, str]] = {}

    def lookup(self, table: str, ids: str, output: str) -> str:
        """Rows of the table, each times its own scale."""
        levels, scales = quantised(self.weights.tensors[table])
        rows = self.op("Gather", [self.constant(f"{table}_int8", levels), ids], f"{output}_int8")
        scale = self.op("Gather", [self.constant(f"{table}_scale", scales[:, None]), ids], f"{output}_scale")
        return self.op("Mul", [self.op("Cast", [rows], f"{output}_cast", to=TensorProto.FLOAT), scale], output)

    def multiply(self, value: str, name: str, output: str) -> str:
        """``value @ weight.T`` in int8."""
        levels, scales = quantised(self.weights.tensors[name])
        weight = self.constant(f"{name}_int8", levels.T)
        zeros = self.constant(f"{name}_zero_point", np.zeros(len(scales), np.int8))
        activation, scale, zero = self._activation(value)
        both = self.op("Mul", [scale, self.constant(f"{name}_scale", scales)], f"{output}_scale")
        product = self.op("MatMulInteger", [activation, weight, zero, zeros], f"{output}_int32")
        return self.op("Mul", [self.op("Cast", [product], f"{output}_cast", to=TensorProto.FLOAT), both], output)

    def _activation(self, value: str) -> tuple[str, str, str]:
        """A value as uint8, its scale and its zero point; made once however many products take it."""
        if value not in self._activations:
            names = (f"{value}_uint8", f"{value}_scale", f"{value}_zero_point")
            self.ops("DynamicQuantizeLinear", [value], names)
            self._activations[value] = names
        return self._activations[value]


def quantised(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A canonical (out, in) weight as int8 (out, in), and the scale of each row (out,) float32."""
    peaks: NDArray[Any] = np.abs(weight).max(axis=1)
    scales = np.where(peaks > 0, peaks / _LEVELS, 1).astype("<f4")
    return np.rint(weight / scales[:, None]).astype(np.int8), scales
