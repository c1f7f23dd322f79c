"""``wellread serve`` gives what is a key of the hub, and nothing beside it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.security.hostile import make_hub
from wellread.registry.distribution.server import HubServer
from wellread.registry.stores import open_store

SECRET = b"nobody's business"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[HubServer]:
    make_hub(tmp_path / "hub")
    for place in (tmp_path / "secret", tmp_path / "hub/.hidden", tmp_path / "hub/.wellread/secret"):
        place.write_bytes(SECRET)
    (tmp_path / "hub/public/link").symlink_to(tmp_path / "secret")
    (tmp_path / "hub/public/folder").symlink_to(tmp_path)
    with HubServer(open_store(tmp_path / "hub"), log=lambda line: None) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def _asked(server: HubServer, target: str) -> tuple[int, bytes]:
    """The status and body of a target that is sent as it stands."""
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.putrequest("GET", target, skip_host=True)
    connection.putheader("Host", "x")
    connection.endheaders()
    response = connection.getresponse()
    found = response.status, response.read()
    connection.close()
    return found


@pytest.mark.parametrize(
    "target",
    [
        "/../secret",
        "/%2e%2e/secret",
        "/%2E%2E%2Fsecret",
        "/public/%2e%2e/%2e%2e/secret",
        "/public/..%2f..%2fsecret",
        "/%252e%252e/secret",
        "/..%5csecret",
        "//etc/passwd",
        "/%2Fetc/passwd",
        "/file:///etc/passwd",
        "http://elsewhere.example.org/secret",
        "/public/link",
        "/public/folder/secret",
        "/.hidden",
        "/.wellread/secret",
        "/public/%00",
        "/%ff%fe",
        "/",
        "/public/",
        "/public/models",
        "*",
    ],
)
def test_nothing_outside_the_hub_is_given(server: HubServer, target: str) -> None:
    status, body = _asked(server, target)
    assert status in (400, 404)
    assert SECRET not in body and b"root:" not in body
    assert str(server.store.url).encode() not in body


def test_what_the_hub_has_is_given(server: HubServer) -> None:
    status, body = _asked(server, "/public/models/tiny_en_2.6.0_2.4_1598344705269.zip")
    assert (status, body[:2]) == (200, b"PK")


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_nothing_is_written(server: HubServer, tmp_path: Path, method: str) -> None:
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request(method, "/public/models/new.zip", body=b"x")
    assert connection.getresponse().status == 405
    connection.close()
    assert not (tmp_path / "hub/public/models/new.zip").exists()
