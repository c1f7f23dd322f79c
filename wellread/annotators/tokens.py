r"""Sentences to tokens, by the rules of Spark NLP's Tokenizer.

    text          He said: "I don't know (yet)!"
    candidates    He  said:  "I  don't  know  (yet)!"              parted by white space
    tokens        He  said :  " I  don't  know  ( yet )!"          context characters split off at both ends

Those of one end stay together, those within stay where they are, and a candidate that has nothing else is one token.
The rules are written out here because no library has them. They are few, and with other tokens the vectors would not
be those that users of Spark NLP know.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from wellread.annotators.annotation import Annotation
from wellread.errors import BadInput

CONTEXT_CHARS = (".", ",", ";", ":", "!", "?", "*", "-", "(", ")", '"', "'")
"""What Spark NLP splits off at the ends of a candidate unless it is told otherwise."""
Span = tuple[int, int]
"""From a character to another, exclusive."""

_HELD = "\ue000"
"""Stands for what an exception holds together, white space too, while candidates are found."""
_CLASS = re.compile(r"\[?(.*?)\]?[+*]?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Rules:
    """The options of a splitter, compiled."""

    context: str
    candidate: re.Pattern[str]
    split: re.Pattern[str] | None
    exception: re.Pattern[str] | None


@dataclass(frozen=True)
class Splitter:
    r"""Splits sentences into tokens.

    ``context_chars`` are split off at the ends. ``split_chars``, or ``split_pattern``, part a token and vanish.
    ``exceptions`` are regular expressions: a candidate that holds a match stays whole, and so does the match if it has
    white space. ``target_pattern`` tells which characters candidates are made of, as ``\S+`` or ``a-z0-9``.
    Tokens shorter than ``min_length`` or longer than ``max_length`` characters are left out. Raises BadInput.
    """

    context_chars: Sequence[str] = CONTEXT_CHARS
    split_chars: Sequence[str] = ()
    split_pattern: str | None = None
    exceptions: Sequence[str] = ()
    case_sensitive_exceptions: bool = True
    min_length: int = 0
    max_length: int | None = None
    target_pattern: str = r"\S+"
    _rules: _Rules = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        flags = re.NOFLAG if self.case_sensitive_exceptions else re.IGNORECASE
        splits = [self.split_pattern] if self.split_pattern else [re.escape(one[-1:]) for one in self.split_chars]
        rules = _Rules(
            "".join(self.context_chars),
            _compiled("target pattern", f"[{_characters(self.target_pattern)}{_HELD}]+"),
            _any_of("split pattern", splits),
            _any_of("exception", self.exceptions, flags),
        )
        object.__setattr__(self, "_rules", rules)

    def __call__(self, sentences: Iterable[Annotation]) -> list[Annotation]:
        """The tokens of the sentences of one row; each bears the number of its sentence."""
        return [token for number, sentence in enumerate(sentences) for token in self._tokens(number, sentence)]

    def spans(self, text: str) -> list[Span]:
        """Where the tokens of a text lie."""
        found = self._found(text)
        if not self.min_length and self.max_length is None:
            return list(found)
        most = len(text) if self.max_length is None else self.max_length
        return [(begin, end) for begin, end in found if self.min_length <= end - begin <= most]

    def _tokens(self, number: int, sentence: Annotation) -> Iterator[Annotation]:
        text, first = sentence.result, sentence.begin
        metadata = {"sentence": sentence.metadata.get("sentence", str(number))}
        for begin, end in self.spans(text):
            yield Annotation("token", first + begin, first + end - 1, text[begin:end], metadata)

    def _found(self, text: str) -> Iterator[Span]:
        exception, split = self._rules.exception, self._rules.split
        held = exception.sub(lambda match: _HELD * len(match[0]), text) if exception else text
        for candidate in self._rules.candidate.finditer(held):
            begin, end = candidate.span()
            if exception and _HELD in candidate[0]:
                yield begin, end
                continue
            for part in self._parted(candidate[0], begin):
                yield from _pieces(text, part, split) if split else (part,)

    def _parted(self, candidate: str, begin: int) -> Iterator[Span]:
        """The context characters before, the word, and those after."""
        context, end = self._rules.context, begin + len(candidate)
        left = end - len(candidate.lstrip(context))
        if left == end:
            yield begin, end
            return
        right = begin + len(candidate.rstrip(context))
        if left > begin:
            yield begin, left
        yield left, right
        if right < end:
            yield right, end


def split_tokens(sentences: Iterable[Annotation]) -> list[Annotation]:
    """The tokens of sentences by Spark NLP's rules as they are unless told otherwise."""
    return _DEFAULT(sentences)


def _pieces(text: str, part: Span, split: re.Pattern[str]) -> Iterator[Span]:
    """What lies between the matches of ``split`` in a part of the text."""
    begin, end = part
    for match in split.finditer(text, begin, end):
        if match.start() > begin:
            yield begin, match.start()
        begin = match.end()
    if begin < end:
        yield begin, end


def _characters(target: str) -> str:
    r"""What stands between the brackets of a class: ``\S+`` → ``\S``, ``[a-z]+`` → ``a-z``."""
    found = _CLASS.fullmatch(target)
    return found[1] if found else target


def _any_of(what: str, patterns: Sequence[str], flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str] | None:
    parts = [_compiled(what, pattern).pattern for pattern in patterns]
    return re.compile("|".join(f"(?:{part})" for part in parts), flags) if parts else None


def _compiled(what: str, pattern: str) -> re.Pattern[str]:
    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            return re.compile(pattern)
    except re.error as error:
        raise BadInput(f"{what} {pattern!r} is no regular expression: {error}") from error


_DEFAULT = Splitter()
