"""A hub with one release in it, whose reads are watched, for tests of what is fetched and what is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.registry.samples import Sample
from wellread.registry.hub.index import add_release
from wellread.registry.hub.publish import release_line
from wellread.registry.records import Manifest, Release
from wellread.registry.stores import Body, Store, open_store

FAR = 100_000
"""Bytes between two members that are too many to be read and dropped."""
ONNX = {"manifest.json", "README.md", "config.json", "golden.json", "onnx/model.onnx", "tokenizer.json", "vocab.txt"}


class Watched:
    """A store that remembers what was read of it, and through which a test may change what comes.

    ``change(number, body)`` is given every body with the number of the read, from 0.
    """

    def __init__(self, store: Store, change: Callable[[int, Body], Body] = lambda _, body: body) -> None:
        self.store = store
        self.url = store.url
        self.change = change
        self.reads: list[tuple[int, int | None]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def get_range(
        self, key: str, start: int = 0, length: int | None = None, *, unless: str | None = None
    ) -> Body | None:
        self.reads.append((start, length))
        number, body = len(self.reads) - 1, self.store.get_range(key, start, length, unless=unless)
        return body and self.change(number, body)


def list_in(sample: Sample, hub: Path) -> tuple[Watched, Release]:
    """The sample in a hub, by the shortest way."""
    store = open_store(hub)
    release = release_line(sample.manifest, sample.packed, "public/models")
    store.put_new(release.path, sample.zip)
    return Watched(store), add_release(store, release)


def far_apart(**files: bytes) -> dict[str, bytes]:
    """Members for ``make_sample`` that are so large where no onnx form wants them that each read stops before them."""
    return {"model.safetensors": b"t" * FAR, "onnx/model_int8.onnx": b"8" * FAR, **files}


def unproved(path: Path, manifest: Manifest, form: str) -> None:
    """Members without a runtime prove themselves."""


def members_in(path: Path) -> set[str]:
    names = (file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    return {name for name in names if not name.startswith(".wellread/")}
