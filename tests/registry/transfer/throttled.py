"""A hub behind a slow web server with ranges, which remembers what it gave away.

with throttled(tmp_path / "hub", rate=20e6) as server:
    open_hub(server.url)
    server.sent
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_BLOCK = 64 * 1024


@dataclass
class Throttled:
    """``given``: of each read of an artifact its first byte, and how many were sent."""

    url: str = ""
    given: list[list[int]] = field(default_factory=list)

    @property
    def sent(self) -> int:
        return sum(sent for _, sent in self.given)


@contextmanager
def throttled(root: Path, rate: float) -> Iterator[Throttled]:
    """Serve a folder with ``rate`` bytes a second for each connection."""
    told = Throttled()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = root / self.path.lstrip("/")
            if not path.is_file():
                self.send_error(404)
                return
            size = path.stat().st_size
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            first, last = (int(asked[1]), int(asked[2] or size - 1)) if asked else (0, size - 1)
            self.send_response(206 if asked else 200)
            if asked:
                self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
            self.send_header("ETag", f'"{size}"')
            self.send_header("Content-Length", str(last + 1 - first))
            self.end_headers()
            with suppress(ConnectionError), path.open("rb") as file:
                file.seek(first)
                given = [first, 0]
                if path.suffix == ".zip":
                    told.given.append(given)
                self._give(file.read(last + 1 - first), given)

        def _give(self, data: bytes, given: list[int]) -> None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BLOCK)
            for at in range(0, len(data), _BLOCK):
                block = data[at : at + _BLOCK]
                self.wfile.write(block)
                given[1] += len(block)
                time.sleep(len(block) / rate)

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
