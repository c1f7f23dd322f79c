"""Rebuilding a hub's views from its index, however large: ``wellread hub refresh``.

    index/…/<name>.jsonl ─ read one by one ─▶ a temporary file ─ in order ─▶ catalog.jsonl
    the old views        ─ titles, rows of others ─▶                      ─▶ <folder>/metadata.json

Time grows with the number of names, memory does not. Aliases are no view: that one was moved or removed stands nowhere
but in its own file.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import groupby, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

from wellread.errors import IntegrityError, PublishError, WellreadError
from wellread.registry.hub.index import CATALOG, listed_names, read_releases
from wellread.registry.hub.info import introduce
from wellread.registry.names import ModelName
from wellread.registry.records import CatalogEntry, Manifest, Release, decode, encode, is_later
from wellread.registry.stores import Store, is_local
from wellread.registry.transfer.fetch import open_release
from wellread.registry.views import catalog, lines, sorting, spark_nlp

if TYPE_CHECKING:
    import sqlite3

_TRIES, _READERS, _BATCH = 5, 16, 256
Item = TypeVar("Item")
T = TypeVar("T")
_TABLES = """
CREATE TABLE titles (key TEXT PRIMARY KEY, latest TEXT, title TEXT) WITHOUT ROWID;
CREATE TABLE entries (line BLOB);
CREATE TABLE rows (number INTEGER PRIMARY KEY, folder TEXT, file TEXT, line BLOB);
CREATE INDEX files ON rows (folder, file);
CREATE INDEX places ON rows (folder, number);
"""

Title = Callable[[Release], str | None]
"""What is known already of a release's title."""


def refresh(store: Store, manifest: Manifest | None = None) -> int:
    """Write the catalogue and every ``metadata.json`` anew, and ``hub.json`` if there is none; returns how many names
    the index has.

    ``manifest`` is that of a release that was just listed. Warns of names whose index cannot be read and leaves them
    out. Raises HubUnavailable for a place that lists nothing, PublishError where others kept writing.
    """
    for _ in range(_TRIES):
        with sorting.scratch() as file:
            rebuilt = _Rebuilt(store, file, manifest)
            count = rebuilt.read()
            if rebuilt.write():
                if count:
                    introduce(store)  # else readers take it for Spark NLP's
                return count
    raise PublishError(f"the views of {store.url} changed {_TRIES} times while they were rebuilt; try again")


def entries(store: Store, releases: Iterable[Release], known: Title) -> Iterator[CatalogEntry]:
    """What the catalogue says of the releases of a name, an entry for each language and folder."""
    for _, found in groupby(sorted(releases, key=catalog.key), catalog.key):
        group = list(found)
        last = max(group, key=catalog.rank)
        yield catalog.entry(last, len(group), known(last) or _title(store, last))


def title_in(manifest: Manifest | None, release: Release) -> str | None:
    """The title in a manifest, if it is the release's own."""
    return manifest.title if manifest and str(manifest.artifact) == release.file else None


def rows(releases: Iterable[Release]) -> Iterator[tuple[str, str, bytes | None]]:
    """(folder, file, row) of releases for Spark NLP's list; no row for one that was yanked."""
    for release in releases:
        yield release.folder, release.file, None if release.state == "yanked" else spark_nlp.row(release)


def _title(store: Store, release: Release) -> str:
    """A release's title, out of its own manifest; its name where that cannot be had."""
    try:
        return open_release(store, release).manifest.title
    except WellreadError:
        return release.name


def _ahead(items: Iterator[Item], read: Callable[[Item], T], readers: int) -> Iterator[T]:
    """What is read of each item, in order, so many at a time: a bucket's answers take longer to come than to read."""
    with ThreadPoolExecutor(readers) as pool:
        while batch := list(islice(items, _BATCH)):
            yield from pool.map(read, batch) if readers > 1 else map(read, batch)


class _Rebuilt:
    """One attempt: the views as the index has them now, in a temporary file, and the etags they shall replace."""

    def __init__(self, store: Store, file: sqlite3.Connection, manifest: Manifest | None) -> None:
        self.store = store
        self.file = file
        self.manifest = manifest
        self.etags: dict[str, str | None] = {}
        file.executescript(_TABLES)

    def read(self) -> int:
        """Take in the old views and the whole index; returns how many names it has."""
        count = 0
        self.file.execute("BEGIN")
        self._read_catalogue()
        for releases in _ahead(listed_names(self.store), self._releases, 1 if is_local(self.store.url) else _READERS):
            self._take(releases)
            count += 1
        self.file.execute("COMMIT")
        return count

    def write(self) -> bool:
        """Put the views in place; False if another writer came between."""
        rows = "SELECT line FROM rows WHERE folder = ? ORDER BY number"
        done = [self._replace(spark_nlp.metadata_key(folder), rows, folder) for folder in self._folders()]
        return self._replace(CATALOG, "SELECT line FROM entries ORDER BY line") and all(done)

    def _read_catalogue(self) -> None:
        """Keep the titles, and the lines of a later format. What cannot be read is made anew."""
        with suppress(IntegrityError):  # of a line without end
            for line in self._old(CATALOG):
                self._keep_title(line)

    def _keep_title(self, line: bytes) -> None:
        try:
            said = decode(line, CatalogEntry, CATALOG)
        except IntegrityError:
            if is_later(line):
                self.file.execute("INSERT INTO entries VALUES (?)", (line,))
            return
        self.file.execute("INSERT OR REPLACE INTO titles VALUES (?, ?, ?)", (_key(said), said.latest, said.title))

    def _releases(self, name: ModelName) -> tuple[Release, ...]:
        try:
            return read_releases(self.store, name)
        except IntegrityError as error:
            warnings.warn(f"{error}. {name} is left out of the views", stacklevel=4)
            return ()

    def _take(self, releases: tuple[Release, ...]) -> None:
        """Note what the views say of the releases of a name."""
        for found in entries(self.store, releases, self._known):
            self.file.execute("INSERT INTO entries VALUES (?)", (encode(found),))
        for folder, file, row in rows(releases):
            self._read_rows(folder)
            self._put_row(folder, file, row)

    def _read_rows(self, folder: str) -> None:
        """Take in the list of a folder, once, before the first of our rows."""
        if (key := spark_nlp.metadata_key(folder)) not in self.etags:
            there = ((folder, spark_nlp.file_of(line), line) for line in self._old(key))
            self.file.executemany("INSERT INTO rows (folder, file, line) VALUES (?, ?, ?)", there)

    def _put_row(self, folder: str, file: str, row: bytes | None) -> None:
        """A row in the place of those that speak of the same file, or after all others."""
        where = "FROM rows WHERE folder = ? AND file = ?"
        there = self.file.execute(f"SELECT number, line {where} ORDER BY number", (folder, file)).fetchall()
        if [line for _, line in there] == [row]:
            return  # as it nearly always is, and to write costs ten times as much as to look
        self.file.execute(f"DELETE {where}", (folder, file))
        if row is not None:
            number = there[0][0] if there else None
            self.file.execute("INSERT INTO rows VALUES (?, ?, ?, ?)", (number, folder, file, row))

    def _known(self, release: Release) -> str | None:
        asked = "SELECT title FROM titles WHERE key = ? AND latest = ?"
        found = self.file.execute(asked, (_key(release), release.id)).fetchone()
        return found[0] if found else title_in(self.manifest, release)

    def _old(self, key: str) -> Iterator[bytes]:
        """The lines of a view as it is, its etag noted."""
        body = self.store.get_range(key)
        self.etags[key] = body.stat.etag if body else None
        return lines.split(body.chunks if body else (), f"{self.store.url}/{key}")

    def _folders(self) -> list[str]:
        return sorted(key.rpartition("/")[0] for key in self.etags if key != CATALOG)

    def _replace(self, key: str, query: str, *arguments: str) -> bool:
        with TemporaryDirectory(prefix="wellread-") as folder:
            path = Path(folder, "view")
            with path.open("wb") as file:
                file.writelines(line + b"\n" for (line,) in self.file.execute(query, arguments))
            if self.etags[key] is None and not path.stat().st_size:
                return True  # an empty catalogue would hide what a hub of Spark NLP's has
            return self.store.put_if(key, path, self.etags[key])


def _key(found: CatalogEntry | Release) -> str:
    return "\0".join(catalog.key(found))
