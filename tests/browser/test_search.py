"""The search of the home page, in a real browser over a site of 300 models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.sites import search_site, serving_files
from tests.fixtures.browser import Watched, watched
from tests.fixtures.site_rows import make_row, many

pytestmark = pytest.mark.heavy

Open = Callable[[str], Page]
MODEL, PAGE = "models/en/sent_small_bert_L2_128.html", b"<!doctype html><link rel=icon href='data:,'><h1>A model</h1>"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving_files(search_site(many(), {MODEL: PAGE})) as server:
        yield server.url


@pytest.fixture
def home(address: str, seen: Watched) -> Open:
    """``home("?q=bert")`` → the home page, its facets there."""

    def go(query: str = "") -> Page:
        seen.page.goto(f"{address}/index.html{query}")
        expect(seen.page.locator("#facets fieldset").first).to_be_attached()
        return seen.page

    return go


def _names(page: Page) -> list[str]:
    return page.locator("#results .name").all_text_contents()


def _box(page: Page, value: str) -> Locator:
    return page.locator("#facets label", has_text=value).first


def _said(page: Page, text: str) -> None:
    expect(page.locator("#status")).to_have_text(text)


def _asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("small_bert_L2_128", "small_bert_L2_128"),
        ("SMALL_BERT_l10_768", "small_bert_L10_768"),
        ("small bert l2", "small_bert_L2_128"),
        ("smal_brt_L2_128", "small_bert_L2_128"),
        ("samll bert l2 128", "small_bert_L2_128"),
        ("smallbertl2128", "small_bert_L2_128"),
        ("small_bert_L2_182", "small_bert_L2_128"),
        ("sent L12 512", "sent_small_bert_L12_512"),
        ("en.embed.bert.small_L8_512", "small_bert_L8_512"),
        ("electra question de", "electra_de_4"),
    ],
)
def test_a_name_is_found_however_it_is_typed(home: Open, typed: str, first: str) -> None:
    page = home("")
    page.fill("#search", typed)
    expect(page.locator("#results .name").first).to_have_text(first)
    assert all("768" not in name for name in _names(page)) or "768" in typed or typed == "small bert l2"


@pytest.mark.parametrize("typed", ["smal_brt_L12_512", "samll L12 512"])
def test_a_typo_is_forgiven_in_words_and_not_in_numbers(home: Open, typed: str) -> None:
    page = home(f"?q={typed}")
    _said(page, "2 models")
    assert _names(page) == ["small_bert_L12_512", "sent_small_bert_L12_512"]


def test_what_begins_alike_comes_in_the_order_of_its_numbers(home: Open) -> None:
    page = home("?q=small+bert+128")
    _said(page, "12 models")
    assert _names(page)[:6] == [f"small_bert_L{layers}_128" for layers in (2, 4, 6, 8, 10, 12)]
    assert all(name.startswith("sent_") for name in _names(page)[6:])


def test_nothing_found_is_said(home: Open) -> None:
    page = home("?q=quantumchromodynamics")
    _said(page, "0 models: fewer words or filters find more")
    assert _names(page) == []


def test_facets_narrow_and_count(home: Open) -> None:
    page = home("")
    expect(_box(page, "German").locator(".count")).to_have_text("63")
    _box(page, "German").click()
    _said(page, "63 models")
    expect(_box(page, "Question Answering").locator(".count")).to_have_text("21")
    expect(_box(page, "Spanish").locator(".count")).to_have_text("63")
    _box(page, "Spanish").click()
    _said(page, "126 models")
    _box(page, "Question Answering").click()
    _said(page, "42 models")
    assert _asked(page) == {"language": ["de", "es"], "task": ["Question Answering"]}
    page.get_by_role("button", name="Clear all").click()
    expect(page.locator("#status")).to_contain_text("300 models")
    assert _asked(page) == {}


def test_long_facets_are_folded_and_values_that_leave_nothing_are_hidden(seen: Watched) -> None:
    rows = [make_row(f"m{number}", tags=(f"tag{number % 9}",)) for number in range(18)]
    with serving_files(search_site(rows)) as server:
        seen.page.goto(f"{server.url}/index.html")
        tags = seen.page.locator("#facets fieldset", has_text="Tags").locator("label:visible")
        expect(tags).to_have_count(6)
        seen.page.get_by_role("button", name="All 9").click()
        expect(tags).to_have_count(9)
        seen.page.fill("#search", "m17")
        expect(tags).to_have_text(["tag81"])


def test_a_link_shows_what_its_sender_saw(home: Open) -> None:
    page = home("?q=electra&language=fr&license=CC-BY-4.0&sort=name")
    _said(page, "63 models")
    expect(_box(page, "French").locator("input")).to_be_checked()
    expect(page.locator("#search")).to_have_value("electra")
    expect(page.get_by_label("Sort by")).to_have_value("name")


def test_going_back_asks_what_was_asked_before(home: Open) -> None:
    page = home("?q=small")
    _said(page, "48 models")
    _box(page, "BertSentenceEmbeddings").click()
    _said(page, "24 models")
    page.locator("#results a").first.click()
    expect(page.locator("h1")).to_have_text("A model")
    page.go_back()
    _said(page, "24 models")
    expect(_box(page, "BertSentenceEmbeddings").locator("input")).to_be_checked()
    page.go_back()
    _said(page, "48 models")
    expect(_box(page, "BertSentenceEmbeddings").locator("input")).not_to_be_checked()


def test_models_are_sorted_and_more_are_shown_when_asked(home: Open) -> None:
    page = home("?sort=smallest")
    _said(page, "300 models")
    assert page.get_by_role("button", name="Show 50 more").is_visible()
    assert _names(page)[:2] == ["sent_small_bert_L2_128", "small_bert_L2_128"]
    assert len(_names(page)) == 50
    page.get_by_role("button", name="Show 50 more").click()
    assert len(_names(page)) == 100
    assert page.evaluate("document.activeElement === document.querySelectorAll('#results h3 a')[50]")
    page.get_by_label("Sort by").select_option("newest")
    expect(page.locator("#results time").first).to_have_text("2020-09-06")


def test_the_models_after_those_of_the_page_are_shown_without_asking_anything(home: Open) -> None:
    page = home("")
    first = _names(page)
    page.get_by_role("button", name="Show 50 more").click()
    _said(page, "300 models")
    assert _names(page)[:50] == first and len(set(_names(page))) == 100
    expect(page.locator("#results h3 a").nth(50)).to_be_focused()
    page.get_by_role("button", name="Show 50 more").click()
    assert len(set(_names(page))) == 150
    assert _asked(page) == {}
    page.fill("#search", "small")
    _said(page, "48 models")
    page.fill("#search", "")
    expect(page.locator("#results .name")).to_have_text(first)


def test_on_a_slow_line_it_says_that_it_loads(home: Open) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page = home("")
    page.route("**/search/*.json", hold)
    page.fill("#search", "small")
    _said(page, "Loading the models …")
    for route in held:
        route.continue_()
    _said(page, "48 models")


def test_the_search_is_led_by_keys_alone(home: Open) -> None:
    page = home("")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("small_bert_L2_128")
    _said(page, "2 models")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#results a").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#results a").nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#search")).to_have_value("")
    expect(page.locator("#status")).to_contain_text("300 models")
    page.keyboard.type("L8_512")
    page.keyboard.press("Enter")
    expect(page.locator("#results a").first).to_be_focused()


def test_a_result_leads_to_the_page_of_its_model(home: Open) -> None:
    page = home("?q=electra_zh")
    _said(page, "63 models")
    link = page.locator("#results a").first
    assert link.get_attribute("href") == "models/zh-Hans/electra_zh_Hans_3.html"
    expect(page.locator("#results li li").nth(1)).to_have_text("Simplified Chinese")


def test_models_are_picked_to_be_compared_across_searches(home: Open) -> None:
    page = home("")
    page.get_by_label("Compare Electra De 0").check()
    page.fill("#search", "small_bert_L2_128")
    _said(page, "2 models")
    page.get_by_label("Compare Small Bert L2 128", exact=True).check()
    link = page.get_by_role("link", name="Compare 2 models")
    assert link.get_attribute("href") == "compare.html?models=de/electra_de_0,en/small_bert_L2_128"
    page.fill("#search", "small_bert")
    expect(page.get_by_label("Compare Small Bert L2 128", exact=True)).to_be_checked()


def test_a_search_that_could_not_be_loaded_says_so_and_is_tried_again(home: Open, seen: Watched) -> None:
    page = home("")
    page.route("**/search/*.json", lambda route: route.abort())
    page.fill("#search", "small")
    expect(page.locator("#status")).to_contain_text("could not be loaded")
    page.unroute("**/search/*.json")
    page.fill("#search", "small_bert")
    _said(page, "48 models")
    assert all("ERR_FAILED" in complaint for complaint in seen.complaints)
    seen.complaints.clear()


def test_without_scripts_the_first_models_are_there(browser: Browser, address: str) -> None:
    with watched(browser, java_script_enabled=False) as seen:
        seen.page.goto(f"{address}/index.html?q=electra")
        assert seen.page.locator("#results li.row").count() == 50


def test_nothing_but_the_directory_is_loaded_before_somebody_searches(home: Open, seen: Watched) -> None:
    page = home("")
    loaded = [url for url in seen.requests if "/search/" in url]
    assert [urlsplit(url).path for url in loaded] == ["/search/directory.json"]
    page.focus("#search")
    page.fill("#search", "small")
    _said(page, "48 models")
    assert len([url for url in seen.requests if "/search/" in url]) > 1


def test_hostile_words_stay_words(seen: Watched) -> None:
    bad = '<img src=x onerror="document.title=1">'
    rows = [make_row("evil", title=bad, tags=(bad, "__proto__"), tasks=(bad,), edition=bad, license=bad)]
    with serving_files(search_site(rows)) as server:
        seen.page.goto(f"{server.url}/index.html?q=evil&tag={bad}&task=__proto__&constructor=1")
        expect(seen.page.locator("#status")).to_contain_text("0 models")
        seen.page.goto(f"{server.url}/index.html?q=evil&tag=__proto__")
        expect(seen.page.locator("#results h3 a")).to_have_text(bad)
        assert seen.page.locator("main img").count() == 0
        assert seen.page.title() == "Test hub"
