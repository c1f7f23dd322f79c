"""Golden values: what is known of a model's output before it is pressed, and what is carried along to be replayed.

A recipe quotes the leading floats that somebody published for a text. They decide whether a source is the model that
the recipe means, and, for a recipe whose pooling is ``auto``, how its sentence vectors are made. The artifact's
``golden.json`` goes the other way: the float64 reference's own vectors, for every machine to check an install against.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellread.converters.parity.probes import Activations, single
from wellread.converters.parity.reference import Reference
from wellread.converters.recipe import Golden as Known
from wellread.converters.recipe import Recipe
from wellread.converters.weights import Weights
from wellread.errors import ParityError
from wellread.registry.records import Architecture, Golden, Goldens, Pooling
from wellread.runtime.tokenise import Tokeniser

Vector = NDArray[np.floating[Any]]

DECIMALS = 6
"""Float64 results rounded to this many decimals were the same under every BLAS kernel and thread count tried."""
REPLAYED = ("I love NLP", "", "The quick brown fox jumps over the lazy dog.", "naïve café 東京 🙂, 3.14!")
"""Texts in every ``golden.json``, after the recipe's own examples."""


def _mean_words(run: Activations) -> Vector:
    inner = run["sequence"][0, 1:-1]
    mean: Vector = (inner if len(inner) else run["sequence"][0]).mean(axis=0)
    return mean


POOLINGS: Mapping[Pooling, Callable[[Activations], Vector]] = {
    "mean": lambda run: run["sequence"][0].mean(axis=0),
    "mean-words": _mean_words,
    "cls": lambda run: run["sequence"][0, 0],
    "pooler": lambda run: run["pooled"][0],
    "pooler-linear": lambda run: run["pooled linear"][0],
}
"""Pooling → the vector (hidden,) of a batch of one row."""


@dataclass(frozen=True)
class Yardstick:
    """The float64 reference behind the model's own tokeniser."""

    weights: Weights
    tokenise: Tokeniser

    def goldens(self, texts: Sequence[str], pooling: Pooling) -> Goldens:
        """What ``golden.json`` says of those of the texts that the model takes whole."""
        distinct = list(dict.fromkeys(texts))
        fitting = zip(distinct, self.tokenise(distinct), strict=True)
        limit = self.weights.architecture.positions
        return Goldens(goldens=tuple(self._golden(text, t.ids, pooling) for text, t in fitting if len(t.ids) <= limit))

    def _golden(self, text: str, ids: NDArray[np.int64], pooling: Pooling) -> Golden:
        run = Reference(self.weights).run(single("golden", ids))
        tokens = tuple(map(_rounded, run["sequence"][0]))
        return Golden(text=text, ids=tuple(map(int, ids)), vector=_rounded(POOLINGS[pooling](run)), tokens=tokens)

    def distances(self, golden: Known) -> dict[str, float]:
        """Way of making the golden's vector → the largest error of the floats it quotes."""
        ids = np.array(golden.ids, np.int64) if golden.ids else self.tokenise([golden.text])[0].ids
        _check_fits(golden, ids, self.weights.architecture)
        run = Reference(self.weights).run(single("golden", ids))
        known = np.array(golden.first)
        return {way: float(np.abs(vector[: len(known)] - known).max()) for way, vector in self._vectors(golden, run)}

    def _vectors(self, golden: Known, run: Activations) -> list[tuple[str, Vector]]:
        if golden.level == "sentence":
            return [(pooling, pool(run)) for pooling, pool in POOLINGS.items()]
        if golden.level == "pooled":
            return [("pooled", run["pooled"][0])]
        return [("token", run["sequence"][0, self._position(golden, len(run["sequence"][0]))])]

    def _position(self, golden: Known, tokens: int) -> int:
        """The golden's position, or the first piece of its word."""
        if golden.position is not None:
            if golden.position >= tokens:
                raise ParityError(f"{_described(golden)} quotes a position past the {tokens} tokens of its text")
            return golden.position
        words = self.tokenise([golden.text])[0].words
        found = [word.first for word in words if golden.text[word.begin : word.end] == golden.word]
        if not found:
            raise ParityError(f"{_described(golden)}: the tokeniser makes no such word of that text")
        return found[0]


def _check_fits(golden: Known, ids: NDArray[np.int64], shape: Architecture) -> None:
    """Raise ParityError where the golden cannot be one of a model of that shape."""
    wrong = {
        f"has {len(ids)} tokens, and the model has places for {shape.positions}": len(ids) > shape.positions,
        f"has id {ids.max()}, and the vocabulary has {shape.vocabulary} entries": ids.max() >= shape.vocabulary,
        f"quotes {len(golden.first)} floats of {shape.hidden}": len(golden.first) > shape.hidden,
    }
    problems = [problem for problem, so in wrong.items() if so]
    if problems:
        raise ParityError(f"{_described(golden)} is not one of this model: it {' and '.join(problems)}")


def settle(recipe: Recipe, yardstick: Yardstick) -> Pooling:
    """The pooling of the model, once its golden values have passed. Raises ParityError naming every distance."""
    measured = [(golden, yardstick.distances(golden)) for golden in recipe.goldens]
    own = yardstick.weights.sentences.pooling or "mean"
    fitting = _settle_auto(recipe, measured, own) if recipe.pooling == "auto" else recipe.pooling
    missed = [
        f"{_described(golden)} is off by {distance:.2g}, {golden.tolerance:g} is allowed"
        for golden, distances in measured
        if (distance := distances.get(fitting, next(iter(distances.values())))) > golden.tolerance
    ]
    if missed:
        raise ParityError("the golden values are not met: " + "; ".join(missed))
    return fitting


def _settle_auto(recipe: Recipe, measured: Sequence[tuple[Known, Mapping[str, float]]], own: Pooling) -> Pooling:
    """The pooling that the goldens of sentences prove, ``own`` where there is none of them."""
    sentences = [(golden, distances) for golden, distances in measured if golden.level == "sentence"]
    if not sentences:
        return own
    worst = {pooling: max(distances[pooling] for _, distances in sentences) for pooling in POOLINGS}
    tolerance = min(golden.tolerance for golden, _ in sentences)
    best = min(POOLINGS, key=lambda pooling: worst[pooling])
    if worst[best] <= tolerance:
        return best
    tried = ", ".join(f"{pooling} is off by {distance:.2g}" for pooling, distance in worst.items())
    raise ParityError(f"no pooling gives {recipe.name}'s golden values within {tolerance:g}: {tried}")


def _described(golden: Known) -> str:
    what = f"{golden.word!r} in {golden.text!r}" if golden.word else repr(golden.text or list(golden.ids))
    return f"the {golden.level} golden of {what}"


def _rounded(vector: Vector) -> tuple[float, ...]:
    # Adding zero turns -0.0 into 0.0, whose sign is a matter of the machine.
    return tuple(float(number) for number in np.round(vector, DECIMALS) + 0.0)
