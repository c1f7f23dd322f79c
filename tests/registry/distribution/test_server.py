"""A hub over HTTP: ranges, etags and refusals as RFC 9110 has them, and nothing but the hub's keys."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tests.registry.samples import noise
from wellread.errors import HubUnavailable, Interrupted, WellreadError
from wellread.registry.distribution.server import HubServer, Span, span_of
from wellread.registry.stores import Body, Stat, Store, open_store, read

DATA = noise(3_000_000)


class Running:
    """A server in a thread, and what it logged."""

    def __init__(self, server: HubServer, log: list[str]) -> None:
        self.url, self.log = server.url, log
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Accept-Encoding"] = "identity"

    def get(self, path: str, method: str = "GET", **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.session.request(method, f"{self.url}/{path}", headers=named, timeout=10)


@contextmanager
def serving(store: Any, host: str = "127.0.0.1", *, shared: bool = False) -> Iterator[Running]:
    log: list[str] = []
    with HubServer(store, host, 0, log=log.append, shared=shared) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        running = Running(server, log)
        try:
            yield running
        finally:
            running.session.close()
            server.shutdown()
            thread.join()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store(tmp_path / "hub")
    store.put_new("a/big.zip", DATA)
    store.put_new("hub.json", b"{}")
    store.put_new("empty", b"")
    return store


@pytest.fixture
def hub(store: Store) -> Iterator[Running]:
    with serving(store) as running:
        yield running


def test_whole(hub: Running, store: Store) -> None:
    answer = hub.get("a/big.zip")
    stat = store.head("a/big.zip")
    assert stat and (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Length"] == "3000000"
    assert answer.headers["ETag"] == f'"{stat.etag}"'
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert hub.get("hub.json?cache=no").headers["Content-Type"] == "application/json"
    assert hub.get("empty").content == b"" and hub.get("empty").status_code == 200
    assert hub.get("a/big%2ezip").content == DATA


def test_head_says_the_same_without_a_body(hub: Running) -> None:
    get, head = hub.get("a/big.zip"), hub.get("a/big.zip", "HEAD")
    assert head.status_code == 200 and head.content == b""
    for name in ("ETag", "Content-Length", "Content-Type", "Accept-Ranges"):
        assert get.headers[name] == head.headers[name]
    assert hub.get("a/big.zip", "HEAD", Range="bytes=0-4").status_code == 200


@pytest.mark.parametrize(
    ("asked", "told", "part"),
    [
        ("bytes=0-0", "bytes 0-0/3000000", slice(0, 1)),
        ("bytes=100-2000000", "bytes 100-2000000/3000000", slice(100, 2_000_001)),
        ("bytes=2999990-", "bytes 2999990-2999999/3000000", slice(-10, None)),
        ("bytes=2999990-9999999", "bytes 2999990-2999999/3000000", slice(-10, None)),
        ("bytes=-7", "bytes 2999993-2999999/3000000", slice(-7, None)),
        ("bytes=-9999999", "bytes 0-2999999/3000000", slice(None)),
    ],
)
def test_one_range(hub: Running, asked: str, told: str, part: slice) -> None:
    answer = hub.get("a/big.zip", Range=asked)
    assert (answer.status_code, answer.headers["Content-Range"]) == (206, told)
    assert answer.content == DATA[part]


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "bytes=5-2", "lines=1-2", "bytes=a-b", "bytes=-", "bytes"])
def test_what_is_no_single_range_gives_the_whole(hub: Running, asked: str) -> None:
    answer = hub.get("a/big.zip", Range=asked)
    assert answer.status_code == 200 and answer.content == DATA


@pytest.mark.parametrize(
    ("path", "asked"), [("a/big.zip", "bytes=3000000-"), ("a/big.zip", "bytes=-0"), ("empty", "bytes=0-5")]
)
def test_past_the_end(hub: Running, path: str, asked: str) -> None:
    answer = hub.get(path, Range=asked)
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{0 if path == 'empty' else 3000000}"


def test_what_is_known_is_not_sent_again(hub: Running) -> None:
    etag = hub.get("hub.json").headers["ETag"]
    for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        for method in ("GET", "HEAD"):
            answer = hub.get("hub.json", method, If_None_Match=known)
            assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
    assert hub.get("hub.json", If_None_Match='"x"').content == b"{}"


def test_a_range_of_another_version_gives_the_whole(hub: Running) -> None:
    etag = hub.get("a/big.zip").headers["ETag"]
    assert hub.get("a/big.zip", Range="bytes=0-4", If_Range=etag).status_code == 206
    for other in ('"x"', f"W/{etag}", "Sun, 06 Nov 1994 08:49:37 GMT"):
        assert hub.get("a/big.zip", Range="bytes=0-4", If_Range=other).content == DATA


ELSEWHERE = (
    *("", "a", "a/", "nope", ".wellread/lock", "a/.hidden", "a%00", "link", "up/secret"),
    *("%2e%2e/secret", "a/..%2f..%2fsecret", "%2fetc/passwd"),
)


@pytest.mark.parametrize("path", ELSEWHERE)
def test_nothing_else_is_there(hub: Running, tmp_path: Path, path: str) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "hub/a/.hidden").write_text("secret")
    (tmp_path / "hub/link").symlink_to(tmp_path / "secret")
    (tmp_path / "hub/up").symlink_to(tmp_path)
    answer = hub.get(path)
    assert (answer.status_code, answer.text) == (404, "404 there is no such key in this hub\n")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert hub.log == []


def test_dots_in_the_request_itself_lead_nowhere(hub: Running, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    for target in (b"/../secret", b"//../secret", b"/a/../../secret", b"../secret", b"http://x/../secret"):
        assert _raw(hub, b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").startswith(
            b"HTTP/1.1 404"
        )


def _raw(hub: Running, request: bytes) -> bytes:
    host, _, port = hub.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_hub_is_to_be_read(hub: Running, method: str) -> None:
    answer = hub.get("hub.json", method)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert answer.text == "405 this hub is to be read\n"


@pytest.mark.parametrize("method", [b"POST", b"GET", b"HEAD"])
def test_what_is_sent_along_is_not_taken_for_a_request(hub: Running, method: bytes) -> None:
    smuggled = b"GET /hub.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    told = b"%s / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
    said = _raw(hub, told % (method, len(smuggled), smuggled))
    assert said.count(b"HTTP/1.1 ") == 1


def test_nonsense_gets_a_short_plain_answer(hub: Running) -> None:
    said = _raw(hub, b"FETCH /hub.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 501") and b"text/plain" in said and b"<" not in said
    assert _raw(hub, b"\x00\x01\x02\r\n\r\n").startswith(b"400 Bad request syntax")
    assert _raw(hub, b"GET http://[ HTTP/1.1\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 404")
    assert hub.log == []


def test_a_connection_serves_many_requests(hub: Running) -> None:
    one = b"GET /hub.json HTTP/1.1\r\nHost: localhost\r\n%s\r\n"
    miss = b"GET /nope HTTP/1.1\r\nHost: localhost\r\n\r\n"
    said = _raw(hub, one % b"" + miss + one % b"Range: bytes=0-0\r\n" + one % b"Connection: close\r\n")
    assert [part[:3] for part in said.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404", b"206", b"200"]


def test_a_reader_that_goes_away_is_nobodys_error(hub: Running) -> None:
    host, _, port = hub.url.removeprefix("http://").rpartition(":")
    for _ in range(3):
        with socket.create_connection((host, int(port))) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.sendall(b"GET /a/big.zip HTTP/1.1\r\nHost: localhost\r\n\r\n")
            connection.recv(1000)
    assert hub.get("hub.json").content == b"{}"
    assert hub.log == []


def test_as_a_store_it_is_the_folder_behind_it(hub: Running, store: Store) -> None:
    web = open_store(hub.url)
    assert read(web, "a/big.zip") == (DATA, hub.get("a/big.zip").headers["ETag"])
    store.put_new("later", b"1")
    found = read(web, "later")
    stat = store.head("later")
    assert found and stat and store.put_if("later", b"2", stat.etag)
    changed = web.get_range("later", unless=found[1])
    assert changed and b"".join(changed.chunks) == b"2"


class Failing:
    """A store that fails as told: at the look, or in the middle of the bytes."""

    url = "s3://secret-bucket"

    def __init__(self, error: WellreadError | None = None, *, sent: int = 0, etag: str = "1") -> None:
        self.error, self.sent, self.etag = error, sent, etag

    def head(self, key: str) -> Stat:
        if self.error and not self.sent:
            raise self.error
        return Stat(10, self.etag)

    def get_range(self, key: str, start: int = 0, length: int | None = None, *, unless: str | None = None) -> Body:
        def chunks() -> Iterator[bytes]:
            yield b"0123456789"[start : start + (self.sent or 10)]
            if self.error:
                raise self.error

        return Body(Stat(10, self.etag), chunks())


@pytest.mark.parametrize(
    ("error", "status"),
    [(Interrupted("s3://secret-bucket: away"), 503), (HubUnavailable("s3://secret-bucket: shut"), 502)],
)
def test_a_store_that_fails_is_told_in_a_line_without_its_name(error: WellreadError, status: int) -> None:
    with serving(Failing(error)) as hub:
        answer = hub.get("k")
        assert answer.status_code == status and len(answer.text.splitlines()) == 1
        assert "secret" not in answer.text and hub.log == [str(error)]


def test_a_store_that_fails_in_the_middle_cuts_the_connection() -> None:
    with serving(Failing(Interrupted("it broke off"), sent=4)) as hub:
        with pytest.raises(requests.RequestException):
            hub.get("k")
        body = open_store(hub.url).get_range("k")
        with pytest.raises(Interrupted):
            list(body.chunks if body else ())
        assert hub.log == ["it broke off"] * 2


def test_a_body_that_ends_early_cuts_the_connection_too() -> None:
    with serving(Failing(sent=4)) as hub, pytest.raises(requests.RequestException):
        hub.get("k")


def _shut() -> Iterator[bytes]:
    raise HubUnavailable("shut")
    yield b""


def test_a_store_that_fails_at_the_first_byte_is_told_by_a_status() -> None:
    def failing(*_: object, **__: object) -> Body:
        return Body(Stat(10, "1"), _shut())

    store = Failing()
    store.get_range = failing  # type: ignore[method-assign]
    with serving(store) as hub:
        assert hub.get("k").status_code == 502


def test_what_changes_between_look_and_read_is_looked_at_again() -> None:
    store, looks = Failing(etag="2"), iter([Stat(20, "1"), Stat(10, "2")])
    store.head = lambda key: next(looks)  # type: ignore[method-assign]
    with serving(store) as hub:
        answer = hub.get("k", Range="bytes=-3")
        assert (answer.content, answer.headers["ETag"]) == (b"789", '"2"')


def test_a_size_that_nobody_knows_is_not_made_up() -> None:
    store = Failing()
    store.head = lambda key: Stat(-1, "1")  # type: ignore[method-assign]
    with serving(store) as hub:
        assert hub.get("k").status_code == 502 and "its size is not known" in hub.log[0]


def test_a_port_that_is_taken_is_explained(hub: Running, store: Store) -> None:
    port = int(hub.url.rpartition(":")[2])
    with pytest.raises(WellreadError, match=r"cannot listen at 127.0.0.1:\d+: Address already in use; choose another"):
        HubServer(store, "127.0.0.1", port)
    with pytest.raises(WellreadError, match=r"cannot listen at no\.such\.host\.invalid:0"):
        HubServer(store, "no.such.host.invalid", 0)


def test_the_other_internet_protocol(store: Store) -> None:
    if not socket.has_ipv6:
        pytest.skip("IPv6 is not installed")
    with serving(store, "::1") as hub:
        assert hub.url.startswith("http://[::1]:")
        assert hub.get("hub.json").content == b"{}"


@given(st.integers(0, 50), st.none() | st.integers(0, 60), st.none() | st.integers(0, 60))
def test_a_range_is_what_slicing_gives(size: int, first: int | None, last: int | None) -> None:
    data = bytes(range(size))
    span = span_of(f"bytes={'' if first is None else first}-{'' if last is None else last}", size)
    if (first is None and last is None) or (first is not None and last is not None and last < first):
        assert span is None
        return
    wanted = (
        data[-last:]
        if first is None and last
        else b""
        if first is None
        else data[first : None if last is None else last + 1]
    )
    assert span is not None and data[span.start : span.start + span.length] == wanted
    assert span == Span(span.start, len(wanted))
