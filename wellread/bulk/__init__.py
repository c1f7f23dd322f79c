"""Vectors for files of texts: many files, of any size, on one machine or many.

    embed_files(model, ["texts/"], "vectors/")
        list      files, folders, patterns; here or in a bucket          inputs
        survey    what each file is of, and how many rows it has         formats
        unite     what columns all parts have, so that they are a table  columns
        plan      written down first: what is read, by what, how         plan
        work      unit by unit: read, embed, write                       engine, work
        close     _SUCCESS, once every part is there                     output

    vectors/
      _plan.json                  the model, the options, every file with its size and etag
      part-00000-00000.parquet    rows 0 to 8191 of file 0, and their vectors
      part-00000-00001.parquet    the next ones
      _SUCCESS                    written last, where every file was embedded whole
      _lock                       of a folder: one run at a time

A unit is some consecutive rows of one file, and gives one part. A part appears in one step or not at all, so what is
there is done: a run that was killed goes on where it was when it is started again. The plan is what makes that safe,
for a part is taken over only if the model, the options and the files are still those of the plan.

Names that begin with ``_`` or ``.`` are left out by whoever reads such a folder: Spark, pyarrow, DuckDB.
"""

from __future__ import annotations

from wellread.errors import missing_extra


def check_installed() -> None:
    """Raises MissingExtra where pyarrow is not installed."""
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise missing_extra("pyarrow", "files") from error
