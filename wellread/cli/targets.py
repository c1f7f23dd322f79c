"""What ``wellread build`` is asked to make, as one recipe.

RECIPE                               as it stands
RECIPE --source S                    the same model from elsewhere: pins are lifted, the goldens decide
RECIPE [--source S] --name OTHER     another model: nothing that was told about the first holds for it
SOURCE --name N --lang L --license   a model that no recipe tells of
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec

from wellread.cli.moment import settle_moment
from wellread.converters.forms.kinds import check_forms
from wellread.converters.recipe import SUFFIXES, Recipe, builtin, load, parse_given, parse_license
from wellread.converters.sources import Source, fetcher, is_web, parse_source, without_secrets
from wellread.errors import BadInput, SourceUnavailable, WellreadError
from wellread.registry.names import ModelName, parse_lang, parse_name


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The options that say what is made, as they were typed; None and () where they were not."""

    source: str | None = None
    name: str | None = None
    lang: str | None = None
    licence: str | None = None
    forms: str | None = None
    settings: tuple[str, ...] = ()
    moment: int | None = None


class Order(NamedTuple):
    """A recipe with its moment; ``source`` and ``forms`` take the place of its own; ``now`` is the clock's moment."""

    recipe: Recipe
    source: Source | None
    forms: tuple[str, ...]
    now: bool


def order(target: str, asked: Asked) -> Order:
    """What ``target`` and the options beside it mean. Raises BadInput, NotFound, click.UsageError."""
    recipe, source = _meant(target, asked)
    moment, now = settle_moment(recipe.time if asked.moment is None else asked.moment)
    architecture = {**recipe.architecture, **parse_given(asked.settings)}
    recipe = msgspec.structs.replace(recipe, time=moment, architecture=architecture)
    return Order(recipe, source, () if asked.forms is None else _forms(asked.forms), now)


def shown(target: str) -> str:
    """A target as a message may name it: an address without user, password and question."""
    return target if _names_recipe(target) else without_secrets(target)


def _forms(typed: str) -> tuple[str, ...]:
    return check_forms(part.strip() for part in typed.split(",") if part.strip())


def _meant(target: str, asked: Asked) -> tuple[Recipe, Source | None]:
    """The recipe, and the source that is to stand in for its own."""
    if not _names_recipe(target):
        return _without_recipe(target, asked), None
    source = parse_source(asked.source) if asked.source else None
    recipe = load(target, asked.lang)
    _refuse_contradictions(target, recipe, asked)
    if asked.name in (None, recipe.name):
        return recipe, source
    return _renamed(recipe, parse_name(str(asked.name)), source), None


def _names_recipe(target: str) -> bool:
    """Whether it is one, or a word that can be nothing else, so that ``load`` says what it is near to."""
    if is_web(target):
        return False
    known = target.endswith(SUFFIXES) or any(target == name for name, _ in builtin())
    return known or not (re.search(r"[/\\:]", target) or Path(target).exists())


def _refuse_contradictions(target: str, recipe: Recipe, asked: Asked) -> None:
    given = {
        "--lang": (asked.lang and parse_lang(asked.lang), recipe.language),
        "--license": (asked.licence and parse_license(asked.licence), recipe.license),
    }
    for option, (typed, said) in given.items():
        if typed and typed != said:
            raise click.UsageError(f"{option} {typed} contradicts {target}, which says {said}: leave it out")


def _without_recipe(target: str, asked: Asked) -> Recipe:
    """A source with what was typed beside it, pooled as it says itself. Raises one error with all that is wrong."""
    readers: dict[str, tuple[Callable[[str], Any], str | None]] = {
        "source": (_source_there, target),
        "name": (parse_name, asked.name),
        "language": (parse_lang, asked.lang),
        "license": (parse_license, asked.licence),
    }
    read: dict[str, Any] = {}
    problems: list[Exception] = []
    for fact, (reader, typed) in readers.items():
        try:
            read[fact] = reader(typed) if typed else None
        except WellreadError as error:
            problems.append(error)
    problems.extend(_misused(target, asked))
    if problems:
        raise problems[0] if len(problems) == 1 else BadInput("\n".join(map(str, problems)))
    source = read.pop("source")
    name = read.pop("name")
    return _plain(name, source.told, **read, data_source=source.told, sources=(source,), pooling="auto")


def _source_there(typed: str) -> Source:
    """A source that, if it is on this machine, exists. Raises BadInput, SourceUnavailable."""
    source = parse_source(typed)
    if source.kind == "folder":
        fetcher(source.kind)(source, Path(), lambda line: None)
    elif source.kind == "archive" and not is_web(typed) and not Path(typed).expanduser().is_file():
        raise SourceUnavailable(f"the file {typed} is not there")
    return source


def _misused(target: str, asked: Asked) -> Iterator[click.UsageError]:
    wanted = {"--name": asked.name, "--lang": asked.lang, "--license": asked.licence}
    if missing := [option for option, given in wanted.items() if not given]:
        yield click.UsageError(f"{shown(target)} is a source without a recipe, so {', '.join(missing)} must be given")
    if asked.source:
        yield click.UsageError(f"{shown(target)} is a source itself: --source is for a recipe")


def _renamed(recipe: Recipe, name: ModelName, source: Source | None) -> Recipe:
    """Another model, read, pooled and licensed as the recipe says.

    Without ``source`` it is made of the recipe's own sources, so these are still to give the golden values.
    """
    kept = {field: getattr(recipe, field) for field in ("language", "license", "annotator", "forms", "architecture")}
    if source is None:
        origin = f"the source of {recipe.name}"
        own = {field: getattr(recipe, field) for field in ("sources", "pooling", "goldens", "data_source")}
        return _plain(name, origin, **kept, **own)
    return _plain(name, source.told, **kept, pooling=recipe.pooling, data_source=source.told, sources=(source,))


def _plain(name: ModelName, origin: str, **facts: Any) -> Recipe:
    """What can be said of a model that no recipe tells of."""
    description = f"BERT embeddings converted from {origin}."
    return Recipe(name=name, title=name, description=description, tags=("embeddings", facts["language"]), **facts)
