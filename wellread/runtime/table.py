"""Vectors as pandas tables, a row for a word or for a text.

    token       origin_index  token     begin  end  embeddings
    sentence    origin_index  sentence              embeddings

``origin_index`` ties a row to the input: the label of a Series' row, else the position in the list. ``begin`` and
``end`` (exclusive) count characters of that text; ``embeddings`` holds (hidden,) float32 arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wellread.errors import missing_extra
from wellread.runtime.token_vectors import TokenVectors

if TYPE_CHECKING:
    import pandas as pd


def load_pandas() -> ModuleType:
    """pandas. Raises MissingExtra."""
    try:
        import pandas
    except ImportError as error:
        raise missing_extra("pandas", "table") from error
    return pandas


def origins(texts: Iterable[str]) -> Sequence[Any] | None:
    """The labels of a Series, None for anything else."""
    return list(texts.index) if isinstance(texts, load_pandas().Series) else None


def token_table(found: Sequence[TokenVectors], labels: Sequence[Any] | None = None) -> pd.DataFrame:
    """A row for each word. Raises MissingExtra."""
    counts = [len(one) for one in found]
    columns = {
        "origin_index": _repeated(labels or range(len(found)), counts),
        "token": list(chain.from_iterable(one.words for one in found)),
        "begin": np.concatenate([np.empty(0, np.int64), *(one.begin for one in found)]),
        "end": np.concatenate([np.empty(0, np.int64), *(one.end for one in found)]),
        "embeddings": list(chain.from_iterable(one.vectors for one in found)),
    }
    return _frame(columns)


def sentence_table(
    texts: Sequence[str], vectors: NDArray[np.float32], labels: Sequence[Any] | None = None
) -> pd.DataFrame:
    """A row for each text. Raises MissingExtra."""
    return _frame(
        {"origin_index": list(labels or range(len(texts))), "sentence": list(texts), "embeddings": list(vectors)}
    )


def _repeated(labels: Sequence[Any], counts: Sequence[int]) -> list[Any]:
    return [label for label, count in zip(labels, counts, strict=True) for _ in range(count)]


def _frame(columns: dict[str, Any]) -> pd.DataFrame:
    frame: pd.DataFrame = load_pandas().DataFrame(columns)
    return frame
