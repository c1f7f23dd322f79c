"""Texts through tokeniser, windows, batches and session, a chunk of texts at a time.

    texts ─ tokenise ─▶ ids, words ─ cut ─▶ windows ─ batch ─▶ session ─▶ states ─┬─ pool ───▶ a vector a text
                                                                                  └─ gather ─▶ a vector a word

Only a chunk's pieces and a batch's states are held at any time, beside the texts and the vectors made of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wellread.registry.records import Manifest
from wellread.runtime.batches import Batch
from wellread.runtime.lanes import computed
from wellread.runtime.pooling import POOLINGS, Pool
from wellread.runtime.progress import Silence, progress_bar
from wellread.runtime.session import Session
from wellread.runtime.token_vectors import Gatherer, TokenVectors, WordVector
from wellread.runtime.tokenise import Tokenised, Tokeniser
from wellread.runtime.windows import Long, Window, cut

if TYPE_CHECKING:
    from tqdm import tqdm

TEXTS = 4096
"""Texts in a chunk: enough to find some of like length for every batch."""
CHARACTERS = 2**22
"""Characters in a chunk: the tokeniser takes some 25 bytes for each."""

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Some of the texts, the first of them number ``first``."""

    first: int
    texts: Sequence[str]
    tokenised: Sequence[Tokenised]
    windows: Sequence[Window]


@dataclass
class Encoder:
    """One call's way through a model. ``shortened`` collects the (index, pieces) of every text that was cut off."""

    session: Session
    tokeniser: Tokeniser
    manifest: Manifest
    long: Long
    batch_size: int | None
    progress: bool | None
    shortened: list[tuple[int, int]] = field(default_factory=list)

    def sentences(self, texts: Sequence[str]) -> Array:
        """(texts, hidden): by the pooling of the manifest, every counted position once, over all windows."""
        pool = POOLINGS[self.manifest.pooling]
        vectors = np.zeros((len(texts), self.manifest.dimension), np.float32)
        with progress_bar(len(texts), self.progress) as bar:
            for chunk in self._chunks(texts, pool.specials):
                for batch, states in self._states(chunk, pool.output, bar):
                    owners = [window.text for window in batch.windows]
                    np.add.at(vectors, owners, _pooled(pool, batch.windows, states))
        return vectors

    def tokens(self, texts: Sequence[str], word_vector: WordVector) -> list[TokenVectors]:
        """The words of each text with their vectors."""
        found: list[TokenVectors] = []
        with progress_bar(len(texts), self.progress) as bar:
            for chunk in self._chunks(texts):
                gatherers = self._gatherers(chunk)
                for batch, states in self._states(chunk, "last_hidden_state", bar):
                    for window, row in zip(batch.windows, states, strict=True):
                        gatherers[window.text - chunk.first].add(window, row, word_vector)
                found += [gatherer.found for gatherer in gatherers]
        return found

    def states(self, sequences: Sequence[NDArray[np.int64]]) -> Iterator[tuple[int, Array]]:
        """The last hidden layer of sequences of ids, none longer than the model takes, as they are read."""
        windows = [Window(number, ids, 0, len(ids)) for number, ids in enumerate(sequences)]
        for batch, found in self._computed(windows, "last_hidden_state"):
            for window, row in zip(batch.windows, found, strict=True):
                yield window.text, row[: len(window.ids)]

    def _chunks(self, texts: Sequence[str], specials: bool = True) -> Iterator[_Chunk]:
        limit = self.manifest.max_length
        for first, part in _parts(texts):
            tokenised = self.tokeniser(part)
            ids = [text.ids for text in tokenised]
            yield _Chunk(first, part, tokenised, list(cut(ids, limit, self.long, specials, first)))
            if self.long == "truncate":
                self.shortened += [(first + i, len(one)) for i, one in enumerate(ids) if len(one) > limit]

    def _states(self, chunk: _Chunk, output: str, bar: tqdm[Any] | Silence) -> Iterator[tuple[Batch, Array]]:
        for batch, states in self._computed(chunk.windows, output):
            yield batch, states
            bar.update(sum(window.start == 0 for window in batch.windows))

    def _computed(self, windows: Sequence[Window], output: str) -> Iterator[tuple[Batch, Array]]:
        return computed(self.session, windows, self.tokeniser.pad, self.batch_size, output)

    def _gatherers(self, chunk: _Chunk) -> list[Gatherer]:
        windows: list[list[Window]] = [[] for _ in chunk.texts]
        for window in chunk.windows:
            windows[window.text - chunk.first].append(window)
        parts = zip(chunk.texts, chunk.tokenised, windows, strict=True)
        return [Gatherer(text, tokenised, own, self.manifest.dimension) for text, tokenised, own in parts]


def _parts(texts: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """Consecutive parts of ``texts`` that fit a chunk, each with the number of its first text."""
    first, size = 0, 0
    for at, text in enumerate(texts):
        if at - first == TEXTS or (at > first and size + len(text) > CHARACTERS):
            yield first, texts[first:at]
            first, size = at, 0
        size += len(text)
    if texts:
        yield first, texts[first:]


def _pooled(pool: Pool, windows: Sequence[Window], states: Array) -> Array:
    begin, end = np.array([(window.begin, window.end) for window in windows], np.int64).T
    shares = np.array([window.share for window in windows], np.float32)
    return pool.reduce(states, begin, end) * shares[:, None]
