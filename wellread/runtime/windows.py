"""The pieces of a text, cut into what a model can take.

A model takes at most ``max_length`` pieces, ``[CLS]`` and ``[SEP]`` among them. A text that fits is one window. A
longer one is cut off (``truncate``), refused (``error``), or read through windows that share a quarter (``window``):

    pieces      [CLS] a b c d e f g h i j k l [SEP]
    window 0    [CLS] a b c d e f g h [SEP]
    window 1              [CLS] e f g h i j k l [SEP]
    read from   0 0 0 0 0 0 0 1 1 1 1 1 1 1           every piece from one window, where it has context on both sides

The last window is moved back until it is full, so that it has as much context as any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wellread.errors import BadInput

Long = Literal["truncate", "window", "error"]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """``ids`` (tokens,), from ``[CLS]`` to ``[SEP]``, of the text number ``text``.

    It answers for its positions ``begin`` to ``end`` (exclusive), a ``share`` of all those of its text that count.
    Its position ``p``, if it is no special token, is position ``p + start`` of the text.
    """

    text: int
    ids: Ids
    begin: int
    end: int
    start: int = 0
    share: float = 1.0

    @property
    def inner(self) -> tuple[int, int]:
        """The positions it answers for, without the special tokens."""
        return max(self.begin, 1), min(self.end, len(self.ids) - 1)


def cut(texts: Sequence[Ids], limit: int, long: Long, specials: bool = True, first: int = 0) -> Iterator[Window]:
    """The windows of texts given as ids with their special tokens, numbered from ``first`` on.

    Without ``specials``, ``[CLS]`` and ``[SEP]`` do not count, but in a text that has nothing else. Raises BadInput.
    """
    for text, ids in enumerate(texts, start=first):
        if len(ids) > limit and long == "error":
            raise BadInput(
                f"text {text} has {len(ids)} pieces and the model takes {limit}: shorten it, or pass long='window' "
                "to read it whole or long='truncate' to read its beginning"
            )
        if len(ids) > limit and long == "window":
            yield from _overlapping(text, ids, limit, specials)
        else:
            yield _single(text, _truncated(ids, limit), specials)


def _truncated(ids: Ids, limit: int) -> Ids:
    return ids if len(ids) <= limit else np.concatenate([ids[: limit - 1], ids[-1:]])


def _single(text: int, ids: Ids, specials: bool) -> Window:
    edge = 0 if specials or len(ids) == 2 else 1
    return Window(text, ids, edge, len(ids) - edge)


def _overlapping(text: int, ids: Ids, limit: int, specials: bool) -> Iterator[Window]:
    room, inner = limit - 2, len(ids) - 2
    starts = [*range(0, inner - room, room - room // 4), inner - room]
    edge = 0 if specials else 1
    middles = [(after + before + room) // 2 + 1 for before, after in pairwise(starts)]
    bounds = [edge, *middles, len(ids) - edge]
    for start, (begin, end) in zip(starts, pairwise(bounds), strict=True):
        part = np.concatenate([ids[:1], ids[start + 1 : start + 1 + room], ids[-1:]])
        share = (end - begin) / (bounds[-1] - bounds[0])
        yield Window(text, part, begin - start, end - start, start, share)
