"""BERT in plain numpy, in any precision: the yardstick of parity.

In float64 it stands for the mathematics: its results, rounded to 6 decimals, are the goldens, the same everywhere.
In float32 its distance from float64 is what rounding alone does to this model, the floor that a gate is scaled from;
it shares no code with any form and knows no trick, so a fault in a form shows and a fault here shows in every form.

Formulas: Vaswani et al. 2017 (attention), Devlin et al. 2019 (the encoder), Hendrycks and Gimpel 2016 (GELU).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from wellread.converters.parity.probes import Activations, Probe
from wellread.converters.weights import Weights

Array = NDArray[Any]
"""Of the precision that was asked for."""

MASKED = -1e9


@dataclass(frozen=True)
class Reference:
    """``weights`` run in ``dtype``."""

    weights: Weights
    dtype: DTypeLike = np.float64

    def run(self, probe: Probe) -> Activations:
        """The activations at every point, and ``pooled linear``, the pooler's output before its tanh."""
        found: dict[str, Array] = {"embeddings": self._embed(probe)}
        bias = ((1 - probe.mask) * MASKED).astype(self.dtype)[:, None, None, :]
        hidden = found["embeddings"]
        for layer in range(self.weights.architecture.layers):
            hidden = self._layer(f"encoder.layer.{layer}", hidden, bias)
            found[f"layer {layer + 1}"] = hidden
        linear = self._dense(hidden[:, 0], "pooler.dense")
        return {**found, "sequence": hidden, "pooled linear": linear, "pooled": np.tanh(linear)}

    def _tensor(self, name: str) -> Array:
        return self.weights.tensors[name].astype(self.dtype)

    def _embed(self, probe: Probe) -> Array:
        words, types, positions = (
            self.weights.tensors[f"embeddings.{kind}_embeddings.weight"] for kind in ("word", "token_type", "position")
        )
        placed = positions[: probe.ids.shape[1]].astype(self.dtype)
        return self._norm(words[probe.ids].astype(self.dtype) + types[probe.types] + placed, "embeddings.LayerNorm")

    def _layer(self, name: str, hidden: Array, bias: Array) -> Array:
        attended = self._dense(self._attend(f"{name}.attention.self", hidden, bias), f"{name}.attention.output.dense")
        hidden = self._norm(attended + hidden, f"{name}.attention.output.LayerNorm")
        wide = self._gelu(self._dense(hidden, f"{name}.intermediate.dense"))
        return self._norm(self._dense(wide, f"{name}.output.dense") + hidden, f"{name}.output.LayerNorm")

    def _attend(self, name: str, hidden: Array, bias: Array) -> Array:
        heads = self.weights.architecture.heads
        batch, tokens, width = hidden.shape
        query, key, value = (
            self._dense(hidden, f"{name}.{role}").reshape(batch, tokens, heads, -1).transpose(0, 2, 1, 3)
            for role in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(-1, -2) / math.sqrt(width // heads) + bias
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        mixed: Array = (shares @ value).transpose(0, 2, 1, 3).reshape(batch, tokens, width)
        return mixed

    def _dense(self, value: Array, name: str) -> Array:
        product: Array = value @ self._tensor(f"{name}.weight").T + self._tensor(f"{name}.bias")
        return product

    def _norm(self, value: Array, name: str) -> Array:
        centred = value - value.mean(axis=-1, keepdims=True)
        variance = np.square(centred).mean(axis=-1, keepdims=True)
        scaled: Array = centred / np.sqrt(variance + self.weights.architecture.norm_eps)
        return scaled * self._tensor(f"{name}.weight") + self._tensor(f"{name}.bias")

    def _gelu(self, value: Array) -> Array:
        return _GELU[self.weights.architecture.activation](value)


def _gelu_tanh(x: Array) -> Array:
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    gelu: Array = 0.5 * x * (1 + np.tanh(inner))
    return gelu


def _gelu_erf(x: Array) -> Array:
    # numpy has no erf; the standard library's is exact to the last bit and fast enough for a few thousand tokens.
    erf = np.asarray(np.frompyfunc(math.erf, 1, 1)(x / math.sqrt(2)), x.dtype)
    gelu: Array = 0.5 * x * (1 + erf)
    return gelu


_GELU: Mapping[str, Callable[[Array], Array]] = {"gelu_tanh": _gelu_tanh, "gelu_erf": _gelu_erf}
