"""Which phrases of the texts are chunks: those that the caller names for all, or those of a column for each.

    predict(texts, "chunk", chunks=["New York"])          looked for in every text
    predict(frame, "chunk")                               its column ``chunk``: of each row a phrase, several, or none

Every place of a phrase is a chunk of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wellread.errors import BadInput
from wellread.nlu.inputs import CHUNK, Given, check_single, is_null
from wellread.nlu.levels import Phrases

ADVICE = f"name them for all texts, predict(…, chunks=['New York']), or give a DataFrame with a column {CHUNK!r}"


def chunked(given: Given, chunks: Iterable[str] | None) -> tuple[Given, Phrases]:
    """What was given, without its column ``chunk``, and the phrases of each text. Raises BadInput without any."""
    if chunks is not None:
        return given, [phrases_for_all(chunks)] * len(given.texts)
    if CHUNK not in check_single(CHUNK, given.beside.columns):
        raise BadInput(f"output_level='chunk' needs phrases: {ADVICE}")
    found = [phrases_of(value) for value in given.beside[CHUNK]]
    return Given(given.texts, given.labels, given.beside.drop(columns=CHUNK)), found


def phrases_for_all(chunks: Iterable[str]) -> Sequence[str]:
    """What the caller names. Raises BadInput for what is no phrases."""
    if isinstance(chunks, str) or not isinstance(chunks, Iterable):
        raise BadInput(f"chunks={chunks!r}: a list of str is expected, such as ['New York']")
    return phrases_of(list(chunks))


def phrases_of(value: Any) -> Sequence[str]:
    """The phrases in a cell: a str, several, or nulls for none. Raises BadInput for anything else."""
    several = isinstance(value, Iterable) and not isinstance(value, str | Mapping)
    found = [one for one in (value if several else [value]) if not is_null(one)]
    if wrong := [one for one in found if not isinstance(one, str)]:
        raise BadInput(f"{str(wrong[0])[:40]!r} of type {type(wrong[0]).__name__} is no phrase: {ADVICE}")
    return found
