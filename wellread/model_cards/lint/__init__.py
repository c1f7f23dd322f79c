"""What is missing in a card or contradicts itself, its artifact or its hub; each with its line in the file.

    small_bert.md:1: the front matter has no 'task'
    small_bert.md:44: the snippet "Python" loads 'small_bert_L8_521', the card is about 'small_bert_L8_512'
    small_bert.md:83: Dimension is 768 here, 512 in the manifest

Cards are read leniently (``reading``), so that old posts can be had at all; here everything is said that a reader of
the card would stumble over. Nothing is looked up: whether a hub has an artifact, the caller knows (``listed``).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from wellread.model_cards.card import Card
from wellread.model_cards.lint import body, front_matter, repeated
from wellread.model_cards.lint.checked import Checked, Found, Listed
from wellread.registry.records import Manifest, Record

MOST = 200
"""Problems that are told at most: a card with more is no card."""


class Problem(Record, frozen=True):
    """Something wrong with a card; ``line`` counts from 1, and is 1 where something is missing altogether."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


def lint(
    card: Card, text: str, where: str, manifest: Manifest | None = None, listed: Listed | None = None
) -> list[Problem]:
    """Everything wrong with ``card``, which was read from ``text``, in the order of its lines.

    ``where`` is its file. ``manifest`` is what its artifact says of itself, ``listed`` whether a hub has an artifact;
    without them the card is compared with itself only.
    """
    checked = Checked(card, text, where, manifest, listed)
    found = dict.fromkeys(Problem(where, *each) for rule in _RULES for each in islice(rule(checked), MOST))
    return sorted(found, key=lambda problem: problem.line)[:MOST]


_RULES: tuple[Callable[[Checked], Found], ...] = (*front_matter.RULES, *body.RULES, *repeated.RULES)
