r"""A text as a document: one annotation over all of it, cleaned first if asked.

The eight ways to clean are those of Spark NLP's DocumentAssembler. ``full`` also takes line ends and tabs that are
spelt out, a backslash and a letter, as they come out of badly read CSV files:

    text              "a\tb\\n c "
    inplace           "a b\\n c "         every white space character → one space
    inplace_full      "a b  c "
    shrink            "a b\\n c"          white space at the ends dropped, every run of it → one space
    shrink_full       "a b  c"
    each              "a\tb\\n c "        white space before a line end or tab, with it → one space
    each_full         "a\tb\\n c "
    delete_full       "a\tb c"            what is spelt out → nothing, the ends trimmed

White space is ASCII's here, as it is there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, get_args

from wellread.annotators.annotation import Annotation
from wellread.errors import BadInput, near_misses

CleanupMode = Literal[
    "disabled", "inplace", "inplace_full", "shrink", "shrink_full", "each", "each_full", "delete_full"
]

_SPELT = r"(?:\\r)?\\n|\\t"
_TRIMMED = "".join(map(chr, range(33)))
"""What Java's ``trim`` takes off: space and all controls below it."""

_RULES: Mapping[str, tuple[bool, str, str]] = {
    "inplace": (False, r"\s", " "),
    "inplace_full": (False, rf"\s|{_SPELT}", " "),
    "shrink": (True, r"\s+", " "),
    "shrink_full": (True, r"\s+|(?:\\r)*(?:\\n)+|(?:\\t)+", " "),
    "each": (False, r"\s[\n\t]", " "),
    "each_full": (False, rf"\s(?:\n|\t|{_SPELT})", " "),
    "delete_full": (True, _SPELT, ""),
}
"""mode → (whether the ends are trimmed, what is replaced, by what)."""


def document(text: str | None, cleanup: CleanupMode = "disabled") -> list[Annotation]:
    """``text`` as the one annotation of a document, ``begin`` 0 and ``end`` inclusive (-1 where it is empty).

    Nothing for None, as the null of a table. Raises BadInput for a ``cleanup`` that is none.
    """
    if text is None:
        return []
    cleaned = clean(text, cleanup)
    return [Annotation("document", 0, len(cleaned) - 1, cleaned, {"sentence": "0"})]


def clean(text: str, cleanup: CleanupMode) -> str:
    """``text`` after one of the ways to clean it. Raises BadInput."""
    if cleanup == "disabled":
        return text
    if cleanup not in _RULES:
        known = get_args(CleanupMode)
        raise BadInput(f"cleanup {cleanup!r} is not one of {', '.join(known)}.{near_misses(str(cleanup), known)}")
    trimmed, pattern, replacement = _RULES[cleanup]
    return re.sub(pattern, replacement, text.strip(_TRIMMED) if trimmed else text, flags=re.ASCII)
