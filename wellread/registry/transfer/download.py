"""Bringing pieces: received, written and hashed at the same time, by as many streams as help.

    coordinator ── watches the rate, adds and retires streams (climb), ends with the first error
      stream    ── claims a span (spans), one request for it, writes each piece where it belongs (cache.incoming)
        pool    ── hashes the piece while the next one is received
        disk    ── one thread that has the bytes put on the disk as they come, and names the members that are whole

A piece is written before it is hashed, so that ``kill -9`` loses of each stream no more than the piece being received:
what was written is hashed by the next process. One that differs is read again once, alone. The disk is not left to the
end, for then the whole of a large member would have to be waited for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import cycle
from queue import Empty, SimpleQueue

from wellread.errors import HubUnavailable, IntegrityError
from wellread.registry import disk
from wellread.registry.artifact.package import Package
from wellread.registry.cache.incoming import Incoming
from wellread.registry.pieces import Piece, Stream, differing, sha256
from wellread.registry.records import PIECE
from wellread.registry.stores import Stat, is_local
from wellread.registry.transfer.climb import Climb
from wellread.registry.transfer.progress import Bar
from wellread.registry.transfer.spans import GAP, Board, Span, plan

_TICK = 0.1
"""Seconds between two looks at the rate."""
_BATCH = 4
"""Pieces after which the disk is given what came."""
_PARTING = 1.0
"""Seconds to wait for streams to end that are not needed any more; they write nothing from then on."""


def download(package: Package, parts: Sequence[Incoming], bar: Bar) -> None:
    """Bring what is missing of members of a package and give each its name once it is whole.

    Whatever happens, the good pieces that came stay. Raises IntegrityError where bytes are not those of the manifest,
    what the package's store raises, and WellreadError where the system refuses to write.
    """
    try:
        for part in parts:
            if not part.missing:
                part.settle()
        if any(part.missing for part in parts):
            _Download(package, parts, bar).run()
        for folder in {part.target.parent for part in parts}:
            disk.sync(folder)
    finally:
        for part in parts:
            part.close()


class _Stopped(Exception):
    """Ends a stream that is not needed any more."""


class _Download:
    def __init__(self, package: Package, parts: Sequence[Incoming], bar: Bar) -> None:
        pieces = [piece for part in parts for piece in part.pieces]
        self.package, self.bar = package, bar
        self.parts = {piece.member: part for part in parts for piece in part.pieces}
        self.total = sum(piece.size for piece in pieces)
        self.board = Board(plan(pieces, GAP if package.ranged else package.size))
        self.climb = Climb(package.streams if package.ranged else 1)
        self.pool = ThreadPoolExecutor(package.streams, thread_name_prefix="wellread-hash")
        self.disk = ThreadPoolExecutor(1, thread_name_prefix="wellread-disk")
        self.kept: Future[None] = self.disk.submit(lambda: None)  # done when all that was asked of the disk is
        self.ended: SimpleQueue[tuple[int, BaseException | None]] = SimpleQueue()
        self.lock = threading.Lock()  # over the fields below and every write
        self.streams: dict[int, threading.Thread] = {}
        self.received = self.started = self.pardons = self.written = 0
        self.stopped = False

    # ------------------------------------------------------------ the coordinator

    def run(self) -> None:
        try:
            shown = 0
            while self._add_streams() or not self.board.empty():
                self._hear()
                come = min(self.received, self.total)
                self.climb.watch(self.received, self.total - come)
                self.bar.update(come - shown)
                shown = come
                if self.kept.done():
                    self.kept.result()
            self.kept.result()
        finally:
            self._stop()

    def _add_streams(self) -> bool:
        """Start as many as are wanted and find something to do; whether any is at work."""
        while len(self.streams) < self.climb.wanted and (span := self.board.claim()):
            self.started += 1
            self.pardons += bool(self.streams)  # one that was only tried may fail
            thread = threading.Thread(target=self._stream, args=(self.started, span), daemon=True)
            with self.lock:
                thread.start()
                self.streams[self.started] = thread
        return bool(self.streams)

    def _hear(self) -> None:
        """Wait for a moment, or until a stream ended. Raises what it ended with, if that was not one too many."""
        try:
            number, error = self.ended.get(timeout=_TICK)
        except Empty:
            return
        with self.lock:
            del self.streams[number]
        if isinstance(error, HubUnavailable) and self.pardons:
            self.pardons -= 1
            self.climb.limit(1)
        elif error is not None:
            raise error

    def _stop(self) -> None:
        with self.lock:
            self.stopped = True
        self.pool.shutdown(cancel_futures=True)
        self.disk.shutdown()  # a member that is whole takes its name whatever went wrong with another
        for thread in self.streams.values():
            thread.join(_PARTING)

    # ------------------------------------------------------------ a stream

    def _stream(self, number: int, span: Span | None) -> None:
        error = None
        buffers = cycle(memoryview(bytearray(PIECE)) for _ in range(2))  # one to fill, one being hashed
        try:
            while span:
                self._read(number, span, buffers)
                span = None if self._surplus(number) else self.board.claim()
        except BaseException as caught:  # the coordinator raises it
            error = caught
        self.ended.put((number, error))

    def _surplus(self, number: int) -> bool:
        """Whether this stream is one too many: the youngest go first, for they may not be getting anywhere."""
        with self.lock:
            return sorted(self.streams).index(number) >= self.climb.wanted

    def _read(self, number: int, span: Span, buffers: Iterator[memoryview]) -> None:
        """Receive a span, or as much of it as no other stream takes over, with one request."""
        at, checked = span[0].start, None
        try:
            with self._opened(at, span[-1].end - at) as stream:
                while span and not (checked and self._surplus(number)):
                    piece = span[0]
                    stream.drop(piece.start - at)
                    data, at = stream.fill(next(buffers)[: piece.size]), piece.end
                    self._write(piece, data)
                    self.board.drop_first(span)
                    if checked:
                        checked()
                    checked = partial(self._make_sure, piece, self.pool.submit(self._check, piece, data))
        finally:
            self.board.leave(span)
            if checked:
                checked()

    def _opened(self, start: int, length: int) -> Stream:
        body = self.package.body(start, length)
        if not body.ranged:
            self.climb.limit(1)
        return Stream(body.chunks, self._count)

    def _count(self, received: int) -> None:
        with self.lock:
            if self.stopped:
                raise _Stopped
            self.received += received

    def _write(self, piece: Piece, data: bytes | memoryview) -> None:
        part = self.parts[piece.member]
        with self.lock:
            if self.stopped:
                raise _Stopped
            part.write(piece, data)
            self.written += 1
            if self.written % _BATCH == 0:
                self._keep(part.sync)

    def _make_sure(self, piece: Piece, hashing: Future[bool]) -> None:
        """Read a piece again once if it differs. Raises IntegrityError if it differs again."""
        if hashing.result():
            return
        body = self.package.body(piece.start, piece.size)
        with Stream(body.chunks) as stream:
            again = stream.take(piece.size)
        self._write(piece, again)
        if not self._check(piece, again):
            raise IntegrityError(_differs(self.package, piece, body.stat))

    # ------------------------------------------------------------ the pool and the disk

    def _check(self, piece: Piece, data: bytes | memoryview) -> bool:
        """Hash a piece that was written; whether it is right."""
        if sha256(data) != piece.digest:
            return False
        part = self.parts[piece.member]
        with self.lock:
            if part.passed(piece) and not self.stopped:
                self._keep(part.settle)
        return True

    def _keep(self, step: Callable[[], None]) -> None:
        """Ask something of the disk; nothing is done after a step that failed."""
        self.kept = self.disk.submit(_after, self.kept, step)


def _after(before: Future[None], step: Callable[[], None]) -> None:
    before.result()
    step()


def _differs(package: Package, piece: Piece, now: Stat) -> str:
    """What a piece that differs twice tells, and what to do."""
    if now.etag != package.first.etag:
        why = f"The file changed while it was read (its etag was {package.first.etag}, now {now.etag}): run this again"
    elif now.size not in (-1, package.size):
        why = f"The file has {now.size} bytes, {package.size} were published: it must be published again"
    elif is_local(package.where):
        why = "The hub's copy is damaged: publish it again, or tell its owner"
    else:
        why = "The hub's copy is damaged, or something on the way changes it: try another network, or tell its owner"
    return f"{differing(piece, package.where)}. Nothing of it was used.\n{why}"
