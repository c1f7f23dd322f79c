"""The catalogue: a line a model, for whoever lists, searches or mistypes.

    catalog.jsonl     {"format":1,"name":"small_bert_L8_512","language":"en","folder":"public/models",…}

The lines are sorted by name, language and folder, which is the order of their bytes too: a quote sorts before every
character that these may hold, and ``#`` comes next after it. So a line's place is found without decoding the others,
and reading is a stream. A hub that has no catalogue but Spark NLP's list of its models is catalogued from that.
"""

from __future__ import annotations

import heapq
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TypeVar

from wellread.errors import IntegrityError
from wellread.registry.hub.index import CATALOG
from wellread.registry.names import DEFAULT_FOLDER, Lang, ModelName, ReleaseId
from wellread.registry.records import CatalogEntry, Release, decode, encode, is_later
from wellread.registry.stores import Store
from wellread.registry.views import lines, sorting, spark_nlp

START = b'{"format":1,"name":"'
"""What each line of our format begins with, up to its name."""
LIMIT = 50
"""How many models a search gives."""

Key = tuple[ModelName, Lang, str]
E = TypeVar("E", bound=CatalogEntry)


def read_catalog(store: Store, folder: str = DEFAULT_FOLDER) -> Iterator[CatalogEntry]:
    """All models of a hub, as they come, sorted by name, language and folder; lines of a later format left out.

    ``folder`` is where Spark NLP's list is looked for in a hub that has no catalogue. Raises IntegrityError.
    """
    found = lines.stream(store, CATALOG)
    if found is None:
        return _catalogued(spark_nlp.read_foreign(store, None, folder))
    return _entries(found, f"{store.url}/{CATALOG}")


def _entries(found: Iterable[bytes], where: str) -> Iterator[CatalogEntry]:
    for line in found:
        try:
            yield decode(line, CatalogEntry, where)
        except IntegrityError as error:
            if not is_later(line):
                raise IntegrityError(f"{error}. The hub's owner mends it with: wellread hub refresh") from error


# ---------------------------------------------------------------- an entry


def entry(last: Release, count: int, title: str) -> CatalogEntry:
    """What is said of the ``count`` releases of a name, language and folder, of which ``last`` is the latest."""
    return CatalogEntry(
        name=last.name,
        language=last.language,
        folder=last.folder,
        title=title,
        annotator=last.annotator,
        latest=last.id,
        releases=count,
        state=last.state,
    )


def rank(release: Release) -> tuple[bool, tuple[tuple[int, ...], tuple[int, ...], int]]:
    """The greatest is taken by default; one that was yanked only where all were."""
    return release.state != "yanked", ReleaseId.parse(release.id).order


def key(found: CatalogEntry | Release) -> Key:
    """What an entry is about."""
    return found.name, found.language, found.folder


def _catalogued(releases: Iterable[Release]) -> Iterator[CatalogEntry]:
    """Entries for rows in any order: they are sorted on disk first."""
    in_order = sorting.sort(("\0".join(key(release)).encode(), encode(release)) for release in releases)
    sorted_releases = (decode(line, Release, spark_nlp.METADATA) for line in in_order)
    for _, found in groupby(sorted_releases, key):
        group = list(found)
        yield entry(max(group, key=rank), len(group), "")


# ---------------------------------------------------------------- a line's place


def sort_lines(raw: bytes, where: str) -> tuple[list[bytes], list[bytes]]:
    """The lines of our format in their order, and those of a later one. Raises IntegrityError for any other."""
    ours: list[bytes] = []
    later: list[bytes] = []
    for line in lines.split((raw,), where):
        if line.startswith(START) and line.endswith(b"}"):
            ours.append(line)
        elif is_later(line):
            later.append(line)
        else:
            raise IntegrityError(f"{where} has a line that is no entry: {line[:40]!r}")
    ours.sort()
    return ours, later


def place(ours: list[bytes], name: ModelName) -> slice:
    """Where the lines of a name are, or would be, among lines in order."""
    start = START + name.encode()
    return slice(bisect_left(ours, start + b'"'), bisect_left(ours, start + b"#"))


# ---------------------------------------------------------------- searching


def search(entries: Iterable[E], words: Iterable[str], limit: int = LIMIT) -> Iterator[E]:
    """The entries in which every word occurs, in whatever case, the best first and ``limit`` at most.

    Looked at are name, title, annotator and language. A name that holds the words whole, between its underscores,
    comes before one that merely has them somewhere; then the shorter name comes first.
    """
    wanted = [word for word in (text.casefold() for text in words) if word]
    scored = ((_score(found, wanted), found) for found in entries if _has(found, wanted))
    best = heapq.nsmallest(limit, scored, key=lambda pair: (pair[0], key(pair[1])))
    return (found for _, found in best)


def _has(found: CatalogEntry, wanted: list[str]) -> bool:
    text = f"{found.name}\n{found.title}\n{found.annotator}\n{found.language}".casefold()
    return all(word in text for word in wanted)


def _score(found: CatalogEntry, wanted: list[str]) -> tuple[int, int, int]:
    """Lower is better: fewer words whole in the name, fewer in it at all, a longer name. So a name finds itself."""
    name = found.name.casefold()
    whole = sum(_parted(word) in _parted(name) for word in wanted)
    return -whole, -sum(word in name for word in wanted), len(name)


def _parted(text: str) -> str:
    """A text whose parts all stand between underscores."""
    return f"_{re.sub('[-. ]', '_', text)}_"
