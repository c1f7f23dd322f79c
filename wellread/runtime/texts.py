"""What a caller may give as texts, checked before any work is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from wellread.errors import BadInput

_NOT_TEXTS = (bytes, bytearray, memoryview, Mapping, AbstractSet)


def listed(texts: Iterable[str]) -> list[str]:
    """A ``str`` as a list of one; any ordered iterable of ``str`` (list, array, Series, generator) as a list.

    Raises BadInput for anything else, naming the first element that is no ``str`` and its type.
    """
    if isinstance(texts, str):
        return [texts]
    if isinstance(texts, _NOT_TEXTS) or not isinstance(texts, Iterable) or getattr(texts, "ndim", 1) != 1:
        raise BadInput(f"a {type(texts).__name__} is not texts: pass a str, or a list or column of str")
    found = list(texts)
    wrong = [index for index, text in enumerate(found) if not isinstance(text, str)]
    if wrong:
        others = f", and {len(wrong) - 1} more are not" if wrong[1:] else ""
        raise BadInput(f"text {wrong[0]} is {_shown(found[wrong[0]])}, not a str{others}: {_advice(found[wrong[0]])}")
    return found


def _shown(value: object) -> str:
    kind = type(value).__name__
    return f"a {kind}" if isinstance(value, (list, tuple, dict)) else f"{str(value)[:40]!r} of type {kind}"


def _advice(value: object) -> str:
    if isinstance(value, (bytes, bytearray)):
        return "decode it first"
    if isinstance(value, (list, tuple)):
        return "pass one flat list, each element a whole text"
    return "drop it, or put '' in its place"
