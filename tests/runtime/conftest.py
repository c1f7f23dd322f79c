"""A tiny model as an installed folder: tokenizer, ONNX forms and manifest, written once a session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fixtures.tiny import tiny_architecture, tiny_tensors, tiny_vocabulary
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Form, Manifest, SourceUsed
from wellread.runtime.model import Model

ONNX = Form(members=("onnx/model.onnx", "tokenizer.json"), precision="fp32", max_error=1e-4)
INT8 = Form(members=("onnx/model_int8.onnx", "tokenizer.json"), precision="int8", min_cosine=0.9)
TORCH = Form(members=("config.json", "model.safetensors"), precision="fp32", max_error=1e-4)
LIMIT = 24
"""The model's ``max_length``: short, so that long texts are cheap."""


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder; read-only for tests."""
    from wellread.converters.forms.onnx_form import write_onnx
    from wellread.converters.tokenizer import write_tokenizer
    from wellread.converters.weights import Weights

    folder = tmp_path_factory.mktemp("installed")
    shape, vocabulary = tiny_architecture(), tiny_vocabulary()
    write_tokenizer(folder, vocabulary, shape.cased, shape.positions)
    weights = Weights(shape, tiny_tensors(shape), vocabulary, "huggingface", None, {})
    write_onnx(folder / "onnx/model.onnx", weights, pooler_linear=True)
    write_onnx(folder / "onnx/model_int8.onnx", weights, "int8", pooler_linear=True)
    return folder


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    """Its manifest, pooling by ``mean``."""
    shape = tiny_architecture()
    return Manifest(
        name=ModelName("tiny"),
        language=Lang("en"),
        library_version="2.6.0",
        spark_version="2.4",
        time=1598344705269,
        title="Tiny",
        description="",
        annotator="BertEmbeddings",
        task="Embeddings",
        engine="onnx",
        license="Apache-2.0",
        author="",
        edition="",
        supported=True,
        tags=(),
        aliases=(),
        data_source="",
        citation="",
        repository="",
        examples=(),
        dimension=shape.hidden,
        max_length=LIMIT,
        pooling="mean",
        architecture=shape,
        source=SourceUsed(kind="folder", location="", format="huggingface", tensors=""),
        inputs=(),
        outputs=(),
        forms={"onnx": ONNX, "onnx-int8": INT8, "torch": TORCH},
        files=(),
    )


@pytest.fixture(scope="session")
def make_model(folder: Path, manifest: Manifest) -> Callable[..., Model]:
    """``make_model(pooling="cls")`` → the model under a manifest with those fields."""

    def make(form: str = "onnx", **fields: Any) -> Model:
        return Model(folder, msgspec.structs.replace(manifest, **fields), form)

    return make


@pytest.fixture(scope="session")
def model(make_model: Callable[..., Model]) -> Model:
    """The model in fp32."""
    return make_model()
