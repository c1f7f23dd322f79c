"""Long lists cut into pages.

languages/en.html  languages/en.2.html …     the first page holds the beginning
changelog.html     changelog.2.html …        the newest; the others are numbered from the oldest, so that a step
                                             more changes the first page, and once in a hundred times another

Neither a language nor a task's file has a dot, so that the second page of ``embeddings`` is no task ``Embeddings 2``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from wellread.model_cards.site.hub.models import Row

PER_PAGE = 100

T = TypeVar("T")


@dataclass(frozen=True)
class Sheet(Generic[T]):
    """One page of a list. ``previous`` and ``next`` are links from it to its neighbours, empty at the ends."""

    path: str
    items: Sequence[T]
    number: int
    of: int
    previous: str = ""
    next: str = ""


def in_order(rows: Sequence[Row]) -> list[Row]:
    """Models as lists show them: the recommended first, then the newest; yanked and deprecated ones last."""
    return sorted(rows, key=lambda row: (row.state != "ready", not row.recommended, -row.time, row.name, row.language))


def paged(stem: str, items: Sequence[T]) -> Iterator[Sheet[T]]:
    """A list in pages of ``PER_PAGE``; ``stem`` is the path of the first without ``.html``. An empty list is a page."""
    starts = range(0, max(len(items), 1), PER_PAGE)
    files = [f"{stem}{f'.{number + 1}' if number else ''}.html" for number in range(len(starts))]
    yield from _linked(files, [items[start : start + PER_PAGE] for start in starts])


def paged_from_the_end(stem: str, items: Sequence[T]) -> Iterator[Sheet[T]]:
    """As ``paged``, for a list that grows at its beginning: all pages but the first are full and keep their items."""
    full = max(0, len(items) // PER_PAGE - 1)
    first = len(items) - full * PER_PAGE
    starts = [0, *range(first, len(items), PER_PAGE)]
    files = [f"{stem}.html", *(f"{stem}.{number}.html" for number in range(full, 0, -1))]
    yield from _linked(files, [items[start:end] for start, end in zip(starts, [*starts[1:], len(items)], strict=True)])


def _linked(files: Sequence[str], parts: Sequence[Sequence[T]]) -> Iterator[Sheet[T]]:
    names = ["", *(file.rpartition("/")[2] for file in files), ""]
    for at, (file, part) in enumerate(zip(files, parts, strict=True)):
        yield Sheet(file, part, at + 1, len(files), previous=names[at], next=names[at + 2])
