"""Several models pressed one after the other: one that fails does not stop the others, and a table tells of all.

Somebody at a terminal sees a bar over the models and the step that is being done; a pipe stays clean. What went wrong
is said whole on stderr when it happens, and in a few words in the table.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import click
from tqdm import tqdm

from wellread.cli.options import print_json, print_table
from wellread.cli.plain import plain
from wellread.cli.targets import Order
from wellread.converters.workbench import Report
from wellread.errors import ParityError, PublishError, SnippetError, WellreadError

REFUSALS = {ParityError: "parity", SnippetError: "a snippet", PublishError: "the hub"}
"""The errors that say that a model may not be published, and what refused it; by any other a build has failed."""
_WIDEST = 72
_BAR = "{desc}{n_fmt} of {total_fmt} |{bar:20}| {elapsed}{postfix}"
_ROWS = 24
"""Rows of a terminal; one without a size, as containers and build servers have, would be shown no bar."""


class Job(NamedTuple):
    """A model to build: ``target`` as it may be shown, and what it means, which may raise."""

    target: str
    order: Callable[[], Order]


class Done(NamedTuple):
    """A model that was built: what became of it in a few words, and everything else as JSON."""

    told: str
    facts: dict[str, Any]


Build = Callable[[Order, Report], Done]


@dataclass(frozen=True)
class Attempt:
    """What became of a job; ``told`` in the table, ``facts`` as JSON. Seconds are only for people."""

    name: str
    language: str
    well: bool
    told: str
    seconds: float
    facts: dict[str, Any]


def build_each(jobs: Sequence[Job], build: Build, as_json: bool) -> None:
    """Build every job and tell of all, of those until then where the user interrupts.

    Raises click's Exit with status 1 unless all went well.
    """
    attempts: list[Attempt] = []
    try:
        looks: dict[str, Any] = {"bar_format": _BAR, "leave": False, "nrows": _ROWS}
        with tqdm(total=len(jobs), disable=None, **looks) as bar:  # None: only on a terminal
            for job in jobs:
                bar.set_description(plain(job.target))
                attempts.append(_attempt(job, build, bar))
                bar.update()
    finally:
        _tell(attempts, len(jobs), as_json)
    if not all(attempt.well for attempt in attempts):
        raise click.exceptions.Exit(1)


def _attempt(job: Job, build: Build, bar: tqdm[Any]) -> Attempt:
    name, language, started = job.target, "", time.perf_counter()
    try:
        wanted = job.order()
        name, language = str(wanted.recipe.name), str(wanted.recipe.language)
        done = build(wanted, partial(_show, bar))
    except Exception as error:  # a fault of ours in one model is no reason to lose the others
        why = _why(error).removeprefix(f"{job.target}: ").removeprefix(f"{name} ({language}): ")
        bar.write(plain(f"wellread: {job.target}: {why}"), file=sys.stderr)
        outcome, told = _outcome(error, why)
        facts = {"target": job.target, "name": name, "language": language, "outcome": outcome, "why": why}
        return Attempt(name, language, False, told, time.perf_counter() - started, facts)
    facts = {"target": job.target, **done.facts, "why": ""}
    return Attempt(name, language, True, done.told, time.perf_counter() - started, facts)


def _show(bar: tqdm[Any], title: str, news: str, ended: bool) -> None:
    """A step of a build, behind the bar."""
    bar.set_postfix_str("" if ended else f"{title} {news}")


def _why(error: Exception) -> str:
    if isinstance(error, WellreadError):
        return str(error)
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, OSError):
        return f"{f'{error.filename}: ' if error.filename else ''}{error.strerror or error}"
    return f"{type(error).__name__}: {error}"


def _outcome(error: Exception, why: str) -> tuple[str, str]:
    """``refused`` or ``failed``, and the same with the beginning of the reason."""
    by = next((name for kind, name in REFUSALS.items() if isinstance(error, kind)), "")
    outcome, first = "refused" if by else "failed", (why.splitlines() or [""])[0].rstrip(":")
    told = f"{outcome}: {by}{': ' * bool(by)}{first}"
    return outcome, told if len(told) <= _WIDEST else f"{told[: _WIDEST - 1]}…"


def _tell(attempts: Sequence[Attempt], among: int, as_json: bool) -> None:
    if as_json:
        return print_json([attempt.facts for attempt in attempts])
    rows = [
        (plain(a.name), a.language, plain(a.told), f"{a.seconds:.1f} s", a.facts.get("sha256", "")) for a in attempts
    ]
    print_table(("name", "lang", "outcome", "time", "sha256"), rows)
    well = sum(attempt.well for attempt in attempts)
    return click.echo(f"{well} of {among} {'model' if among == 1 else 'models'} went well")
