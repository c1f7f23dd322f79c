"""A hub with one release in it, whose reads are watched, for tests of what is fetched and what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.registry.samples import Sample
from wellread.registry.index import add_release
from wellread.registry.publish import release_line
from wellread.registry.records import Manifest, Release
from wellread.registry.stores import Body, Store, open_store

ONNX = {"manifest.json", "README.md", "config.json", "golden.json", "onnx/model.onnx", "tokenizer.json", "vocab.txt"}


class Watched:
    """A store that remembers what was read of it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.url = store.url
        self.reads: list[tuple[int, int | None]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def get_range(self, key: str, start: int = 0, length: int | None = None) -> Body | None:
        self.reads.append((start, length))
        return self.store.get_range(key, start, length)


def list_in(sample: Sample, hub: Path) -> tuple[Watched, Release]:
    """The sample in a hub, by the shortest way."""
    store = open_store(hub)
    release = release_line(sample.manifest, sample.packed, "public/models")
    store.put_new(release.path, sample.zip)
    return Watched(store), add_release(store, release)


def unproved(path: Path, manifest: Manifest, form: str) -> None:
    """Members without a runtime prove themselves."""


def members_in(path: Path) -> set[str]:
    names = (file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    return {name for name in names if not name.startswith(".wellread/")}
