"""The caches of the hubs' own clients, apart from the user's."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("TFHUB_CACHE_DIR", "KAGGLEHUB_CACHE", "HF_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "caches" / variable))
    for variable in ("NO_PROXY", "no_proxy", "HF_TOKEN", "HF_HUB_OFFLINE", "TBE_RUNTIME_ADDR"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path / "caches"
