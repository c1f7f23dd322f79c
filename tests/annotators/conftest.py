"""The tiny models of the runtime's tests, one that drops case and one that keeps it, and what they are made to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.fixtures.tiny import tiny_architecture, tiny_tensors, tiny_vocabulary
from tests.runtime.conftest import folder, make_model, manifest, model
from wellread.annotators.annotation import Annotation
from wellread.annotators.documents import document
from wellread.annotators.tokens import Splitter
from wellread.annotators.words import Sentence, sentences_of
from wellread.registry.records import Manifest
from wellread.runtime.model import Model

__all__ = ["folder", "make_model", "manifest", "model"]

Sequences = list[NDArray[np.int64]]


@pytest.fixture(scope="session")
def cased_model(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest) -> Model:
    """As ``model``, with a vocabulary of both cases."""
    from wellread.converters.forms.onnx_form import write_onnx
    from wellread.converters.tokenizer import write_tokenizer
    from wellread.converters.weights import Weights

    folder, shape = tmp_path_factory.mktemp("cased"), tiny_architecture(cased=True)
    vocabulary = tiny_vocabulary(cased=True)
    write_tokenizer(folder, vocabulary, True, shape.positions)
    weights = Weights(shape, tiny_tensors(shape), vocabulary, "huggingface", None, {})
    write_onnx(folder / "onnx/model.onnx", weights, pooler_linear=True)
    return Model(folder, msgspec.structs.replace(manifest, architecture=shape), "onnx")


@pytest.fixture(scope="session")
def models(model: Model, cased_model: Model) -> dict[bool, Model]:
    """Whether the model keeps case → the model."""
    return {False: model, True: cased_model}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sequences]:
    """Every sequence of ids that a model is given, in the order of the sentences."""
    seen: Sequences = []
    states = Model.states

    def watched(self: Model, sequences: Sequences, *how: Any) -> Any:
        seen.extend(sequences)
        return states(self, sequences, *how)

    monkeypatch.setattr(Model, "states", watched)
    yield seen


@pytest.fixture(scope="session")
def pieces(models: dict[bool, Model]) -> Callable[[Any], list[str]]:
    """``pieces(ids)`` → as the uncased vocabulary spells them."""
    tokens = tiny_vocabulary().decode().split("\n")
    return lambda ids: [tokens[one] for one in ids]


def tokenised(text: str) -> list[Sentence]:
    """A text as one sentence with the tokens of the default rules."""
    whole: list[Annotation] = document(text)
    return sentences_of(whole, Splitter()(whole))
