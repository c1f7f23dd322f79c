"""``wellread ci``: a repository that publishes its recipes by itself.

    recipes/                          a sample, small and real, which nothing reads until somebody renames it
    .github/workflows/publish.yml     press what changed, publish, build the site
    README.md                         which secrets and variables to set
    .gitignore

The files lie in ``workflows/`` beside this module. Between two ``@`` stands what differs from repository to repository;
wellread's own workflow is the same file with other values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import click

from wellread import __version__
from wellread.cli.options import json_option, print_json
from wellread.errors import BadInput
from wellread.registry import disk
from wellread.registry.hub.info import parse_address
from wellread.registry.stores import is_local

BUCKETS = ("s3", "gs", "az")
"""Schemes of hubs that a build server can write to."""
WORKFLOW = ".github/workflows/publish.yml"
EXAMPLE = "small_bert_L2_128_bleurt.yaml"
SAMPLE = f"recipes/{EXAMPLE}.sample"
"""Not named as a recipe is: what is published is so for ever, and the first push publishes all recipes."""
UNSET = "${{ vars.WELLREAD_HUB || ',' }} # a comma names no hub: where nobody set one the run says so, and ends"
"""The hub that the repository's own setting names; without one a runner would publish into its own home."""


@click.group()
def ci() -> None:
    """Set up a repository that builds, publishes and shows its models by itself.

    \b
    wellread ci init --hub s3://models/hub
    """


@ci.command()
@click.option(
    "--hub", metavar="HUB", help="The bucket to publish into. Default: the repository's variable WELLREAD_HUB."
)
@click.option("--host", type=click.Choice(["github"]), default="github", show_default=True, help="Whose build server.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    show_default=True,
    help="The repository.",
)
@click.option("--force", is_flag=True, help="Write over files that are there and differ.")
@json_option
def init(hub: str | None, host: str, folder: Path, force: bool, as_json: bool) -> None:
    """Write the files of a hub's repository: a workflow, a sample of a recipe, and how to set it up.

    Nothing is published before there is a recipe: the sample is none until you rename it. A file that is there and
    differs is not written over without --force.

    \b
    wellread ci init --hub s3://models/hub
    wellread ci init --dir my_hub
    """
    wanted = repository_files(None if hub is None else _bucket(hub))
    states = {path: _state(folder / path, text) for path, text in wanted.items()}
    differing = [path for path, state in states.items() if state == "differs"]
    if differing and not force:
        raise BadInput(
            f"{folder} has other files of these names: {', '.join(differing)}. Nothing was written; move them "
            "away, or write over them with --force"
        )
    for path in (path for path, state in states.items() if state != "there"):
        disk.write(folder / path, wanted[path].encode())
    if as_json:
        return print_json({"folder": str(folder), "host": host, "files": states})
    for path, state in states.items():
        click.echo(f"{path}: {'as it was' if state == 'there' else 'written'}")
    click.echo(f"next: {folder / 'README.md'} says which secrets and variables to set, and how to begin the hub")
    return click.echo(
        f"then: put a recipe into {folder / 'recipes'} (wellread recipes new; {Path(SAMPLE).name} is a sample, not "
        "published), commit and push"
    )


def _bucket(hub: str) -> str:
    if is_local(hub):
        raise BadInput(
            f"{hub} is a folder of this machine, and a build server has another: give a bucket ({'://, '.join(BUCKETS)}"
            "://), or leave --hub out and set the repository's variable WELLREAD_HUB"
        )
    return parse_address(hub, BUCKETS, WORKFLOW)


def _state(path: Path, text: str) -> str:
    """``new``, ``there`` with the same text, or ``differs``."""
    try:
        return "there" if path.read_bytes() == text.encode() else "differs"
    except (FileNotFoundError, NotADirectoryError):
        return "new"
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}") from error


def repository_files(hub: str | None) -> dict[str, str]:
    """Path → text of every file of a repository that publishes into ``hub``, or where its own variable says."""
    fixed = "fixed in the workflow" if hub else "the bucket to publish into, such as `s3://models/hub`"
    return {
        SAMPLE: (files("wellread") / "recipes/en" / EXAMPLE).read_text(encoding="utf-8"),
        WORKFLOW: workflow(hub=hub),
        "README.md": _filled("README.md", {"HUB_NOTE": fixed, "EXAMPLE": EXAMPLE}),
        ".gitignore": _filled("gitignore", {}),
    }


def workflow(*, hub: str | None = None, recipes: str = "recipes", package: str = "") -> str:
    """The workflow that publishes the recipes in a folder of its repository.

    ``package`` is what pip installs, without extras: by default this very version of wellread.
    """
    name, version = package or "wellread", "" if package else f"=={__version__}"
    return _filled(
        "publish.yml",
        {
            "HUB": json.dumps(hub) if hub else UNSET,
            "RECIPES": recipes,
            "SITE": f"'{name}[site,cloud]{version}'",
            "PRESS": f"'{name}[press,cloud]{version}'",
        },
    )


def _filled(template: str, values: Mapping[str, str]) -> str:
    text = (files("wellread.cli") / "workflows" / template).read_text(encoding="utf-8")
    return re.sub(r"@([A-Z_]+)@", lambda mark: values[mark[1]], text)
