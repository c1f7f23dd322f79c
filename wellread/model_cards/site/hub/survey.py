"""What of a hub is another than it was at the last build, name by name.

    index/…/<name>.jsonl            which releases there are, and in which state: of every name at each build
    aliases/…/<reference>.json      what stands for which name; not of a web server, which lists nothing
    catalog.jsonl                   the names of a web server's hub
    public/models/metadata.json     of a hub without a catalogue, which is Spark NLP's: its releases, read at each build

So no release escapes that was yanked or deprecated, however old. In a folder the index file and the proofs of a name,
and the aliases, still have the stamps that they had. Of any other hub the index file is read and its digest compared,
for it is as short as the answer that it has not changed; a proof, which a release has before it is listed, is read
again with it.
"""

from __future__ import annotations

import os
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby, islice
from typing import NamedTuple, TypeVar

from wellread.errors import IntegrityError
from wellread.model_cards.site.hub.state import Known, Nickname
from wellread.registry.hub.index import CATALOG, HUB, alias_key, index_key, listed_names, parse_alias
from wellread.registry.names import DEFAULT_FOLDER, ModelName
from wellread.registry.pieces import sha256
from wellread.registry.records import Alias, Release, decode, encode
from wellread.registry.stores import LARGEST, Store, is_local, read
from wellread.registry.views.catalog import read_catalog
from wellread.registry.views.sorting import sort
from wellread.registry.views.spark_nlp import METADATA, metadata_key, read_foreign

_READERS, _BATCH = 16, 256
"""Questions to a hub behind a network that are under way at once, and names that wait for their turn."""
_WEB = ("http://", "https://")

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Listing(NamedTuple):
    """A name as its hub lists it: the bytes of its index file; what stands for it, None where that was not asked.

    ``known`` is what will be known of it, as far as it is: its proofs were not read yet. A ``foreign`` one is in Spark
    NLP's list alone, and ``raw`` are its releases, a line each.
    """

    name: ModelName
    raw: bytes
    aliases: tuple[Alias, ...] | None
    known: Known
    foreign: bool = False


class Survey:
    """One look at a hub. ``known`` says what the site was made of; ``names`` are all that the hub has by the end.

    ``nicknames`` are the hub's aliases by their key: those of the last look, then those of this one.
    """

    def __init__(
        self, store: Store, known: Callable[[ModelName], Known | None], nicknames: Mapping[str, Nickname] | None = None
    ) -> None:
        self.names: set[ModelName] = set()
        self.nicknames = nicknames or {}
        self._store = store
        self._known = known
        self._local = is_local(store.url)
        self._lists = not store.url.startswith(_WEB)
        self._aliases: Mapping[ModelName, tuple[Alias, ...]] = {}

    def changed(self) -> Iterator[Listing]:
        """The names of which something changed, as they come. Raises HubUnavailable, IntegrityError."""
        if self._lists:
            self.nicknames = dict(_nicknames(self._store, self.nicknames))
            self._aliases = _by_name(self.nicknames.values())
        names = listed_names(self._store) if self._lists else _catalogued(self._store)
        doubtful = (name for name in names if not (self._local and self._is_as_stamped(name)))
        for listing in _ahead(self._store, doubtful, self._listing):
            if listing and (self._local or self._known(listing.name) != listing.known):
                yield listing
        if self._store.head(CATALOG) is None:
            yield from self._changed_foreign()

    def _changed_foreign(self) -> Iterator[Listing]:
        """The same of Spark NLP's list: 100,000 rows in any order, so they are sorted on disk."""
        rows = read_foreign(self._store, None, DEFAULT_FOLDER)
        shown = (row for row in rows if row.language and row.name not in self.names)  # a page lies below a language
        for name, group in groupby(sort((f"{row.name}\0".encode(), encode(row)) for row in shown), key=_name_in):
            raw = b"\n".join(group)
            self.names.add(name)
            known = Known(mark=sha256(raw), aliases=self._said(name), stamps={})
            if self._known(name) != known:
                yield Listing(name, raw, self._aliases.get(name, ()) if self._lists else None, known, foreign=True)

    def _is_as_stamped(self, name: ModelName) -> bool:
        self.names.add(name)
        known = self._known(name)
        if known is None or not known.settled or known.aliases != self._said(name):
            return False
        return all(stamp_of(self._store, key) == stamp for key, stamp in known.stamps.items())

    def _listing(self, name: ModelName) -> Listing | None:
        """A name, None where it is gone by now."""
        key = index_key(name)
        stamps = {key: stamp_of(self._store, key)} if self._local else {}  # before it is read: what comes later shows
        found = read(self._store, key, LARGEST)
        if found is None:
            self.names.discard(name)
            return None
        self.names.add(name)
        known = Known(mark=sha256(found[0]), aliases=self._said(name), stamps=stamps)
        return Listing(name, found[0], self._aliases.get(name, ()) if self._lists else None, known)

    def _said(self, name: ModelName) -> str:
        return " ".join(f"{alias.reference}:{alias.language}" for alias in self._aliases.get(name, ()))


def is_hub(store: Store) -> bool:
    """Whether a place says anything as a hub does. One that does not may be mistyped, or a disk that is not there."""
    return any(store.head(key) for key in (HUB, CATALOG, metadata_key(DEFAULT_FOLDER)))


def stamp_of(store: Store, key: str) -> str:
    """The time, size and inode of a file in a folder's hub; empty where there is none.

    The store's own ``head`` resolves every link on the way first, which takes 50 times as long; here nothing is read.
    """
    try:
        found = os.stat(f"{store.url}/{key}")  # noqa: PTH116  a Path takes longer than the question
    except OSError:
        return ""
    return f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"


def _name_in(line: bytes) -> ModelName:
    return decode(line, Release, METADATA).name


def _catalogued(store: Store) -> Iterator[ModelName]:
    if store.head(CATALOG) is None:
        return
    for name, _ in groupby(entry.name for entry in read_catalog(store)):
        yield name


def _nicknames(store: Store, before: Mapping[str, Nickname]) -> Iterator[tuple[str, Nickname]]:
    """(key, what it says) of each alias; in a folder those are not read again whose stamp is what it was before."""

    def nickname(key: str) -> tuple[str, Nickname] | None:
        stamp = stamp_of(store, key) if is_local(store.url) else ""
        if stamp and key in before and before[key].stamp == stamp:
            return key, before[key]
        alias = _alias(store, key)
        return (key, Nickname(stamp=stamp, alias=alias)) if alias else None

    yield from filter(None, _ahead(store, store.list("aliases/"), nickname))


def _alias(store: Store, key: str) -> Alias | None:
    reference = key.rpartition("/")[2].removesuffix(".json")
    if key != alias_key(reference):
        return None
    try:
        found = read(store, key, LARGEST)
        return parse_alias(found[0], reference, f"{store.url}/{key}") if found else None
    except IntegrityError as error:
        warnings.warn(f"{error}. The site leaves it out", stacklevel=2)
        return None


def _by_name(nicknames: Iterable[Nickname]) -> Mapping[ModelName, tuple[Alias, ...]]:
    """Name → what stands for it, sorted by the reference."""
    found: dict[ModelName, list[Alias]] = defaultdict(list)
    for each in nicknames:
        found[each.alias.name].append(each.alias)
    return {name: tuple(sorted(group, key=lambda one: one.reference)) for name, group in found.items()}


def _ahead(store: Store, items: Iterator[Item], ask: Callable[[Item], Answer]) -> Iterator[Answer]:
    """What is answered about each item, in order, many at a time where a network lies between."""
    if is_local(store.url):
        yield from map(ask, items)
        return
    with ThreadPoolExecutor(_READERS) as pool:
        while batch := list(islice(items, _BATCH)):
            yield from pool.map(ask, batch)
