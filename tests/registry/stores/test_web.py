"""A web server as a store: what it says is taken where it can be true, and what cannot is refused and explained."""

from __future__ import annotations

import multiprocessing
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.registry.samples import noise
from tests.registry.stores.scripted import Asked, Reply, Script, Scripted, object_of, scripted
from wellread.errors import BadInput, HubUnavailable, Interrupted, PublishError, Unreachable
from wellread.registry import retry
from wellread.registry.retry import PatientStore
from wellread.registry.stores import Body, Store, connection, open_store, read

DATA = noise(3_000_000)


@pytest.fixture(autouse=True)
def _in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_FIRST", 0.0)
    for name in ("WELLREAD_TOKENS", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def good() -> Iterator[Scripted]:
    with scripted(object_of(DATA)) as server:
        yield server


def get(store: Store, start: int = 0, length: int | None = None) -> bytes:
    return b"".join(body_of(store, start, length).chunks)


def body_of(store: Store, start: int = 0, length: int | None = None, key: str = "k.zip") -> Body:
    body = store.get_range(key, start, length)
    assert body is not None
    return body


def ranges(server: Scripted) -> list[str | None]:
    return [asked.range for asked in server.asked if asked.method == "GET"]


def test_whole_and_in_ranges(good: Scripted) -> None:
    store = open_store(f"{good.url}/hub/")
    stat = store.head("k.zip")
    assert stat == (len(DATA), '"one"')
    assert get(store) == DATA
    assert get(store, 1_000_000) == DATA[1_000_000:]
    assert get(store, 5, 10) == DATA[5:15]
    assert get(store, len(DATA) - 5, 100) == DATA[-5:]
    assert get(store, len(DATA), 5) == get(store, len(DATA) + 9) == get(store, 7, 0) == b""
    for body in (body_of(store), body_of(store, 3, 4), body_of(store, len(DATA)), body_of(store, 0, 0)):
        assert body.stat == stat and body.ranged
        b"".join(body.chunks)
    assert {asked.path for asked in good.asked} == {"/hub/k.zip"}
    assert {asked.headers["Accept-Encoding"] for asked in good.asked} == {"identity"}


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there_is_none(status: int) -> None:
    with scripted(lambda asked: Reply(b"<html>not here", status, {"Content-Type": "text/html"})) as server:
        store = open_store(server.url)
        assert store.head("a.zip") is None and store.get_range("a.zip") is None and read(store, "a.json") is None


def test_a_folder_is_no_key() -> None:
    def folder(asked: Asked) -> Reply:
        return Reply(b"", 301, {"Location": f"http://{asked.headers['Host']}{asked.path}/"})

    with scripted(folder) as server:
        store = open_store(server.url)
        assert store.head("a") is None and store.get_range("a") is None


def test_a_conditional_read_is_one_request_without_a_body(good: Scripted) -> None:
    store = open_store(good.url)
    body = store.get_range("k.zip", unless='"one"')
    assert body and body.stat.etag == '"one"' and list(body.chunks) == []
    assert len(good.asked) == 1
    changed = store.get_range("k.zip", unless='"zero"')
    assert changed and b"".join(changed.chunks) == DATA


def test_without_etags_the_date_and_size_tell_a_version() -> None:
    date = "Sun, 06 Nov 1994 08:49:37 GMT"

    def dated(asked: Asked) -> Reply:
        known = asked.headers.get("If-Modified-Since") == date
        return Reply(b"" if known else b"data", 304 if known else 200, {"Last-Modified": date})

    with scripted(dated) as server:
        store = open_store(server.url)
        etag = body_of(store).stat.etag
        assert date in etag and "4" in etag
        known = store.get_range("k.zip", unless=etag)
        assert known and known.stat.etag == etag and list(known.chunks) == []
        assert [asked.headers.get("If-None-Match") for asked in server.asked] == [None, None]


def test_without_etag_and_date_nothing_is_ever_the_same() -> None:
    with scripted(lambda asked: Reply(b"data")) as server:
        store = open_store(server.url)
        assert body_of(store).stat == (4, "")
        again = store.get_range("k.zip", unless="")
        assert again and b"".join(again.chunks) == b"data"


def test_a_server_that_ignores_conditions_costs_no_body_either() -> None:
    with scripted(lambda asked: Reply(b"data", headers={"ETag": '"one"'})) as server:
        body = open_store(server.url).get_range("k.zip", unless='"one"')
        assert body and list(body.chunks) == []


# ---------------------------------------------------------------- a server without ranges


def whole(asked: Asked) -> Reply:
    return Reply(DATA, headers={"ETag": '"one"'})


def test_a_server_without_ranges_gives_the_bytes_asked_for_all_the_same() -> None:
    with scripted(whole) as server:
        body = body_of(open_store(server.url), 1_000_000, 500)
        assert not body.ranged
        assert b"".join(body.chunks) == DATA[1_000_000:1_000_500]


def test_a_server_without_ranges_is_read_once_for_members_in_order() -> None:
    with scripted(whole) as server:
        store = open_store(server.url)
        found = [get(store, start, 100_000) for start in range(43, 2_500_000, 250_000)]
        assert found == [DATA[start : start + 100_000] for start in range(43, 2_500_000, 250_000)]
        assert len(server.asked) == 1
        assert get(store, 2_400_000) == DATA[2_400_000:]
        assert len(server.asked) == 1
        assert get(store, 0, 10) == DATA[:10]
        assert len(server.asked) == 2


def test_going_back_or_to_another_key_begins_anew() -> None:
    def two(asked: Asked) -> Reply:
        return Reply(DATA if asked.path == "/k.zip" else DATA[::-1])

    with scripted(two) as server:
        store = open_store(server.url)
        assert get(store, 1000, 10) == DATA[1000:1010]
        assert get(store, 500, 10) == DATA[500:510]
        other = b"".join(body_of(store, 600, 10, "other.zip").chunks)
        assert other == DATA[::-1][600:610]
        assert get(store, 700, 10) == DATA[700:710]


def test_threads_share_a_store_over_a_server_without_ranges() -> None:
    with scripted(whole) as server, ThreadPoolExecutor(4) as pool:
        store = open_store(server.url)
        starts = [number * 90_001 for number in range(24)]
        assert list(pool.map(lambda start: get(store, start, 777), starts)) == [DATA[at : at + 777] for at in starts]


# ---------------------------------------------------------------- faults

FAULTS: dict[str, tuple[Reply, str]] = {
    "another start": (Reply(DATA[:100], 206, {"Content-Range": "bytes 0-99/3000000"}), "'bytes 0-99/3000000'"),
    "more than asked": (Reply(DATA[:200], 206, {"Content-Range": "bytes 100-299/3000000"}), "with 200 bytes"),
    "end past the total": (Reply(DATA[:100], 206, {"Content-Range": "bytes 100-199/150"}), "'bytes 100-199/150'"),
    "length of another range": (Reply(DATA[:50], 206, {"Content-Range": "bytes 100-199/3000000"}), "with 50 bytes"),
    "no Content-Range": (Reply(DATA[:100], 206), "Content-Range ''"),
    "several ranges": (Reply(b"--x", 206, {"Content-Type": "multipart/byteranges; boundary=x"}), "Content-Range ''"),
    "416 within": (Reply(b"", 416, {"Content-Range": "bytes */50"}, announced=3_000_000), "416 for bytes from 100 on"),
    "not modified": (Reply(b"", 304), "answered 304 to a question that was not asked"),
    "a web page": (Reply(b"<html>", headers={"Content-Type": "text/html; charset=utf-8"}), "log-in page"),
    "compressed": (Reply(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}), "answered in 'gzip'"),
    "no login": (Reply(b"", 401), r"WELLREAD_TOKENS=127.0.0.1:\d+=TOKEN .*netrc"),
    "not let in": (Reply(b"", 403), "answered 403; set WELLREAD_TOKENS"),
    "a network's log-in": (Reply(b"", 511), "wants you to log in first"),
    "no place of a hub": (Reply(b"", 400), "answered 400; is that the address of a hub"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_no_hub_would_answer_is_refused_and_explained(fault: str) -> None:
    reply, said = FAULTS[fault]
    with scripted(lambda asked: reply) as server:
        store = open_store(server.url)
        with pytest.raises(HubUnavailable, match=said) as caught:
            get(store, 100, 100)
        assert not isinstance(caught.value, Interrupted)
        assert f"{server.url}/k.zip" in str(caught.value)


@pytest.mark.parametrize("fault", ["a web page", "compressed", "no login", "not let in", "a network's log-in"])
def test_head_refuses_the_same(fault: str) -> None:
    reply, said = FAULTS[fault]
    with scripted(lambda asked: reply) as server, pytest.raises(HubUnavailable, match=said):
        open_store(server.url).head("k.json")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_server_that_is_away_may_be_asked_again(status: int) -> None:
    with scripted(lambda asked: Reply(b"", status)) as server:
        for operation in (open_store(server.url).head, open_store(server.url).get_range):
            with pytest.raises(Interrupted, match=f"answered {status}") as caught:
                operation("k.zip")
            assert caught.value.after is None


@pytest.mark.parametrize(
    ("told", "after"),
    [("7", 7.0), ("0", 0.0), ("soon", None), ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0)],
)
def test_a_server_says_when_to_come_back(told: str, after: float | None) -> None:
    with scripted(lambda asked: Reply(b"", 503, {"Retry-After": told})) as server:
        with pytest.raises(Interrupted) as caught:
            open_store(server.url).head("k.zip")
        assert caught.value.after == after


def test_a_date_to_come_back_is_seconds_from_now() -> None:
    with scripted(lambda asked: Reply(b"", 429, {"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"})) as server:
        with pytest.raises(Interrupted) as caught:
            open_store(server.url).head("k.zip")
        assert caught.value.after and caught.value.after > 1e6


CHUNKED = {"Transfer-Encoding": "chunked"}
SHORT: dict[str, Script] = {
    "whole": lambda asked: Reply(DATA, sent=1_500_000),
    "range": lambda asked: Reply(DATA[100:], 206, {"Content-Range": "bytes 100-2999999/3000000"}, sent=1_000),
    "nothing at all": lambda asked: Reply(DATA, sent=0),
    "chunked": lambda asked: Reply(b"5\r\nhello\r\n5\r\nwo", headers=CHUNKED, announced=-1, sent=14),
    "part of the range": lambda asked: Reply(DATA[100:200], 206, {"Content-Range": "bytes 100-199/3000000"}),
}


@pytest.mark.parametrize("fault", SHORT)
def test_a_body_that_breaks_off_is_interrupted(fault: str) -> None:
    with scripted(SHORT[fault]) as server:
        body = open_store(server.url).get_range("k.zip", 100 if "range" in fault else 0)
        assert body
        with pytest.raises(Interrupted, match="the answer broke off"):
            list(body.chunks)


def cut_after(size: int, script: Script) -> Script:
    """The same server, but every body breaks off."""

    def cut(asked: Asked) -> Reply:
        reply = script(asked)
        return Reply(reply.body, reply.status, reply.headers, sent=size) if len(reply.body) > size else reply

    return cut


def test_patience_goes_on_at_the_byte_it_had_reached() -> None:
    with scripted(cut_after(1_000_000, object_of(DATA))) as server:
        assert get(PatientStore(open_store(server.url)), 10) == DATA[10:]
        assert ranges(server) == ["bytes=10-", "bytes=1000010-", "bytes=2000010-"]


def test_patience_completes_a_range_that_came_in_parts() -> None:
    def little_by_little(asked: Asked) -> Reply:
        start = int((asked.range or "=0-").partition("=")[2].partition("-")[0])
        told = f"bytes {start}-{start + 99}/{len(DATA)}"
        return Reply(DATA[start : start + 100], 206, {"Content-Range": told, "ETag": '"one"'})

    with scripted(little_by_little) as server:
        assert get(PatientStore(open_store(server.url)), 100, 300) == DATA[100:400]
        assert len(server.asked) == 3


def test_patience_mends_a_server_without_ranges_from_the_start() -> None:
    def once(asked: Asked) -> Reply:
        return Reply(DATA, headers={"ETag": '"one"'}, sent=None if len(server.asked) > 1 else 2_000_000)

    with scripted(once) as server:
        assert get(PatientStore(open_store(server.url)), 1_500_000) == DATA[1_500_000:]
        assert len(server.asked) == 2


def test_an_object_that_changes_between_two_parts_is_never_mixed() -> None:
    old, new = cut_after(1_000_000, object_of(DATA)), object_of(DATA[::-1], ETag='"two"')
    with scripted(lambda asked: old(asked) if len(server.asked) == 1 else new(asked)) as server:
        got = bytearray()
        with pytest.raises(HubUnavailable, match="changed while it was being read"):
            for chunk in body_of(PatientStore(open_store(server.url))).chunks:
                got += chunk
        assert got == DATA[:1_000_000]


def test_bytes_of_unknown_number_are_read_to_their_end() -> None:
    def streamed(asked: Asked) -> Reply:
        return Reply(b"5\r\nhello\r\n0\r\n\r\n", headers=CHUNKED, announced=-1)

    with scripted(streamed) as server:
        body = body_of(open_store(server.url))
        assert body.stat.size == -1 and b"".join(body.chunks) == b"hello"


def test_nobody_listens(good: Scripted) -> None:
    with scripted(whole) as server:
        url = server.url
    with pytest.raises(Unreachable, match=r"refused: is the server up, and is that its port\?$"):
        open_store(url).head("k.zip")


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "TIMEOUT", (1.0, 0.05))
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Interrupted, match="no answer in time"):
        open_store(f"http://127.0.0.1:{silent.getsockname()[1]}").head("k.zip")


# ---------------------------------------------------------------- what a store promises


def test_a_web_server_takes_no_uploads_and_lists_nothing(good: Scripted) -> None:
    store = open_store(good.url)
    writes: list[Callable[[], object]] = [lambda: store.put_new("k", b""), lambda: store.put_if("k", b"", None)]
    for operation in writes:
        with pytest.raises(PublishError, match="Publish into the folder or bucket behind it"):
            operation()
    with pytest.raises(HubUnavailable, match="lists nothing"):
        list(store.list())
    assert good.asked == []


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a//b", "a/", ".git/config", "a?x=1", "a#b", "a%2e"])
def test_keys_that_lead_out_are_refused_by_every_operation(good: Scripted, key: str) -> None:
    store = open_store(good.url)
    operations: list[Callable[[], object]] = [
        lambda: store.head(key),
        lambda: store.get_range(key),
        lambda: store.get_range(key, 0, 0),
        lambda: store.put_new(key, b""),
        lambda: store.put_if(key, b"", None),
    ]
    for operation in operations:
        with pytest.raises(BadInput, match="not a key of a hub"):
            operation()
    assert good.asked == []


@pytest.mark.parametrize(
    "url", ["http://", "https:///hub", "http://h:port/", "http://h:99999", "http://[h/", "https://h/x?y=1", "https://h/#x"]
)  # fmt: skip
def test_addresses_that_are_none_are_refused(url: str) -> None:
    with pytest.raises(BadInput, match="is not the address of a hub"):
        open_store(url)


@pytest.mark.parametrize(
    ("given", "url", "path"),
    [
        ("{}/a/b///", "{}/a/b", "/a/b/k"),
        ("{}/ä b", "{}/%C3%A4%20b", "/%C3%A4%20b/k"),
        ("{}/a%20b%2Fc", "{}/a%20b%2Fc", "/a%20b%2Fc/k"),
        ("HTTP:{}", "http:{}", "/k"),
    ],
)
def test_the_address_is_a_prefix(good: Scripted, given: str, url: str, path: str) -> None:
    cut = given.startswith("HTTP")
    store = open_store(given.format(good.url.removeprefix("http:") if cut else good.url))
    assert store.url == url.format(good.url.removeprefix("http:") if cut else good.url)
    store.head("k")
    assert good.asked[-1].path == path


def test_connections_are_used_again_after_a_miss_and_a_range() -> None:
    callers = set()

    def some(asked: Asked) -> Reply:
        callers.add(asked.caller)
        return object_of(DATA)(asked) if asked.path == "/k.zip" else Reply(b"not here", 404)

    with scripted(some) as server:
        store = open_store(server.url)
        for _ in range(3):
            assert store.get_range("absent") is None
            assert get(store, 10, 5000) == DATA[10:5010]
            store.head("k.zip")
            store.get_range("k.zip", unless='"one"')
            get(store, len(DATA))
    assert len(callers) == 1


def _read_in_child(store: Store, queue: multiprocessing.SimpleQueue[bytes]) -> None:
    queue.put(get(store, 2_000_000, 1000))


@pytest.mark.skipif(os.name != "posix", reason="fork is a POSIX call")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_shares_no_connection_with_its_parent() -> None:
    with scripted(whole) as server:
        store = open_store(server.url)
        assert get(store, 0, 1000) == DATA[:1000]  # leaves a stream open
        context = multiprocessing.get_context("fork")
        queue = context.SimpleQueue()
        child = context.Process(target=_read_in_child, args=(store, queue))
        child.start()
        assert queue.get() == DATA[2_000_000:2_001_000]
        child.join()
        assert get(store, 1_000_000, 1000) == DATA[1_000_000:1_001_000]
        assert len(server.asked) == 2


def test_a_store_that_was_only_opened_imports_no_http_client() -> None:
    script = (
        "import sys; from wellread.registry.stores import open_store; open_store('https://x.org'); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"requests", "urllib3"} & set(done.stdout.split())
    assert "wellread.registry.stores.web" in done.stdout.split()
