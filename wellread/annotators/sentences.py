"""Documents to sentences.

``sentencex``, which Wikimedia keeps, knows the abbreviations and the quotation marks of many languages. To it a blank
line ends a sentence and a line end does not. Around it this module puts what Spark NLP's SentenceDetector offers
besides: bounds of one's own, lengths, long sentences cut at white space.

The library takes quadratic time on some texts (quotation marks that open and never close), so it sees a window of the
text at a time. The last sentence of a window may go on, and so is looked at again with what follows:

    window 1     One. Two. Thr
    window 2               Three. Four.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any

from wellread.annotators.annotation import Annotation
from wellread.errors import BadInput, missing_extra

Span = tuple[int, int]
"""From a character to another, exclusive."""

_WINDOW = 2048
"""Characters that the library sees at once: 10 ms at worst, and longer than almost any sentence."""
_ODD = re.compile("[^\\S\\n ]|[\ud800-\udfff]")
"""White space beyond ASCII's, on which sentencex 1.0 panics, and lone surrogates, which it does not take."""

_STOPS = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True)
class SentenceSplitter:
    """Splits documents into sentences of ``language``, a code such as ``en``; an unknown one is split like English.

    ``custom_bounds`` are regular expressions: what they match parts sentences and is in none. With
    ``custom_bounds_only`` nothing else does. Without ``use_abbreviations`` the full stop of one ends a sentence, like
    any other before white space. Sentences shorter than ``min_length`` or longer than ``max_length``
    characters are left out; ``split_length`` cuts longer ones at white space. Raises BadInput for a malformed option.
    """

    language: str = "en"
    custom_bounds: Sequence[str] = ()
    custom_bounds_only: bool = False
    use_abbreviations: bool = True
    min_length: int = 0
    max_length: int | None = None
    split_length: int | None = None
    _bounds: re.Pattern[str] | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if self.split_length is not None and self.split_length < 1:
            raise BadInput(f"split_length={self.split_length}: at least 1 character is expected")
        object.__setattr__(self, "_bounds", _compiled(self.custom_bounds))

    def __call__(self, documents: Iterable[Annotation]) -> list[Annotation]:
        """The sentences of the documents of one row, numbered from 0 on through all of them.

        Raises MissingExtra without sentencex, unless only bounds of one's own are wanted.
        """
        spans = ((document, span) for document in documents for span in self.spans(document.result))
        return [_sentence(document, span, number) for number, (document, span) in enumerate(spans)]

    def spans(self, text: str) -> list[Span]:
        """Where the sentences of a text lie, white space around them left out."""
        most = len(text) if self.max_length is None else self.max_length
        found = (cut for span in self._parts(text) for cut in self._cut(text, _trimmed(text, span)))
        return [(begin, end) for begin, end in found if end > begin and self.min_length <= end - begin <= most]

    def _parts(self, text: str) -> Iterator[Span]:
        for begin, end in _between(text, self._bounds, (0, len(text))):
            if self.custom_bounds_only and self._bounds:
                yield begin, end
                continue
            for one, other in _sentences(text[begin:end], self.language):
                span = (begin + one, begin + other)
                yield from (span,) if self.use_abbreviations else _between(text, _STOPS, span)

    def _cut(self, text: str, span: Span) -> Iterator[Span]:
        begin, end = span
        if self.split_length is None or end - begin <= self.split_length:
            yield span
        else:
            pattern = rf"\S(?:.{{0,{self.split_length - 2}}}\S)?(?!\S)|\S+" if self.split_length > 1 else r"\S+"
            yield from (match.span() for match in re.compile(pattern, re.DOTALL).finditer(text, begin, end))


def _sentence(document: Annotation, span: Span, number: int) -> Annotation:
    begin, end = span
    text = document.result[begin:end]
    return Annotation("document", document.begin + begin, document.begin + end - 1, text, {"sentence": str(number)})


def _sentences(text: str, language: str) -> Iterator[Span]:
    """All of ``text``, a sentence after another, white space included."""
    plain = _ODD.sub(_replacement, text)
    begin = at = 0
    while at < len(text):
        window = plain[at : at + _WINDOW]
        whole = [at + end for end in _ends(window, language)[:-1]]
        yield from pairwise([begin, *whole])
        begin = whole[-1] if whole else begin
        at = begin if whole and at + _WINDOW < len(text) else at + _WINDOW
    if begin < len(text):
        yield begin, len(text)


def _ends(window: str, language: str) -> list[int]:
    """Where the sentences of a window end; nowhere if the library fails."""
    try:
        return [one["end_index"] for one in _segmenter()(language, window)]
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what Rust panics with is no Exception
            raise
        return []


@cache
def _segmenter() -> Callable[[str, str], list[dict[str, Any]]]:
    try:
        from sentencex import get_sentence_boundaries
    except ImportError as error:
        raise missing_extra("sentencex", "nlu") from error
    found: Callable[[str, str], list[dict[str, Any]]] = get_sentence_boundaries
    return found


def _replacement(odd: re.Match[str]) -> str:
    return " " if odd[0].isspace() else "\U0010ffff"


def _between(text: str, bounds: re.Pattern[str] | None, span: Span) -> Iterator[Span]:
    begin, end = span
    for match in bounds.finditer(text, begin, end) if bounds else ():
        yield begin, match.start()
        begin = match.end()
    yield begin, end


def _trimmed(text: str, span: Span) -> Span:
    part = text[slice(*span)]
    begin = span[0] + len(part) - len(part.lstrip())
    return begin, begin + len(part.strip())


def _compiled(bounds: Sequence[str]) -> re.Pattern[str] | None:
    try:
        parts = [re.compile(bound).pattern for bound in bounds]
    except re.error as error:
        raise BadInput(f"custom bound {error.pattern!r} is no regular expression: {error}") from error
    return re.compile("|".join(f"(?:{part})" for part in parts)) if parts else None
