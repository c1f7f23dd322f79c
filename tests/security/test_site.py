"""A hub whose publisher is hostile in every field that is free, shown by a site: what they wrote is text, everywhere.

Each model's fields all hold one of the payloads, and the site beside it is of a hub that says the same harmlessly: no
page may hold an element or an attribute that the honest one has not, and no address that is not a plain one.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import msgspec
import pytest

from tests.model_cards.site.hubs import build, contents
from tests.registry.samples import make_manifest, make_proof, make_sample
from wellread.registry.artifact.proof import proof_name, write_proof
from wellread.registry.hub.index import add_release
from wellread.registry.hub.publish import release_line
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Benchmark, FormParity, Proof, Result, Trial
from wellread.registry.stores import open_store
from wellread.registry.views.update import update_views

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FREE = (
    *("title", "description", "author", "edition", "task", "engine", "license", "data_source", "citation"),
    *("repository", "base_model"),
)
"""Fields of a manifest that hold any text."""
ADDRESS = "https://models.example.org/site"
PAYLOADS = (
    "\"><script>alert(1)</script><img src=x onerror=alert(1)>'><svg onload=alert(1)>",
    "javascript:alert(1)//https://a.b",
    "</script><script>alert(1)</script></style></title></textarea></template><iframe srcdoc=x></iframe>",
    "[a](javascript:alert(1)) ![b](https://evil.example/p.png) <https://a.b/\" onclick=\"alert(1)> `</code><b>`",
    "--> ]]> <!-- <![CDATA[ &#60;script&#62;alert(1)&lt;/script> \\u003cscript>",
    "'+alert(1)+' \"; alert(1); // ${alert(1)} {{ 7*7 }} {% raw %} {{ site.keys }} \"\"\")\nalert(1)\n'''",
    "# a\n\n<style>*{color:red}</style>\n\n<object data=x></object>\n\n---\n\n```\n</code></pre><script>1</script>",
    "\u202egnp.exe \u2028alert(1)\u2029 \x00\x1b[2J\x07 \ufeff\ufffe",
    "| word | b |\n|---|---|\n| <b onmouseover=alert(1)>x</b> | y |",
)  # fmt: skip
HONEST = (
    "A *model* of [words](https://a.b) and <https://c.d>.\n\n# Title\n\n## Next\n\n- one\n\n1. two\n\n`code`\n\n"
    "```python\nx\n```\n\n> said\n\n| a | b |\n|---|---|\n| **c** | d |\n\n---\n"
)
"""Everything that the prose of an honest card may turn into."""
RUNS = {"script", "style", "iframe", "object", "embed", "applet", "base", "form", "meta", "link", "template", "math"}
LEADS = {"href", "src", "action", "formaction", "data", "srcset", "poster", "xlink:href", "ping", "background"}


def release_with(hub: Path, name: str, text: str) -> None:
    """Put a release into a hub without asking whether it may be published: every free field holds ``text``."""
    free: dict[str, Any] = dict.fromkeys(FREE, text)
    source = msgspec.structs.replace(make_manifest().source, kind=text, location=text, format=text, override=True)
    facts: dict[str, Any] = {"tags": (text,), "examples": (text, "b"), "source": source}
    sample = make_sample(hub.parent / "made" / name, name=ModelName(name), language=Lang("en"), **facts, **free)
    release = release_line(sample.manifest, sample.packed, "public/models")
    release = msgspec.structs.replace(release, state="deprecated", why=text, annotator=text, engine=text, md5=text)
    store = open_store(hub)
    store.put_new(release.path, sample.zip)
    write_proof(sample.proof, measured(make_proof(sample.manifest, sample.packed), text))
    store.put_new(proof_name(release.path), sample.proof)
    add_release(store, release, ())
    update_views(store, [release.name], sample.manifest)


def measured(proof: Proof, text: str) -> Proof:
    """A proof in which everything that is not a figure is ``text``."""
    points = tuple(msgspec.structs.replace(point, name=text, worst=text) for point in proof.parity.forms[0].points)
    parity = msgspec.structs.replace(
        proof.parity, oracle=text, inputs=(text,), forms=(FormParity(form=text, points=points),)
    )
    return msgspec.structs.replace(
        proof,
        parity=parity,
        recipe=text,
        source=text,
        tools={text: text},
        machine={"cpu": text, text: text},
        trials=(Trial(tab="Python", outcome="passed", why=text), Trial(tab=text, outcome="not run", why=text)),
        results=(Result(text=text, words=(text, "b"), vectors=((0.5, 1.0), (1.0, 0.5))),),
        benchmarks=(Benchmark(form=text, size=1, load=0.5, speed=10.0, threads=1),),
    )


@dataclass(frozen=True)
class Sites:
    """The two sites, file by file."""

    hostile: Mapping[str, bytes]
    honest: Mapping[str, bytes]

    def pages(self) -> Iterator[tuple[str, Page, Page]]:
        """Each page of the hostile site and the honest one in its place."""
        for path, raw in self.hostile.items():
            if path.endswith(".html"):
                other = path if path in self.honest else _counterpart(path)
                yield path, Page.of(raw), Page.of(self.honest[other])


def _counterpart(path: str) -> str:
    """Lists are called after what they list."""
    return {"tasks": "tasks/embeddings.html", "languages": "languages/en.html"}[path.partition("/")[0]]


@dataclass
class Page(HTMLParser):
    """A page as a parser of HTML sees it."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    scripts: list[tuple[tuple[tuple[str, str], ...], str]] = field(default_factory=list)
    text: str = ""
    inside: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    @classmethod
    def of(cls, raw: bytes) -> Page:
        page = cls()
        page.feed(raw.decode("utf-8"))
        page.close()
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.elements.append((tag, given))
        self.inside = tag
        if tag == "script":
            self.scripts.append((tuple(sorted(given.items())), ""))

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.inside == "script":
            told, before = self.scripts[-1]
            self.scripts[-1] = told, before + data

    @property
    def shapes(self) -> set[tuple[str, str]]:
        """Every element with each of its attributes' names."""
        return {(tag, name) for tag, given in self.elements for name in ("", *given)}


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Sites:
    home = tmp_path_factory.mktemp("sites")
    honest = (HONEST, *["Embeddings"] * (len(PAYLOADS) - 1))
    return Sites(
        hostile=_site(home / "hostile", PAYLOADS, site=PAYLOADS[1], notebooks=f"a/b/{PAYLOADS[0]}"),
        honest=_site(home / "honest", honest, site=ADDRESS, notebooks="a/b/main"),
    )


def _site(home: Path, texts: Sequence[str], **info: str) -> dict[str, bytes]:
    """The files of a site of a hub with a model for each text."""
    hub = home / "hub"
    for number, text in enumerate(texts):
        release_with(hub, f"model{number}", text)
    said = {"name": texts[0][:100], "keys": [*texts], "mirrors": [*texts], **info}
    (hub / "hub.json").write_text(json.dumps(said), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(action="ignore"):
        patch.setenv("WELLREAD_HOME", str(home / "home"))
        built = build(hub, home / "out", address=ADDRESS)
    assert (built.models, built.problems) == (len(texts), 0)
    return contents(home / "out")


def test_the_payloads_are_there_to_be_read(sites: Sites) -> None:
    for number, payload in enumerate(PAYLOADS):
        text = Page.of(sites.hostile[f"models/en/model{number}.html"]).text
        told = re.findall(r"[A-Za-z]{4,}", payload)
        assert all(word in text for word in told[:1]), payload


def test_no_page_has_an_element_or_attribute_that_an_honest_one_has_not(sites: Sites) -> None:
    honest = set().union(*(other.shapes for _, _, other in sites.pages()))
    for path, page, _ in sites.pages():
        assert not page.shapes - honest, path
        assert not {name for _, name in page.shapes if name.startswith("on") or name in ("style", "srcdoc")}, path


def test_what_a_page_runs_and_loads_is_what_the_honest_one_does(sites: Sites) -> None:
    for path, page, other in sites.pages():
        for tag in RUNS:
            mine = [given for found, given in page.elements if found == tag]
            theirs = [given for found, given in other.elements if found == tag]
            assert [sorted(given) for given in mine] == [sorted(given) for given in theirs], f"{path}: <{tag}>"
        assert [told for told, _ in page.scripts] == [told for told, _ in other.scripts], path
        assert _policy(page) == _policy(other), path


def _policy(page: Page) -> list[str]:
    return [given.get("content", "") for tag, given in page.elements if tag == "meta" and "http-equiv" in given]


def test_no_script_holds_text_and_linked_data_stays_data(sites: Sites) -> None:
    for path, page, _ in sites.pages():
        for told, code in page.scripts:
            if ("type", "application/ld+json") in told:
                assert "<" not in code, path
                json.loads(code)
            else:
                assert not code.strip(), path


def test_no_address_leads_elsewhere_than_to_the_web_or_the_site_itself(sites: Sites) -> None:
    plain = re.compile(r"(https?://[\w.\-]+(/.*)?|mailto:\S+|(?![a-z]+:|//)[^\s\"'<>\\]*)")
    for path, page, _ in sites.pages():
        for tag, given in page.elements:
            for name in LEADS & set(given):
                assert plain.fullmatch(given[name]), f"{path}: <{tag} {name}={given[name]!r}>"
                assert tag == "a" or "//evil" not in given[name], path


def test_files_are_called_after_nothing_that_a_stranger_wrote(sites: Sites) -> None:
    assert all(re.fullmatch(r"[a-z0-9][A-Za-z0-9_.\-]*(/[A-Za-z0-9_.\-]+)*", path) for path in sites.hostile)
    assert not any(".." in path for path in sites.hostile)


def test_json_stays_json_and_feeds_stay_xml(sites: Sites) -> None:
    kinds = {path.rpartition(".")[2] for path in sites.hostile}
    assert {"json", "ipynb", "xml"} <= kinds
    for path, raw in sites.hostile.items():
        if path.endswith((".json", ".ipynb")):
            json.loads(raw)
        elif path.endswith((".xml", ".svg")):
            ElementTree.fromstring(raw)


def test_the_feed_holds_no_markup_of_a_stranger(sites: Sites) -> None:
    tags = {
        kind: {element.tag for element in ElementTree.fromstring(files["feed.xml"]).iter()}
        for kind, files in (("hostile", sites.hostile), ("honest", sites.honest))
    }
    assert tags["hostile"] <= tags["honest"]


def test_a_notebook_runs_what_an_honest_one_does(sites: Sites) -> None:
    honest = _called(sites.honest["models/en/model0.ipynb"])
    for number in range(len(PAYLOADS)):
        if raw := sites.hostile.get(f"models/en/model{number}.ipynb"):
            assert _called(raw) == honest


def _called(raw: bytes) -> set[str]:
    """Every name that the code of a notebook uses, and the lines that only IPython understands."""
    cells = ["".join(cell["source"]) for cell in json.loads(raw)["cells"] if cell["cell_type"] == "code"]
    magic = re.compile(r"^(\s*)([%!].*)$", re.MULTILINE)
    trees = [ast.parse(magic.sub(r"\1pass", cell)) for cell in cells]
    names = {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names | {line for cell in cells for _, line in magic.findall(cell)}


def test_what_a_live_demo_fetches_lies_below_the_hub(sites: Sites) -> None:
    """Its page connects to the site and the hub alone, and nothing that a publisher wrote is an address there."""
    policy = _policy(Page.of(sites.hostile["demo.html"]))[0]
    assert "connect-src 'self';" in policy and "'unsafe" not in policy
    for path, raw in sites.hostile.items():
        if path.startswith("models/en/") and path.endswith(".json"):
            said = json.loads(raw)
            places = [said["page"], *(release[key] for release in said["releases"] for key in ("url", "proof"))]
            assert all(re.fullmatch(r"(../../public/models/)?[\w.\-]+", place) for place in places)


@pytest.mark.heavy
def test_a_browser_runs_nothing_of_it(sites: Sites, browser: Browser) -> None:
    """Nor says it anything: a policy that was broken would be in the console."""
    from tests.browser.sites import serving_files
    from tests.fixtures.browser import watched

    below = {f"site/{path}": raw for path, raw in sites.hostile.items()}
    with serving_files(below) as server, watched(browser) as seen:
        seen.page.add_init_script("alert = text => console.error('alert ' + text)")
        for path in filter(re.compile(r".*\.html").fullmatch, below):
            seen.page.goto(f"{server.url}/{path}", wait_until="load")
            assert seen.complaints == [], path
        assert all(url.startswith((server.url, "data:")) for url in seen.requests)
