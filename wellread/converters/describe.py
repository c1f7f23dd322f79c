"""A first recipe for a source that has none: everything that can be found out, and blanks where only a person knows.

The blanks stand below the recipe as comments, ``# author: …``, each with what is meant: without the ``# `` a key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from wellread.converters.material import warn_of_differences
from wellread.converters.pull import pull
from wellread.converters.recipe import Given, Recipe, render
from wellread.converters.sources import Progress, Source, is_web
from wellread.converters.sources.web import digest_of
from wellread.converters.weights import read_weights
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Architecture

_NO_PART = ("README.md", "LICENSE")
_BLANKS = {
    "license": "Apache-2.0",
    "author": "who made the model",
    "edition": "what it is an edition of, such as House 2026.1",
    "supported": "true",
    "data_source": "what it was trained on",
    "citation": "'Author, Author: Title. Where it appeared, year'",
    "examples": "[a text of the kind that it is for, another]",
}
"""What no source says → how it may look."""


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
    SourceUnavailable, CorruptSource, UnsupportedModel, and BadInput that asks for what must be given. Warns of what
    the source says to sentence-transformers and a release cannot hold.
    """
    folder = pull([source], work, progress).folder
    weights = read_weights(folder, given)
    architecture, told = weights.architecture, weights.sentences
    pooling, max_length = told.pooling or "mean", told.max_length or architecture.positions
    progress("")
    warn_of_differences(name, weights, pooling, max_length)
    return Recipe(
        name=name,
        language=language,
        title=f"{name} ({_shape(architecture)})",
        description=_description(source, architecture),
        license=license,
        tags=("embeddings", language),
        time=time,
        dimension=architecture.hidden,
        architecture=dict(given),
        max_length=max_length,
        pooling=pooling,
        sources=(Source(kind=source.kind, location=source.location, sha256=source.sha256, files=dict(_pins(folder))),),
    )


def draft(recipe: Recipe) -> str:
    """``render`` with the blanks below it. It parses as the recipe, and once they are filled in as that."""
    blanks = [f"# {key}: {how}\n" for key, how in _BLANKS.items() if not getattr(recipe, key)]
    lead = (
        "# What only a person knows: fill in and take the '# ' away. wellread's docs/recipes.md tells of every key.\n"
    )
    return "".join([render(recipe), *([lead] if blanks else []), *blanks])


def _description(source: Source, shape: Architecture) -> str:
    """The name of a folder on this machine tells nobody else anything."""
    size = f"{shape.layers} layers, hidden size {shape.hidden} and {shape.heads} attention heads"
    local = source.kind in ("folder", "archive") and not is_web(source.location)
    origin = "" if local else f" Converted from {source.told}."
    case = "keeps the case of" if shape.cased else "lower-cases"
    return f"BERT embeddings: an encoder with {size}, which {case} its input.{origin}"


def _shape(architecture: Architecture) -> str:
    case = "cased" if architecture.cased else "uncased"
    return f"L-{architecture.layers}_H-{architecture.hidden}_A-{architecture.heads}, {case}"


def _pins(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and path.name not in _NO_PART and not any(part.startswith(".") for part in relative.parts):
            yield relative.as_posix(), digest_of(path)
