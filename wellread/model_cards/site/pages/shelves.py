"""Ways to browse a hub without a search: by language and by task, a list of models for each.

    languages/<language>.html        tasks/<task>.html

Tasks that differ only in what a file's name leaves out share a list, which has the word of its first model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from wellread.model_cards.site.hub.models import Row
from wellread.model_cards.site.places import slug


@dataclass(frozen=True)
class Shelf:
    """A way to browse: the folder of its lists, the words of a model, and how a word names a file."""

    folder: str
    title: str
    words: Callable[[Row], Sequence[str]]
    file: Callable[[str], str]


SHELVES = (
    Shelf("languages", "Languages", lambda row: (row.language,), str),
    Shelf("tasks", "Tasks", lambda row: row.tasks, slug),
)


@dataclass(frozen=True)
class Group:
    """The models of a word, in the order in which they were given; ``stem`` is the list's path without ``.html``."""

    word: str
    stem: str
    rows: list[Row]


def groups(shelf: Shelf, rows: Iterable[Row]) -> list[Group]:
    """The lists of a shelf, the longest first. A model is in each list once."""
    found: dict[str, Group] = {}
    for row in rows:
        for file, word in {shelf.file(word): word for word in shelf.words(row)}.items():
            found.setdefault(file, Group(word, f"{shelf.folder}/{file}", [])).rows.append(row)
    return sorted(found.values(), key=lambda group: (-len(group.rows), group.stem))
