"""A site on the loopback: the pages of lists, scripts and search of models that are made up."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.fixtures.web_server import Answer, Server, serving
from wellread.model_cards.site.hub.models import Row
from wellread.model_cards.site.pages import compare, search
from wellread.model_cards.site.pages import rendering as pages
from wellread.model_cards.site.places import Site

STATIC = Path(pages.__file__).with_name("static")
SITE = Site(title="Test hub")


def search_site(rows: Sequence[Row], others: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """Path → bytes of what pages of lists and their search need, and of others."""
    files = {path: page.encode() for path, page in pages.shared_pages(SITE, rows)}
    files["compare.html"] = compare.compare_page(SITE).encode()
    files |= dict(search.search_files(rows))
    files |= {f"assets/{file.name}": file.read_bytes() for file in STATIC.iterdir() if file.is_file()}
    return files | dict(others or {})


@contextmanager
def serving_files(files: Mapping[str, bytes]) -> Iterator[Server]:
    """A server of those files, each with its type."""
    table = {f"/{path}": Answer(raw, headers={"Content-Type": _type(path)}) for path, raw in files.items()}
    with serving(table) as server:
        yield server


def _type(path: str) -> str:
    return {".js": "text/javascript"}.get(Path(path).suffix) or mimetypes.guess_type(path)[0] or "text/plain"
