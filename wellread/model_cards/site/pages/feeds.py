"""What feed readers and search engines ask for.

    feed.xml            the newest 50 releases (Atom, RFC 4287)
    sitemap.xml         every page with its date; past 50,000 pages an index of sitemap-1.xml … (sitemaps.org)
    robots.txt          everything may be read, and where the sitemap is

A sitemap needs absolute addresses, so it is there only where the site's address is known. The feed is always there:
its entries are named by UUIDs made of what a release is called, which stay the same wherever the site moves, and its
links are relative to it where no address is known.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from heapq import nlargest
from xml.etree import ElementTree as ET

from wellread.model_cards.site.hub.models import Row, Step
from wellread.model_cards.site.pages.page_templates import day
from wellread.model_cards.site.places import Site, model_path, slug
from wellread.registry.names import LAST_MOMENT

NEWEST = 50
LARGEST = 50_000
"""Addresses in a sitemap at most. Ours are below 1,000 bytes each, so that it stays below its 50 MB too."""

_ATOM = "http://www.w3.org/2005/Atom"
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_OURS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:wellread:release")
_IMPOSSIBLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, escaped or not (2.2)."""


def feed_files(site: Site, rows: Sequence[Row]) -> Iterator[tuple[str, bytes]]:
    """All files above, as (path, bytes)."""
    yield "feed.xml", _feed(site, rows)
    if site.address:
        yield from _sitemaps(site, rows)
    yield "robots.txt", _robots(site).encode()


def _robots(site: Site) -> str:
    place = f"Sitemap: {site.address}/sitemap.xml\n" if site.address else ""
    return f"User-agent: *\nAllow: /\n{place}"


# ---------------------------------------------------------------- the feed


def _feed(site: Site, rows: Sequence[Row]) -> bytes:
    newest = nlargest(
        NEWEST, ((row, step) for row in rows for step in row.steps), key=lambda pair: (pair[1].time, *_named(*pair))
    )
    feed = ET.Element("feed", {"xmlns": _ATOM, **({"xml:base": f"{site.address}/"} if site.address else {})})
    _add(feed, "title", site.title)
    _add(feed, "id", uuid.uuid5(_OURS, site.address or site.title).urn)
    _add(feed, "updated", _moment(newest[0][1].time if newest else 0))
    _add(feed, "link", rel="self", type="application/atom+xml", href="feed.xml")
    _add(feed, "link", rel="alternate", type="text/html", href="index.html")
    for row, step in newest:
        feed.append(_entry(row, step))
    return _written(feed)


def _named(row: Row, step: Step) -> tuple[str, str, str]:
    return row.language, row.name, step.id


def _entry(row: Row, step: Step) -> ET.Element:
    entry = ET.Element("entry")
    _add(entry, "title", f"{row.name} ({row.language}) {step.id}")
    _add(entry, "id", uuid.uuid5(_OURS, "/".join(_named(row, step))).urn)
    _add(entry, "updated", _moment(step.time))
    _add(_add(entry, "author"), "name", row.author or row.annotator or "unknown")
    _add(entry, "link", rel="alternate", type="text/html", href=f"{model_path(row.name, row.language)}.html")
    for task in row.tasks:
        _add(entry, "category", term=task)
    said = row.summary or row.title
    _add(entry, "summary", said if step.state == "ready" else f"This release is {step.state}. {step.why}".rstrip())
    return entry


def _moment(time: int) -> str:
    """A date of RFC 3339; an index line may hold any number."""
    return f"{datetime.fromtimestamp(min(max(time, 0), LAST_MOMENT) // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


# ---------------------------------------------------------------- the sitemap


def _sitemaps(site: Site, rows: Sequence[Row]) -> Iterator[tuple[str, bytes]]:
    pages = list(_pages(rows))
    parts = [pages[at : at + LARGEST] for at in range(0, len(pages), LARGEST)]
    if len(parts) == 1:
        yield "sitemap.xml", _sitemap(site, "urlset", "url", parts[0])
        return
    names = [f"sitemap-{number}.xml" for number, _ in enumerate(parts, start=1)]
    yield "sitemap.xml", _sitemap(site, "sitemapindex", "sitemap", [(name, "") for name in names])
    for name, part in zip(names, parts, strict=True):
        yield name, _sitemap(site, "urlset", "url", part)


def _pages(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """(path, date) of what a search engine shall find; a list's further pages only repeat what it has."""
    yield "", ""
    yield "changelog.html", ""
    for language in sorted({row.language for row in rows}):
        yield f"languages/{language}.html", ""
    for task in sorted({slug(task) for row in rows for task in row.tasks}):
        yield f"tasks/{task}.html", ""
    for row in sorted(rows, key=lambda row: (row.language, row.name)):
        latest = max((step.time for step in row.steps), default=row.time)
        yield f"{model_path(row.name, row.language)}.html", day(latest)


def _sitemap(site: Site, root: str, item: str, places: Sequence[tuple[str, str]]) -> bytes:
    listed = ET.Element(root, xmlns=_SITEMAP)
    for path, date in places:
        found = _add(listed, item)
        _add(found, "loc", f"{site.address}/{path}")
        if date:
            _add(found, "lastmod", date)
    return _written(listed)


# ---------------------------------------------------------------- XML


def _add(parent: ET.Element, tag: str, text: str = "", **attributes: str) -> ET.Element:
    """A child with text of anybody's; what XML cannot hold is replaced."""
    clean = {name: _IMPOSSIBLE.sub("\ufffd", value) for name, value in attributes.items()}
    child = ET.SubElement(parent, tag, clean)
    child.text = _IMPOSSIBLE.sub("\ufffd", text) or None
    return child


def _written(root: ET.Element) -> bytes:
    ET.indent(root, " ")
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"
