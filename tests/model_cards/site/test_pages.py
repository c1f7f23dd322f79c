"""The pages of a site: what a reader finds on them, and what a stranger cannot put there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from posixpath import dirname, normpath
from urllib.parse import urlsplit

import pytest

from tests.fixtures.site_rows import make_row
from tests.model_cards.site.shelf import KEY, SITE, foreign, published, shelved
from wellread.model_cards.site.hub.models import Model, Row, Step
from wellread.model_cards.site.pages.rendering import model_page, shared_pages
from wellread.model_cards.site.pages.rows import row_of
from wellread.model_cards.site.places import Site

DAY = 24 * 3600 * 1000


class Seen(HTMLParser):
    """What a page consists of: its text, links, ids, buttons and scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str, attribute: str) -> list[str]:
        return [given[attribute] for name, given in self.elements if name == tag and attribute in given]

    def scripts(self) -> list[dict[str, str]]:
        return [given for tag, given in self.elements if tag == "script"]

    def copied(self) -> list[str]:
        return [text for key in ("data-copy", "data-copy-link") for text in self.all("button", key)]


def seen(model: Model, site: Site = SITE) -> Seen:
    return Seen(model_page(site, model))


def shared(rows: Sequence[Row], site: Site = SITE) -> dict[str, str]:
    return dict(shared_pages(site, rows))


# ---------------------------------------------------------------- a model


@pytest.mark.parametrize(("aliases", "told"), [(("en.embed.tiny",), True), ((), False), (None, True)])
def test_a_reference_that_leads_to_another_model_of_the_hub_is_not_told_to_load(
    aliases: tuple[str, ...] | None, told: bool
) -> None:
    page = seen(shelved(published(aliases=("en.embed.tiny",)), aliases=aliases))
    assert ("wellread.load" in page.text) is told


def test_a_models_page_says_what_it_is_and_how_to_take_it() -> None:
    page = seen(
        shelved(published("small_bert", title="Small BERT", description="Students *read*."), aliases=("en.small",))
    )
    assert "Small BERT" in page.text and "Students read ." in page.text and "en.small" in page.text.replace("_ ", "_")
    assert page.copied()[::2] == [
        'wellread.pretrained("small_bert", "en")',
        "s3://models.example/hub/public/models/small_bert_en_2.6.0_2.4_1598344705269.zip",
    ]
    assert "../../public/models/small_bert_en_2.6.0_2.4_1598344705269.zip" in page.all("a", "href")
    assert "40.9 MB" in page.text
    assert "small_bert.ipynb" in page.all("a", "href")


def test_the_snippets_are_those_of_the_card_and_stand_there_without_a_script() -> None:
    page = model_page(SITE, shelved(published()))
    assert re.findall(r"<h3>(.*?)</h3>\n<pre", page)[0] == "Python"
    assert "wellread.pretrained(" in Seen(page).text
    assert "ONNX Runtime" in Seen(page).text


@pytest.mark.parametrize(
    ("site", "said"),
    [
        (Site(title="T", uri="s3://models/house"), "export WELLREAD_HUB=s3://models/house"),
        (Site(title="T", address="https://models.example"), "export WELLREAD_HUB=https://models.example"),
        (Site(title="T", uri="https://x.example/$(evil)"), "export WELLREAD_HUB='https://x.example/$(evil)'"),
        (Site(title="T"), ""),
    ],
)
def test_how_to_name_the_hub_is_said_where_it_is_known(site: Site, said: str) -> None:
    text = seen(shelved(published()), site).text
    assert said in text if said else "export" not in text


def test_what_was_taken_back_looks_otherwise_than_what_is_deprecated() -> None:
    yanked, deprecated = (
        model_page(SITE, shelved(published(supported=True, line={"state": state})))
        for state in ("yanked", "deprecated")
    )
    assert 'class="badge bad">yanked<' in yanked and 'class="note bad"' in yanked and ">supported<" not in yanked
    assert 'class="badge warn">deprecated<' in deprecated and 'class="note warn"' in deprecated
    assert ">supported<" in deprecated and "bad" not in re.findall(r'class="badge (\w+)"', deprecated)


def test_what_was_measured_is_shown_with_its_plot_and_only_then() -> None:
    release = published()
    page = model_page(SITE, shelved(release))
    assert "-0.655757" in page and "<svg" in page and "float64" in page
    unproven = model_page(SITE, shelved(replace(release, proof=None)))
    assert "-0.655757" not in unproven and "<svg" not in unproven


def test_forms_have_the_bytes_that_come_with_them_and_files_their_own() -> None:
    page = seen(shelved(published()))
    assert "onnx-int8 int8 " in page.text
    assert "Forms share files" in page.text
    assert "9 files in the zip beside manifest.json" in page.text and "onnx/model_int8.onnx 6.0 MB" in page.text


@pytest.mark.parametrize(
    ("signers", "said"),
    [
        ((KEY,), "Signed by a key that this hub names"),
        (("ab" * 32,), "Signed by a key that this hub does not name"),
        ((), "Not signed."),
    ],
)
def test_who_signed_is_said_and_whether_the_hub_names_them(signers: tuple[str, ...], said: str) -> None:
    page = seen(shelved(replace(published(), signers=signers)))
    assert said in page.text
    assert all(key in page.text for key in signers)


def test_the_digest_can_be_copied() -> None:
    assert "ab" * 32 in seen(shelved(published(line={"sha256": "ab" * 32}))).copied()


def test_a_yanked_model_says_so_and_why_and_is_offered_by_its_release_only() -> None:
    page = seen(shelved(published(recommended=True, line={"state": "yanked", "why": "the vocabulary was wrong"})))
    assert "Yanked." in page.text and "the vocabulary was wrong" in page.text
    assert page.copied()[0] == 'wellread.pretrained("tiny", "en", version="2.6.0_2.4_1598344705269")'
    assert "How to use" not in page.text and "recommended" not in page.text
    assert "Deprecated." in seen(shelved(published(line={"state": "deprecated"}))).text


def test_all_releases_are_listed_each_with_its_zip() -> None:
    older = published(time=1_590_000_000_000, line={"state": "yanked", "why": "slow"})
    page = seen(shelved(published(), older))
    assert "2020-05-20 yanked" in page.text and "slow" in page.text
    assert f"../../{older.release.path}" in page.all("a", "href")
    assert page.all("time", "datetime") == ["2020-08-25", "2020-05-20"]


def test_of_a_zip_without_manifest_the_page_says_what_the_index_line_says() -> None:
    page = seen(shelved(foreign(annotator="NerDLModel")))
    assert "only Spark NLP opens it" in page.text and "NerDLModel" in page.text
    assert "How to use" not in page.text and "size unknown" in page.text
    assert "../../public/models/ner_dl_en_2.6.0_2.4_1598344705269.zip" in page.all("a", "href")


@pytest.mark.parametrize(
    ("uri", "download", "label", "copied"),
    [
        ("s3://b/hub", "https://b.s3.example", "Copy S3 URI", "s3://b/hub/"),
        ("gs://b", "https://gs.example/b", "Copy GCS URI", "gs://b/"),
        ("", "https://hub.example", "Copy address", "https://hub.example/"),
    ],
)
def test_the_address_to_copy_is_called_what_people_call_it(uri: str, download: str, label: str, copied: str) -> None:
    release = published()
    page = seen(shelved(release), Site(title="T", uri=uri, download=download))
    assert label in page.text and page.all("button", "data-copy-link") == [copied + release.release.path]
    assert f"{download}/{release.release.path}" in page.all("a", "href")


def test_of_a_hub_that_nobody_gave_an_address_the_button_copies_where_the_browser_finds_it() -> None:
    release = published()
    page = seen(shelved(release), Site(title="T"))
    assert "Copy address" in page.text
    assert page.all("button", "data-copy-link") == [f"../../{release.release.path}"]


def test_of_parity_one_table_is_in_sight() -> None:
    parity = model_page(SITE, shelved(published())).partition(">Parity<")[2].partition("</section>")[0]
    assert re.findall("<(table|details|figure)", parity) == ["table", "details", "table", "figure"]
    assert "<summary>Point by point</summary>" in parity


def test_a_button_that_cannot_be_pressed_says_why() -> None:
    page = model_page(Site(title="T", demo="npm was not there"), shelved(published()))
    reasons = dict(re.findall(r'aria-describedby="(.*?)">(.*?)</button>', page))
    assert list(reasons.values()) == ["Live demo"]
    for reason in reasons:
        assert re.search(rf'id="{reason}">.*?: \w', page)
    assert "npm was not there" in page


def test_demo_and_colab_are_links_where_they_work() -> None:
    site = replace(SITE, demo="", notebooks="house/models/main/notebooks")
    links = seen(shelved(published("small")), site).all("a", "href")
    assert "../../demo.html?model=en/small" in links
    assert [
        link for link in links if link.startswith("https://colab.research.google.com/github/house/models/blob/main/")
    ]


def test_search_engines_are_told_what_people_are() -> None:
    page = model_page(replace(SITE, address="https://h.example/site"), shelved(published("small")))
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page)
    assert found and json.loads(found[1])["alternateName"] == "small"
    assert '<link rel="canonical" href="https://h.example/site/models/en/small.html">' in page


# ---------------------------------------------------------------- strangers

PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</title></script><script>alert(1)</script>",
    "[x](javascript:alert(1)) ![x](https://evil.example/p.png)",
    "{{ 7 * 7 }}{% raw %}",
    '<a href="javascript:alert(1)" onclick=alert(1)>x</a><style>*{display:none}</style><base href="//evil.example">',
)
FIELDS = ("title", "description", "license", "author", "edition", "task", "data_source", "citation", "repository")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_field_of_a_release_becomes_markup(payload: str) -> None:
    release = published(
        line={"state": "deprecated", "why": payload},
        tags=(payload,), aliases=(payload,), examples=(payload,), **dict.fromkeys(FIELDS, payload),
    )  # fmt: skip
    model = shelved(replace(release, problem=payload, signers=(payload,)), aliases=(payload,))
    plain = shelved(published(line={"state": "deprecated", "why": "x"}))
    pages = [model_page(SITE, model), *shared([row_of(model)], replace(SITE, title=payload)).values()]
    harmless = [model_page(SITE, plain), *shared([row_of(plain)]).values()]
    for told, usual in zip(map(Seen, pages), map(Seen, harmless), strict=True):
        assert told.scripts() == usual.scripts()
        assert not [name for _, given in told.elements for name in given if name.startswith("on") or name == "style"]
        assert not {"img", "iframe", "object", "style", "base"} & {tag for tag, _ in told.elements}
        assert not [link for link in told.all("a", "href") if link.startswith(("javascript:", "//", "data:"))]
        assert "49" not in told.text


# ---------------------------------------------------------------- pages that models share


def test_the_home_page_shows_the_recommended_then_the_newest_and_the_withdrawn_last() -> None:
    rows = [
        make_row("old", time=1 * DAY),
        make_row("gone", time=9 * DAY, state="yanked"),
        make_row("new", time=5 * DAY),
        make_row("best", time=2 * DAY, recommended=True),
    ]
    home = shared(rows)["index.html"]
    assert re.findall(r'class="name">(\w+)<', home) == ["best", "new", "old", "gone"]


def test_the_home_page_holds_fifty_and_what_the_search_takes_over() -> None:
    home = shared([make_row(f"m{at}") for at in range(60)])["index.html"]
    assert home.count('<li class="row">') == 51  # and the blank
    for place in ('id="search"', 'id="facets"', 'id="results"', 'id="status"', '<template id="row">', 'role="search"'):
        assert place in home
    assert "60 pretrained models" in home and "50 of 60 models" in home


def test_every_language_and_task_has_its_pages() -> None:
    rows = [
        make_row(f"m{at}", language="de" if at % 2 else "zh-Hans", tasks=("Embeddings", "A & B")) for at in range(6)
    ]
    found = shared(rows)
    assert {"languages/de.html", "languages/zh-Hans.html", "tasks/embeddings.html", "tasks/a-b.html"} <= set(found)
    assert "A &amp; B" in found["tasks/a-b.html"] and "6 models" in found["tasks/a-b.html"]
    assert 'href="../models/de/m1.html"' in found["languages/de.html"]
    assert 'href="languages/de.html"' in found["index.html"] and 'href="tasks/a-b.html"' in found["index.html"]


def test_long_lists_are_paged_and_no_model_is_lost() -> None:
    found = shared([make_row(f"m{at:03}") for at in range(230)])
    names = [f"languages/en{number}.html" for number in ("", ".2", ".3")]
    listed = [name for path in names for name in re.findall(r'class="name">(\w+)<', found[path])]
    assert sorted(listed) == sorted(f"m{at:03}" for at in range(230))
    assert 'rel="prev" href="en.html"' in found["languages/en.2.html"]
    assert 'rel="next" href="en.3.html"' in found["languages/en.2.html"]
    assert "rel=" not in found["languages/en.html"].partition('aria-label="Pages"')[2].partition("Page 1")[0]


def test_no_list_has_the_place_of_anothers_second_page() -> None:
    rows = [make_row(f"m{at}", language="en") for at in range(101)]
    rows += [make_row("m", language="en-22", tasks=(f"{task} 2",)) for task in rows[0].tasks]
    paths = [path for path, _ in shared_pages(SITE, rows)]
    assert len(set(paths)) == len(paths)


def _changing(amount: int) -> dict[str, str]:
    steps = tuple(Step(id=f"2.6.0_2.4_{at * DAY}", time=at * DAY, state="ready") for at in range(amount, 0, -1))
    return {path: page for path, page in shared([make_row("m", steps=steps)]).items() if path.startswith("changelog")}


@pytest.mark.parametrize("amount", [0, 1, 100, 101, 199, 200, 201, 350])
def test_the_changelog_has_every_release_once_the_newest_first(amount: int) -> None:
    found = _changing(amount)
    path, days = "changelog.html", list[str]()
    while path:
        days += re.findall(r'<time datetime="(.*?)">', found[path])
        following = re.search(r'rel="next" href="(.*?)"', found[path])
        path = following[1] if following else ""
    assert days == sorted(days, reverse=True) and len(days) == amount
    assert all(page.count("<li><a") <= 199 for page in found.values())


def test_one_release_more_changes_one_page_of_the_changelog() -> None:
    before, after = _changing(350), _changing(351)
    assert [path for path in after if after[path] != before.get(path)] == ["changelog.html"]


def test_nothing_to_show_is_a_site_as_well() -> None:
    found = shared([])
    assert sorted(found) == ["404.html", "changelog.html", "index.html"]
    assert "No models yet" in found["index.html"]


@pytest.mark.parametrize(
    ("address", "root"), [("", "/"), ("https://h.example", "/"), ("https://h.example/a/b", "/a/b/")]
)
def test_the_page_for_what_is_not_there_links_from_any_depth(address: str, root: str) -> None:
    page = Seen(shared([], replace(SITE, address=address))["404.html"])
    links = [*page.all("a", "href"), *page.all("link", "href"), *page.all("script", "src")]
    assert all(urlsplit(link).path.startswith(root) for link in links if not link.startswith(("#", "https:")))
    assert not page.all("link", "rel").count("canonical")


# ---------------------------------------------------------------- the whole


def _site() -> dict[str, str]:
    models = [
        shelved(published("small", task="Embeddings"), published("small", time=1_590_000_000_000)),
        shelved(published("klein", "de", recommended=True, task="Named Entity Recognition")),
        shelved(foreign()),
    ]
    site = replace(SITE, demo="")
    pages = {f"models/{model.language}/{model.name}.html": model_page(site, model) for model in models}
    return pages | shared([row_of(model) for model in models], site)


def _targets(pages: Mapping[str, str]) -> set[str]:
    """Pages of the site that its pages link to, with relative links alone."""
    found = set()
    for path, page in pages.items():
        for link in Seen(page).all("a", "href"):
            parts = urlsplit(link)
            if not parts.scheme and parts.path.endswith(".html") and path != "404.html":
                found.add(normpath(f"{dirname(path)}/{parts.path}").lstrip("/"))
    return found


def test_every_link_between_pages_leads_to_one() -> None:
    pages = _site()
    assert _targets(pages) <= {*pages, "compare.html", "demo.html"}


def test_ids_are_unique_and_what_refers_to_one_finds_it() -> None:
    for path, page in _site().items():
        told = Seen(page)
        ids = [given["id"] for _, given in told.elements if "id" in given]
        assert len(ids) == len(set(ids)), path
        refers = ("aria-labelledby", "aria-describedby", "aria-controls", "for")
        assert {given[name] for _, given in told.elements for name in refers if name in given} <= set(ids), path


def test_every_page_has_one_title_one_main_and_the_policy() -> None:
    for path, page in _site().items():
        tags = [tag for tag, _ in Seen(re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)).elements]
        assert [tags.count(tag) for tag in ("h1", "main", "title")] == [1, 1, 1], path
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in page
        assert not re.search(r"<script(?![^>]* (src|type)=)|<style| style=", page), path


def test_the_same_models_give_the_same_pages() -> None:
    assert _site() == _site()
