"""Folders and hubs behind the servers that people use, for the live demo's tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.fixtures import servers
from wellread.model_cards.site.served import ServedSite
from wellread.registry.distribution.server import HubServer
from wellread.registry.stores import open_store

_TYPES = Path("/etc/nginx/mime.types")
_NGINX = f"""
daemon off; master_process off; worker_processes 1; error_log {{scratch}}/error.log; pid {{scratch}}/pid;
events {{{{}}}}
http {{{{
  access_log off; include {_TYPES}; default_type application/octet-stream; sendfile on;
  client_body_temp_path {{scratch}}/a; proxy_temp_path {{scratch}}/b; fastcgi_temp_path {{scratch}}/c;
  uwsgi_temp_path {{scratch}}/d; scgi_temp_path {{scratch}}/e;
  server {{{{ listen 127.0.0.1:{{port}}; root "{{root}}"; }}}}
}}}}
"""
"""As Debian sets it up, with its table of types."""


class _Plain(SimpleHTTPRequestHandler):
    """The standard library's server: no ranges, no word to other sites."""

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@contextmanager
def nginx(root: Path) -> Iterator[str]:
    """nginx over a folder; its URL. Skips where it is not installed."""
    if not _TYPES.exists():
        pytest.skip("nginx is not installed")
    with TemporaryDirectory(prefix="wellread-nginx-") as place:
        scratch = Path(place)
        program = servers.installed("nginx")
        options = ("-e", scratch / "error.log", "-p", scratch, "-c", scratch / "conf")
        command = [program, *map(str, options)]
        running, url = servers.start_on_a_free_port(command, _NGINX, root, scratch)
        try:
            yield url
        finally:
            running.terminate()
            running.communicate()


@contextmanager
def plain(root: Path) -> Iterator[str]:
    """``python -m http.server`` over a folder; its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Plain, directory=str(root))) as server, _running(server):
        yield f"http://127.0.0.1:{server.server_port}"


@contextmanager
def ours(root: Path, *, shared: bool = False) -> Iterator[str]:
    """``wellread serve`` over a folder; its URL. ``shared``: other sites may read it."""
    with HubServer(open_store(root), log=lambda line: None, shared=shared) as server, _running(server):
        yield server.url


@contextmanager
def served(hub: Path, pages: Path) -> Iterator[str]:
    """``wellread serve`` over a hub that has no site, which is built into ``pages`` meanwhile; its URL."""
    site = ServedSite(open_store(hub), pages, pytest.fail)
    with HubServer(site.store, log=lambda line: None) as server, site, _running(server):
        yield server.url


@contextmanager
def _running(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
