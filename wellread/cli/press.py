"""``wellread build``: from recipes and sources to releases.

One model is told of at length, with its parity; several, given by hand or by ``--all``, in a table (``batch``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from wellread.cli.batch import Done, Job, build_each
from wellread.cli.hub import written_hub
from wellread.cli.moment import moment_option
from wellread.cli.options import hub_option, json_option, print_json, say_step, settings_option
from wellread.cli.publish import require_open, require_writable, state_of
from wellread.cli.report import print_parity
from wellread.cli.selection import recipes_option, select
from wellread.cli.targets import Asked, Order, order, shown
from wellread.converters.workbench import Report, Workbench
from wellread.press import Pressed, press
from wellread.registry.home import home
from wellread.registry.hub.publish import Published
from wellread.registry.hub.publish import publish as publish_release

OF_ONE = {"source": "--source", "name": "--name", "lang": "--lang", "licence": "--license", "settings": "--set"}
"""Options that are about one model, so never about all."""


@dataclass(frozen=True)
class Aim:
    """Where a model goes: into the folder ``out``, into ``hub``, or both; and whether it is to be timed."""

    hub: str | Path | None
    out: Path | None
    benchmark: bool


@click.command(name="build")
@click.argument("targets", nargs=-1, metavar="RECIPE…|SOURCE")
@click.option("--source", metavar="SOURCE", help="Take the model from here instead; lifts the recipe's pins.")
@click.option("--name", help="The model's name: for a SOURCE without recipe, or to give a recipe another.")
@click.option("--lang", help="Its language code.")
@click.option("--license", "licence", metavar="SPDX", help="Its licence, for a SOURCE without recipe.")
@click.option("--forms", metavar="F,…", help="torch, onnx, onnx-int8, onnx-fp16. Default: the recipe's.")
@settings_option
@moment_option
@click.option("--all", "everything", is_flag=True, help="Every recipe, built in or of --recipes.")
@recipes_option
@click.option("--changed-since", "since", metavar="REV", help="With --all: only what git says changed since then.")
@click.option("--benchmark", is_flag=True, help="Measure size, load time and speed of each form; the proof keeps it.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write the artifact into this folder.")
@hub_option
@json_option
def build(
    targets: tuple[str, ...], everything: bool, folder: Path | None, since: str | None,
    hub: str | None, out: Path | None, benchmark: bool, as_json: bool, **asked: Any,
) -> None:  # fmt: skip
    """Press models: pull, convert, compare with the source, pack, publish.

    A RECIPE is a built-in name (wellread recipes list) or a YAML file; a SOURCE is a folder, an archive, an address or
    a handle. Without --out the release goes to the hub; with --out alone it is written there and not published.

    Of several models, one that fails does not stop the others: a table tells of all, and the exit status is 0 only
    when all went well.

    \b
    wellread build small_bert_L2_128_bleurt --hub ./hub
    wellread build small_bert_L8_512 --source ./my_copy.tar.gz --out dist
    wellread build ./my_module --name my_bert --lang en --license Apache-2.0 --out dist
    wellread build --all --recipes recipes --changed-since HEAD~1 --hub ./hub
    """
    _refuse_mixed(targets, everything, {"--recipes": folder, "--changed-since": since}, asked)
    wanted = Asked(**asked)
    if everything:
        targets = tuple(select(folder, since))
    if not targets:
        return print_json([]) if as_json else click.echo(f"no recipe changed since {since}")
    orders = [] if everything else [order(target, wanted) for target in targets]
    aim = Aim(_goal(hub, out), out, benchmark)
    if len(orders) == 1:
        return _build_one(orders[0], aim, as_json)
    jobs = [Job(shown(target), partial(order, target, wanted)) for target in targets]
    return build_each(jobs, partial(_build_among, aim, as_json), as_json)


def _refuse_mixed(
    targets: Sequence[str], everything: bool, of_all: dict[str, object], asked: dict[str, object]
) -> None:
    """Raises UsageError where some options are about one model and others about many."""
    of_one = [option for field, option in OF_ONE.items() if asked[field]]
    if not everything and (given := [option for option, value in of_all.items() if value]):
        raise click.UsageError(f"{', '.join(given)}: only with --all")
    if everything and targets:
        raise click.UsageError("--all builds every recipe: name none beside it; --recipes DIR says where they lie")
    if everything and of_one:
        raise click.UsageError(f"{', '.join(of_one)}: for one model at a time, not with --all")
    if not everything and not targets:
        raise click.UsageError("name a RECIPE or a SOURCE, or give --all")
    if len(targets) > 1 and (asked["source"] or asked["name"]):
        raise click.UsageError("--source and --name are for one model at a time")


def _goal(hub: str | None, out: Path | None) -> str | Path | None:
    """The hub to publish into, if any. Raises before anything is pressed that could not be kept."""
    goal = written_hub(hub) if hub or not out else None
    if out:
        require_writable(out)
    if goal is not None:
        require_open(goal)
    return goal


# ---------------------------------------------------------------- building


def _build_one(wanted: Order, aim: Aim, as_json: bool) -> None:
    _say_moment(wanted, as_json)
    pressed, published = _make(wanted, aim, say_step)
    if as_json:
        return print_json(_facts(pressed, published, aim.out))
    return _tell(pressed, published, aim)


def _build_among(aim: Aim, as_json: bool, wanted: Order, report: Report) -> Done:
    _say_moment(wanted, as_json, f"{wanted.recipe.name}: ")
    pressed, published = _make(wanted, aim, report)
    facts = _facts(pressed, published, aim.out)
    return Done(state_of(published), facts) if published else Done("made", facts | {"outcome": "made"})


def _make(wanted: Order, aim: Aim, report: Report) -> tuple[Pressed, Published | None]:
    """Press, and publish where that is the aim."""
    bench = Workbench(home() / "work", report)
    with _place(aim.out, bench) as place:
        pressed = press(
            wanted.recipe, place, bench, source=wanted.source, forms=wanted.forms,
            for_hub=aim.hub is not None, benchmark=aim.benchmark,
        )  # fmt: skip
        return pressed, publish_release(pressed.artifact, pressed.proof, aim.hub) if aim.hub else None


@contextmanager
def _place(out: Path | None, bench: Workbench) -> Iterator[Path]:
    """The folder that was asked for, or one that lasts until its artifact is published."""
    if out:
        yield out
        return
    with bench.scratch() as scratch:
        yield scratch


# ---------------------------------------------------------------- telling


def _say_moment(wanted: Order, as_json: bool, lead: str = "") -> None:
    """A moment off the clock is worth noting down; on stdout, as the first line."""
    time = wanted.recipe.time
    if wanted.now and not as_json:
        click.echo(f"{lead}moment {time} (now; give --time {time} to make the same artifact again)")


def _tell(pressed: Pressed, published: Published | None, aim: Aim) -> None:
    print_parity(pressed.report)
    click.echo("")
    click.echo(
        f"artifact  {pressed.artifact if aim.out else pressed.artifact.name}  {pressed.packed.size / 1e6:.1f} MB"
    )
    click.echo(f"sha256    {pressed.packed.sha256}")
    source = pressed.manifest.source
    click.echo(f"source    {source.kind}:{source.location}")
    if source.override:
        click.echo(
            f"override  not known to be {pressed.manifest.name}: its golden values are missed, or it quotes none"
        )
        click.echo("          no hub takes it; give it another --name to publish it")
    for timed in pressed.statement.benchmarks:
        speed = f"{timed.speed:,.0f} tokens/s with {timed.threads} threads, open in {timed.load:.2f} s"
        click.echo(f"speed     {timed.form}: {speed}, {timed.size / 1e6:.1f} MB")
    if published:
        click.echo(f"hub       {aim.hub}  {state_of(published)} as {published.release.id}")


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
        "trials": pressed.statement.trials,
        "benchmarks": pressed.statement.benchmarks,
        "release": published.release if published else None,
        "outcome": published.outcome if published else None,
        "already_there": published.already_there if published else None,
    }
