"""Weights as every form takes them, whatever the source looked like.

``tensors`` are named and laid out as Hugging Face's ``BertModel`` does, so a dense kernel is (out, in):

    embeddings.{word,position,token_type}_embeddings.weight        (vocabulary | positions | types, hidden)
    embeddings.LayerNorm.{weight,bias}                             (hidden,)
    encoder.layer.N.attention.self.{query,key,value}.{weight,bias}  …
    pooler.dense.{weight,bias}                                     (hidden, hidden), (hidden,)
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wellread.registry.records import Architecture

Format = Literal["tf2-dict", "tf2-list", "tf1-saved-model", "tf1-checkpoint", "huggingface"]


@dataclass(frozen=True)
class Weights:
    """A model out of its source: float32 tensors (memory-mapped where that is possible), configuration, vocabulary.

    ``graph`` is the SavedModel's folder if the source brings a graph that can be run as an oracle, else None.
    ``dropped`` maps each tensor of the source that is not used to the rule that dropped it.
    """

    architecture: Architecture
    tensors: Mapping[str, NDArray[np.float32]]
    vocabulary: bytes
    format: Format
    graph: Path | None
    dropped: Mapping[str, str]

    def digest(self) -> str:
        """sha256 over the canonical tensors: name, shape and little-endian float32 bytes, sorted by name."""
        hasher = hashlib.sha256()
        for name in sorted(self.tensors):
            tensor = self.tensors[name]
            hasher.update(f"{name}\n{tensor.shape}\n".encode())
            hasher.update(np.require(tensor, dtype="<f4", requirements="C").data)
        return hasher.hexdigest()
