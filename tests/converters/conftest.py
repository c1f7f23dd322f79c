"""Where the tests of pulling pull from and to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.pulling import offering
from tests.fixtures.web_server import Server


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


@pytest.fixture
def web() -> Iterator[Server]:
    with offering() as server:
        yield server
