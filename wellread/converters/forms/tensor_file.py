"""A safetensors file, as the ``torch`` form and sentence-transformers' modules hold their weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellread.errors import WellreadError


def write_tensors(path: Path, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Write ``tensors`` as float32 to ``path``; the same tensors give the same bytes.

    Raises WellreadError where the disk is full or closed to this user.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    dense = {name: np.require(tensor, "<f4", "C") for name, tensor in tensors.items()}
    try:
        save_file(dense, path, metadata={"format": "pt"})
    except SafetensorError as error:
        raise WellreadError(
            f"cannot write {path}: {error}.\nFree some space, or choose another disk (WELLREAD_HOME)"
        ) from error
