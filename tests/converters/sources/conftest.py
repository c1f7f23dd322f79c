"""Where the tests of the sources pull from and to."""

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


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("TFHUB_CACHE_DIR", "KAGGLEHUB_CACHE", "HF_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "caches" / variable))
    for variable in ("NO_PROXY", "no_proxy", "HF_TOKEN", "HF_HUB_OFFLINE", "TBE_RUNTIME_ADDR"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path / "caches"
