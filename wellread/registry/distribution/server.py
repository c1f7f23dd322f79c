"""A hub over HTTP: the keys of any store, to be read, and pages where the store has them.

    GET | HEAD /KEY     200 with ETag; 206 for one range, 304 where the etag is known
                        404 no such key, 405 another method, 416 past the end, 502 or 503 the store behind fails
    GET | HEAD /        index.html
    OPTIONS /KEY        204, which pages of other sites ask first, where they may read the hub

A browser that asks for what is not there gets the store's 404.html. No page is shown inside another site's.

Not the standard library's SimpleHTTPRequestHandler: it knows neither ranges nor etags, and it lists folders. What is
sent was read with the etag that is sent; where a key changes meanwhile, it is looked at again.
"""

from __future__ import annotations

import re
import socketserver
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from wellread.errors import BadInput, Interrupted, WellreadError
from wellread.registry.stores import Body, Stat, Store

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ipynb": "application/x-ipynb+json",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".md": "text/markdown; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".xml": "application/xml",
    ".zip": "application/zip",
}
_HOME, _MISSING = "index.html", "404.html"
_METHODS = "GET, HEAD"
_SHARED = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Accept-Ranges, Content-Length, Content-Range, ETag",
}
"""What lets pages of other sites read a hub, its live demos for one."""
_ASKED_FIRST = {
    "Access-Control-Allow-Methods": _METHODS,
    "Access-Control-Allow-Headers": "Range, If-Range, If-None-Match",
    "Access-Control-Max-Age": "86400",
}
_LOOKS = 5
"""How often a key is looked at that changes between the look and the read."""
_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{1,18})?|-(\d{1,18}))")


class Span(NamedTuple):
    """A stretch of an object: ``length`` bytes from ``start``."""

    start: int
    length: int


def span_of(header: str | None, size: int) -> Span | None:
    """The one range that a Range header asks of an object of ``size`` bytes; None where all of it is to be sent.

    A length of 0 means that there is no such byte. Several ranges, other units and nonsense count as no header, as
    RFC 9110, 14.2 allows.
    """
    found = _RANGE.fullmatch((header or "").replace(" ", ""))
    if not found:
        return None
    first, last, suffix = (None if group is None else int(group) for group in found.groups())
    if first is None:
        length = min(suffix or 0, size)
        return Span(size - length, length)
    if last is not None and last < first:
        return None
    return Span(first, max(0, min(size, size if last is None else last + 1) - first))


class HubServer(ThreadingHTTPServer):
    """Serves ``store`` from its making on, once ``serve_forever`` runs; ``url`` is its address.

    ``log`` gets a line for what a reader cannot be told. ``shared``: pages of other sites may read it, in the browser
    of whoever can reach this server. Raises WellreadError where the port cannot be had.
    """

    request_queue_size = 128

    def __init__(
        self,
        store: Store,
        host: str = "127.0.0.1",
        port: int = 0,
        log: Callable[[str], object] = print,
        shared: bool = False,
    ) -> None:
        self.store, self.log, self.shared = store, log, shared
        self.address_family = _family(host, port)
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            raise WellreadError(
                f"cannot listen at {host}:{port}: {getattr(error, 'strerror', None) or error}; "
                "choose another --port (0 takes a free one) or --host"
            ) from error
        name = f"[{host}]" if ":" in host else host
        self.url = f"http://{name}:{self.server_port}"
        self.own = not shared and ip_address(str(self.server_address[0])).is_loopback

    def answers_to(self, host: str) -> bool:
        """Whether a Host header may be ours. A site's owner can let its name lead to this machine and so have its pages
        read what only this machine can reach (DNS rebinding); an address or ``localhost`` is nobody's name."""
        if not self.own or not host:
            return True
        try:
            name = urlsplit(f"//{host}").hostname or ""
            return name == "localhost" or name.endswith(".localhost") or bool(ip_address(name))
        except ValueError:
            return False

    def server_bind(self) -> None:
        """Bind only: the base class asks the name service for a name that nobody reads, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A reader that has gone is nobody's error; anything else is a line."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | TimeoutError):
            self.log(f"{type(error).__name__}: {error}")


def _family(host: str, port: int) -> int:
    import socket

    return socket.AF_INET6 if ":" in host else socket.AF_INET


class _Handler(BaseHTTPRequestHandler):
    """One connection; the base class reads the requests."""

    server: HubServer
    protocol_version = "HTTP/1.1"
    error_message_format, error_content_type = "%(code)d %(message)s\n", "text/plain; charset=utf-8"
    disable_nagle_algorithm = True
    timeout = 60.0
    """Seconds that a connection may be silent."""

    def version_string(self) -> str:
        return "wellread"

    def do_GET(self) -> None:
        self.close_connection |= self._has_body()
        if not self.server.answers_to(self.headers.get("Host", "")):
            return self._say(421, "this server is called localhost: ask for that, or start it with --cors")
        try:
            self._answer(self._key())
        except Interrupted as error:
            self.server.log(str(error))
            self._say(503, "the hub behind this server is away for a moment", {"Retry-After": "1"})
        except WellreadError as error:
            self.server.log(str(error))
            self._say(502, "the hub behind this server cannot be read")

    do_HEAD = do_GET

    def _key(self) -> str:
        """What is asked for; of an address that is none, nothing."""
        try:
            return unquote(urlsplit(self.path).path).removeprefix("/") or _HOME
        except ValueError:
            return ""

    def _has_body(self) -> bool:
        """Whether something follows the request, which is not read and must not be taken for the next one."""
        return bool({"content-length", "transfer-encoding"} & {name.lower() for name in self.headers})

    def _refuse(self) -> None:
        self.close_connection = True
        self._say(405, "this hub is to be read", {"Allow": _METHODS})

    do_POST = do_PUT = do_DELETE = do_PATCH = _refuse

    def do_OPTIONS(self) -> None:
        self.close_connection |= self._has_body()
        if self.server.shared:
            self._send(204, _ASKED_FIRST)
        else:
            self._refuse()

    def _answer(self, key: str) -> None:
        for _ in range(_LOOKS):
            stat = self._stat(key)
            if stat is None:
                return self._miss()
            if _named(self.headers.get("If-None-Match"), stat):
                return self._send(304, {"ETag": _quoted(stat.etag)})
            span = self._span(stat)
            if span and not span.length:
                return self._say(416, "it ends before", {"Content-Range": f"bytes */{stat.size}"})
            body = self._body(key, span or Span(0, stat.size), stat)
            if body is not None and body.stat == stat:
                return self._send_body(key, body, span)
        raise Interrupted(f"{self.server.store.url}/{key} changes faster than it can be read")

    def _miss(self) -> None:
        """A browser gets the page for that, where there is one; whoever else asks, a line."""
        if "text/html" in self.headers.get("Accept", "") and (stat := self._stat(_MISSING)):
            body = self._body(_MISSING, Span(0, stat.size), stat)
            if body is not None and body.stat == stat:
                return self._send_body(_MISSING, body, None, 404)
        return self._say(404, "there is no such key in this hub")

    def _stat(self, key: str) -> Stat | None:
        """Raises WellreadError where the size is not known: an answer that breaks off would look whole."""
        try:
            stat = self.server.store.head(key)
        except BadInput:
            return None
        if stat and stat.size < 0:
            raise WellreadError(f"{self.server.store.url}/{key}: its size is not known, so it cannot be served")
        return stat

    def _span(self, stat: Stat) -> Span | None:
        """What the Range header asks, unless If-Range speaks of another version (RFC 9110, 13.1.5)."""
        condition = self.headers.get("If-Range")
        asked = self.command == "GET" and (condition is None or condition == _quoted(stat.etag) != "")
        return span_of(self.headers.get("Range"), stat.size) if asked else None

    def _body(self, key: str, span: Span, stat: Stat) -> Body | None:
        if self.command == "HEAD":
            return Body(stat, iter(()))
        return self.server.store.get_range(key, span.start, span.length)

    def _send_body(self, key: str, body: Body, span: Span | None, status: int = 200) -> None:
        start, length = span or Span(0, body.stat.size)
        headers = {
            "Content-Length": str(length),
            "Content-Type": next(
                (kind for end, kind in _TYPES.items() if key.endswith(end)), "application/octet-stream"
            ),
            "Accept-Ranges": "bytes",
            "Cache-Control": "no-cache",  # ask each time, by the etag: a yanked release is not to look ready for a day
            "ETag": _quoted(body.stat.etag),
            "X-Content-Type-Options": "nosniff",
        }
        if key.endswith(".html"):
            headers["Content-Security-Policy"] = "frame-ancestors 'none'"
        if span:
            headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{body.stat.size}"
        chunks = _begun(body.chunks)
        self._send(206 if span else status, headers)
        if self.command == "GET":
            self._pour(key, chunks, length)

    def _pour(self, key: str, chunks: Iterator[bytes], length: int) -> None:
        """Send the chunks; where they fail or end early the connection is cut, so that the reader sees it."""
        sent = 0
        try:
            for chunk in chunks:
                self.wfile.write(chunk)
                sent += len(chunk)
        except WellreadError as error:
            self.server.log(str(error))
        if sent != length:
            self.close_connection = True

    def _say(self, status: int, line: str, headers: dict[str, str] | None = None) -> None:
        text = f"{status} {line}\n".encode()
        plain = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(text))}
        self._send(status, {**plain, **(headers or {})})
        if self.command != "HEAD":
            self.wfile.write(text)

    def _send(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**(_SHARED if self.server.shared else {}), **headers}.items():
            if value:
                self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Requests are not told; ``HubServer.log`` gets what went wrong."""


def _quoted(etag: str) -> str:
    """An etag as HTTP writes it; a bucket's or a web server's is quoted already."""
    return etag if not etag or etag.endswith('"') else f'"{etag}"'


def _named(header: str | None, stat: Stat) -> bool:
    """Whether an If-None-Match header names the version that is there; weakly compared (RFC 9110, 13.1.2)."""
    known = [part.strip().removeprefix("W/") for part in (header or "").split(",")]
    return "*" in known or (bool(stat.etag) and _quoted(stat.etag).removeprefix("W/") in known)


def _begun(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks, the first one read: what fails at once can still be answered with a status."""
    first = next(chunks, b"")

    def all_of_them() -> Iterator[bytes]:
        yield first
        yield from chunks

    return all_of_them()
