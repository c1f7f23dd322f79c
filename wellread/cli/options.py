"""Options and output that several commands share."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import click
import msgspec

from wellread.errors import BadInput

hub_option = click.option(
    "--hub", metavar="HUB", help="The hub: a folder or an address. Default: WELLREAD_HUB, else your own."
)
lang_option = click.option("--lang", default="en", show_default=True, help="The language code.")
form_option = click.option("--form", default="auto", show_default=True, help="onnx, onnx-int8, torch …; auto is onnx.")
version_option = click.option("--version", metavar="VERSION", help="A release id, a library version, or a range.")
settings_option = click.option(
    "--set", "settings", multiple=True, metavar="FIELD=VALUE", help="What SOURCE does not say: heads=4, cased=true …"
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def settle_moment(given: int | None) -> tuple[int, bool]:
    """Milliseconds since 1970: those given, else ``SOURCE_DATE_EPOCH``, else now; and whether it is now."""
    if given is not None:
        return given, False
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not epoch:
        return int(time.time() * 1000), True
    if not epoch.isdecimal():
        raise BadInput(f"SOURCE_DATE_EPOCH is {epoch!r}: whole seconds since 1970 are expected")
    return int(epoch) * 1000, False


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


def say_step(title: str, seconds: float | None) -> None:
    """A line per finished step on a terminal, nothing in a pipe."""
    if sys.stderr.isatty():
        click.echo(f"  {title:<16}{'kept' if seconds is None else f'{seconds:6.1f} s'}", err=True)
