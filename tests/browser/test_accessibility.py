"""Every kind of page under axe-core, wide and light, narrow and dark: nothing serious may be found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser

from tests.browser.axe import Axe
from tests.browser.sites import search_site, serving_files
from tests.fixtures.browser import watched
from tests.model_cards.site.shelf import SITE, foreign, published, shelved
from wellread.model_cards.site.pages.machine import model_json
from wellread.model_cards.site.pages.rendering import model_page
from wellread.model_cards.site.pages.rows import row_of

pytestmark = pytest.mark.heavy

PAGES = (
    "index.html", "models/en/small.html", "models/en/gone.html", "models/en/ner_dl.html", "languages/en.html",
    "tasks/embeddings.html", "changelog.html", "404.html", "compare.html", "compare.html?models=en/small,en/ner_dl",
    "index.html?q=small&language=en&sort=name", "index.html?q=nothing",
)  # fmt: skip


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    prose = (
        "## A title\n\n> quoted\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\n"
        + "x = 1  # "
        + "long " * 60
        + "\n```"
    )
    models = [
        shelved(published("small", description=prose, recommended=True), published("small", time=1_590_000_000_000)),
        shelved(replace(published("gone", line={"state": "yanked", "why": "it was wrong"}), signers=())),
        shelved(foreign()),
    ]
    pages = {f"models/en/{model.name}.html": model_page(SITE, model).encode() for model in models}
    pages |= {f"models/en/{model.name}.json": model_json(SITE, model) for model in models}
    with serving_files(search_site([row_of(model) for model in models], pages)) as server:
        yield server.url


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
@pytest.mark.parametrize("path", PAGES)
def test_nothing_serious_is_found(browser: Browser, axe: Axe, address: str, path: str, scheme: str, width: int) -> None:
    with watched(
        browser, color_scheme=scheme, viewport={"width": width, "height": 800}, reduced_motion="reduce"
    ) as seen:
        seen.page.goto(f"{address}/{path}", wait_until="networkidle")
        assert axe(seen.page) == []
