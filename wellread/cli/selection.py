"""Which recipes ``wellread build --all`` means: the built-in ones or those of a folder, all or those that changed."""

from __future__ import annotations

from pathlib import Path

import click

from wellread.cli.changes import changed
from wellread.converters.recipe import SUFFIXES, builtin, find
from wellread.errors import BadInput

recipes_option = click.option(
    "--recipes",
    "folder",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Every YAML file in this folder and below, in place of the built-in recipes.",
)


def select(folder: Path | None, since: str | None) -> list[str]:
    """What ``build`` takes for each of them: the name of a built-in recipe, the path of another; sorted.

    With ``since`` only those whose files differ from that revision. Raises BadInput for a folder without recipes, and
    where git cannot tell.
    """
    files = [find(name, language) for name, language in builtin()] if folder is None else recipe_files(folder)
    if since is not None:
        files = changed(files, folder or files[0].parents[1], since)
    return [file.stem if folder is None else str(file) for file in files]


def recipe_files(folder: Path) -> list[Path]:
    """The YAML files in a folder and those in it, hidden ones left out, sorted.

    Raises BadInput for none, and for a name that no line and no JSON can hold.
    """
    found = (path for path in folder.rglob("*") if path.suffix in SUFFIXES and path.is_file())
    shown = [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    if not shown:
        raise BadInput(f"{folder} holds no recipe, a file that ends with {' or '.join(SUFFIXES)}; wellread recipes new")
    for path in shown:
        if not str(path).isprintable():
            raise BadInput(
                f"{str(path)!r} is no name for a recipe: rename it, with letters and signs that can be printed"
            )
    return sorted(shown)
