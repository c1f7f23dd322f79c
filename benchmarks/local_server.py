"""nginx over a folder on the loopback, its requests counted; ``wellread serve`` where nginx is not installed.

One address answers three clients: a hub's (``<url>/<key>``), pooch's (any file) and huggingface_hub's, whose
``<url>/<org>/<name>/resolve/main/<file>`` is mapped onto the file, with the commit that it wants to hear of.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_CONF = """
daemon off; master_process off; worker_processes 1; error_log {scratch}/error.log; pid {scratch}/pid;
events {{}}
http {{
  log_format sizes '$bytes_sent $request'; access_log {scratch}/access.log sizes;
  types {{}} default_type application/octet-stream; sendfile on;
  client_body_temp_path {scratch}/a; proxy_temp_path {scratch}/b; fastcgi_temp_path {scratch}/c;
  uwsgi_temp_path {scratch}/d; scgi_temp_path {scratch}/e;
  server {{
    listen 127.0.0.1:{port}; root "{root}";
    location ~ /resolve/main/ {{
      rewrite ^/[^/]+/[^/]+/resolve/main/(.*)$ /$1 break;
      add_header X-Repo-Commit "0123456789abcdef0123456789abcdef01234567";
    }}
  }}
}}
"""


class Served:
    """A running server: its ``url``, its ``kind`` and what it sent."""

    def __init__(self, url: str, kind: str, log: Path) -> None:
        self.url, self.kind, self.log = url, kind, log

    def sent(self) -> tuple[int, int] | None:
        """Requests, and bytes that were sent for them with headers, since the start; None where nobody counts."""
        if not self.log.exists():
            return None
        lines = self.log.read_text().splitlines()
        return len(lines), sum(int(line.split()[0]) for line in lines)


@contextmanager
def serving(root: Path) -> Iterator[Served]:
    """A server over a folder."""
    with TemporaryDirectory(prefix="wellread-server-") as scratch:
        port = _free_port()
        nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        running = subprocess.Popen(_nginx(nginx, root, Path(scratch), port) if nginx else _ours(root, port))
        try:
            _wait(port)
            yield Served(
                f"http://127.0.0.1:{port}", "nginx" if nginx else "wellread serve", Path(scratch, "access.log")
            )
        finally:
            running.terminate()
            running.wait()


def _nginx(program: str, root: Path, scratch: Path, port: int) -> list[str]:
    (scratch / "conf").write_text(_CONF.format(root=root.absolute(), scratch=scratch, port=port))
    return [program, "-e", f"{scratch}/error.log", "-p", str(scratch), "-c", f"{scratch}/conf"]


def _ours(root: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "wellread.cli", "serve", "--hub", str(root), "--port", str(port)]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int) -> None:
    for _ in range(1000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError("the server does not answer")
