"""More lines than memory should hold: sorted and looked up in a temporary file.

SQLite of the standard library does it: ``connect("")`` is a database of its own that spills into an unnamed file beyond
its cache and is gone when it is closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from wellread.errors import WellreadError

if TYPE_CHECKING:
    import sqlite3

_SETTINGS = ("cache_size = -16384", "temp_store = FILE", "journal_mode = OFF", "synchronous = OFF")
"""16 MiB of memory at most; nothing is ever rolled back, or survives."""


@contextmanager
def scratch() -> Iterator[sqlite3.Connection]:
    """An empty database in a temporary file. Raises WellreadError where there is no room for it."""
    import sqlite3  # slow to import, and no consumer needs it

    try:
        with closing(sqlite3.connect("", isolation_level=None)) as file:
            for setting in _SETTINGS:
                file.execute(f"PRAGMA {setting}")
            yield file
    except sqlite3.Error as error:
        raise WellreadError(f"cannot sort in a temporary file: {error}; is its disk (TMPDIR) full?") from error


def sort(pairs: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
    """The lines of (key, line) pairs by their keys, then by their own bytes."""
    with scratch() as file:
        file.execute("CREATE TABLE lines (key BLOB, line BLOB)")
        file.execute("BEGIN")
        file.executemany("INSERT INTO lines VALUES (?, ?)", pairs)
        file.execute("COMMIT")
        yield from (line for (line,) in file.execute("SELECT line FROM lines ORDER BY key, line"))
