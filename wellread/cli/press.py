"""``wellread build`` and ``wellread publish``: the producer's commands."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from wellread.cli.options import hub_option, json_option, print_json, say_step, settings_option, settle_moment
from wellread.cli.report import print_parity
from wellread.converters.recipe import (
    FIRST_MOMENT,
    LAST_MOMENT,
    SUFFIXES,
    Recipe,
    builtin,
    load,
    parse_given,
    parse_license,
)
from wellread.converters.sources import parse_source
from wellread.converters.workbench import Workbench
from wellread.press import Pressed, press
from wellread.registry.cache import home
from wellread.registry.names import DEFAULT_FOLDER, parse_lang, parse_name
from wellread.registry.proof import proof_name
from wellread.registry.publish import Published
from wellread.registry.publish import publish as publish_release
from wellread.registry.resolve import hubs


@click.command(name="build")
@click.argument("targets", nargs=-1, required=True, metavar="RECIPE…|SOURCE")
@click.option("--source", metavar="SOURCE", help="Take the model from here instead; lifts the recipe's pins.")
@click.option("--name", help="The model's name: for a SOURCE without recipe, or to give a recipe another.")
@click.option("--lang", help="Its language code.")
@click.option("--license", "licence", metavar="SPDX", help="Its licence, for a SOURCE without recipe.")
@click.option("--forms", metavar="F,…", default="", help="torch, onnx, onnx-int8, onnx-fp16. Default: the recipe's.")
@settings_option
@click.option(
    "--time",
    "moment",
    type=click.IntRange(FIRST_MOMENT, LAST_MOMENT),
    metavar="MS",
    help="The release's moment, milliseconds since 1970.",
)
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
    done = [_build_one(target, hub, out, as_json, **asked) for target in targets]
    if as_json:
        print_json(done[0] if len(done) == 1 else done)


def _build_one(target: str, hub: str | None, out: Path | None, as_json: bool, **asked: Any) -> dict[str, Any]:
    recipe = _recipe(target, asked["name"], asked["lang"], asked["licence"])
    recipe = _timed(_configured(recipe, asked["settings"]), asked["moment"], as_json)
    source = parse_source(asked["source"]) if asked["source"] else None
    if source and asked["name"]:
        recipe, source = msgspec.structs.replace(recipe, sources=(source,)), None
    goal = hubs(hub)[0] if hub or not out else None
    bench = Workbench(home() / "work", say_step)
    forms = tuple(part.strip() for part in asked["forms"].split(",") if part.strip())
    with _place(out, bench) as place:
        pressed = press(recipe, place, bench, source=source, forms=forms, for_hub=goal is not None)
        published = publish_release(pressed.artifact, pressed.proof, goal) if goal else None
    if not as_json:
        _tell(pressed, published, goal, out)
    return _facts(pressed, published)


@contextmanager
def _place(out: Path | None, bench: Workbench) -> Iterator[Path]:
    """The folder that was asked for, or one that lasts until its artifact is published."""
    if out:
        yield out
        return
    bench.root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dist-", dir=bench.root) as scratch:
        yield Path(scratch)


def _recipe(target: str, name: str | None, lang: str | None, licence: str | None) -> Recipe:
    """The recipe meant by ``target``, under another name if one is given; or one made up for a source without any."""
    if target.endswith(SUFFIXES) or any(known == target for known, _ in builtin()):
        recipe = load(target, lang)
        if name is None or name == recipe.name:
            return recipe
        # Another name is another model: what was published about the first, and its references, do not hold for it.
        return msgspec.structs.replace(
            recipe, name=parse_name(name), goldens=(), aliases=(), dimension=None, pooling=_fixed(recipe)
        )
    if not (re.search(r"[/\\:]", target) or Path(target).exists()):
        load(target, lang)
    missing = [f"--{what}" for what, given in (("name", name), ("lang", lang), ("license", licence)) if not given]
    if missing:
        raise click.UsageError(f"{target} is a source without a recipe, so {', '.join(missing)} must be given")
    source = parse_source(target)
    return Recipe(
        name=parse_name(str(name)),
        language=parse_lang(str(lang)),
        license=parse_license(str(licence)),
        title=str(name),
        description=f"BERT embeddings converted from {source.told}.",
        tags=("embeddings", str(lang)),
        data_source=source.told,
        sources=(source,),
    )


def _configured(recipe: Recipe, settings: tuple[str, ...]) -> Recipe:
    return msgspec.structs.replace(recipe, architecture={**recipe.architecture, **parse_given(settings)})


def _fixed(recipe: Recipe) -> Any:
    return "mean" if recipe.pooling == "auto" else recipe.pooling


def _timed(recipe: Recipe, given: int | None, quiet: bool) -> Recipe:
    """The recipe with its moment: --time, else its own, else that of ``settle_moment``; now is printed."""
    moment, now = settle_moment(given if given is not None else recipe.time)
    if now and not quiet:
        click.echo(f"moment {moment} (now; give --time {moment} to make the same artifact again)")
    return msgspec.structs.replace(recipe, time=moment)


def _tell(pressed: Pressed, published: Published | None, goal: str | Path | None, out: Path | None) -> None:
    print_parity(pressed.report)
    click.echo("")
    click.echo(f"artifact  {pressed.artifact if out else pressed.artifact.name}  {pressed.packed.size / 1e6:.1f} MB")
    click.echo(f"sha256    {pressed.packed.sha256}")
    source = pressed.manifest.source
    click.echo(f"source    {source.kind}:{source.location}{'  (override)' if source.override else ''}")
    if published:
        state = "already there, the same bytes" if published.already_there else "published"
        click.echo(f"hub       {goal}  {state} as {published.release.id}")


def _facts(pressed: Pressed, published: Published | None) -> dict[str, Any]:
    manifest = pressed.manifest
    return {
        "name": manifest.name,
        "language": manifest.language,
        "artifact": None if published else str(pressed.artifact),
        "sha256": pressed.packed.sha256,
        "size": pressed.packed.size,
        "source": manifest.source,
        "pooling": manifest.pooling,
        "forms": list(manifest.forms),
        "parity": pressed.report,
        "release": published.release if published else None,
        "already_there": published.already_there if published else None,
    }


@click.command(name="publish")
@click.argument("artifact", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="ZIP")
@click.option("--folder", default=DEFAULT_FOLDER, show_default=True, help="The hub's folder for it.")
@hub_option
@json_option
def publish(artifact: Path, folder: str, hub: str | None, as_json: bool) -> None:
    """Put an artifact and the proof beside it into a hub.

    \b
    wellread publish dist/my_bert_en_2.6.0_2.4_1598344705269.zip --hub ./hub
    """
    goal = hubs(hub)[0]
    published = publish_release(artifact, artifact.with_name(proof_name(artifact.name)), goal, folder=folder)
    if as_json:
        return print_json({"release": published.release, "already_there": published.already_there})
    state = "already there, the same bytes" if published.already_there else "published"
    return click.echo(f"{published.release.file}: {state} in {goal}")
