"""``wellread cache``: what was fetched or made on this machine, whether it is still whole, what may go."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import click

from wellread.cli.options import json_option, print_json, print_table
from wellread.registry.cache import upkeep
from wellread.registry.cache.upkeep import Freed, Kept, Wrong
from wellread.registry.home import home

dry_run_option = click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
names_argument = click.argument("names", nargs=-1, metavar="[NAME…]")


@click.group(name="cache")
def cache() -> None:
    """The models that were fetched to this machine, and the sites that were served here.

    \b
    wellread cache list
    wellread cache prune --max-size 10GB
    """


@cache.command(name="list")
@json_option
def list_kept(as_json: bool) -> None:
    """Each release with its forms, each site, and its size, the least recently used first.

    \b
    wellread cache list
    """
    kept = upkeep.kept()
    if as_json:
        return print_json([_told(item) for item in kept])
    if not kept:
        return click.echo(f"nothing in {home() / 'cache'}")
    return print_table(("release", "forms", "MB", "used"), [_row(item) for item in kept])


@cache.command(name="verify")
@names_argument
@json_option
def verify(names: tuple[str, ...], as_json: bool) -> None:
    """Hash every file against its manifest: exit 1, and which, if one is not as it was published.

    NAME is a model or one release of it; without one all are checked.

    \b
    wellread cache verify
    """
    wrong = list(upkeep.verify(names))
    _tell_wrong(wrong, as_json, "wellread cache repair removes what is wrong; it is fetched again when it is used")
    if wrong:
        raise click.exceptions.Exit(1)


@cache.command(name="repair")
@names_argument
@json_option
def repair(names: tuple[str, ...], as_json: bool) -> None:
    """Remove what is not as it was published; it is fetched again when it is next used.

    \b
    wellread cache repair
    """
    _tell_wrong(list(upkeep.repair(names)), as_json, "Removed; they are fetched again when they are used")


@cache.command(name="prune")
@click.option("--max-size", required=True, metavar="SIZE", help="10GB, 500MB, 1.5GiB: the cache keeps at most that.")
@dry_run_option
@json_option
def prune(max_size: str, dry_run: bool, as_json: bool) -> None:
    """Remove the least recently used releases and sites until the cache is small enough.

    What another process is fetching or showing stays. Nothing but the cache is touched: not your hub, not your keys.

    \b
    wellread cache prune --max-size 10GB
    """
    limit = upkeep.parse_size(max_size)
    freed = upkeep.prune(limit, dry_run=dry_run)
    _tell_freed(freed, dry_run, as_json)
    if freed.left > limit:
        click.echo(f"wellread: the cache still has {_megabytes(freed.left)} MB; nothing more can go", err=True)
        raise click.exceptions.Exit(1)


@cache.command(name="rm")
@names_argument
@click.option("--all", "everything", is_flag=True, help="Everything.")
@dry_run_option
@json_option
def rm(names: tuple[str, ...], everything: bool, dry_run: bool, as_json: bool) -> None:
    """Remove all releases of a model, or one by its artifact's name, or what list names.

    \b
    wellread cache rm small_bert_L8_512
    """
    if everything == bool(names):
        raise click.UsageError("give the names of models, or --all")
    freed = upkeep.remove_all(dry_run=dry_run) if everything else upkeep.remove(names, dry_run=dry_run)
    _tell_freed(freed, dry_run, as_json)
    if freed.busy:
        raise click.exceptions.Exit(1)


def _tell_wrong(wrong: Iterable[Wrong], as_json: bool, advice: str) -> None:
    found = list(wrong)
    if as_json:
        fields = ("name", "file", "gone", "forms")
        return print_json([{field: getattr(item, field) for field in fields} for item in found])
    for item in found:
        click.echo(f"{item.name}: {item.file} {'is missing' if item.gone else 'differs from what was published'}")
    return click.echo(advice if found else "all as published")


def _tell_freed(freed: Freed, dry_run: bool, as_json: bool) -> None:
    if as_json:
        told = {"removed": freed.removed, "busy": freed.busy}
        return print_json(
            {**{what: [_told(item) for item in items] for what, items in told.items()}, "left": freed.left}
        )
    for item in freed.removed:
        click.echo(f"{'would remove' if dry_run else 'removed'} {item.name}  {_megabytes(item.size)} MB")
    for item in freed.busy:
        click.echo(f"kept {item.name}: another process is at work on it")
    return click.echo(f"{_megabytes(freed.left)} MB left in {home() / 'cache'}")


def _told(item: Kept) -> dict[str, Any]:
    return {
        "release": item.name,
        "forms": item.forms,
        "size": item.size,
        "used": _moment(item.used),
        "path": str(item.path),
    }


def _row(item: Kept) -> tuple[str, str, float, str]:
    return item.name, ", ".join(item.forms) or "begun", _megabytes(item.size), _moment(item.used) or "unknown"


def _moment(seconds: float) -> str | None:
    """In UTC, to the minute; None where it is not known."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%MZ") if seconds else None


def _megabytes(size: int) -> float:
    return round(size / 1e6, 1)
