"""``wellread publish``: artifacts that were built, into a hub."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from wellread.cli.hub import folder_option, no_views_option, say_state, written_hub
from wellread.cli.options import hub_option, json_option, print_json
from wellread.errors import BadInput, WellreadError
from wellread.registry.artifact.proof import proof_name
from wellread.registry.hub.index import HUB
from wellread.registry.hub.publish import Outcome, Published
from wellread.registry.hub.publish import publish as publish_release
from wellread.registry.retry import open_hub
from wellread.registry.stores import is_local, read


@click.command(name="publish")
@click.argument(
    "artifacts", nargs=-1, required=True, metavar="ZIP…", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@folder_option
@click.option("--dry-run", is_flag=True, help="Check and compare everything, say what would be written, write nothing.")
@no_views_option
@hub_option
@json_option
def publish(
    artifacts: tuple[Path, ...], folder: str, dry_run: bool, no_views: bool, hub: str | None, as_json: bool
) -> None:
    """Put artifacts, and the proofs beside them, into a hub, signed with your keys (wellread keys list).

    Ends with 0 when all are in the hub, those that were there already included; with 1 at the first that is refused,
    saying why: those before it are in; with 2 when used wrongly. It can be run again at any time.

    \b
    wellread publish dist/my_bert_en_2.6.0_2.4_1598344705269.zip --hub ./hub
    wellread publish dist/*.zip --hub s3://models --dry-run
    """
    goal = written_hub(hub)
    require_open(goal)
    done: list[Published] = []
    try:
        for artifact in artifacts:
            with _naming(artifact, len(artifacts)):
                proof = artifact.with_name(proof_name(artifact.name))
                done.append(publish_release(artifact, proof, goal, folder=folder, dry_run=dry_run, views=not no_views))
                if not as_json:
                    _say_published(done[-1])
    finally:
        if as_json and done:
            facts = [_published_facts(published) for published in done]
            print_json(facts if len(artifacts) > 1 else facts[0])


def _say_published(published: Published) -> None:
    click.echo(f"{published.release.file}: {state_of(published)} in {published.hub}")
    for key in published.wrote if published.dry_run else ():
        click.echo(f"  would write {key}")
    if not published.views and not published.dry_run:
        click.echo("  views deferred: wellread hub refresh brings them up to date")


def state_of(published: Published) -> str:
    """What became of a release, or would, in a few words."""
    signed = f"signed by {len(published.signed)} of your keys"
    beside = f", {signed}" * bool(published.signed)
    told: dict[Outcome, str] = {
        "new": f"published{beside}",
        "mended": f"mended{beside}",
        "signed": f"{signed}, the bytes already there,",
        "already there": "already there, the same bytes",
    }
    would = "would be " * (published.dry_run and not published.already_there)
    return f"{would}{told[published.outcome]}{say_state(published.release)}"


def _published_facts(published: Published) -> dict[str, Any]:
    return {
        "release": published.release,
        "outcome": published.outcome,
        "already_there": published.already_there,
        "hub": published.hub,
        "wrote": published.wrote,
        "signed": published.signed,
        "views": published.views,
        "dry_run": published.dry_run,
    }


@contextmanager
def _naming(artifact: Path, among: int) -> Iterator[None]:
    """Say which of several artifacts an error is about."""
    try:
        yield
    except WellreadError as error:
        if among == 1:
            raise
        raise type(error)(f"{artifact}: {error}") from error


# ---------------------------------------------------------------- can the place be written to?


def require_open(goal: str | Path) -> None:
    """As far as that can be known before something is written. Raises BadInput, HubUnavailable."""
    store = open_hub(goal)
    if is_local(goal):
        require_writable(Path(store.url))
    else:
        read(store, HUB)  # says whether there is such a bucket, and whether it lets us in


def require_writable(folder: Path) -> None:
    """Try the folder, or where it is not there yet the one that it will be made in; leaves nothing behind."""
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise BadInput(f"{folder} cannot be written to: {error.strerror}. Choose another --out or --hub") from error
