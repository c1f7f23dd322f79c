"""Options and output that several commands share."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import Any

import click
import msgspec

hub_option = click.option(
    "--hub", metavar="HUB", help="The hub: a folder or an address. Default: WELLREAD_HUB, else your own."
)
lang_option = click.option("--lang", default="en", show_default=True, help="The language code.")
form_option = click.option(
    "--form",
    default="auto",
    show_default=True,
    help="onnx, onnx-int8 …; auto is onnx, fastest is onnx-int8 where that is faster and proved here.",
)
version_option = click.option("--version", metavar="VERSION", help="A release id, a library version, or a range.")
refresh_option = click.option(
    "--refresh", is_flag=True, help="Ask the hub again, and try a form again that missed its goldens here."
)
trust_option = click.option(
    "--trust",
    type=click.Choice(["off", "warn", "enforce"]),
    help="Whether somebody whom you trust must have signed it. Default: what is set for the hub, else warn.",
)
lock_option = click.option(
    "--lock",
    metavar="[FILE]",
    is_flag=False,
    flag_value="wellread.lock",
    help="Exactly the releases of a lock file; without FILE of wellread.lock here. Write it after the names.",
)
settings_option = click.option(
    "--set", "settings", multiple=True, metavar="FIELD=VALUE", help="What SOURCE does not say: heads=4, cased=true …"
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def print_json(value: Any) -> None:
    """``value``, records included, as indented JSON on stdout."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=1).decode())


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns as wide as their widest cell; numbers to the right."""
    cells = [list(map(str, header)), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    right = [all(isinstance(row[i], int | float) for row in rows) and bool(rows) for i in range(len(header))]
    for row in cells:
        line = "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True))
        click.echo(line.rstrip())


def say_step(title: str, news: str, ended: bool) -> None:
    """On a terminal a line for each step, written anew until it has ended; in a pipe nothing."""
    if sys.stderr.isatty():
        line = f"  {title:<16}{news}"[: shutil.get_terminal_size().columns - 1]
        click.echo(f"\r{line}\x1b[K", nl=ended, err=True)
