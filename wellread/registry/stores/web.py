"""A web server as a store: ``https://models.example.org/hub``, to be read only.

    head         HEAD            size and etag (see ``answers``)
    get_range    GET with Range  If-None-Match or If-Modified-Since for a conditional read

A server without ranges sends everything; what lies before the wanted bytes is dropped. Its answer is kept open then:
members are read in the order of the zip, so the next read of the key goes on in the same stream, and a form costs one
download and not one for each member.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wellread.errors import HubUnavailable, Interrupted, PublishError, WellreadError
from wellread.registry.pieces import CHUNK
from wellread.registry.stores import Body, Stat, Store, answers, check_key
from wellread.registry.stores.connection import Connection, parse_address, told

if TYPE_CHECKING:
    import requests

_DRAINED = 64 * 1024
"""Bytes of a refusal that are read so that its connection can be used again."""


def open_store(url: str | Path) -> Store:
    """The store behind an http(s) address. Touches no network. Raises BadInput."""
    return WebStore(str(url))


class _Stream:
    """The bytes of one answer, read in order: ``at`` is the position of the next, ``end`` the one behind the last."""

    def __init__(self, response: requests.Response, stat: Stat, at: int, end: int | None, where: str) -> None:
        self.response, self.stat, self.at, self.end, self.where = response, stat, at, end, where

    def upto(self, stop: int | None) -> Iterator[bytes]:
        """The bytes before ``stop``. Raises Interrupted where they break off before the end that was announced."""
        while (stop is None or self.at < stop) and (chunk := self._read(CHUNK if stop is None else stop - self.at)):
            yield chunk

    def _read(self, length: int) -> bytes:
        with told(self.where):
            chunk: bytes = self.response.raw.read(min(CHUNK, length), decode_content=False)
        self.at += len(chunk)
        if not chunk and self.end is not None and self.at < self.end:
            raise Interrupted(f"{self.where}: the answer broke off at byte {self.at} of {self.end}")
        if not chunk:
            self.end = self.at
        return chunk

    @property
    def has_more(self) -> bool:
        return self.end is None or self.at < self.end

    def close(self) -> None:
        self.response.close()


class _Own(NamedTuple):
    """What belongs to one process: a fork shares no sockets with its parent."""

    process: int
    connection: Connection
    held: dict[str, _Stream]


class WebStore:
    """See the module; usable from any thread and after a fork."""

    def __init__(self, url: str) -> None:
        self.address = parse_address(url)
        self.url = self.address.url
        self._state: _Own | None = None

    def head(self, key: str) -> Stat | None:
        response = self._ask("HEAD", key, {})
        if response is None:
            return None
        _dispose(response)
        answers.check_kind(response.headers, key, self._where(key))
        return answers.stat_of(response.headers)

    def get_range(
        self, key: str, start: int = 0, length: int | None = None, *, unless: str | None = None
    ) -> Body | None:
        if length is not None and length <= 0:
            return self._nothing(key)
        stop = None if length is None else start + length
        kept = self._kept(key, start) if unless is None else None
        if kept is not None:
            return Body(kept.stat, self._part(key, kept, start, stop), ranged=False)
        response = self._ask("GET", key, {**_range(start, stop), **answers.condition(unless)})
        if response is None:
            return None
        try:
            return self._body(key, response, start, stop, unless)
        except WellreadError:
            response.close()
            raise

    def put_new(self, key: str, source: Path | bytes) -> bool:
        raise self._read_only(key)

    def put_if(self, key: str, source: Path | bytes, etag: str | None) -> bool:
        raise self._read_only(key)

    def list(self, prefix: str = "") -> Iterator[str]:
        raise HubUnavailable(f"{self.url}: a web server lists nothing: list the folder or bucket behind it")

    def _read_only(self, key: str) -> PublishError:
        return PublishError(
            f"{self.url}/{check_key(key)} cannot be written: a web server takes no uploads. "
            "Publish into the folder or bucket behind it"
        )

    def _where(self, key: str) -> str:
        return f"{self.url}/{check_key(key)}"

    def _own(self) -> _Own:
        """This process's connections. Two threads may both make them at first; one set is dropped, no lock needed."""
        if self._state is None or self._state.process != os.getpid():
            self._state = _Own(os.getpid(), Connection(self.address), {})
        return self._state

    def _ask(self, method: str, key: str, headers: dict[str, str]) -> requests.Response | None:
        """An answer that is one, its body not read; None where there is no such key."""
        where = self._where(key)
        response = self._own().connection.ask(method, where, headers)
        if response is None or response.status_code in answers.GONE:
            _dispose(response)
            return None
        try:
            answers.check_status(response.status_code, response.headers, where, self.address.place.name)
        except HubUnavailable:
            _dispose(response)
            raise
        return response

    def _nothing(self, key: str, start: int | None = None) -> Body | None:
        """No bytes of a key, for want of such; the stat is asked for. Raises HubUnavailable if there are some."""
        stat = self.head(key)
        if stat and start is not None and start < stat.size:
            raise HubUnavailable(
                f"{self._where(key)}: the server answered 416 for bytes from {start} on, of {stat.size}: "
                "the server, or a cache on the way, is broken"
            )
        return None if stat is None else Body(stat, iter(()))

    def _body(
        self, key: str, response: requests.Response, start: int, stop: int | None, unless: str | None
    ) -> Body | None:
        where, status, ranged = self._where(key), response.status_code, True
        if status == 416 and _range(start, stop):
            _dispose(response)
            return self._nothing(key, start)
        if status == 304 and unless:
            _dispose(response)
            return Body(Stat(-1, unless), iter(()))
        answers.check_kind(response.headers, key, where)
        if status == 206 and _range(start, stop):
            stat, end = answers.range_of(response.headers, start, stop, where)
            stream = _Stream(response, stat, start, end, where)
        elif status == 200:
            stat = answers.stat_of(response.headers)
            stream = _Stream(response, stat, 0, stat.size if stat.size >= 0 else None, where)
            ranged = not _range(start, stop)
        else:
            raise HubUnavailable(f"{where}: the server answered {status} to a question that was not asked")
        if (stat.etag and stat.etag == unless) or 0 <= stat.size <= start:
            response.close()
            return Body(stat, iter(()), ranged)
        return Body(stat, self._part(key, stream, start, stop), ranged)

    def _part(self, key: str, stream: _Stream, start: int, stop: int | None) -> Iterator[bytes]:
        """The bytes from ``start`` to ``stop`` of a stream that begins before them; what it has beyond is kept."""
        done = False
        try:
            for _ in stream.upto(start):
                pass
            yield from stream.upto(stop)
            done = True
        finally:
            if done and stream.has_more:
                self._keep(key, stream)
            else:
                stream.close()

    def _kept(self, key: str, start: int) -> _Stream | None:
        """The open stream of a key, if it has not passed ``start``; who takes it has it alone."""
        stream = self._own().held.pop(key, None)
        if stream is not None and stream.at > start:
            stream.close()
            return None
        return stream

    def _keep(self, key: str, stream: _Stream) -> None:
        """Keep a stream for the next read of its key, and no other: each holds a connection."""
        held = self._own().held
        for other in tuple(held):
            if old := held.pop(other, None):
                old.close()
        held[key] = stream


def _range(start: int, stop: int | None) -> dict[str, str]:
    """The header for a range; none for the whole object."""
    if start == 0 and stop is None:
        return {}
    return {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"}


def _dispose(response: requests.Response | None) -> None:
    """Be done with an answer; a short rest is read, so that the connection can be used again."""
    if response is None:
        return
    left = response.raw.length_remaining  # 0 after a HEAD, None where it is not told
    if left is not None and left <= _DRAINED:
        with suppress(WellreadError), told(""):
            response.raw.read(_DRAINED, decode_content=False)
    response.close()
