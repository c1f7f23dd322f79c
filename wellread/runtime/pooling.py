"""How the vectors of a text's pieces become the vector of the text.

Each pooling names the ONNX output it reads and what it does with it. Which one a model uses stands in its manifest:
it is a property of the model, not a taste of the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wellread.registry.records import Pooling

Array = NDArray[np.float32]
Bounds = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pool:
    """``output`` is the ONNX output read; ``specials`` says whether ``[CLS]`` and ``[SEP]`` count in a mean.

    ``reduce(states, begin, end)`` gives (batch, hidden) for the positions ``begin`` to ``end`` (exclusive) of each row.
    """

    output: str
    reduce: Callable[[Array, Bounds, Bounds], Array]
    specials: bool = True


def _mean(states: Array, begin: Bounds, end: Bounds) -> Array:
    positions = np.arange(states.shape[1])
    counted = (positions >= begin[:, None]) & (positions < end[:, None])
    weights = counted / counted.sum(axis=1, keepdims=True, dtype=np.float32)
    mean: Array = (weights[:, None, :].astype(np.float32) @ states)[:, 0]
    return mean


def _first(states: Array, begin: Bounds, end: Bounds) -> Array:
    return states[:, 0]


def _whole(states: Array, begin: Bounds, end: Bounds) -> Array:
    return states


POOLINGS: Mapping[Pooling, Pool] = {
    "mean": Pool("last_hidden_state", _mean),
    "mean-words": Pool("last_hidden_state", _mean, specials=False),
    "cls": Pool("last_hidden_state", _first),
    "pooler": Pool("pooler_output", _whole),
    "pooler-linear": Pool("pooler_linear", _whole),
}
