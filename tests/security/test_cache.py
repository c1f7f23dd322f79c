"""Between the check and the use: a file of the cache that is another by then."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.registry.watched import unproved
from tests.security.hostile import found, make_hub
from wellread.errors import IntegrityError
from wellread.registry.cache.entry import Entry
from wellread.registry.records import Release
from wellread.registry.stores import open_store
from wellread.registry.transfer.fetch import bring
from wellread.runtime import session
from wellread.runtime.session import Session


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    make_hub(tmp_path / "hub")
    return tmp_path / "hub"


def _bring(hub: Path, release: Release) -> Path:
    return bring(open_store(hub), release, "onnx", prove=unproved)[0]


@pytest.fixture
def folder(hub: Path) -> Path:
    return _bring(hub, found(hub))


def _swap(path: Path, data: bytes) -> None:
    """Another file of the same size in the place of one, as who cannot write into it would have to do."""
    other = path.with_name("other")
    other.write_bytes(data)
    other.replace(path)


@pytest.mark.parametrize("member", ["onnx/model.onnx", "vocab.txt", "manifest.json"])
def test_a_file_that_was_replaced_since_the_last_load_is_hashed_and_fetched_again(
    hub: Path, folder: Path, member: str
) -> None:
    sound = (folder / member).read_bytes()
    _swap(folder / member, bytes(len(sound)))
    release = found(hub)
    entry = Entry(release.file.removesuffix(".zip"), release.manifest)
    assert entry.holds("onnx") is None
    assert (_bring(hub, release) / member).read_bytes() == sound


def test_a_file_that_is_replaced_while_it_is_opened_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    onnx = folder / "onnx/model.onnx"

    def replaced_meanwhile(path: Path, *_: object) -> object:
        _swap(path, path.read_bytes())
        return object()

    monkeypatch.setattr(session, "_open", replaced_meanwhile)
    with pytest.raises(IntegrityError, match="has changed since it was checked"):
        Session(onnx, 1).open()


@pytest.mark.parametrize("place", ["onnx", "onnx/model.onnx", ".wellread"])
def test_nothing_is_written_through_a_link_in_the_cache(hub: Path, folder: Path, tmp_path: Path, place: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    victim = outside / "model.onnx"
    victim.write_bytes(b"mine")
    at = folder / place
    if at.is_dir():
        shutil.rmtree(at)
    else:
        at.unlink()
    at.symlink_to(victim if place.endswith(".onnx") else outside)
    _bring(hub, found(hub))
    assert not at.is_symlink()
    assert victim.read_bytes() == b"mine"
    assert [path.name for path in outside.iterdir()] == ["model.onnx"]
