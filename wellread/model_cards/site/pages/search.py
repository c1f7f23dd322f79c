"""What the search in the browser reads: all models in a few small files, loaded when somebody searches.

    search/directory.json       how many models, the files with the languages in each, the facets with their counts
    search/<16 hex>.json        some 2,000 models, named after the file's bytes

A language lies in as few files as possible, so that a search within it is answered first. Each file stands alone: one
that a browser kept from yesterday is right beside others of today. It is a table by columns:

    names, titles       front-coded, a line a model: a character that counts how many UTF-16 units are those of the line
                        before, then the rest; a title that is the name is empty
    sizes, days         bytes of the artifact, as rounded as pages show them; days since 1970
    facets              facet → the different lists of values that models have, and a character a model that counts to
                        its own; none where all models have the same

A character counts from "#" to "[", 0 to 56, which JSON never escapes, and on from U+0100.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice, takewhile

import msgspec

from wellread.model_cards.site.hub.models import Row
from wellread.registry.pieces import sha256

SHARD = 2000
"""Models in a file, about."""
SHOWN = 60
"""Values of a facet in the directory, the commonest; the others come with the files."""
LONGEST = 160
"""Characters of a title that are kept."""

_FIRST, _PLAIN, _BEYOND = ord("#"), 56, 0x100
_RANGES = (
    (10e6, "up to 10 MB"),
    (50e6, "10 to 50 MB"),
    (200e6, "50 to 200 MB"),
    (500e6, "200 to 500 MB"),
    (2e9, "0.5 to 2 GB"),
)
_ABOVE = "over 2 GB"
_DAY = 24 * 3600 * 1000


def _states(row: Row) -> Iterator[str]:
    if row.supported and row.state != "yanked":
        yield "supported"
    if row.recommended and row.state == "ready":
        yield "recommended"
    if row.state != "ready":
        yield row.state


def _size(row: Row) -> tuple[str, ...]:
    if row.size <= 0:
        return ()
    return (next((label for limit, label in _RANGES if row.size <= limit), _ABOVE),)


FACETS: dict[str, tuple[str, Callable[[Row], Iterable[str]]]] = {
    "task": ("Task", lambda row: row.tasks),
    "language": ("Language", lambda row: (row.language,)),
    "status": ("Status", _states),
    "form": ("Form", lambda row: row.forms),
    "size": ("Size", _size),
    "dimension": ("Dimension", lambda row: (str(row.dimension),) if row.dimension > 0 else ()),
    "annotator": ("Annotator", lambda row: (row.annotator,)),
    "engine": ("Engine", lambda row: (row.engine,)),
    "edition": ("Edition", lambda row: (row.edition,)),
    "license": ("Licence", lambda row: (row.license,)),
    "tag": ("Tags", lambda row: row.tags),
}
"""Key in the address bar → label for people, and the values of a model."""

_AMOUNTS: dict[str, Callable[[str], int]] = {
    "size": [*(label for _, label in _RANGES), _ABOVE].index,
    "dimension": int,
}
"""Facets whose values have an order of their own."""

Pair = tuple[str, str]


def search_files(rows: Sequence[Row]) -> Iterator[tuple[str, bytes]]:
    """All files below ``search/`` as (path, bytes), ``directory.json`` last, so that it names what is there.

    The order of ``rows`` does not matter.
    """
    listed = []
    totals: Counter[Pair] = Counter()
    for shard in _shards(rows):
        totals.update((key, value) for row in shard for key in FACETS for value in _values(row, key))
        raw = msgspec.json.encode(_columns(shard))
        name = sha256(raw)[:16]
        listed.append([name, list(dict.fromkeys(row.language for row in shard)), len(shard)])
        yield f"search/{name}.json", raw
    facets = [[key, label, _commonest(totals, key)] for key, (label, _) in FACETS.items()]
    yield "search/directory.json", msgspec.json.encode({"models": len(rows), "shards": listed, "facets": facets})


def _shards(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """The models by language and name, cut into files; small languages share one."""
    shard: list[Row] = []
    for _, group in groupby(sorted(rows, key=_order), key=lambda row: row.language):
        language = list(group)
        if shard and len(shard) + len(language) > SHARD:
            yield shard
            shard = []
        rest = iter(language)
        parts = -(-len(language) // SHARD)
        for _ in range(parts - 1):
            yield list(islice(rest, -(-len(language) // parts)))
        shard += rest
    if shard:
        yield shard


def _order(row: Row) -> tuple[str, str, str]:
    """By language, then by name with its numbers as numbers, L2 before L10."""
    return row.language, re.sub(r"[0-9]+", lambda digits: digits[0].zfill(8), row.name.lower()), row.name


def _columns(shard: Sequence[Row]) -> dict[str, object]:
    titles = (" ".join(row.title.split())[:LONGEST] for row in shard)
    return {
        "names": _front_coded(row.name for row in shard),
        "titles": _front_coded("" if title == row.name else title for row, title in zip(shard, titles, strict=True)),
        "sizes": [_rounded(max(row.size, 0)) for row in shard],
        "days": [max(row.time, 0) // _DAY for row in shard],
        "facets": {key: _column([_values(row, key) for row in shard]) for key in FACETS},
    }


def _rounded(size: int) -> int:
    """To a tenth of the unit in which pages show it, which also makes smaller files."""
    unit = next((unit for unit in (10**9, 10**6, 10**3) if size >= unit), 1)
    return round(round(size / unit, 1) * unit)


def _column(values: Sequence[tuple[str, ...]]) -> tuple[list[tuple[str, ...]], str]:
    different = {value: place for place, value in enumerate(dict.fromkeys(values))}
    return list(different), "".join(_count(different[value]) for value in values) if len(different) > 1 else ""


def _values(row: Row, facet: str) -> tuple[str, ...]:
    """The values of a model, each on one line, none twice."""
    _, values = FACETS[facet]
    return tuple(dict.fromkeys(filter(None, (" ".join(value.split()) for value in values(row)))))


def _count(number: int) -> str:
    return chr(_FIRST + number if number <= _PLAIN else _BEYOND + number - _PLAIN - 1)


def _commonest(totals: Counter[Pair], facet: str) -> list[tuple[str, int]]:
    """The values of a facet that most models have: those that are amounts in their order, others by their count."""
    found = [(value, count) for (key, value), count in totals.items() if key == facet]
    shown = sorted(found, key=lambda pair: (-pair[1], pair[0]))[:SHOWN]
    amount = _AMOUNTS.get(facet)
    return sorted(shown, key=lambda pair: amount(pair[0])) if amount else shown


def _front_coded(lines: Iterable[str]) -> str:
    coded, before = [], ""
    for line in lines:
        shared = _shared(before, line)
        coded.append(_count(shared) + line[shared:])
        before = line
    return "\n".join(coded)


def _shared(before: str, line: str) -> int:
    """How many characters two lines begin with alike, up to one that is two units of UTF-16."""
    pairs = zip(before[:_PLAIN], line, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1] and ord(pair[0]) <= 0xFFFF, pairs))
