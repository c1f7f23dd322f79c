"""What the server adds for browsers: pages, their types and policies, and reading from other sites."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.registry.distribution.test_server import Running, serving
from wellread.registry.stores import Store, open_store

BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
ELSEWHERE = "https://models.example"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store(tmp_path / "hub")
    store.put_new("hub.json", b"{}")
    store.put_new("index.html", b"<h1>Home</h1>")
    store.put_new("404.html", b"<h1>Nothing here</h1>")
    return store


@pytest.fixture
def hub(store: Store) -> Iterator[Running]:
    with serving(store) as running:
        yield running


def test_the_root_is_the_first_page(hub: Running) -> None:
    answer = hub.get("")
    assert (answer.status_code, answer.text) == (200, "<h1>Home</h1>")
    assert answer.headers["ETag"] == hub.get("index.html").headers["ETag"]
    assert hub.get("", If_None_Match=answer.headers["ETag"]).status_code == 304
    assert hub.get("?q=small+bert").text == "<h1>Home</h1>"


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("a.html", "text/html; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.wasm", "application/wasm"),
        ("a.svg", "image/svg+xml"),
        ("a.xml", "application/xml"),
        ("a.ipynb", "application/x-ipynb+json"),
        ("a.onnx", "application/octet-stream"),
    ],
)
def test_each_kind_of_file_says_what_it_is(hub: Running, store: Store, key: str, kind: str) -> None:
    store.put_new(key, b"x")
    answer = hub.get(key)
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers.get("Content-Security-Policy") == ("frame-ancestors 'none'" if key == "a.html" else None)


def test_a_browser_gets_a_page_for_what_is_missing_and_a_client_a_line(hub: Running, store: Store) -> None:
    for path in ("nope", "models/en/", "a/../b", ".wellread/lock"):
        page = hub.get(path, Accept=BROWSER)
        assert (page.status_code, page.text) == (404, "<h1>Nothing here</h1>")
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert hub.get(path).text == "404 there is no such key in this hub\n"
    assert hub.get("nope", "HEAD", Accept=BROWSER).status_code == 404
    assert hub.get("nope", Accept=BROWSER, Range="bytes=0-1").text == "<h1>Nothing here</h1>"


def test_without_pages_a_browser_gets_the_line_too(tmp_path: Path) -> None:
    with serving(open_store(tmp_path)) as hub:
        assert hub.get("", Accept=BROWSER).text == "404 there is no such key in this hub\n"


def test_other_sites_read_a_hub_that_is_shared(store: Store) -> None:
    with serving(store, shared=True) as hub:
        for answer in (hub.get("hub.json", Range="bytes=0-0"), hub.get("nope"), hub.get("hub.json", Range="bytes=9-")):
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert "Content-Range" in answer.headers["Access-Control-Expose-Headers"]


def test_a_browser_that_asks_first_is_told_that_it_may_ask_for_ranges(store: Store) -> None:
    asks = {"Origin": ELSEWHERE, "Access_Control_Request_Method": "GET", "Access_Control_Request_Headers": "range"}
    with serving(store, shared=True) as hub:
        answer = hub.get("hub.json", "OPTIONS", **asks)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
        assert "Range" in answer.headers["Access-Control-Allow-Headers"]
        assert hub.get("hub.json").content == b"{}"
        assert hub.get("hub.json", "PUT").status_code == 405


def test_a_hub_on_this_machine_is_not_for_other_sites_pages(hub: Running) -> None:
    assert "Access-Control-Allow-Origin" not in hub.get("hub.json", Origin=ELSEWHERE).headers
    assert hub.get("hub.json", "OPTIONS", Origin=ELSEWHERE).status_code == 405
