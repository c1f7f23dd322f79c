"""Kaggle models, through kagglehub and its cache."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.converters.test_archive import contents
from tests.fixtures.pulling import MODULE, PINS, pulled
from tests.fixtures.web_server import Answer, Entry, serving
from wellread.errors import SourceUnavailable


@pytest.mark.press
def test_a_kaggle_model_through_kagglehub(caches: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = "http://localhost/api/v1/models.ModelApiService"
    files = [{"name": name, "size": len(content)} for name, content in MODULE.items()]
    listing = Answer(json.dumps({"files": files, "nextPageToken": ""}).encode(), headers={"Content-Type": "text/json"})
    table: dict[str, Entry] = {
        f"{api}/ListModelInstanceVersionFiles": listing,
        f"{api}/DownloadModelInstanceVersion": lambda _, body: Answer(MODULE[json.loads(body)["path"]]),
    }
    with serving(table) as proxy:  # kagglehub's local endpoint has no free port, a proxy has
        monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "LOCALHOST")
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        found = pulled("kaggle:tensorflow/bert/tensorFlow2/tiny/1", work, files=PINS)
        with pytest.raises(SourceUnavailable):
            monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
            monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
            pulled("kaggle:tensorflow/bert/tensorFlow2/other/1", work)
    assert {name: raw for name, raw in contents(found.folder).items() if name in MODULE} == MODULE
    assert found.folder.is_relative_to(caches)
