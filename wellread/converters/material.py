"""Material: a source that was read, held against its recipe, and accepted.

A recipe's own sources must give its golden values, so a fallback is taken only when it is the same model. A source
given by hand (``--source``) is taken whatever it gives; where it does not prove to be the recipe's model, the material
says ``override``, and an artifact that says so is never published under the recipe's name.
"""

from __future__ import annotations

import hashlib
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from wellread.converters.parity.golden_values import Yardstick, settle
from wellread.converters.parity.probes import Probe, make_probes
from wellread.converters.pull import Pulled
from wellread.converters.recipe import Recipe
from wellread.converters.tokenizer import write_tokenizer
from wellread.converters.weights import Weights, read_weights
from wellread.errors import ParityError
from wellread.registry.records import Pooling, SourceUsed
from wellread.runtime.tokenise import Tokeniser


@dataclass(frozen=True)
class Material:
    """Weights with their tokeniser and the pooling that was settled; ``override`` as the module says.

    ``max_length`` is in tokens, ``[CLS]`` and ``[SEP]`` included: the recipe's, else what the source says to
    sentence-transformers, else all that the model has places for.
    """

    pulled: Pulled
    weights: Weights
    yardstick: Yardstick
    pooling: Pooling
    max_length: int
    override: bool

    @cached_property
    def digest(self) -> str:
        """sha256 over the canonical tensors."""
        return self.weights.digest()

    @cached_property
    def identity(self) -> dict[str, object]:
        """All that a form made of this material depends on, for the workbench's keys."""
        vocabulary = hashlib.sha256(self.weights.vocabulary).hexdigest()
        architecture = msgspec.to_builtins(self.weights.architecture)
        return {
            "tensors": self.digest,
            "vocabulary": vocabulary,
            "architecture": architecture,
            "pooling": self.pooling,
            "max_length": self.max_length,
        }

    @property
    def graph(self) -> str:
        """sha256 of the source's graph, or the empty string where it brings none."""
        folder = self.weights.graph
        return hashlib.sha256((folder / "saved_model.pb").read_bytes()).hexdigest() if folder else ""

    def probes(self) -> tuple[Probe, ...]:
        """The inputs that parity is measured on."""
        shape = self.weights.architecture

        def token_ids(texts: Sequence[str]) -> list[NDArray[np.int64]]:
            return [tokens.ids for tokens in self.yardstick.tokenise(texts)]

        return make_probes(token_ids, shape.vocabulary, shape.positions)

    def source_used(self) -> SourceUsed:
        """What the manifest says of the source."""
        return SourceUsed(
            kind=self.pulled.kind,
            location=self.pulled.source.told,
            format=self.weights.format,
            tensors=self.digest,
            override=self.override,
        )


def read_material(recipe: Recipe, pulled: Pulled, by_hand: bool = False) -> Material:
    """Read a source and hold it against the recipe; warn of what sentence-transformers would do otherwise with it.

    Raises SourceError; ParityError unless it was given ``by_hand``.
    """
    weights = read_weights(pulled.folder, recipe.architecture)
    yardstick = Yardstick(weights, _tokeniser(weights))
    try:
        _check_dimension(recipe, pulled, weights)
        pooling, override = settle(recipe, yardstick), by_hand and not recipe.goldens
    except ParityError:
        if not by_hand:
            raise
        own = weights.sentences.pooling or "mean"
        pooling, override = recipe.pooling if recipe.pooling != "auto" else own, True
    max_length = _max_length(recipe, weights)
    warn_of_differences(recipe.name, weights, pooling, max_length)
    return Material(pulled, weights, yardstick, pooling, max_length, override)


def _max_length(recipe: Recipe, weights: Weights) -> int:
    positions = weights.architecture.positions
    return min(recipe.max_length or weights.sentences.max_length or positions, positions)


def warn_of_differences(name: str, weights: Weights, pooling: Pooling, max_length: int) -> None:
    """Warn of each thing that sentence-transformers does with the source and not with a release of that pooling."""
    for difference in weights.sentences.differences(pooling, max_length, weights.architecture.cased):
        warnings.warn(f"{name}: its source's sentence-transformers settings {difference}", stacklevel=3)


def require_recipes_model(recipe: Recipe, material: Material) -> None:
    """Raise ParityError where a source given by hand did not prove to be the recipe's model."""
    if material.override:
        why = (
            "misses its golden values"
            if recipe.goldens
            else "cannot be held against it, for it quotes no golden values"
        )
        raise ParityError(
            f"{material.pulled.source} is not known to be {recipe.name}: it {why}.\n"
            "Give the result another --name, or only write it to a folder with --out"
        )


def _check_dimension(recipe: Recipe, pulled: Pulled, weights: Weights) -> None:
    found = weights.architecture.hidden
    if recipe.dimension not in (None, found):
        raise ParityError(f"{pulled.source} has {found} dimensions; {recipe.name} has {recipe.dimension}")


def _tokeniser(weights: Weights) -> Tokeniser:
    with tempfile.TemporaryDirectory(prefix="wellread-") as scratch:
        write_tokenizer(Path(scratch), weights.vocabulary, weights.architecture.cased, weights.architecture.positions)
        return Tokeniser(Path(scratch, "tokenizer.json"))
