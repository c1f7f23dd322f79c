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


def _asked(server: HubServer, target: str, host: str = "localhost") -> tuple[int, bytes]:
    """The status and body of a target that is sent as it stands."""
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.putrequest("GET", target, skip_host=True)
    connection.putheader("Host", host)
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


@pytest.mark.parametrize(
    "host", ["evil.example.org", "evil.example.org:8000", "localhost.evil.example.org", "[::1", "x"]
)
def test_a_name_that_another_site_let_lead_here_is_not_answered(server: HubServer, host: str) -> None:
    """DNS rebinding: the browser takes the answer for that site's own, and its scripts read it."""
    status, body = _asked(server, "/hub.json", host)
    assert (status, b"{" in body) == (421, False)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "hub.localhost", ""])
def test_this_machines_own_names_are_answered(server: HubServer, host: str) -> None:
    assert _asked(server, "/public/models/tiny_en_2.6.0_2.4_1598344705269.zip", host)[0] == 200


def test_pages_of_other_sites_may_read_a_hub_only_where_that_was_asked_for(server: HubServer) -> None:
    _, headers = _headers(server, "/public/models/tiny_en_2.6.0_2.4_1598344705269.zip")
    assert not [name for name in headers if name.lower().startswith("access-control")]
    server.shared = True
    _, headers = _headers(server, "/public/models/tiny_en_2.6.0_2.4_1598344705269.zip")
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in headers


def test_nobody_keeps_a_page_without_asking_again(server: HubServer) -> None:
    """What was yanked must not look ready because a proxy kept it."""
    _, headers = _headers(server, "/public/models/tiny_en_2.6.0_2.4_1598344705269.zip")
    assert headers["Cache-Control"] == "no-cache" and headers["ETag"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_page_stands_in_nobodys_frame(server: HubServer, tmp_path: Path) -> None:
    (tmp_path / "hub/index.html").write_bytes(b"<p>")
    assert "frame-ancestors 'none'" in _headers(server, "/index.html")[1]["Content-Security-Policy"]


@pytest.mark.parametrize("target", ["/a%0d%0aSet-Cookie:%20x=1", "/%0aX:%20y", "/a%0d%0a%0d%0a<script>"])
def test_no_key_becomes_a_header(server: HubServer, target: str) -> None:
    status, headers = _headers(server, target)
    assert status == 404
    assert set(headers) <= {"Server", "Date", "Content-Type", "Content-Length", "Connection"}


@pytest.mark.parametrize(
    "asked",
    ["bytes=0-0," * 5000 + "1-1", f"bytes={'9' * 18}-", f"bytes=-{'9' * 18}", "bytes=5-1", "bytes=" + "-" * 9000],
)
def test_no_range_costs_more_than_the_file(server: HubServer, tmp_path: Path, asked: str) -> None:
    key = "public/models/tiny_en_2.6.0_2.4_1598344705269.zip"
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request("GET", f"/{key}", headers={"Range": asked})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.status in (200, 206, 416)
    assert len(body) <= (tmp_path / "hub" / key).stat().st_size


def _headers(server: HubServer, target: str) -> tuple[int, dict[str, str]]:
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request("GET", target)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, dict(response.getheaders())


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_nothing_is_written(server: HubServer, tmp_path: Path, method: str) -> None:
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request(method, "/public/models/new.zip", body=b"x")
    assert connection.getresponse().status == 405
    connection.close()
    assert not (tmp_path / "hub/public/models/new.zip").exists()
