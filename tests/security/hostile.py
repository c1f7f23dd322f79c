"""Hubs that are not what they should be: made of a sound one, by hand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests.registry.samples import Sample, make_proof, make_sample
from wellread.registry.artifact.proof import proof_name, write_proof
from wellread.registry.hub.index import SIGNED, add_release, index_key
from wellread.registry.hub.publish import release_line
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Release, encode
from wellread.registry.resolve.search import find
from wellread.registry.stores import open_store
from wellread.registry.trust.keys import Key
from wellread.registry.trust.signing import sign

TINY, EN = ModelName("tiny"), Lang("en")


def make_hub(hub: Path, keys: Sequence[Key] = (), **fields: Any) -> tuple[Sample, Release]:
    """A hub with one release, its line and proof signed by each key; ``fields`` are the manifest's."""
    sample = make_sample(hub.with_name(f"{hub.name}-made"), **fields)
    release = release_line(sample.manifest, sample.packed, "public/models")
    store = open_store(hub)
    store.put_new(release.path, sample.zip)
    write_proof(sample.proof, make_proof(sample.manifest, sample.packed), keys)
    store.put_new(proof_name(release.path), sample.proof)
    return sample, add_release(store, release, keys)


def line_file(hub: Path, name: ModelName = TINY) -> Path:
    return hub / index_key(name)


def forge(hub: Path, keys: Sequence[Key] = (), **changes: Any) -> None:
    """Change what the one line of a hub says; signed with these keys, else with the old signatures."""
    line = json.loads(line_file(hub).read_bytes())
    said = json.dumps(line["release"] | changes).encode()
    old = json.dumps(line["signatures"]).encode()
    signatures = msgspec.json.encode(sign(SIGNED, said, keys)) if keys else old
    line_file(hub).write_bytes(b'{"release":' + said + b',"signatures":' + signatures + b"}\n")


def replant(hub: Path, other: Path) -> None:
    """Put the files of another hub over those of this one."""
    shutil.copytree(other, hub, dirs_exist_ok=True)


def found(hub: Path | str, **asked: Any) -> Release:
    """What a client takes from a hub."""
    return find(TINY, EN, hub=hub, **asked)[1]


def raw_line(release: Release) -> bytes:
    """A line without signatures, as anybody can write it."""
    return b'{"release":' + encode(release) + b',"signatures":[]}\n'
