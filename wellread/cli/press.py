"""``wellread build`` and ``wellread publish``: the producer's commands."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from wellread.cli.hub import folder_option, no_views_option, say_state, written_hub
from wellread.cli.moment import moment_option
from wellread.cli.options import hub_option, json_option, print_json, say_step, settings_option
from wellread.cli.report import print_parity
from wellread.cli.targets import Asked, Order, order
from wellread.converters.workbench import Workbench
from wellread.errors import BadInput, WellreadError
from wellread.press import Pressed, press
from wellread.registry.artifact.proof import proof_name
from wellread.registry.home import home
from wellread.registry.hub.index import HUB
from wellread.registry.hub.publish import Outcome, Published
from wellread.registry.hub.publish import publish as publish_release
from wellread.registry.retry import open_hub
from wellread.registry.stores import is_local, read


@click.command(name="build")
@click.argument("targets", nargs=-1, required=True, metavar="RECIPE…|SOURCE")
@click.option("--source", metavar="SOURCE", help="Take the model from here instead; lifts the recipe's pins.")
@click.option("--name", help="The model's name: for a SOURCE without recipe, or to give a recipe another.")
@click.option("--lang", help="Its language code.")
@click.option("--license", "licence", metavar="SPDX", help="Its licence, for a SOURCE without recipe.")
@click.option("--forms", metavar="F,…", help="torch, onnx, onnx-int8, onnx-fp16. Default: the recipe's.")
@settings_option
@moment_option
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write the artifact into this folder.")
@hub_option
@json_option
def build(targets: tuple[str, ...], hub: str | None, out: Path | None, as_json: bool, **asked: Any) -> None:
    """Press models: pull, convert, compare with the source, pack, publish.

    A RECIPE is a built-in name (wellread recipes list) or a YAML file; a SOURCE is a folder, an archive, an address or
    a handle. Without --out the release goes to the hub; with --out alone it is written there and not published.

    \b
    wellread build small_bert_L2_128_bleurt --hub ./hub
    wellread build small_bert_L8_512 --source ./my_copy.tar.gz --out dist
    wellread build ./my_module --name my_bert --lang en --license Apache-2.0 --out dist
    """
    if len(targets) > 1 and (asked["source"] or asked["name"]):
        raise click.UsageError("--source and --name are for one model at a time")
    orders = [order(target, Asked(**asked)) for target in targets]
    goal = _goal(hub, out)
    done: list[dict[str, Any]] = []
    try:
        for target, wanted in zip(targets, orders, strict=True):
            with _naming(target, len(targets)):
                done.append(_build_one(wanted, goal, out, as_json))
    finally:
        if as_json and done:
            print_json(done if len(targets) > 1 else done[0])


def _goal(hub: str | None, out: Path | None) -> str | Path | None:
    """The hub to publish into, if any. Raises before anything is pressed that could not be kept."""
    goal = written_hub(hub) if hub or not out else None
    if out:
        _require_writable(out)
    if goal is not None:
        _require_open(goal)
    return goal


def _require_open(goal: str | Path) -> None:
    """As far as that can be known before something is written. Raises BadInput, HubUnavailable."""
    store = open_hub(goal)
    if is_local(goal):
        _require_writable(Path(store.url))
    else:
        read(store, HUB)  # says whether there is such a bucket, and whether it lets us in


def _require_writable(folder: Path) -> None:
    """Try the folder, or where it is not there yet the one that it will be made in; leaves nothing behind."""
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise BadInput(f"{folder} cannot be written to: {error.strerror}. Choose another --out or --hub") from error


@contextmanager
def _naming(target: str, among: int) -> Iterator[None]:
    """Say which of several targets an error is about."""
    try:
        yield
    except WellreadError as error:
        if among == 1:
            raise
        raise type(error)(f"{target}: {error}") from error


def _build_one(wanted: Order, goal: str | Path | None, out: Path | None, as_json: bool) -> dict[str, Any]:
    recipe = wanted.recipe
    if wanted.now and not as_json:
        click.echo(f"moment {recipe.time} (now; give --time {recipe.time} to make the same artifact again)")
    bench = Workbench(home() / "work", say_step)
    with _place(out, bench) as place:
        pressed = press(recipe, place, bench, source=wanted.source, forms=wanted.forms, for_hub=goal is not None)
        published = publish_release(pressed.artifact, pressed.proof, goal) if goal else None
    if not as_json:
        _tell(pressed, published, goal, out)
    return _facts(pressed, published, out)


@contextmanager
def _place(out: Path | None, bench: Workbench) -> Iterator[Path]:
    """The folder that was asked for, or one that lasts until its artifact is published."""
    if out:
        yield out
        return
    with bench.scratch() as scratch:
        yield scratch


def _tell(pressed: Pressed, published: Published | None, goal: str | Path | None, out: Path | None) -> None:
    print_parity(pressed.report)
    click.echo("")
    click.echo(f"artifact  {pressed.artifact if out else pressed.artifact.name}  {pressed.packed.size / 1e6:.1f} MB")
    click.echo(f"sha256    {pressed.packed.sha256}")
    source = pressed.manifest.source
    click.echo(f"source    {source.kind}:{source.location}")
    if source.override:
        click.echo(
            f"override  not known to be {pressed.manifest.name}: its golden values are missed, or it quotes none"
        )
        click.echo("          no hub takes it; give it another --name to publish it")
    if published:
        click.echo(f"hub       {goal}  {_state(published)} as {published.release.id}")


def _facts(pressed: Pressed, published: Published | None, out: Path | None) -> dict[str, Any]:
    manifest = pressed.manifest
    return {
        "name": manifest.name,
        "language": manifest.language,
        "artifact": str(pressed.artifact) if out else None,
        "sha256": pressed.packed.sha256,
        "size": pressed.packed.size,
        "source": manifest.source,
        "dropped": pressed.dropped,
        "pooling": manifest.pooling,
        "forms": list(manifest.forms),
        "parity": pressed.report,
        "release": published.release if published else None,
        "outcome": published.outcome if published else None,
        "already_there": published.already_there if published else None,
    }


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
    _require_open(goal)
    done: list[Published] = []
    try:
        for artifact in artifacts:
            with _naming(str(artifact), len(artifacts)):
                proof = artifact.with_name(proof_name(artifact.name))
                done.append(publish_release(artifact, proof, goal, folder=folder, dry_run=dry_run, views=not no_views))
                if not as_json:
                    _say_published(done[-1])
    finally:
        if as_json and done:
            facts = [_published_facts(published) for published in done]
            print_json(facts if len(artifacts) > 1 else facts[0])


def _say_published(published: Published) -> None:
    click.echo(f"{published.release.file}: {_state(published)} in {published.hub}")
    for key in published.wrote if published.dry_run else ():
        click.echo(f"  would write {key}")
    if not published.views and not published.dry_run:
        click.echo("  views deferred: wellread hub refresh brings them up to date")


def _state(published: Published) -> str:
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
