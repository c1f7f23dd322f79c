"""Models as a site shows them, made of records alone: no zip, no hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from tests.registry.samples import FILES, TIME, make_manifest, make_proof, released
from wellread.model_cards.site.hub.models import Model, Published
from wellread.model_cards.site.places import Site
from wellread.registry.artifact.package import Packed
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Manifest, Member, Proof, Release, Result

KEY = "6b1f" * 16
SITE = Site(title="Models of the house", uri="s3://models.example/hub", keys=(KEY,))
MEMBERS = tuple(Member(name=name, size=600 + 1_000_000 * at, pieces=()) for at, name in enumerate(FILES))
RESULTS = (Result(text="I love NLP", words=("I", "love"), vectors=((-0.655757, 0.451565), (-0.8487, 0.163969))),)


def shelved(*releases: Published, aliases: tuple[str, ...] | None = None) -> Model:
    """A model of those releases, the first of them the one that is taken by default."""
    first = releases[0].release
    return Model(first.name, first.language, releases, aliases)


def published(
    name: str = "tiny", language: str = "en", *, line: dict[str, Any] | None = None, **fields: Any
) -> Published:
    """A signed release with its proof: ``line`` for its index line, ``fields`` for its manifest."""
    manifest = make_manifest(MEMBERS, name=ModelName(name), language=Lang(language), **({"time": TIME} | fields))
    facts: dict[str, Any] = {
        "name": manifest.name,
        "language": manifest.language,
        "time": manifest.time,
        "size": 40_900_000,
    }
    release = released(**(facts | (line or {})))
    return Published(release, (KEY,), manifest, _proof(manifest, release))


def foreign(name: str = "ner_dl", **line: Any) -> Published:
    """A zip of Spark NLP's."""
    facts: dict[str, Any] = {"name": ModelName(name), "manifest": "", "manifest_size": 0, "size": -1, "forms": ()}
    release = released(**(facts | line))
    return Published(release, problem="It is a zip of Spark NLP's, and only Spark NLP opens it.")


def _proof(manifest: Manifest, release: Release) -> Proof:
    packed = Packed(
        Path(release.file), release.size, release.sha256, release.md5, release.manifest, release.manifest_size
    )
    return msgspec.structs.replace(make_proof(manifest, packed), results=RESULTS)
