"""A release's moment, milliseconds since 1970: from ``--time``, the recipe, ``SOURCE_DATE_EPOCH`` or the clock."""

from __future__ import annotations

import os
import re
import time

import click

from wellread.errors import BadInput
from wellread.registry.names import FIRST_MOMENT, LAST_MOMENT

moment_option = click.option(
    "--time",
    "moment",
    type=click.IntRange(FIRST_MOMENT, LAST_MOMENT),
    metavar="MS",
    help="The release's moment, milliseconds since 1970. Default: the recipe's, else SOURCE_DATE_EPOCH, else now.",
)


def settle_moment(given: int | None) -> tuple[int, bool]:
    """The moment given, else ``SOURCE_DATE_EPOCH``, else now; and whether it is now.

    Raises BadInput for one that is not between 2000 and 2100: such a release would be refused by every hub.
    """
    if given is not None:
        return given, False
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not epoch:
        return _held(int(time.time() * 1000), "the clock"), True
    if not re.fullmatch(r"[0-9]{1,12}", epoch):
        raise BadInput(f"SOURCE_DATE_EPOCH is {epoch[:40]!r}: whole seconds since 1970 are expected")
    return _held(int(epoch) * 1000, f"SOURCE_DATE_EPOCH={epoch}"), False


def _held(moment: int, origin: str) -> int:
    if not FIRST_MOMENT <= moment <= LAST_MOMENT:
        raise BadInput(f"{origin} gives the moment {moment}, which is not between 2000 and 2100: give one with --time")
    return moment
