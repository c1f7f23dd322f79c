"""Hubs of a few models for the site's tests, and what lies in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.registry.samples import TIME, Sample, make_sample
from wellread.model_cards.site.build import Built, build_site
from wellread.registry.hub.publish import publish
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Release


def add(hub: Path, name: str = "tiny", language: str = "en", time: int = TIME, **fields: Any) -> Release:
    """Publish a release of a model into a hub."""
    return publish(*files_of(add_sample(hub, name, language, time, **fields)), hub).release


def add_sample(hub: Path, name: str = "tiny", language: str = "en", time: int = TIME, **fields: Any) -> Sample:
    """A release that could be published."""
    place = hub.parent / "samples" / f"{name}_{language}_{time}"
    return make_sample(place, name=ModelName(name), language=Lang(language), time=time, **fields)


def files_of(sample: Sample) -> tuple[Path, Path]:
    return sample.zip, sample.proof


def build(hub: Path | str, out: Path, **options: Any) -> Built:
    """A build without npm, in this process unless asked otherwise."""
    return build_site(hub, out, **{"demo": False, "processes": 1, **options})


def contents(root: Path) -> dict[str, bytes]:
    """Every file below a folder that a server would show, by its path."""
    found = (path for path in sorted(root.rglob("*")) if path.is_file())
    names = ((path.relative_to(root).as_posix(), path) for path in found)
    return {name: path.read_bytes() for name, path in names if not name.startswith(".")}


def page(root: Path, name: str = "tiny", language: str = "en") -> str:
    """The HTML of a model's page."""
    return (root / f"models/{language}/{name}.html").read_text(encoding="utf-8")
