"""``wellread recipes``: the built-in recipes, and help in writing one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import click
import msgspec

from wellread.cli.moment import moment_option, settle_moment
from wellread.cli.options import json_option, print_json, print_table, settings_option
from wellread.cli.selection import recipes_option, select
from wellread.converters import recipe
from wellread.converters.recipe import Recipe, parse_given, parse_license
from wellread.converters.sources import parse_source
from wellread.errors import BadInput, WellreadError
from wellread.registry.home import home
from wellread.registry.names import parse_lang, parse_name


@click.group()
def recipes() -> None:
    """List, show, check and write recipes: the YAML files that models are built from."""


@recipes.command("list")
@json_option
def list_(as_json: bool) -> None:
    """Name, language and title of every built-in recipe.

    \b
    Example:
      wellread recipes list
    """
    found = [recipe.load(name, language) for name, language in recipe.builtin()]
    if as_json:
        return print_json([{"name": r.name, "language": r.language, "title": r.title} for r in found])
    return print_table(("name", "lang", "title"), [(r.name, r.language, r.title) for r in found])


@recipes.command()
@click.argument("name")
@click.option("--lang", help="Its language, where several have a recipe of that name.")
@json_option
def show(name: str, lang: str | None, as_json: bool) -> None:
    """Print the recipe NAME, or the one in a file.

    \b
    Example:
      wellread recipes show small_bert_L8_512
    """
    if as_json:
        return print_json(recipe.load(name, lang))
    return click.echo(recipe.read_text(recipe.find(name, lang)), nl=False)


@recipes.command()
@click.argument("since", metavar="REV")
@recipes_option
@json_option
def changed(since: str, folder: Path | None, as_json: bool) -> None:
    """Name the recipes that, as git says, differ from REV: those that build --all --changed-since REV builds.

    One a line; as JSON an array on one line, as a build server takes its matrix.

    \b
    Example:
      wellread recipes changed HEAD~1 --recipes recipes
    """
    found = select(folder, since)
    for line in [msgspec.json.encode(found).decode()] if as_json else found:
        click.echo(line)


@recipes.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@json_option
def check(files: tuple[Path, ...], as_json: bool) -> None:
    """Check recipes field by field; every problem is named. Ends with 1 if there is one.

    What only makes a poor card, such as no author, is a note.

    \b
    Example:
      wellread recipes check my_bert.yaml
    """
    verdicts = {str(file): _verdict(file) for file in files}
    if as_json:
        print_json([{"file": file, "ok": not v.why, "why": v.why, "notes": v.notes} for file, v in verdicts.items()])
    for file, verdict in ({} if as_json else verdicts).items():
        click.echo(verdict.why or f"{file}: ok")
        for note in verdict.notes:
            click.echo(f"  note: {note}")
    if any(verdict.why for verdict in verdicts.values()):
        raise click.exceptions.Exit(1)


class _Verdict(NamedTuple):
    """Why a file is no recipe, empty where it is one; and what its card will lack."""

    why: str
    notes: tuple[str, ...] = ()


def _verdict(file: Path) -> _Verdict:
    try:
        found = recipe.load(file)
    except WellreadError as error:
        return _Verdict(str(error))
    lacking = [key for key in ("title", "description", "author", "edition") if not getattr(found, key)]
    return _Verdict("", tuple(f"no {key}: the card will lack it, and wellread cards lint says so" for key in lacking))


@recipes.command()
@click.argument("source")
@click.option("--name", required=True, help="What the model is to be called.")
@click.option("--lang", required=True, help="Its language, such as en; xx for many.")
@click.option("--license", default="", help="Its licence, as an SPDX expression such as Apache-2.0.")
@moment_option
@settings_option
@click.option("--out", default="", help="Where to write it; default NAME.yaml, - for standard output.")
@json_option
def new(
    source: str,
    *,
    name: str,
    lang: str,
    license: str,
    moment: int | None,
    settings: tuple[str, ...],
    out: str,
    as_json: bool,
) -> None:
    """Write a recipe for SOURCE with everything that can be found out about it.

    \b
    Examples:
      wellread recipes new ./my_module --name my_bert --lang en --license Apache-2.0
      wellread recipes new hf:google/bert_uncased_L-2_H-128_A-2 --name tiny --lang en
    """
    from wellread.converters.describe import describe_source, draft

    target = Path(out or f"{name}.yaml")
    if out != "-" and target.exists():
        raise BadInput(f"{target} is there already: choose another with --out, or remove it")
    try:
        found = describe_source(
            parse_source(source),
            home() / "work",
            name=parse_name(name),
            language=parse_lang(lang),
            license=parse_license(license) if license else "",
            time=settle_moment(moment)[0],
            given=parse_given(settings),
            progress=_progress,
        )
    finally:
        _progress("")
    if out != "-":
        target.write_text(draft(found), encoding="utf-8")
    if as_json:
        return print_json({"file": None if out == "-" else str(target), "recipe": found})
    return click.echo(draft(found), nl=False) if out == "-" else _tell(target, found)


def _tell(target: Path, found: Recipe) -> None:
    click.echo(f"wrote {target}")
    click.echo("what only a person knows, such as its author, stands at its end: fill in what you can")
    if not found.license:
        click.echo("its license is not known: fill in an SPDX expression such as Apache-2.0")
    click.echo(f"next: wellread recipes check {target} && wellread build {target}")


def _progress(line: str) -> None:
    """On a terminal one line, written anew each time; in a pipe nothing."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{line}", nl=False, err=True)
