"""The pages in a real browser: tabs, copying, colours, a phone, and no JavaScript at all."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.sites import search_site, serving_files
from tests.fixtures.browser import Watched, watched
from tests.model_cards.site.shelf import SITE, foreign, published, shelved
from tests.registry.samples import make_manifest
from wellread.model_cards.site.pages.rendering import model_page
from wellread.model_cards.site.pages.rows import row_of
from wellread.model_cards.site.places import Site

pytestmark = pytest.mark.heavy

LONGEST = "bert_" + "x" * 120
TABS = ["Python", "NLU", "Transformers", "Sentence Transformers", "ONNX Runtime", "Spark"]
"""Every tab that a card of ours can have."""
FORMS = {
    name: msgspec.structs.replace(form, members=("modules.json", *form.members))
    for name, form in make_manifest().forms.items()
}
BELOW = "deep/er/"
"""The site lies below a path: its pages know no other than relative ways."""
MODEL = "models/en/small.html"
PAGES = (
    "index.html",
    MODEL,
    f"models/en/{LONGEST}.html",
    "models/en/ner_dl.html",
    "languages/en.html",
    "changelog.html",
)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where a site of three models is served, a slash at its end."""
    wide = "| a | b |\n|---|---|\n| " + "word " * 40 + "| " + "y" * 200 + " |\n\n    " + "code " * 60
    models = [
        shelved(
            published(
                "small",
                title="Small BERT",
                description="Students read.",
                aliases=("en.embed.bert.small",),
                forms=FORMS,
            ),
            published("small", time=1_590_000_000_000),
        ),
        shelved(published(LONGEST, title="T" * 90, description=wide, line={"state": "yanked", "why": "z" * 120})),
        shelved(foreign()),
    ]
    pages = {f"models/en/{model.name}.html": model_page(SITE, model).encode() for model in models}
    site = search_site([row_of(model) for model in models], pages)
    with serving_files({f"{BELOW}{path}": raw for path, raw in site.items()}) as server:
        yield f"{server.url}/{BELOW}"


@pytest.fixture
def model(address: str, seen: Watched) -> Page:
    """The page of a model."""
    seen.page.goto(f"{address}{MODEL}")
    return seen.page


def _clipboard(page: Page) -> str:
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def _paper(page: Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour


LIGHT, DARK = "rgb(253, 252, 249)", "rgb(22, 24, 27)"


# ---------------------------------------------------------------- tabs


def test_tabs_go_by_arrows_home_and_end_and_one_panel_is_seen(model: Page) -> None:
    tabs = model.get_by_role("tab")
    expect(tabs).to_have_text(TABS)
    tabs.first.focus()
    last = len(TABS) - 1
    for key, chosen in [("ArrowRight", 1), ("End", last), ("ArrowRight", 0), ("ArrowLeft", last), ("Home", 0)]:
        model.keyboard.press(key)
        expect(tabs.nth(chosen)).to_be_focused()
        expect(tabs.nth(chosen)).to_have_attribute("aria-selected", "true")
        expect(model.get_by_role("tabpanel")).to_have_count(1)
        expect(model.get_by_role("tabpanel")).to_have_accessible_name(tabs.nth(chosen).text_content() or "")


def test_only_the_chosen_tab_is_a_stop_of_the_keyboard(model: Page) -> None:
    model.get_by_role("tab", name="ONNX Runtime").click()
    model.keyboard.press("Tab")
    expect(model.get_by_role("tabpanel").locator("pre")).to_be_focused()
    model.keyboard.press("Shift+Tab")
    expect(model.get_by_role("tab", name="ONNX Runtime")).to_be_focused()


def test_the_chosen_tab_is_remembered(model: Page) -> None:
    model.get_by_role("tab", name="Transformers", exact=True).click()
    model.reload()
    expect(model.get_by_role("tab", name="Transformers", exact=True)).to_have_attribute("aria-selected", "true")


# ---------------------------------------------------------------- copying


def test_buttons_copy_and_say_so(model: Page) -> None:
    for label, text in [
        ("Copy S3 URI", "s3://models.example/hub/public/models/small_en_2.6.0_2.4_1598344705269.zip"),
        ("Copy the line in Python", 'wellread.pretrained("small", "en")'),
        ("Copy the sha256", "0" * 64),
    ]:
        model.get_by_role("button", name=label).click()
        expect(model.locator("#said")).to_have_text("Copied")
        assert _clipboard(model) == text


def test_the_address_that_only_the_browser_knows_is_copied_whole(seen: Watched) -> None:
    model = shelved(published("small"))
    page = model_page(Site(title="T"), model).encode()
    with serving_files(search_site([], {MODEL: page})) as server:
        seen.page.goto(f"{server.url}/{MODEL}")
        seen.page.get_by_role("button", name="Copy address").click()
        expect(seen.page.locator("#said")).to_have_text("Copied")
        assert _clipboard(seen.page) == f"{server.url}/{model.latest.release.path}"


def test_a_button_is_called_again_what_it_was(model: Page) -> None:
    button = model.locator("[data-copy-link]")
    button.click()
    expect(button).to_have_text("Copied")
    expect(button).to_have_text("Copy S3 URI")


def test_every_block_of_code_has_a_button_that_copies_it_whole(model: Page) -> None:
    model.get_by_role("tab", name="ONNX Runtime").click()
    panel = model.get_by_role("tabpanel")
    panel.get_by_role("button", name="Copy").click()
    expect(model.locator("#said")).to_have_text("Copied")
    assert _clipboard(model) == panel.locator("code").text_content()
    assert _clipboard(model).startswith("import numpy")


def test_copying_works_where_the_clipboard_is_refused(seen: Watched, address: str) -> None:
    seen.page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error('refused'))")
    seen.page.goto(f"{address}{MODEL}")
    button = seen.page.locator("[data-copy-link]")
    button.click()
    expect(seen.page.locator("#said")).to_have_text("Copied")
    expect(button).to_be_focused()
    assert _clipboard(seen.page).startswith("s3://")


# ---------------------------------------------------------------- light and dark


@pytest.mark.parametrize(("scheme", "other"), [("light", "dark"), ("dark", "light")])
def test_colours_follow_the_system_until_the_visitor_chooses(
    browser: Browser, address: str, scheme: str, other: str
) -> None:
    colours = {"light": LIGHT, "dark": DARK}
    with watched(browser, color_scheme=scheme) as seen:
        page = seen.page
        page.goto(f"{address}index.html")
        assert _paper(page) == colours[scheme]
        button = page.get_by_role("button", name="Dark colours")
        button.click()
        assert _paper(page) == colours[other]
        expect(button).to_have_attribute("aria-pressed", str(other == "dark").lower())
        page.goto(f"{address}{MODEL}")
        assert _paper(page) == colours[other]
        page.get_by_role("button", name="Dark colours").click()
        assert _paper(page) == colours[scheme]
        assert page.evaluate("localStorage.getItem('wellread.theme')") is None


def test_the_choice_counts_before_anything_is_painted(seen: Watched, address: str) -> None:
    seen.page.goto(f"{address}index.html")
    seen.page.evaluate("localStorage.setItem('wellread.theme', 'dark')")
    seen.page.add_init_script(
        "new MutationObserver((_, watch) => {"
        "  if (!document.body) return;"
        "  window.early = document.documentElement.dataset.theme; watch.disconnect();"
        "}).observe(document, {childList: true, subtree: true})"
    )
    seen.page.reload()
    assert seen.page.evaluate("window.early") == "dark"


# ---------------------------------------------------------------- narrow, on paper, without scripts


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scripts", [True, False])
def test_no_page_scrolls_sideways_on_a_phone(browser: Browser, address: str, path: str, scripts: bool) -> None:
    with watched(browser, viewport={"width": 360, "height": 740}, java_script_enabled=scripts) as seen:
        seen.page.goto(f"{address}{path}")
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_on_a_phone_every_tab_is_in_sight_and_wide_enough_for_a_finger(browser: Browser, address: str) -> None:
    """None is reached by scrolling a strip; 24 pixels are what WCAG 2.2 asks of a target at least."""
    with watched(browser, viewport={"width": 360, "height": 740}, has_touch=True) as seen:
        seen.page.goto(f"{address}{MODEL}")
        tabs = seen.page.get_by_role("tab").all()
        boxes = [tab.bounding_box() for tab in tabs]
        assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= 360 for box in boxes)
        assert all(box and min(box["width"], box["height"]) >= 24 for box in boxes)
        assert len({box["y"] for box in boxes if box}) <= 3, "rows of tabs"
        for tab, title in zip(tabs, TABS, strict=True):
            tab.tap()
            expect(seen.page.get_by_role("tabpanel")).to_have_accessible_name(title)


def test_without_scripts_everything_can_be_read(browser: Browser, address: str) -> None:
    with watched(browser, java_script_enabled=False) as seen:
        page = seen.page
        page.goto(f"{address}{MODEL}")
        for title in TABS:
            expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
        expect(page.locator(".tabs pre")).to_have_count(len(TABS))
        assert all(block.is_visible() for block in page.locator(".tabs pre").all())
        assert not [button for button in page.get_by_role("button").all() if not button.get_attribute("aria-disabled")]
        page.get_by_role("link", name="en", exact=True).click()
        expect(page.locator(".rows .name")).to_contain_text(["small"])
        page.get_by_role("link", name="Changelog").click()
        expect(page.locator(".steps li")).to_have_count(4)
        page.goto(f"{address}index.html")
        expect(page.get_by_role("search")).to_be_hidden()
        expect(page.locator("#results .row")).to_have_count(3)
        page.get_by_role("link", name="Small BERT").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Small BERT")


def test_on_paper_all_snippets_stand_below_their_titles(model: Page) -> None:
    model.emulate_media(media="print")
    for title in TABS:
        expect(model.locator(".tabs").get_by_role("heading", name=title, exact=True)).to_be_visible()
    expect(model.get_by_role("button")).to_have_count(0)


# ---------------------------------------------------------------- ways through the site


def test_the_first_stop_of_the_keyboard_skips_to_the_content(model: Page) -> None:
    model.keyboard.press("Tab")
    skip = model.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    model.keyboard.press("Enter")
    expect(model.locator("main")).to_be_focused()


def test_the_search_is_one_field_away_from_every_page(model: Page) -> None:
    model.get_by_role("searchbox").fill("ner")
    model.keyboard.press("Enter")
    model.wait_for_url("**/index.html?q=ner")
    expect(model.locator("#results .name")).to_have_text(["ner_dl"])


def test_languages_are_called_by_their_names(model: Page) -> None:
    expect(model.get_by_role("link", name="English")).to_have_attribute("href", "../../languages/en.html")


def test_a_button_that_cannot_be_pressed_is_reached_and_says_why(model: Page) -> None:
    demo = model.get_by_role("button", name="Live demo")
    demo.focus()
    expect(demo).to_be_focused()
    expect(demo).to_have_accessible_description(f"Live demo: {SITE.demo}")


def test_the_page_for_what_is_not_there_has_its_looks_at_any_depth(seen: Watched) -> None:
    files = search_site([])
    with serving_files(files | {"models/en/none.html": files["404.html"]}) as server:
        seen.page.goto(f"{server.url}/models/en/none.html")
        assert _paper(seen.page) == LIGHT
        seen.page.get_by_role("link", name="Search all models").click()
        expect(seen.page.get_by_role("heading", level=1)).to_have_text("No models yet")
        seen.page.wait_for_load_state("networkidle")


def test_the_policy_stops_a_script_that_got_into_a_page(seen: Watched) -> None:
    page = search_site([])["changelog.html"].decode()
    evil = page.replace("<h1>", "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'><h1>")
    assert evil != page
    with serving_files(search_site([], {"evil.html": evil.encode(), "x": b""})) as server:
        seen.page.goto(f"{server.url}/evil.html", wait_until="networkidle")
    assert seen.page.evaluate("window.ran") is None
    refused = [said for said in seen.complaints if "Content Security Policy" in said]
    assert len(refused) >= 2
    seen.complaints[:] = [said for said in seen.complaints if said not in refused]
