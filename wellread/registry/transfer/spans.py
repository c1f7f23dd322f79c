"""Which stretches of an artifact to ask for, and who of several streams reads which.

Requests are what costs over a distance, so neighbouring pieces become one span: the bytes between them, mostly the some
60 of a member's header, are read and dropped. A stream reads a span from its start. One that has nothing left takes
over the second half of the longest span still being read, so that no span has to be cut up beforehand and a single
stream asks once for each.

    artifact   ░ README ░ config ░░░░ model.safetensors ░░░░ onnx/model.onnx ░ vocab.txt ░
    spans        └──────────────┘                            └─────────────┄┄┄┄┄┄┄┄┄┄┄┘
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable

from wellread.registry.pieces import Piece

GAP = 64 * 1024
"""Bytes that are rather read and dropped than a further request made for what lies behind them."""
HALF = 2
"""Pieces that the second half of a span has at least, if another stream shall take it over."""


Span = deque[Piece]
"""Pieces to read in one go, in order. The first is the one being read and stays until it is written."""


def plan(pieces: Iterable[Piece], gap: int = GAP) -> list[Span]:
    """The pieces in spans, in the order of the artifact, with at most ``gap`` bytes between two of one span."""
    spans: list[Span] = []
    for piece in sorted(pieces, key=lambda piece: piece.start):
        if spans and piece.start - spans[-1][-1].end <= gap:
            spans[-1].append(piece)
        else:
            spans.append(deque([piece]))
    return spans


class Board:
    """The spans that are left, shared by the streams of one download. A span shrinks from its front as it is read."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._waiting = deque(spans)
        self._reading: list[Span] = []
        self._lock = threading.Lock()

    def claim(self) -> Span | None:
        """A span for a stream, never empty: the next that nobody reads, else half of one that somebody does."""
        with self._lock:
            span = self._waiting.popleft() if self._waiting else self._half()
            if span is not None:
                self._reading.append(span)
            return span

    def drop_first(self, span: Span) -> None:
        """Take off the piece that was read and written."""
        with self._lock:
            span.popleft()

    def leave(self, span: Span) -> None:
        """Give back a claimed span; the next stream goes on with what is left of it."""
        with self._lock:
            self._reading = [other for other in self._reading if other is not span]
            if span:
                self._waiting.appendleft(span)

    def empty(self) -> bool:
        """Whether nothing is left to claim or to read."""
        with self._lock:
            return not self._waiting and not any(self._reading)

    def _half(self) -> Span | None:
        longest = max(self._reading, key=len, default=Span())
        if len(longest) < 2 * HALF:
            return None
        return deque(reversed([longest.pop() for _ in range(len(longest) // 2)]))
