"""What a folder of a source turns out to hold, before anything is made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from wellread.converters.formats.claims import Claim
from wellread.converters.formats.sentence_settings import SILENT, SentenceSettings
from wellread.converters.formats.tensor_bundle import TensorBundle

Format = Literal["tf2-dict", "tf2-list", "tf1-saved-model", "tf1-checkpoint", "huggingface"]

Tensors = Mapping[str, Callable[[], NDArray[Any]]]
"""The source's own name of a tensor → what reads it."""


@dataclass(frozen=True)
class Contents:
    """``claims`` gives what the files say of a model of that hidden size. ``graph`` is the SavedModel's folder.

    ``sentences`` gives what they say to sentence-transformers, of a model with that many positions.
    """

    format: Format
    tensors: Tensors
    claims: Callable[[int], Sequence[Claim]]
    graph: Path | None = None
    sentences: Callable[[int], SentenceSettings] = lambda positions: SILENT


def bundle_tensors(bundle: TensorBundle) -> Tensors:
    """The tensors of a bundle by their real names; a name used again has its key behind it. Raises CorruptSource."""
    keys: dict[str, str] = {}
    for key, name in bundle.names().items():
        keys[name if name not in keys else f"{name} ({key})"] = key
    return {name: partial(bundle.read, key) for name, key in keys.items()}
