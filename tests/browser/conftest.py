"""A page of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.axe import Axe
from tests.fixtures.browser import Watched, watched


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> Axe:
    return Axe(tmp_path_factory.mktemp("axe"))


@pytest.fixture
def seen(browser: Browser) -> Iterator[Watched]:
    """A page on a desktop screen."""
    with watched(browser, viewport={"width": 1280, "height": 900}) as page:
        yield page
