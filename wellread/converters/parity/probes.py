"""The inputs that a parity check puts through every form.

A ``Probe`` is one rectangular batch. ``Activations`` is what one way of running the model gives for it, keyed by the
places that are compared: ``embeddings``, ``layer 1`` … ``layer L``, ``sequence``, ``pooled``.

Each probe is there for a mistake that the others would not show: a mask read the wrong way, positions counted from the
first real token, types ignored, a table cut short.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Activations = Mapping[str, NDArray[np.floating]]
"""Point → array: ``(batch, tokens, hidden)``, and ``(batch, hidden)`` for ``pooled``."""
TokenIds = Callable[[Sequence[str]], Sequence[NDArray[np.int64]]]
"""Texts → the ids of each, ``[CLS]`` and ``[SEP]`` included."""

SENTENCES = (
    "I love NLP",
    "The quick brown fox jumps over the lazy dog.",
    "",
    "Antibiotics aren't painkillers, and nobody who read the leaflet would say so!",
    "In 1998 it cost $3.50; today, 27 years later, it's 1,400 % dearer.",
    "Ελλάδα, naïve café, 東京タワー and an emoji 🙂 in one line",
    "Well-read students learn better: on the importance of pre-training compact models",
    "unbelievablylongwordwithoutanyspaces antidisestablishmentarianism",
)
_PARAGRAPH = (
    "A registry keeps what a press has made. Each release is a file with a name that says which model it holds, in "
    "which language, for which library, and when it was made; beside it lies the record of what was measured. "
)


@dataclass(frozen=True)
class Probe:
    """A named batch: ``ids``, ``mask`` and ``types`` are (batch, tokens) int64; ``mask`` is 1 at real positions.

    ``text`` says that the ids are those of real text, on which low-precision forms are judged.
    """

    name: str
    ids: NDArray[np.int64]
    mask: NDArray[np.int64]
    types: NDArray[np.int64]
    text: bool = True


def points(layers: int) -> tuple[str, ...]:
    """The names of the places compared in a model of that many layers, in order."""
    return ("embeddings", *(f"layer {i}" for i in range(1, layers + 1)), "sequence", "pooled")


def make_probes(token_ids: TokenIds, vocabulary: int, positions: int) -> tuple[Probe, ...]:
    """The batches for a model with that many vocabulary entries and positions; always the same ones."""
    rows = [row[:positions] for row in token_ids(SENTENCES)]
    some = rows[3:6]
    sentences, right = _padded("sentences", rows), _padded("holes in the mask", some)
    pair = _padded("two segments", some)
    return (
        sentences,
        _padded("one token", [rows[0][:1]]),
        _padded("left padding", some, left=True),
        replace(right, mask=right.mask * (np.arange(right.mask.shape[1]) % 3 != 1)),
        replace(pair, types=(np.arange(pair.ids.shape[1]) >= 4) * pair.mask),
        _padded("full length", [_full_row(token_ids, positions)]),
        _random("random ids", vocabulary, min(40, positions)),
    )


def single(name: str, ids: NDArray[np.int64]) -> Probe:
    """One row, nothing masked."""
    row = ids[None, :]
    return Probe(name, row, np.ones_like(row), np.zeros_like(row))


def _padded(name: str, rows: Sequence[NDArray[np.int64]], left: bool = False) -> Probe:
    width = max(map(len, rows))
    ids, mask = np.zeros((2, len(rows), width), np.int64)
    for row, (target, real) in zip(rows, zip(ids, mask, strict=True), strict=True):
        place = slice(width - len(row), width) if left else slice(len(row))
        target[place], real[place] = row, 1
    return Probe(name, ids, mask, np.zeros_like(ids))


def _full_row(token_ids: TokenIds, positions: int) -> NDArray[np.int64]:
    row = token_ids([_PARAGRAPH])[0]
    return np.concatenate([np.tile(row, -(-positions // len(row)))[: positions - 1], row[-1:]])


def _random(name: str, vocabulary: int, width: int) -> Probe:
    ids = np.random.default_rng(20200825).integers(0, vocabulary, (2, width), np.int64)
    ids[0, 0], ids[0, -1] = 0, vocabulary - 1
    return Probe(name, ids, np.ones_like(ids), np.zeros_like(ids), text=False)
