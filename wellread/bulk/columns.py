"""One table: the columns that all parts have.

Whoever reads a folder of parts takes the columns of one for those of all. So the columns of the files are brought
together before the work: one that a file has not is null in its parts, and of two types of numbers, or of objects, the
one is taken that holds both. Where there is none, nothing is begun. Names that differ by case only are two to some
readers and one to Spark and DuckDB, and are refused.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

import pyarrow as pa

from wellread.bulk.plan import Options, Source
from wellread.errors import BadInput


class Unlike(BadInput):
    """A file whose columns are at odds with those of the files before it."""


class Columns:
    """The columns of all files that were added, in the order in which they came."""

    def __init__(self) -> None:
        self._fields: dict[str, pa.Field] = {}
        self._path: dict[str, str] = {}  # of the file that had the column first

    @property
    def schema(self) -> pa.Schema:
        return pa.schema(list(self._fields.values()))

    def add(self, schema: pa.Schema, path: str) -> None:
        """Bring the columns of a file in. Raises Unlike where a column cannot be one with that of the same name."""
        for field in schema:
            known = self._fields.get(field.name, field)
            together = known if known.type == field.type else _together(known, field)
            if together is None:
                raise Unlike(
                    f"column {field.name!r} is {known.type} in {self._path[field.name]} and {field.type} in {path}: "
                    "they would be no table.\nConvert one of them, or leave the column out: --id names those to keep"
                )
            self._path.setdefault(field.name, path)
            self._fields[field.name] = together.remove_metadata().with_nullable(True)


def united(sources: Iterable[Source], options: Options) -> pa.Schema:
    """The columns to read of all files that have rows. Raises Unlike where they are no table."""
    columns, first = Columns(), dict[str, str]()
    for source in sources:
        if source.rows:
            schema = schema_of(source.schema)
            columns.add(schema, source.path)
            first = dict.fromkeys(schema.names, source.path) | first
    if pair := alike(staying(columns.schema, options)):
        one, other = pair
        raise Unlike(
            f"column {one!r} of {first[one]} is {other!r} in {first[other]}, and Spark and DuckDB take them for one.\n"
            "Rename one of them, or leave the column out: --id names those to keep"
        )
    return columns.schema


def check_fits(source: Source, schema: pa.Schema) -> None:
    """Raises Unlike where a file has other columns than the parts that are there."""
    columns = Columns()
    columns.add(schema, "the parts that are there")
    columns.add(schema_of(source.schema), source.path)
    for field in columns.schema:
        if field.name not in schema.names or schema.field(field.name).type != field.type:
            raise Unlike(
                f"{source.path}: column {field.name!r} is {field.type}, and not so in the parts that are there.\n"
                "Give another --output for all files, or convert this one"
            )


def fitted(rows: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The rows with the columns of all files. Raises ValueError for a value that is not the same in the other type."""
    names = rows.schema.names
    columns = [
        _cast(rows.column(field.name), field) if field.name in names else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def alike(names: Iterable[str]) -> tuple[str, str] | None:
    """The first two names that are the same but for their case."""
    seen: dict[str, str] = {}
    for name in names:
        if name.lower() in seen:
            return seen[name.lower()], name
        seen[name.lower()] = name
    return None


def staying(schema: pa.Schema, options: Options) -> list[str]:
    """The names of the columns that go along."""
    return schema.names if options.keep is None else list(options.keep)


def schema_of(written: str) -> pa.Schema:
    """Columns as a plan holds them: base64 of Arrow's own format."""
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(written)))


def written(schema: pa.Schema) -> str:
    """The other way round."""
    return base64.b64encode(schema.serialize()).decode()


def _together(one: pa.Field, other: pa.Field) -> pa.Field | None:
    """The field that holds the values of both, or None."""
    pair = [field.with_type(_spelt_out(field.type)).remove_metadata() for field in (one, other)]
    try:
        found = pa.unify_schemas([pa.schema([field]) for field in pair], promote_options="permissive").field(0)
        for field in (one, other):
            pa.array([], field.type).cast(found.type)
    except pa.ArrowException:
        return None
    return found


def _spelt_out(kind: pa.DataType) -> pa.DataType:
    """A dictionary's values, which are one with no other type."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _cast(column: pa.Array, field: pa.Field) -> pa.Array:
    if column.type == field.type:
        return column
    try:
        return column.cast(field.type)
    except pa.ArrowException as error:
        raise ValueError(
            f"its column {field.name!r} is {column.type}, and {field.type} with that of the other files: {error}"
        ) from error
