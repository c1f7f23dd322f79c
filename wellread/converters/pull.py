"""From a recipe's sources to a folder of files that are what the recipe says.

The sources are tried in order: the canonical one, then its fallbacks. Each is brought by the module of its kind (see
``sources``), then held against its pins, then shown to ``accept``, where the press compares golden values. The first
that passes is the source; if none does, the error says of each why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wellread.converters.sources import Progress, Source, fetcher, is_web
from wellread.converters.sources.shelf import discard
from wellread.converters.sources.web import digest_of
from wellread.errors import BadInput, CorruptSource, MissingExtra, ParityError, SourceError, SourceUnavailable

Accept = Callable[["Pulled"], None]
_REFUSALS = (SourceError, MissingExtra, ParityError, BadInput)
_HINT = "say where: --source PATH (a folder, .zip or .tar.gz), or --source HANDLE"


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
            return _pulled(source, work, progress, accept)
        except _REFUSALS as error:
            refusals.append((source, error))
            progress(f"{source}: {_lines(error)[0]}")
    raise _refusal(refusals) from refusals[-1][1] if refusals else None


def _pulled(source: Source, work: Path, progress: Progress, accept: Accept | None) -> Pulled:
    try:
        pulled = Pulled(fetcher(source.kind)(source, work, progress), source)
        _check(pulled, work, accept)
    except OSError as error:
        raise SourceUnavailable(f"{error.filename or 'it'} cannot be read: {error.strerror or error}") from error
    return pulled


def _check(pulled: Pulled, work: Path, accept: Accept | None) -> None:
    """Pins first, then ``accept``. What is corrupt is not kept, so that it is fetched again the next time."""
    try:
        check_pins(pulled.folder, pulled.source)
        if accept:
            accept(pulled)
    except CorruptSource as error:
        if _is_local(pulled.source) or discard(work, pulled.folder):
            raise
        raise CorruptSource(
            f"{error}\nIt lies in the hub's own cache: remove {pulled.folder}, then try again"
        ) from error


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


def _refusal(refusals: list[tuple[Source, Exception]]) -> Exception:
    """One error for all; with a single source its own, unless a copy of it from elsewhere might help."""
    if not refusals:
        return SourceUnavailable(f"the recipe names no source: {_HINT}")
    unavailable = all(isinstance(error, SourceUnavailable | MissingExtra) for _, error in refusals)
    source, error = refusals[0]
    if len(refusals) == 1 and (_is_local(source) or not isinstance(error, SourceUnavailable)):
        return error
    head = "no source could be had:" if unavailable else "none of the sources was accepted:"
    told = (_indented(source, error) for source, error in refusals)
    return SourceUnavailable("\n".join([head, *told, f"if you have a copy, {_HINT}"]))


def _indented(source: Source, error: Exception) -> str:
    first, *rest = _lines(error)
    return "\n".join([f"  {source}: {first}", *(f"    {line}" for line in rest)])


def _lines(error: Exception) -> list[str]:
    return str(error).splitlines() or [type(error).__name__]


def _is_local(source: Source) -> bool:
    """Whether it is the user's own, on this machine."""
    return source.kind == "folder" or (source.kind == "archive" and not is_web(source.location))
