"""From a recipe's sources to a folder of files that are what the recipe says.

The sources are tried in order: the canonical one, then its fallbacks. Each is brought by the module of its kind (see
``sources``), then held against its pins, then shown to ``accept``, where the press compares golden values. The first
that passes is the source; if none does, the error has a line for each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wellread.converters.sources import Progress, Source, fetcher
from wellread.converters.sources.shelf import discard
from wellread.converters.sources.web import digest_of
from wellread.errors import BadInput, CorruptSource, MissingExtra, ParityError, SourceError, SourceUnavailable

Accept = Callable[["Pulled"], None]
_REFUSALS = (SourceError, MissingExtra, ParityError, BadInput)


@dataclass(frozen=True)
class Pulled:
    """A source that was had: ``folder`` holds its files and is not to be written to."""

    folder: Path
    source: Source

    @property
    def kind(self) -> str:
        return self.source.kind

    @property
    def location(self) -> str:
        return self.source.location


def pull(
    sources: Sequence[Source], work: Path, progress: Progress = lambda line: None, accept: Accept | None = None
) -> Pulled:
    """The first of ``sources`` that can be had, meets its pins, and is not refused by ``accept``.

    ``accept`` refuses by raising SourceError, ParityError or BadInput. What is downloaded is kept in ``work`` or in
    the hub's own cache. Raises SourceUnavailable, or with a single source what befell it.
    """
    refusals: list[tuple[Source, Exception]] = []
    for source in sources:
        try:
            pulled = _pulled(source, work, progress)
            if accept:
                accept(pulled)
            return pulled
        except _REFUSALS as error:
            refusals.append((source, error))
            progress(f"{source}: {_first_line(error)}")
    raise _unavailable(refusals) from refusals[-1][1] if refusals else None


def _pulled(source: Source, work: Path, progress: Progress) -> Pulled:
    folder = fetcher(source.kind)(source, work, progress)
    try:
        check_pins(folder, source)
    except CorruptSource:
        discard(work, folder)
        raise
    return Pulled(folder, source)


def check_pins(folder: Path, source: Source) -> None:
    """Compare every pinned file with its sha256. Raises CorruptSource naming each that differs."""
    wrong = [problem for path, pin in source.files.items() if (problem := _problem(folder / path, path, pin))]
    if wrong:
        raise CorruptSource(f"{source} is not what the recipe pins: {'; '.join(wrong)}")


def _problem(file: Path, path: str, pin: str) -> str:
    if not file.is_file():
        return f"{path} is missing"
    found = digest_of(file)
    return "" if found == pin else f"{path} has sha256 {found[:16]}…, not {pin[:16]}…"


def _unavailable(refusals: list[tuple[Source, Exception]]) -> Exception:
    if len(refusals) == 1 and not isinstance(refusals[0][1], SourceUnavailable):
        return refusals[0][1]
    lines = [f"  {source}: {_first_line(error)}" for source, error in refusals]
    what = "no source could be had" if lines else "the recipe names no source"
    hint = "if you have a copy, say where: --source PATH (a folder, .zip or .tar.gz), or --source HANDLE"
    return SourceUnavailable("\n".join([f"{what}:", *lines, hint]))


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
