"""Getting one file over http(s), and the words for why it could not be had."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import requests

from tests.fixtures.pulling import pulled
from tests.fixtures.web_server import Server, serving
from wellread.converters.sources.web import download, explain, opened
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


def test_an_address_nobody_listens_at(work: Path) -> None:
    with serving({}) as server:
        url = server.url
    with pytest.raises(SourceUnavailable, match="the connection was refused"):
        pulled(f"{url}/m.zip", work)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("(Caused by NameResolutionError(\"…: Failed to resolve 'api.x.com' ([Errno -2]", "the host api.x.com cannot"),
        ("<urlopen error [Errno -3] Temporary failure in name resolution>", "the host cannot be found"),
        ("Connection to x timed out. (connect timeout=3)", "no answer in time"),
        ("403 Client Error: Forbidden for url: https://x", "the server answered 403"),
        ("HTTP Error 404: Not Found", "the server answered 404"),
        ("", "no reason was given"),
        ("first\nsecond", "first"),
    ],
)
def test_reasons_are_said_in_a_line(raw: str, said: str) -> None:
    assert explain(raw).startswith(said)
