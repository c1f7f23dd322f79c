"""A web server that breaks what it sends, in the ways that networks, proxies and servers do.

It holds files in memory and answers GET with ranges, ETags and If-None-Match, and HEAD. An answer of a megabyte or more
counts as one with payload; the ``fault`` of the moment may change it. Counted: requests, answers with payload, and the
bytes of payload that went out.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

PAYLOAD = 1_000_000
CHUNK = 256 * 1024
PORTAL = b"<!doctype html><title>Free Wi-Fi</title><p>Please accept our terms to continue.</p>\n" * 40


class Served(NamedTuple):
    """A file with the headers that come with it, and the offset of the model's bytes in it."""

    body: bytes
    headers: Mapping[str, str]
    model: int = 0


@dataclass(frozen=True)
class Reply:
    """An answer before it goes out: bytes of ``served`` from ``start``; only ``sent`` of them if given."""

    served: Served
    start: int
    body: bytes
    status: int
    headers: Mapping[str, str]
    sent: int | None = None


Fault = Callable[[Reply], Reply]


@dataclass
class Server:
    """A running server. ``held``: set once half of the payload was sent where ``hold`` asks for a pause there."""

    url: str
    files: dict[str, Served] = field(default_factory=dict)
    fault: Fault = lambda reply: reply
    hold: int | None = None
    requests: int = 0
    answers: int = 0
    sent: int = 0
    held: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reset(self, fault: Fault, hold: int | None = None) -> None:
        """Forget what was counted; from now on answer with ``fault``, and pause for ever after ``hold`` bytes."""
        self.fault, self.hold = fault, hold
        self.requests = self.answers = self.sent = 0
        self.held = threading.Event()

    def reply(self, path: str, ask: Mapping[str, str]) -> Reply:
        """The answer to a GET, before a fault."""
        served = self.files.get(path)
        if served is None:
            return Reply(Served(b"", {}), 0, b"not here", 404, {})
        if ask.get("If-None-Match") == served.headers["ETag"]:
            return Reply(served, 0, b"", 304, served.headers)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", ask.get("Range") or "")
        if not asked:
            return Reply(served, 0, served.body, 200, served.headers)
        start, size = int(asked[1]), len(served.body)
        stop = min(size, int(asked[2]) + 1) if asked[2] else size
        if start >= size:
            return Reply(served, 0, b"", 416, {**served.headers, "Content-Range": f"bytes */{size}"})
        told = {**served.headers, "Content-Range": f"bytes {start}-{stop - 1}/{size}"}
        return Reply(served, start, served.body[start:stop], 206, told)


# ---------------------------------------------------------------- faults; each call makes one that starts anew


def none() -> Fault:
    return lambda reply: reply


def flipped() -> Fault:
    """One bit in the middle of the model turns around, the first time that it is sent."""
    done = False

    def fault(reply: Reply) -> Reply:
        nonlocal done
        at = reply.served.model + 20_000_000 - reply.start
        if done or not 0 <= at < len(reply.body):
            return reply
        done = True
        return replace(reply, body=reply.body[:at] + bytes([reply.body[at] ^ 1]) + reply.body[at + 1 :])

    return fault


def cut_once() -> Fault:
    """The first answer breaks off half-way, then all is well."""
    return first(lambda reply: replace(reply, sent=len(reply.body) // 2))


def cut_always() -> Fault:
    """Every answer breaks off after 15 MB, as behind a proxy with a limit."""
    return lambda reply: replace(reply, sent=15_000_000)


def ignores_ranges() -> Fault:
    """The first answer breaks off; from then on the server answers any range with 200 and the whole file."""
    return first(
        lambda reply: replace(reply, sent=len(reply.body) // 2),
        lambda reply: replace(reply, start=0, body=reply.served.body, status=200, headers=reply.served.headers),
    )


def shifted() -> Fault:
    """The first answer breaks off; from then on each range comes from 1,000 bytes earlier, and says so."""

    def other(reply: Reply) -> Reply:
        if reply.status != 206:
            return reply
        start, size = max(0, reply.start - 1000), len(reply.served.body)
        body = reply.served.body[start : start + len(reply.body)]
        told = {**reply.headers, "Content-Range": f"bytes {start}-{start + len(body) - 1}/{size}"}
        return replace(reply, start=start, body=body, headers=told)

    return first(lambda reply: replace(reply, sent=len(reply.body) // 2), other)


def changed() -> Fault:
    """The first answer breaks off; then another file of the same size is there, with another ETag."""

    def other(reply: Reply) -> Reply:
        return replace(reply, body=bytes(len(reply.body)), headers={**reply.headers, "ETag": '"another"'})

    return first(lambda reply: replace(reply, sent=len(reply.body) // 2), other)


def portal() -> Fault:
    """A captive portal answers for the model: 200 and a page."""
    page = {"Content-Type": "text/html"}
    return lambda reply: replace(reply, body=PORTAL, status=200, headers=page)


def first(then: Fault, later: Fault = lambda reply: reply) -> Fault:
    """One fault for the first answer with payload, another for all later ones."""
    count = 0

    def fault(reply: Reply) -> Reply:
        nonlocal count
        count += 1
        return then(reply) if count == 1 else later(reply)

    return fault


# ---------------------------------------------------------------- the server


@contextmanager
def serving() -> Iterator[Server]:
    """A server on a free port of the loopback."""
    server = Server("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with server.lock:
                server.requests += 1
                reply = server.reply(self.path.partition("?")[0], dict(self.headers))
                payload = len(reply.body) >= PAYLOAD
                if payload:
                    server.answers += 1
                    reply = server.fault(reply)
            self._send(reply, payload)

        def do_HEAD(self) -> None:
            with server.lock:
                server.requests += 1
                reply = server.reply(self.path.partition("?")[0], dict(self.headers))
            self._headers(reply)

        def _headers(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
                self.send_header(name, value)
            self.end_headers()

        def _send(self, reply: Reply, payload: bool) -> None:
            self._headers(reply)
            body = memoryview(reply.body)[: reply.sent]
            self.close_connection = len(body) < len(reply.body)
            try:
                for at in range(0, len(body), CHUNK):
                    self.wfile.write(body[at : at + CHUNK])
                    self._count(len(body[at : at + CHUNK]) if payload else 0)
            except OSError:
                self.close_connection = True  # the client has gone

        def _count(self, size: int) -> None:
            with server.lock:
                server.sent += size
                full = server.hold is not None and server.sent >= server.hold
            if full:
                server.held.set()
                while server.hold is not None:
                    time.sleep(0.02)
                raise OSError("the connection is given up")

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    server.url = f"http://127.0.0.1:{httpd.server_port}"
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
