"""A first recipe for a source that has none: everything that can be found out, and blanks where only a person knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from wellread.converters.pull import pull
from wellread.converters.recipe import Given, Recipe
from wellread.converters.sources import Progress, Source
from wellread.converters.sources.web import digest_of
from wellread.converters.weights import read_weights
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Architecture

_NO_PART = ("README.md", "LICENSE")


def describe_source(
    source: Source,
    work: Path,
    *,
    name: ModelName,
    language: Lang,
    license: str = "",
    time: int | None = None,
    given: Mapping[str, Given] = MappingProxyType({}),
    progress: Progress = lambda line: None,
) -> Recipe:
    """Pull and read ``source``; give a recipe that pins its files. ``license`` stays empty where it is not given.

    ``given`` is what the source does not say of its architecture. Raises what pulling and reading raise:
    SourceUnavailable, CorruptSource, UnsupportedModel, and BadInput that asks for what must be given.
    """
    folder = pull([source], work, progress).folder
    architecture = read_weights(folder, given).architecture
    return Recipe(
        name=name,
        language=language,
        title=f"{name} ({_shape(architecture)})",
        description=f"BERT embeddings converted from {source.told}.",
        license=license,
        tags=("embeddings", language),
        time=time,
        dimension=architecture.hidden,
        architecture=dict(given),
        max_length=architecture.positions,
        sources=(Source(kind=source.kind, location=source.location, sha256=source.sha256, files=dict(_pins(folder))),),
    )


def _shape(architecture: Architecture) -> str:
    case = "cased" if architecture.cased else "uncased"
    return f"L-{architecture.layers}_H-{architecture.hidden}_A-{architecture.heads}, {case}"


def _pins(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and path.name not in _NO_PART and not any(part.startswith(".") for part in relative.parts):
            yield relative.as_posix(), digest_of(path)
