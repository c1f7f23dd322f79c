"""What the model reads of a sentence, and where in it each token finds its vector.

tokens       "I"  "don't"  "know"  "!"
sparknlp     [CLS] i don know ! [SEP]            of each token the first of BasicTokenizer's parts, and no more
aligned      [CLS] i don ' t know ! [SEP]        the sentence as it is written; long ones through windows
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellread.annotators.pieces import Ids, Located, Pieces
from wellread.runtime.windows import Window, cut

_DROPPED = ("", " ")
"""Tokens that Spark NLP leaves out before anything else."""


class Token(NamedTuple):
    """The characters ``begin`` to ``end``, **inclusive**, of the document, spelt ``result``."""

    begin: int
    end: int
    result: str


class Sentence(NamedTuple):
    """The ``text`` of a sentence that begins at character ``begin`` of the document, and its tokens in order."""

    text: str
    begin: int
    tokens: Sequence[Token]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The ``windows`` that are read. Token number ``index[i]`` has its piece at ``positions[i]`` of ``ids``.

    ``index`` and ``positions`` are (n,) int64, n the tokens that get a vector; ``ids`` (pieces + 2,) is the sentence.
    """

    index: Ids
    positions: Ids
    ids: Ids
    windows: Sequence[Window]


def first_parts(sentence: Sentence, pieces: Pieces, spell: Callable[[str], str], limit: int) -> Reading:
    """Spark NLP's reading, of at most ``limit`` pieces with ``[CLS]`` and ``[SEP]``; ``spell`` gives a token its case.

    A token whose first piece is past the limit has no vector; one that is cut in two has.
    """
    ids, index, positions = [pieces.cls], [], []
    for number, token in enumerate(sentence.tokens):
        if token.result in _DROPPED:
            continue
        part = pieces.first_part(spell(token.result))
        if part and len(ids) >= limit - 1:
            break
        if part:
            index.append(number)
            positions.append(len(ids))
            ids.extend(part)
    read = np.array([*ids[: limit - 1], pieces.sep], np.int64)
    windows = [Window(0, read, 0, len(read))] if index else []
    return Reading(np.array(index, np.int64), np.array(positions, np.int64), read, windows)


def aligned(sentence: Sentence, pieces: Pieces, limit: int) -> Reading:
    """The reading of the sentence as it is written, in windows of at most ``limit`` pieces.

    A token's piece is the first that begins in it, or else the one that reaches over its beginning. A token of
    which the model sees nothing has none.
    """
    located = pieces.located(sentence.text)
    spans = np.array([(token.begin, token.end + 1) for token in sentence.tokens], np.int64).reshape(-1, 2)
    found, seen = _pieces_at(located, spans[:, 0] - sentence.begin, spans[:, 1] - sentence.begin)
    positions = found[seen] + 1
    windows = [window for window in cut([located.ids], limit, "window") if _within(window, positions).any()]
    return Reading(np.flatnonzero(seen), positions, located.ids, windows)


def take(reading: Reading, window: Window, states: NDArray[np.float32], vectors: NDArray[np.float32]) -> None:
    """Put what ``window`` answers for out of its ``states`` (tokens, hidden) into ``vectors`` (n, hidden)."""
    wanted = _within(window, reading.positions)
    vectors[wanted] = states[reading.positions[wanted] - window.start]


def _pieces_at(located: Located, begin: Ids, end: Ids) -> tuple[Ids, NDArray[np.bool_]]:
    """The number of the piece of each span, and whether it has one."""
    if not len(located.begin):
        return np.zeros_like(begin), np.zeros(len(begin), np.bool_)
    last = len(located.begin) - 1
    following = np.searchsorted(located.begin, begin)
    begins = (following <= last) & (located.begin[np.minimum(following, last)] < end)
    before = np.maximum(following - 1, 0)
    reaches = (located.begin[before] < begin) & (located.end[before] > begin)
    return np.where(begins, following, before), begins | reaches


def _within(window: Window, positions: Ids) -> NDArray[np.bool_]:
    begin, end = window.inner
    inside: NDArray[np.bool_] = (positions >= begin + window.start) & (positions < end + window.start)
    return inside
