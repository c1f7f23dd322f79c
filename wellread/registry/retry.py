"""Patience with places that may be away for a moment.

A store says by ``Interrupted`` that trying again may help; here, and nowhere else, that is done. A read goes on at the
byte that it had reached. Every write may be tried again too, for each is create-only or a compare-and-swap: one that
had been done all the same is refused the second time, and whoever asked looks what is there, as after any lost race.

No library's retry is used (theirs are off): a function can be run again by any of them, but a stream that broke off has
to be taken up again, the same way over every transport.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from wellread.errors import HubUnavailable, Interrupted, Unreachable
from wellread.registry.stores import Body, Stat, Store, is_local, open_store

TRIES = 5
"""How often in a row something is tried that gets nowhere."""
FIRST_TRIES = 3
"""The same at a place that never answered: somebody waits to be told that its address is wrong."""
_FIRST, _LONGEST, _ASKED = 0.2, 10.0, 60.0
"""Seconds: the first wait, the longest, and the longest that a server may ask for."""

T = TypeVar("T")


def open_hub(url: str | Path) -> Store:
    """The store of a hub, patient where it lies behind a network. Raises BadInput, MissingExtra."""
    store = open_store(url)
    return store if is_local(url) else PatientStore(store)


class PatientStore:
    """A store whose operations are tried again while that may help; then the last Interrupted is raised."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.url = store.url
        self._answered = False

    def head(self, key: str) -> Stat | None:
        return self._tried(lambda: self.store.head(key))

    def get_range(
        self, key: str, start: int = 0, length: int | None = None, *, unless: str | None = None
    ) -> Body | None:
        body = self._tried(lambda: self.store.get_range(key, start, length, unless=unless))
        if body is None or body.stat.etag == unless:
            return body
        return body._replace(chunks=self._resumed(key, start, length, body))

    def put_new(self, key: str, source: Path | bytes) -> bool:
        return self._tried(lambda: self.store.put_new(key, source))

    def put_if(self, key: str, source: Path | bytes, etag: str | None) -> bool:
        return self._tried(lambda: self.store.put_if(key, source, etag))

    def list(self, prefix: str = "") -> Iterator[str]:
        last, failures = "", 0
        while True:
            try:
                for key in self.store.list(prefix):
                    if key > last:
                        last, failures, self._answered = key, 0, True
                        yield key
            except Interrupted as error:
                failures += 1
                self._wait(failures, error)
            else:
                return

    def _resumed(self, key: str, start: int, length: int | None, body: Body) -> Iterator[bytes]:
        """The chunks of a body, taken up where they break off. Raises HubUnavailable if it changed meanwhile."""
        at, failures, chunks = start, 0, body.chunks
        while True:
            try:
                for chunk in chunks:
                    at, failures = at + len(chunk), 0 if chunk else failures
                    yield chunk
            except Interrupted as error:
                if at - start == length:
                    return  # what broke was only the end of the answer
                failures += 1
                self._wait(failures, error)
            else:
                return
            chunks = self._again(key, at, None if length is None else start + length - at, body.stat)

    def _again(self, key: str, at: int, length: int | None, stat: Stat) -> Iterator[bytes]:
        """The chunks from a byte on; what goes wrong at the start is raised with the first of them."""
        body = self.store.get_range(key, at, length)
        if body is None or body.stat.etag != stat.etag:
            raise HubUnavailable(f"{self.url}/{key} changed while it was being read; run this again")
        yield from body.chunks

    def _tried(self, operation: Callable[[], T]) -> T:
        failures = 0
        while True:
            try:
                answer = operation()
            except Interrupted as error:
                failures += 1
                self._wait(failures, error)
            else:
                self._answered = True
                return answer

    def _wait(self, failures: int, error: Interrupted) -> None:
        """Sleep, longer each time; raises the error where it was tried often enough."""
        self._answered = self._answered or not isinstance(error, Unreachable)
        if failures >= (TRIES if self._answered else FIRST_TRIES) or (error.after or 0.0) > _ASKED:
            raise error
        growing = min(_LONGEST, _FIRST * 2.0**failures)
        time.sleep(max(error.after or 0.0, random.uniform(growing / 2, growing)))  # noqa: S311  jitter, not a secret
