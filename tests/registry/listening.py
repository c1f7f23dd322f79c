"""A hub over HTTP in this process that writes down what it was asked.

with listening(tmp_path / "hub") as hub:
    hub.url       http://127.0.0.1:<port>
    hub.asked     ["200 index/3f/tiny.jsonl", "304 index/3f/tiny.jsonl", …]
    hub.silent    set it, and requests are taken but not answered
    hub.busy      set it, and every answer is 503
    hub.private   set it, and who does not say who asks is answered 401
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from wellread.registry.cache import copies
from wellread.registry.distribution import server
from wellread.registry.home import home
from wellread.registry.stores import open_store

DAY = 24 * 3600


@dataclass
class Listening:
    """A running server; ``asked`` are status and key of each answer, in order."""

    folder: Path
    url: str
    asked: list[str] = field(default_factory=list)
    silent: threading.Event = field(default_factory=threading.Event)
    busy: threading.Event = field(default_factory=threading.Event)
    private: threading.Event = field(default_factory=threading.Event)

    def taken(self) -> list[str]:
        """What was asked since the last time."""
        found, self.asked[:] = list(self.asked), []
        return found


@contextmanager
def listening(folder: Path) -> Iterator[Listening]:
    """Serve a folder. When the block ends the port is closed, and whoever asks is refused."""
    running = server.HubServer(open_store(folder), log=lambda _: None)
    hub = Listening(folder, running.url)
    ended = threading.Event()

    class Recording(server._Handler):
        def do_GET(self) -> None:
            if hub.silent.is_set():
                hub.asked.append(f"--- {self.path[1:]}")
                ended.wait()
                self.close_connection = True
            elif hub.busy.is_set():
                self._say(503, "busy")
            elif hub.private.is_set() and not self.headers["Authorization"]:
                self._say(401, "who asks?")
            else:
                super().do_GET()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            hub.asked.append(f"{int(code)} {self.path[1:]}")

    running.RequestHandlerClass = Recording
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        ended.set()
        running.shutdown()
        thread.join()
        running.server_close()


def age(seconds: int) -> None:
    """Make the copies of what hubs said so many seconds older."""
    for path in (home() / "cache/hubs").glob("**/*.json*"):
        first, _, raw = path.read_bytes().partition(b"\n")
        header = json.loads(first)
        header["checked"] -= seconds
        path.write_bytes(json.dumps(header).encode() + b"\n" + raw)


def kept(url: str, key: str) -> copies.Copy:
    """The copy of what a hub said."""
    found = copies._kept(url, key)
    assert found
    return found
