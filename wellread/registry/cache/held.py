"""What the cache knows by itself, for the day on which no hub can be asked.

A name is found in the copies of what any hub ever said of it. Of its releases those count of which there is something
in the cache: what is only known of cannot be opened without a network.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from wellread.registry.cache import copies
from wellread.registry.cache.entry import places
from wellread.registry.home import home
from wellread.registry.hub.entries import parse_index
from wellread.registry.hub.index import alias_key, index_key, parse_alias
from wellread.registry.names import ModelName, parse_name
from wellread.registry.records import Alias, Release


class Remembered(NamedTuple):
    """A release, the hub that listed it, and the ids of the keys whose signature of the line was good."""

    release: Release
    hub: str
    signers: tuple[str, ...]


def remembered(name: ModelName) -> Iterator[Remembered]:
    """The releases of a name that any hub ever listed. Raises IntegrityError."""
    return (each for copy in copies.everywhere(index_key(name)) for each in _listed(copy, name))


def remembered_alias(reference: str) -> Alias | None:
    """What any hub ever said that a reference stands for. Raises IntegrityError."""
    there = (copy for copy in copies.everywhere(alias_key(reference)) if copy.raw)
    return next((parse_alias(copy.raw, reference, copy.header.url) for copy in there), None)


def is_held(release: Release) -> bool:
    """Whether the cache has something of a release; of Spark NLP's the zip, whichever hub it came from."""
    if release.foreign:
        return any((home() / "cache" / "zips").glob(f"*/{release.file}"))
    return any(entry.path.is_dir() for entry in places(release.file.removesuffix(".zip"), release.manifest))


def held() -> Iterator[Release]:
    """All releases of which the cache has something. Raises IntegrityError."""
    for copy in copies.everywhere("index/*/*.jsonl"):
        name = parse_name(copy.header.key.rpartition("/")[2].removesuffix(".jsonl"))
        yield from (each.release for each in _listed(copy, name) if is_held(each.release))


def _listed(copy: copies.Copy, name: ModelName) -> Iterator[Remembered]:
    for line in parse_index(copy.raw, name, copy.header.url):
        yield Remembered(line.release, copy.header.url, copy.header.signers.get(line.release.path, ()))
