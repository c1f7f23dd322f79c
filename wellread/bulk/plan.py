"""The plan of a run, ``_plan.json``: what is read, by which model, and how. The parts follow from it.

It is written before the first part. A later run with the same output goes on with it, if it asks for the same: parts of
two models, or of two states of a file, never lie side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from wellread.bulk.inputs import Found
from wellread.errors import BadInput
from wellread.registry import pieces
from wellread.registry.artifact.manifest import MANIFEST
from wellread.registry.records import Document, Record
from wellread.runtime.model import Model, OutputLevel

ROWS: Mapping[OutputLevel, int] = {"sentence": 8192, "token": 1024}
"""Rows of a part, by level: minutes of work at most to do again after a kill, and few enough files."""
_NAMED = 3
"""Files that a message names, of many."""


class Options(Record, frozen=True, kw_only=True):
    """How texts become rows. ``keep`` are the columns that go along, all of them if None; ``into`` is the vectors'."""

    column: str = "text"
    keep: tuple[str, ...] | None = None
    into: str = "embeddings"
    output_level: OutputLevel = "sentence"
    normalize: bool = False
    long: Literal["truncate", "window"] = "truncate"
    rows: int = ROWS["sentence"]


class Used(Record, frozen=True, kw_only=True):
    """Which model, to the byte: ``manifest`` is the sha256 of its manifest."""

    name: str
    language: str
    release: str
    form: str
    manifest: str


class Source(Record, frozen=True, kw_only=True):
    """A file: its size and etag when it was surveyed, its rows, and its schema as base64 of Arrow's own format.

    ``why`` says why it cannot be read; such a file has no rows and is surveyed again by the next run.
    """

    path: str
    size: int
    etag: str
    rows: int = 0
    schema: str = ""
    why: str = ""

    @property
    def stat(self) -> tuple[int, str]:
        return self.size, self.etag


class Plan(Document, frozen=True, kw_only=True):
    """See the module. ``schema`` are the columns to read of all files together, as those of a ``Source``."""

    kind: Literal["wellread embed"] = "wellread embed"
    model: Used
    options: Options
    schema: str
    sources: tuple[Source, ...]

    @property
    def rows(self) -> int:
        """The rows of all files that can be read."""
        return sum(source.rows for source in self.sources)


class Unit(NamedTuple):
    """``rows`` rows of the file number ``file``, from row ``first`` on: part ``number`` of it."""

    file: int
    number: int
    first: int
    rows: int

    @property
    def part(self) -> str:
        """The name of what becomes of it."""
        return f"part-{self.file:05}-{self.number:05}.parquet"


def units_of(plan: Plan) -> Iterator[Unit]:
    """All units, file after file, in the order of their rows."""
    size = plan.options.rows
    for file, source in enumerate(plan.sources):
        for number, first in enumerate(range(0, source.rows, size)):
            yield Unit(file, number, first, min(size, source.rows - first))


def used(model: Model) -> Used:
    """The model that a run uses."""
    return Used(
        name=str(model.name),
        language=str(model.language),
        release=str(model.manifest.artifact.release),
        form=model.form,
        manifest=pieces.sha256((model.path / MANIFEST).read_bytes()),
    )


def check_same(plan: Plan, model: Used, options: Options, found: Sequence[Found], output: str) -> None:
    """Raises BadInput where a run asks for something else than the plan that lies in its output."""
    wrong = [*_differing(plan.model, model), *_differing(plan.options, options), *_changed(plan.sources, found)]
    if wrong:
        raise BadInput(
            f"{output} is of another run: {'; '.join(wrong)}.\n"
            "Ask for the same to go on with it, give another --output, or remove that one to start anew"
        )


def _differing(before: Record, now: Record) -> Iterator[str]:
    """A clause for each field that differs."""
    told, asked = msgspec.structs.asdict(before), msgspec.structs.asdict(now)
    for name in told:
        if told[name] != asked[name]:
            yield f"{name} was {_shown(told[name])}, not {_shown(asked[name])}"


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else "everything" if value is None else str(value)


def _changed(sources: Iterable[Source], found: Iterable[Found]) -> Iterator[str]:
    """A clause for files that came, went or changed, but for those that no part is of: one may have been mended."""
    before, now = {source.path: source for source in sources}, {file.path: file for file in found}
    full = {path: source for path, source in before.items() if source.rows}
    cases = {
        "is gone": [path for path in full if path not in now],
        "is new": [path for path in now if path not in before],
        "has changed": [path for path, source in full.items() if path in now and source.stat != now[path].stat],
    }
    for what, paths in cases.items():
        if paths:
            more = f" (and {len(paths) - _NAMED} more)" if len(paths) > _NAMED else ""
            yield f"{', '.join(paths[:_NAMED])}{more} {what}"
