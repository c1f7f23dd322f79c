"""The vectors of the words of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wellread.runtime.tokenise import Tokenised
from wellread.runtime.windows import Window

WordVector = Literal["first", "mean"]
Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class TokenVectors:
    """The words of one text: as they are spelt there, from ``begin`` to ``end`` (exclusive, in characters).

    ``begin`` and ``end`` are (words,) int64, ``vectors`` (words, hidden) float32. A text without words has none.
    """

    words: tuple[str, ...]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    vectors: Array

    def __len__(self) -> int:
        return len(self.words)


class Gatherer:
    """Collects the vectors of one text's words out of its windows.

    A word is read from the window that answers for its first piece; its pieces beyond that window do not count.
    """

    def __init__(self, text: str, tokenised: Tokenised, windows: Sequence[Window], hidden: int) -> None:
        read = max(window.start + window.inner[1] for window in windows)
        words = tokenised.words_before(read)
        spans = np.array([(w.begin, w.end, w.first, w.last) for w in words], np.int64).reshape(-1, 4)
        begin, end, self._first, self._last = spans.T
        vectors = np.empty((len(words), hidden), np.float32)
        self.found = TokenVectors(tuple(text[w.begin : w.end] for w in words), begin, end, vectors)

    def add(self, window: Window, states: Array, how: WordVector) -> None:
        """Take what ``window`` answers for out of its ``states`` (tokens, hidden)."""
        inner = window.inner
        low, high = np.searchsorted(self._first - window.start, inner)
        first = self._first[low:high] - window.start
        last = np.minimum(self._last[low:high] - window.start, len(window.ids) - 1)
        self.found.vectors[low:high] = states[first] if how == "first" else _means(states, first, last)


def _means(states: Array, first: NDArray[np.int64], last: NDArray[np.int64]) -> Array:
    """The means over ``first`` to ``last`` (exclusive; always a position, since ``[SEP]`` follows every word)."""
    sums: Array = np.add.reduceat(states, np.stack([first, last], axis=1).ravel(), axis=0)[::2]
    counts = (last - first).astype(np.float32)
    return sums / counts[:, None]
