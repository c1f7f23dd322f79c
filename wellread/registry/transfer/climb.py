"""How many streams to read with: climbed to, never assumed.

Some servers and networks give each connection only a share, and then four carry four times as much; others are slower
for every further one. So a download starts with one stream and adds another only to see what it does: where the total
rate rises by a clear margin it stays and the next is tried, where not it goes and none is tried again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

MOST = 4
"""Streams at once."""
MARGIN = 1.2
"""How many times the rate must be what it was with a stream fewer, for that stream to stay."""
SETTLE, WINDOW = 0.5, 1.0
"""Seconds in which a connection gets up to speed, not measured, and in which the rate is measured then."""


class Climb:
    """Says how many streams there should be, from the number of bytes that have come so far.

    ``most`` streams at once; none is added where the rest would have come before it was measured.
    """

    def __init__(self, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self.wanted = 1
        self._most = most
        self._clock = clock
        self._before: float | None = None  # bytes a second with a stream fewer, while one more is tried
        self._begin()

    def limit(self, most: int) -> None:
        """No more than that from now on: the place refuses more, or gives no ranges."""
        self._most = max(1, min(most, self._most))
        self.wanted = min(self.wanted, self._most)

    def watch(self, received: int, left: int) -> int:
        """How many streams there should be now. ``received`` and ``left`` in bytes; to be called often."""
        now = self._clock()
        if self._mark is None and now >= self._since + SETTLE:
            self._mark = now, received
        elif self._mark and now >= self._mark[0] + WINDOW:
            self._step((received - self._mark[1]) / (now - self._mark[0]), left)
        return self.wanted

    def _step(self, rate: float, left: int) -> None:
        tried, self._before = self._before, None
        if tried is not None and self.wanted > 1 and rate <= MARGIN * tried:
            self.limit(self.wanted - 1)
        elif self.wanted < self._most and left > rate * (SETTLE + WINDOW):
            self.wanted, self._before = self.wanted + 1, rate
        self._begin()

    def _begin(self) -> None:
        self._since, self._mark = self._clock(), None

    _mark: tuple[float, int] | None
