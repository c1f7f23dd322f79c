"""Vectors as pandas tables, a row for a word or for a text.

    token       origin_index  token     begin  end  embeddings
    sentence    origin_index  sentence              embeddings

``origin_index`` ties a row to the input: the label of a Series' row, else the position in the list. ``begin`` and
``end`` (exclusive) count characters of that text, int64; ``token`` and ``sentence`` hold ``str`` and ``embeddings``
(hidden,) float32 arrays, both as objects. A table without rows has the same types.
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


def origins(texts: Iterable[str]) -> pd.Index | None:
    """The labels of a Series, None for anything else."""
    return texts.index.to_flat_index() if isinstance(texts, load_pandas().Series) else None


def token_table(found: Sequence[TokenVectors], labels: pd.Index | None = None) -> pd.DataFrame:
    """A row for each word. Raises MissingExtra."""
    return _frame(
        {
            "origin_index": _labels(labels, len(found)).repeat([len(one) for one in found]),
            "token": _objects(chain.from_iterable(one.words for one in found)),
            "begin": np.concatenate([np.empty(0, np.int64), *(one.begin for one in found)]),
            "end": np.concatenate([np.empty(0, np.int64), *(one.end for one in found)]),
            "embeddings": _objects(chain.from_iterable(one.vectors for one in found)),
        }
    )


def sentence_table(texts: Sequence[str], vectors: NDArray[np.float32], labels: pd.Index | None = None) -> pd.DataFrame:
    """A row for each text. Raises MissingExtra."""
    return _frame(
        {
            "origin_index": _labels(labels, len(texts)),
            "sentence": _objects(texts),
            "embeddings": _objects(vectors),
        }
    )


def _labels(labels: pd.Index | None, count: int) -> pd.Index:
    found: pd.Index = load_pandas().RangeIndex(count) if labels is None else labels
    return found


def _objects(values: Iterable[Any]) -> pd.Series:
    """A column of ``values`` as they are: of the same type when there is none, and with any ``str`` that there is."""
    column: pd.Series = load_pandas().Series(list(values), dtype=object)
    return column


def _frame(columns: dict[str, Any]) -> pd.DataFrame:
    frame: pd.DataFrame = load_pandas().DataFrame(columns)
    return frame
