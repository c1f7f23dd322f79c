"""Archives, on this machine and from a web server on the loopback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.converters.test_archive import contents, tar_of, zip_of
from tests.fixtures.pulling import EVIL, MODULE, PINS, kept, pulled, sha256
from tests.fixtures.web_server import Answer, Entry, Server, serving
from wellread.errors import CorruptSource, SourceUnavailable, UnsafeArchive

# ---------------------------------------------------------------- on this machine


@pytest.mark.parametrize("name", ["m.zip", "m.tar.gz"])
def test_an_archive_on_disk_follows_its_content(tmp_path: Path, work: Path, name: str) -> None:
    pack = zip_of if name.endswith("zip") else tar_of
    archive = tmp_path / name
    archive.write_bytes(pack(MODULE))
    first = pulled(str(archive), work, sha256=sha256(pack(MODULE)), files=PINS)
    assert contents(first.folder) == MODULE
    assert pulled(str(archive), work).folder != first.folder or first.folder.is_dir()
    archive.write_bytes(pack({"other": b"1", "more": b"2"}))
    assert contents(pulled(str(archive), work).folder) == {"other": b"1", "more": b"2"}


def test_wrapping_folders_of_an_archive_are_passed(tmp_path: Path, work: Path) -> None:
    wrapped = {f"uncased/inner/{name}": content for name, content in MODULE.items()}
    (tmp_path / "m.zip").write_bytes(zip_of(wrapped | {"__MACOSX/x": b"", "uncased/.DS_Store": b""}))
    assert contents(pulled(str(tmp_path / "m.zip"), work).folder) == MODULE


def test_an_archive_that_is_not_there(work: Path) -> None:
    with pytest.raises(SourceUnavailable, match=r"the file nowhere\.zip is not there"):
        pulled("nowhere.zip", work)
    assert kept(work) == []


# ---------------------------------------------------------------- from the web


@pytest.mark.parametrize("name", ["m.zip", "m.tar.gz", "moved.zip", "unannounced.zip", "misannounced.zip"])
def test_an_archive_from_the_web_is_had_once(web: Server, work: Path, name: str) -> None:
    first = pulled(f"{web.url}/{name}", work, files=PINS)
    asked = len(web.asked)
    assert contents(first.folder) == MODULE
    assert pulled(f"{web.url}/{name}", work, files=PINS).folder == first.folder
    assert len(web.asked) == asked, "a second pull asks nobody"


@pytest.mark.parametrize("stamped", [True, False])
def test_an_address_without_pins_is_had_again_once_it_has_changed(work: Path, stamped: bool) -> None:
    """By what the server says of it; where it says nothing, each time."""
    table: dict[str, Entry] = {}

    def offer(text: bytes) -> None:
        headers = {"ETag": sha256(text)} if stamped else {}
        table["/m.zip"] = Answer(zip_of({"vocab.txt": text, "config.json": b"{}"}), headers=headers)

    with serving(table) as server:
        for text in (b"one", b"one", b"two"):
            offer(text)
            assert (pulled(f"{server.url}/m.zip", work).folder / "vocab.txt").read_bytes() == text
        assert len(server.asked) == 3 + (2 if stamped else 3), "each time asked for news, and had where there were any"


@pytest.mark.parametrize(
    ("name", "error", "why"),
    [
        ("cut.tar.gz", SourceUnavailable, "the answer broke off"),
        ("cut-unannounced.tar.gz", CorruptSource, "is broken"),
        ("evil.tar", UnsafeArchive, r"'\.\./evil'"),
        ("page.zip", CorruptSource, "is broken, or no .zip"),
        ("empty.zip", CorruptSource, "is broken, or no .zip"),
        ("huge.zip", UnsafeArchive, "is larger than"),
        ("error.zip", SourceUnavailable, "the server answered 503"),
        ("gone.zip", SourceUnavailable, "the server answered 404"),
        ("to-file.zip", SourceUnavailable, "leads to file:///etc/passwd, which is not followed"),
        ("to-ftp.zip", SourceUnavailable, "leads to ftp:"),
        ("loop.zip", SourceUnavailable, "redirected more than"),
    ],
)
def test_what_the_web_gets_wrong(web: Server, work: Path, name: str, error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        pulled(f"{web.url}/{name}", work)
    assert kept(work) == []


def test_a_pin_of_the_archive_is_checked_before_it_is_opened(web: Server, work: Path) -> None:
    with pytest.raises(CorruptSource, match=f"evil.tar has sha256 {sha256(EVIL)[:16]}…, the recipe pins 0000"):
        pulled(f"{web.url}/evil.tar", work, sha256="0" * 64)
    assert kept(work) == []
