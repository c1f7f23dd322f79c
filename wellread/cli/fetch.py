"""``wellread fetch``: models' files, for whoever runs them."""

from __future__ import annotations

from typing import Any

import click

from wellread import loader
from wellread.cli.options import (
    form_option,
    hub_option,
    json_option,
    lang_option,
    lock_option,
    print_json,
    refresh_option,
    trust_option,
    version_option,
)
from wellread.registry.resolve.lockfile import read_lock


@click.command(name="fetch")
@click.argument("names", nargs=-1, metavar="NAME…")
@lang_option
@form_option
@version_option
@refresh_option
@trust_option
@lock_option
@hub_option
@json_option
def fetch(names: tuple[str, ...], lock: str | None, lang: str, as_json: bool, **where: Any) -> None:
    """Bring models' files into the cache and print their folders; with --lock exactly those of a lock file.

    \b
    wellread fetch small_bert_L8_512 --form torch
    wellread fetch --lock                             everything in ./wellread.lock
    wellread fetch small_bert_L8_512 --lock models.lock
    """
    if not names and lock is None:
        raise click.UsageError("give a NAME, or --lock for everything that is in wellread.lock")
    wanted = [(name, lang) for name in names] or [(each.name, each.language) for each in read_lock(str(lock)).models]
    folders = [(name, str(loader.fetch(name, lang, lock=lock, **where))) for name, lang in wanted]
    if as_json:
        answers = [{"name": name, "path": folder} for name, folder in folders]
        return print_json(answers[0] if len(names) == 1 else answers)
    for _, folder in folders:
        click.echo(folder)
    return None
