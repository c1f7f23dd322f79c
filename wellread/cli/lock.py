"""``wellread lock``: write down which releases names stand for now, so that all machines take the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from wellread.cli.options import (
    hub_option,
    json_option,
    lang_option,
    print_json,
    print_table,
    refresh_option,
    trust_option,
    version_option,
)
from wellread.registry.names import parse_lang, parse_name
from wellread.registry.resolve.lockfile import LOCK, Lock, Locked, add, lock_release, read_lock, write_lock
from wellread.registry.resolve.search import Search


@click.command(name="lock")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@click.option("--file", "path", type=click.Path(path_type=Path), default=LOCK, show_default=True, help="The lock file.")
@lang_option
@version_option
@refresh_option
@trust_option
@hub_option
@json_option
def lock(names: tuple[str, ...], path: Path, as_json: bool, **where: Any) -> None:
    """Add models to a lock file, or take their newest releases into it. Nothing is fetched.

    \b
    wellread lock small_bert_L8_512 small_bert_L2_128 --hub https://models.example.org
    wellread fetch --lock
    """
    entries = [_found(name, **where) for name in names]
    write_lock(path, add(read_lock(path) if path.exists() else Lock(), entries))
    if as_json:
        return print_json(entries)
    rows = [(each.name, each.language, each.release, each.manifest[:16], each.hub) for each in entries]
    return print_table(("name", "lang", "release", "manifest", "hub"), rows)


def _found(name: str, lang: str, **where: Any) -> Locked:
    """What a name stands for now. Raises as ``Search``."""
    search = Search(parse_name(name), parse_lang(lang), **where)
    for hit in search.hits():
        return lock_release(hit.release, hit.hub, hit.signers, asked=name)
    raise search.error()
