"""What the last build of a site made of what: ``OUT/.wellread/site-state``, a SQLite database.

    facts    the builder's fingerprint; whether the shared pages are those of the models below; the hub's aliases
    names    name → what its pages were made of (``Known``), nothing where they are to be made anew
    models   (name, language) → its row, and its lines of the files that hold a line for every model
    files    path → whose file it is (a name, or nobody's: a shared one) and its size: all that may ever be removed

A name is noted in the same transaction as its files, after these were written. So after a kill −9 a build goes on where
the last one was; and a state that is lost or cannot be read costs a full build and nothing else.
"""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from wellread.errors import WellreadError
from wellread.model_cards.site.hub.models import Row
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Alias, Record

FILE = "site-state"
_FORMAT = 1
_TABLES = f"""
BEGIN;
CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE names (name TEXT PRIMARY KEY, known BLOB) WITHOUT ROWID;
CREATE TABLE models (name TEXT, language TEXT, line BLOB, fragments BLOB, PRIMARY KEY (name, language));
CREATE TABLE files (path TEXT PRIMARY KEY, name TEXT NOT NULL, size INTEGER) WITHOUT ROWID;
CREATE INDEX owners ON files (name);
PRAGMA user_version = {_FORMAT};
COMMIT;
"""
_SETTINGS = ("cache_size = -16384", "temp_store = FILE", "synchronous = NORMAL")
"""16 MiB of memory at most."""
SHARED = ""
"""Whose the files are that belong to no model."""


class Known(Record, frozen=True, kw_only=True):
    """What the pages of a name were made of.

    ``mark`` is the digest of its index file, ``aliases`` what stands for it, ``stamps`` the time and size of the files
    that were read in a hub that is a folder. Not ``settled``: something could not be read, so it is tried again.
    """

    mark: str
    aliases: str
    stamps: dict[str, str]
    settled: bool = True


class Nickname(Record, frozen=True, kw_only=True):
    """An alias of the hub, and the stamp of its file."""

    stamp: str
    alias: Alias


class Kept(NamedTuple):
    """A model's row, encoded, and its fragments by their kind."""

    language: Lang
    row: bytes
    fragments: Mapping[str, bytes]


class File(NamedTuple):
    """A file of the site; ``written`` says that its bytes were others before."""

    path: str
    size: int
    written: bool


class State:
    """See the module."""

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file

    # ------------------------------------------------------------ names

    def known(self, name: ModelName) -> Known | None:
        """What the pages of a name were made of; None where they are to be made."""
        found = self._file.execute("SELECT known FROM names WHERE name = ?", (name,)).fetchone()
        return msgspec.json.decode(found[0], type=Known) if found and found[0] else None

    def names(self) -> set[ModelName]:
        """All names that have pages."""
        return {ModelName(name) for (name,) in self._file.execute("SELECT name FROM names")}

    def note(self, name: ModelName, known: Known, models: Iterable[Kept], files: Iterable[File]) -> list[str]:
        """What was made of a name; returns the paths that were its files and are not any more."""
        self.set("shared", "")
        self._file.execute("DELETE FROM models WHERE name = ?", (name,))
        lines = ((name, model.language, model.row, msgspec.json.encode(_texts(model.fragments))) for model in models)
        self._file.executemany("INSERT INTO models VALUES (?, ?, ?, ?)", lines)
        self._file.execute("INSERT OR REPLACE INTO names VALUES (?, ?)", (name, msgspec.json.encode(known)))
        return self.note_files(name, files)

    def forget(self, name: ModelName) -> list[str]:
        """Drop a name; returns the paths that were its files."""
        self.set("shared", "")
        self._file.execute("DELETE FROM models WHERE name = ?", (name,))
        self._file.execute("DELETE FROM names WHERE name = ?", (name,))
        return self.note_files(name, ())

    def renew(self) -> None:
        """From now on everything is to be made anew."""
        self._file.execute("UPDATE names SET known = NULL")
        self.set("nicknames", "")
        self.set("shared", "")
        self.commit()

    def nicknames(self) -> dict[str, Nickname]:
        """The hub's aliases by their key."""
        return msgspec.json.decode(self.get("nicknames") or "{}", type=dict[str, Nickname])

    def note_nicknames(self, found: Mapping[str, Nickname]) -> None:
        """Remember all aliases."""
        self.set("nicknames", msgspec.json.encode(found).decode())

    # ------------------------------------------------------------ rows

    def rows(self) -> tuple[Row, ...]:
        """The rows of all models, by name and language."""
        return tuple(msgspec.json.decode(line, type=Row) for (line,) in self._lines("line"))

    def models(self) -> int:
        """How many models there are."""
        (found,) = self._file.execute("SELECT count(*) FROM models").fetchone()
        return int(found)

    def fragments(self, kind: str) -> Iterator[bytes]:
        """A kind of fragment of all models that have one, in the order of the rows."""
        for (line,) in self._lines("fragments"):
            if fragment := msgspec.json.decode(line, type=dict[str, str]).get(kind):
                yield fragment.encode()

    def _lines(self, column: str) -> Iterator[tuple[bytes]]:
        yield from self._file.execute(f"SELECT {column} FROM models ORDER BY name, language")  # noqa: S608  ours

    # ------------------------------------------------------------ files

    def note_files(self, name: str, files: Iterable[File]) -> list[str]:
        """The files of a name, or of nobody; returns the paths that were its and are not any more."""
        before = {path for (path,) in self._file.execute("SELECT path FROM files WHERE name = ?", (name,))}
        now = {file.path: (file.path, name, file.size) for file in files}
        gone = sorted(before - now.keys())
        self._file.executemany("DELETE FROM files WHERE path = ?", ((path,) for path in gone))
        self._file.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", now.values())
        return gone

    def files(self) -> Iterator[tuple[str, str, int]]:
        """(path, name, size) of every file, sorted by the path."""
        yield from self._file.execute("SELECT path, name, size FROM files ORDER BY path")

    def distrust(self, names: Iterable[str]) -> None:
        """Files of these names are not as they were written: make them anew."""
        for name in names:
            if name == SHARED:
                self.set("shared", "")
            self._file.execute("UPDATE names SET known = NULL WHERE name = ?", (name,))
        self.commit()

    def alike(self) -> list[str]:
        """Paths of which another differs in nothing but the case of its letters."""
        found = self._file.execute("SELECT min(path) FROM files GROUP BY lower(path) HAVING count(*) > 1")
        return [path for (path,) in found]

    def count(self, ending: str = "") -> int:
        """How many files there are, of those whose path ends so."""
        (found,) = self._file.execute("SELECT count(*) FROM files WHERE path LIKE ?", (f"%{ending}",)).fetchone()
        return int(found)

    # ------------------------------------------------------------ facts

    def get(self, key: str) -> str:
        """A fact, empty where there is none."""
        found = self._file.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone()
        return found[0] if found else ""

    def set(self, key: str, value: str) -> None:
        self._file.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (key, value))

    def commit(self) -> None:
        """From here on it survives."""
        self._file.commit()


@contextmanager
def opened(folder: Path) -> Iterator[State]:
    """The state in a folder, begun anew where it cannot be read. Raises WellreadError where it cannot be written."""
    path = folder / FILE
    try:
        with closing(_connect(path)) as file:
            yield State(file)
            file.commit()
    except sqlite3.Error as error:
        raise WellreadError(f"cannot write {path}: {error}; is the disk full, or closed to you? (--out)") from error


def _connect(path: Path) -> sqlite3.Connection:
    file = sqlite3.connect(path)
    try:
        (found,) = file.execute("PRAGMA user_version").fetchone()
        if found == _FORMAT and file.execute("PRAGMA quick_check(1)").fetchone() == ("ok",):
            return _set(file)
        fresh = found == 0 and not file.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise  # it is the place that cannot be used, not the file
        fresh = False
    if not fresh:
        file.close()
        warnings.warn(
            f"{path} cannot be read: everything is built anew, and pages of models that are gone stay", stacklevel=4
        )
        path.unlink()
        file = sqlite3.connect(path)
    file.executescript(_TABLES)
    return _set(file)


def _set(file: sqlite3.Connection) -> sqlite3.Connection:
    for setting in _SETTINGS:
        file.execute(f"PRAGMA {setting}")
    return file


def _texts(fragments: Mapping[str, bytes]) -> dict[str, str]:
    return {kind: fragment.decode() for kind, fragment in fragments.items()}
