"""The rows of units, out of the files of a plan.

Units that follow each other in one file are read in one go: a file that can only be read from its beginning is not read
from there again for each of its parts.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pyarrow as pa

from wellread.bulk import formats
from wellread.bulk.columns import alike, fitted, schema_of, staying, written
from wellread.bulk.inputs import Found, opened
from wellread.bulk.kinds import kind_of
from wellread.bulk.plan import Options, Plan, Source, Unit
from wellread.errors import BadInput, MissingExtra, WellreadError, near_misses

_TEXTS = tuple(
    getattr(pa.types, name)
    for name in ("is_string", "is_large_string", "is_string_view", "is_null")
    if hasattr(pa.types, name)  # views came with pyarrow 16
)
_LONGEST = 300


class BadFile(BadInput):
    """A file of texts that cannot be read, or holds none; the others can be, for all we know."""


def surveyed(found: Found, options: Options, added: tuple[str, ...]) -> Source:
    """What a plan says of a file. Raises BadFile.

    ``added`` are the columns that the vectors take, which the file must not have.
    """
    with _reading(found.path), opened(*found) as file:
        survey = formats.survey(kind_of(found.path), file, options.column)
    schema = survey.schema
    if survey.rows:
        schema = _kept(schema, options, found.path)
        _check_names(schema, options, added, found.path)
        for name in schema.names:
            if why := survey.faults.get(name):
                raise BadFile(
                    f"{found.path}: column {name!r}: {why}, or leave the column out: --id names those to keep"
                )
    return Source(path=found.path, size=found.size, etag=found.etag, rows=survey.rows, schema=written(schema))


class Rows:
    """Reads units; best in the order of the plan. To be closed."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._schema = schema_of(plan.schema)
        self._at = (-1, 0)  # the file that is open, and the row that comes next
        self._stream: Iterator[pa.RecordBatch] = iter(())
        self._left: pa.RecordBatch | None = None
        self._open = ExitStack()

    def of(self, unit: Unit) -> Iterator[pa.RecordBatch]:
        """The rows of a unit, a batch of them at once. Raises BadFile, also where the file has changed."""
        source = self._plan.sources[unit.file]
        if self._at != (unit.file, unit.first):
            self._begin(unit, source)
        missing = unit.rows
        while missing:
            batch = self._next(source)
            part, self._left = batch.slice(0, missing), batch.slice(missing)
            missing -= part.num_rows
            self._at = unit.file, self._at[1] + part.num_rows
            yield part

    def close(self) -> None:
        """Let go of the file that is open."""
        self._open.close()
        self._at, self._left = (-1, 0), None

    def _begin(self, unit: Unit, source: Source) -> None:
        self.close()
        with _reading(source.path):
            file = self._open.enter_context(opened(source.path, source.size, source.etag))
        self._stream = formats.batches(kind_of(source.path), file, schema_of(source.schema), unit.first)
        self._open.callback(self._stream.close)  # type: ignore[attr-defined]
        self._at = unit.file, unit.first

    def _next(self, source: Source) -> pa.RecordBatch:
        if self._left is not None and self._left.num_rows:
            return self._left
        with _reading(source.path):
            if (batch := next(self._stream, None)) is not None:
                return fitted(batch, self._schema)
        self.close()
        raise BadFile(f"{source.path} has fewer rows than it had: it changed while it was being read")


def _kept(schema: pa.Schema, options: Options, path: str) -> pa.Schema:
    """The columns to read: the texts and what is kept, in the file's order. Raises BadFile where one is missing."""
    wanted = [options.column, *(options.keep or ())]
    for name in wanted:
        if name not in schema.names:
            raise BadFile(
                f"{path} has no column {name!r}.{near_misses(name, schema.names)} It has: {', '.join(schema.names)}. "
                f"Give the one with the texts by --column, those to keep by --id"
            )
    if twice := sorted({name for name in schema.names if schema.names.count(name) > 1}):
        raise BadFile(f"{path} has two columns {twice[0]!r}: rename one")
    if not is_text(kind := schema.field(options.column).type):
        raise BadFile(f"{path}: column {options.column!r} holds {kind}, not texts: give another by --column")
    return pa.schema([field for field in schema if options.keep is None or field.name in wanted])


def _check_names(schema: pa.Schema, options: Options, added: Sequence[str], path: str) -> None:
    """Raises BadFile where a part would have two columns of one name, or of one to those to whom case is nothing."""
    if pair := alike([*staying(schema, options), *added]):
        one, other = pair
        if other in added:
            raise BadFile(f"{path} has a column {one!r} already: {way_out(other, options)}")
        raise BadFile(
            f"{path} has columns {one!r} and {other!r}, which Spark and DuckDB take for one: rename one, or leave it "
            "out: --id names those to keep"
        )


def way_out(name: str, options: Options) -> str:
    """What to do where a column of a file is called as one that vectors take."""
    into = "give the vectors another name by --into, or " if name == options.into else ""
    return f"{into}rename it there, or leave it out: --id names those to keep"


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of that type holds texts, or nothing at all."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(fits(kind) for fits in _TEXTS)


@contextmanager
def _reading(path: str) -> Iterator[None]:
    """Raises BadFile for whatever goes wrong with a file."""
    try:
        yield
    except (BadFile, MissingExtra):
        raise
    except WellreadError as error:
        raise BadFile(str(error)) from error
    except RecursionError as error:
        raise BadFile(f"{path} cannot be read: its values are nested too deep for a table") from error
    except (pa.ArrowException, ValueError, OSError, EOFError, zlib.error) as error:
        raise BadFile(f"{path} cannot be read: {_said(error)}") from error


def _said(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError) or "UTF8" in str(error):
        return "it is not UTF-8: convert it, as iconv does"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    line = (text.splitlines() or [type(error).__name__])[0]
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
