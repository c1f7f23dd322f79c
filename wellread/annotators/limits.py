"""How much of a sentence is read, and how many run together: checked before any work is done."""

from __future__ import annotations

from operator import index
from typing import Any

from wellread.errors import BadInput
from wellread.runtime.model import Model

MAX_LENGTH = 128
"""Pieces that Spark NLP reads of a sentence unless it is told otherwise, ``[CLS]`` and ``[SEP]`` included."""


def allowed_length(model: Model, max_length: int) -> int:
    """The pieces to read of a sentence: ``max_length``, or all that ``model`` takes where that is less.

    Raises BadInput for what is no length, and for more than the model takes if it is more than the default.
    """
    most, wanted = model.manifest.max_length, _whole(max_length)
    if wanted is None or wanted < 3:
        raise BadInput(f"max_length={max_length!r}: a whole number of at least 3 is expected")
    if wanted > max(most, MAX_LENGTH):
        raise BadInput(f"max_length={wanted}: {model.name} takes {most} pieces. Pass max_length={most} or less")
    return min(wanted, most)


def allowed_batch(batch_size: int | None) -> int | None:
    """``batch_size`` if it is one. Raises BadInput."""
    wanted = _whole(batch_size)
    if batch_size is not None and (wanted is None or wanted < 1):
        raise BadInput(f"batch_size={batch_size!r}: a whole number of at least 1 is expected, or None")
    return wanted


def _whole(value: Any) -> int | None:
    """A whole number, numpy's too, as Python's own; None for anything else, a bool as well."""
    try:
        return None if isinstance(value, bool) else index(value)
    except TypeError:
        return None
