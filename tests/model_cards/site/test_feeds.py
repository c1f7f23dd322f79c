"""Feed, sitemap and robots.txt, read by an XML parser."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from tests.fixtures.site_rows import DAY, make_row
from tests.registry.samples import TIME
from wellread.model_cards.site.hub.models import Row, Step
from wellread.model_cards.site.pages import feeds
from wellread.model_cards.site.places import Site

ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
HERE = Site(title="Test hub")
THERE = Site(title="Test hub", address="https://models.example.org/sub")


def _files(site: Site, rows: list[Row]) -> dict[str, bytes]:
    return dict(feeds.feed_files(site, rows))


def _entries(site: Site, rows: list[Row]) -> list[ET.Element]:
    return ET.fromstring(_files(site, rows)["feed.xml"]).findall(f"{ATOM}entry")


def _text(element: ET.Element, tag: str) -> str:
    found = element.find(f"{ATOM}{tag}")
    assert found is not None
    return found.text or ""


def _places(raw: bytes) -> list[str]:
    return [place.text or "" for place in ET.fromstring(raw).iter(f"{MAP}loc")]


def test_the_feed_has_the_newest_fifty_releases() -> None:
    rows = [make_row(f"m{number}", time=TIME + number * DAY) for number in range(60)]
    entries = _entries(HERE, rows)
    assert len(entries) == 50
    assert [_text(entry, "title") for entry in entries[:2]] == [
        f"m59 (en) 2.6.0_2.4_{TIME + 59 * DAY}",
        f"m58 (en) 2.6.0_2.4_{TIME + 58 * DAY}",
    ]
    assert _text(entries[0], "updated") == "2020-10-23T08:38:25Z"
    link = entries[0].find(f"{ATOM}link")
    assert link is not None
    assert link.get("href") == "models/en/m59.html"


def test_every_release_of_a_model_is_an_entry_of_its_own_that_keeps_its_id() -> None:
    steps = (
        Step(id="2.6.0_2.4_2", time=TIME + DAY, state="yanked", why="wrong"),
        Step(id="1", time=TIME, state="ready"),
    )
    before = _entries(HERE, [make_row(steps=steps[1:])])
    after = _entries(THERE, [make_row(steps=steps)])
    assert _text(after[1], "id") == _text(before[0], "id")
    assert _text(after[0], "id") != _text(after[1], "id")
    assert _text(after[0], "summary") == "This release is yanked. wrong"


def test_what_xml_cannot_hold_is_replaced() -> None:
    hostile = make_row(author="</name>\x00&\x1b<b>", summary="\x0b ]]> \ufffe", tasks=("\x07",))
    [entry] = _entries(HERE, [hostile])
    author = entry.find(f"{ATOM}author")
    assert author is not None
    assert _text(author, "name") == "</name>\ufffd&\ufffd<b>"
    assert _text(entry, "summary") == "\ufffd ]]> \ufffd"


@pytest.mark.parametrize("time", [-5, 0, 10**18])
def test_a_moment_that_no_calendar_has_is_no_error(time: int) -> None:
    assert len(_entries(THERE, [make_row(time=time)])) == 1
    assert "sitemap.xml" in _files(THERE, [make_row(time=time)])


def test_an_empty_hub_has_a_feed() -> None:
    assert _entries(HERE, []) == []


def test_without_an_address_there_is_no_sitemap() -> None:
    files = _files(HERE, [make_row()])
    assert set(files) == {"feed.xml", "robots.txt"}
    assert files["robots.txt"] == b"User-agent: *\nAllow: /\n"


def test_the_sitemap_has_every_page_under_its_address() -> None:
    files = _files(THERE, [make_row("a"), make_row("b", "de", tasks=("Named Entity Recognition",))])
    assert b"Sitemap: https://models.example.org/sub/sitemap.xml\n" in files["robots.txt"]
    places = _places(files["sitemap.xml"])
    assert all(place.startswith("https://models.example.org/sub/") for place in places)
    assert [place.removeprefix("https://models.example.org/sub/") for place in places] == [
        "",
        "changelog.html",
        "languages/de.html",
        "languages/en.html",
        "tasks/embeddings.html",
        "tasks/named-entity-recognition.html",
        "models/de/b.html",
        "models/en/a.html",
    ]


def test_a_large_sitemap_is_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "LARGEST", 4)
    files = _files(THERE, [make_row(f"m{number}") for number in range(6)])
    assert _places(files["sitemap.xml"]) == [f"{THERE.address}/sitemap-{n}.xml" for n in (1, 2, 3)]
    assert sum(len(_places(files[f"sitemap-{n}.xml"])) for n in (1, 2, 3)) == 10


def test_the_same_models_in_another_order_give_the_same_bytes() -> None:
    rows = [make_row(f"m{number}") for number in range(60)]
    assert _files(THERE, rows) == _files(THERE, rows[::-1])
