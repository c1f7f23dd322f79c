"""Getting one file over http(s)."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import requests

from tests.fixtures.pulling import pulled
from tests.fixtures.web_server import Answer, Server, serving
from wellread.converters.sources.web import download, opened
from wellread.errors import SourceUnavailable, UnsafeArchive


def test_a_download_is_bounded_while_it_runs(web: Server, tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchive, match="is larger than 10 bytes"):
        download(f"{web.url}/unannounced.zip", tmp_path / "m.zip", "", lambda line: None, most=10)
    assert not (tmp_path / "m.zip").exists()


def test_a_secure_address_never_leads_to_an_open_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Moved(requests.adapters.HTTPAdapter):
        def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
            response = requests.Response()
            response.status_code, response.request, response.raw = 302, request, io.BytesIO()
            response.headers["Location"] = "http://127.0.0.1/m.zip"
            return response

    monkeypatch.setattr(requests.sessions, "HTTPAdapter", Moved)
    with pytest.raises(SourceUnavailable, match="which is not followed"), opened("https://127.0.0.1/m.zip"):
        pass


def test_the_body_of_a_redirect_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests.Response, "content", property(lambda _: pytest.fail("a body is read into memory")))
    moved = Answer(b"x", 302, {"Location": "/m.zip"})
    with serving({"/old": moved, "/m.zip": Answer(b"data")}) as server:
        download(f"{server.url}/old", tmp_path / "m.zip", "", lambda line: None)
    assert (tmp_path / "m.zip").read_bytes() == b"data"


def test_an_address_nobody_listens_at(work: Path) -> None:
    with serving({}) as server:
        url = server.url
    with pytest.raises(SourceUnavailable, match="the connection was refused"):
        pulled(f"{url}/m.zip", work)
