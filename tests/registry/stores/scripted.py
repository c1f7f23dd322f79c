"""A web server that does as a test says: well, badly, over TLS, as a proxy; and remembers every request.

with scripted(lambda asked: Reply(b"data")) as server:
    server.url         http://127.0.0.1:<port>
    server.asked       [Asked("GET", "/k", headers), …]
"""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Asked(NamedTuple):
    """A request; ``caller`` is the address and port that it came from."""

    method: str
    path: str
    headers: Message
    caller: tuple[str, int]

    @property
    def range(self) -> str | None:
        return self.headers.get("Range")

    @property
    def login(self) -> str | None:
        return self.headers.get("Authorization")


@dataclass(frozen=True)
class Reply:
    """What is answered. ``announced`` is the Content-Length, by default the body's, -1 for none; ``sent`` bytes go
    out before the connection is cut, by default all."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    announced: int | None = None
    sent: int | None = None


Script = Callable[[Asked], Reply]


@dataclass
class Scripted:
    """A running server."""

    url: str
    asked: list[Asked]


@contextmanager
def scripted(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """Run a server whose every answer is ``script(request)``."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def reply(self) -> None:
            asked.append(Asked(self.command, self.path, self.headers, self.client_address))
            answer = script(asked[-1])
            self.send_response(answer.status)
            length = len(answer.body) if answer.announced is None else answer.announced
            told = {"Content-Length": str(length)} if length >= 0 else {}
            for name, value in {**told, **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body[: answer.sent])
            self.close_connection |= length != len(answer.body) or answer.sent is not None

        do_GET = do_HEAD = reply

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that goes away is often what is tested."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Scripted(f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}", asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def object_of(data: bytes, **headers: str) -> Script:
    """A good server's answers for one object: ranges, 416, ETag, 304."""
    told = {"ETag": '"one"', **headers}

    def answer(asked: Asked) -> Reply:
        if told["ETag"] and asked.headers.get("If-None-Match") == told["ETag"]:
            return Reply(b"", 304, told)
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.range or "")
        if not found:
            return Reply(data, 200, told)
        start, stop = int(found[1]), min(len(data), int(found[2] or len(data)) + 1)
        if start >= len(data):
            return Reply(b"past", 416, {"Content-Range": f"bytes */{len(data)}"})
        return Reply(data[start:stop], 206, {**told, "Content-Range": f"bytes {start}-{stop - 1}/{len(data)}"})

    return answer
