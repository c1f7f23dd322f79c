"""How much of a sentence is read, and how many run together: checked before any work is done."""

from __future__ import annotations

from wellread.errors import BadInput
from wellread.runtime.model import Model

MAX_LENGTH = 128
"""Pieces that Spark NLP reads of a sentence unless it is told otherwise, ``[CLS]`` and ``[SEP]`` included."""


def allowed_length(model: Model, max_length: int) -> int:
    """The pieces to read of a sentence: ``max_length``, or all that ``model`` takes where that is less.

    Raises BadInput for what is no length, and for more than the model takes if it is more than the default.
    """
    most = model.manifest.max_length
    if isinstance(max_length, bool) or not isinstance(max_length, int) or max_length < 3:
        raise BadInput(f"max_length={max_length!r}: a whole number of at least 3 is expected")
    if max_length > max(most, MAX_LENGTH):
        raise BadInput(f"max_length={max_length}: {model.name} takes {most} pieces. Pass max_length={most} or less")
    return min(max_length, most)


def allowed_batch(batch_size: int | None) -> int | None:
    """``batch_size`` if it is one. Raises BadInput."""
    if batch_size is None or (isinstance(batch_size, int) and not isinstance(batch_size, bool) and batch_size >= 1):
        return batch_size
    raise BadInput(f"batch_size={batch_size!r}: a whole number of at least 1 is expected, or None")
