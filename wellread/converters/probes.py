"""The inputs that a parity check puts through every form.

A ``Probe`` is one rectangular batch. ``Activations`` is what one way of running the model gives for it, keyed by the
places that are compared: ``embeddings``, ``layer 1`` … ``layer L``, ``sequence``, ``pooled``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Activations = Mapping[str, NDArray[np.floating]]
"""Point → array: ``(batch, tokens, hidden)``, and ``(batch, hidden)`` for ``pooled``."""


@dataclass(frozen=True)
class Probe:
    """A named batch: ``ids``, ``mask`` and ``types`` are (batch, tokens) int64; ``mask`` is 1 at real positions."""

    name: str
    ids: NDArray[np.int64]
    mask: NDArray[np.int64]
    types: NDArray[np.int64]


def points(layers: int) -> tuple[str, ...]:
    """The names of the places compared in a model of that many layers, in order."""
    return ("embeddings", *(f"layer {i}" for i in range(1, layers + 1)), "sequence", "pooled")
