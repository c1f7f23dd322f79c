"""Goldens pass on the model they were made for, and on nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.fixtures.tiny import tiny_architecture, tiny_tensors, tiny_vocabulary
from wellread.errors import IntegrityError, NotFound
from wellread.registry.records import Form, Golden, Goldens, Manifest, Pooling, encode
from wellread.runtime.goldens import read_goldens, replay

pytestmark = pytest.mark.press

TEXTS = ("I love NLP", "", "The quick brown fox jumps over the lazy dog")
Write = Callable[..., Path]


@pytest.fixture
def write(folder: Path, tmp_path: Path) -> Write:
    """``write(pooling, texts)`` → a copy of the model's folder with goldens by the float64 reference."""
    from wellread.converters.parity.golden_values import Yardstick
    from wellread.converters.weights import Weights
    from wellread.runtime.tokenise import Tokeniser

    shape = tiny_architecture()
    weights = Weights(shape, tiny_tensors(shape), tiny_vocabulary(), "huggingface", None, {})
    yardstick = Yardstick(weights, Tokeniser(folder / "tokenizer.json"))

    def write(pooling: Pooling = "mean", texts: tuple[str, ...] = TEXTS) -> Path:
        copy = tmp_path / "model"
        shutil.copytree(folder, copy)
        (copy / "golden.json").write_bytes(encode(yardstick.goldens(texts, pooling)))
        return copy

    return write


def change(folder: Path, number: int, **fields: Any) -> None:
    """Give a golden other fields."""
    goldens = list(read_goldens(folder))
    goldens[number] = msgspec.structs.replace(goldens[number], **fields)
    (folder / "golden.json").write_bytes(encode(Goldens(goldens=tuple(goldens))))


def off_by(golden: Golden, error: float) -> tuple[float, ...]:
    return (golden.vector[0] + error, *golden.vector[1:])


@pytest.mark.parametrize("pooling", ["mean", "mean-words", "cls", "pooler", "pooler-linear"])
def test_goldens_pass_on_their_own_model(write: Write, manifest: Manifest, pooling: Pooling) -> None:
    folder, own = write(pooling), msgspec.structs.replace(manifest, pooling=pooling)
    for form in own.forms:
        replay(folder, own, form)


def test_a_vector_that_is_off_is_named_with_its_form_and_text(write: Write, manifest: Manifest) -> None:
    folder = write()
    change(folder, 2, vector=off_by(read_goldens(folder)[2], 3e-3))
    with pytest.raises(IntegrityError) as raised:
        replay(folder, manifest, "onnx")
    for part in ("'onnx'", "the vector of 'The quick brown fox", "off by 3.00e-03", "1.00e-04"):
        assert part in str(raised.value)


def test_the_vectors_of_pieces_count_too(write: Write, manifest: Manifest) -> None:
    folder = write()
    tokens = np.array(read_goldens(folder)[0].tokens)
    tokens[-1, -1] += 2e-4
    change(folder, 0, tokens=tuple(map(tuple, tokens.tolist())))
    with pytest.raises(IntegrityError, match="the token vectors of 'I love NLP'"):
        replay(folder, manifest, "onnx")


def test_other_weights_miss(write: Write, manifest: Manifest) -> None:
    from wellread.converters.forms.onnx_form import write_onnx
    from wellread.converters.weights import Weights

    folder, shape = write(), tiny_architecture()
    tensors = tiny_tensors(shape)
    tensors["encoder.layer.1.output.dense.bias"][0] += 1e-2
    write_onnx(folder / "onnx/model.onnx", Weights(shape, tensors, tiny_vocabulary(), "huggingface", None, {}))
    with pytest.raises(IntegrityError, match="misses a golden"):
        replay(folder, manifest, "onnx")
    replay(folder, manifest, "onnx-int8")


def test_a_cosine_below_what_is_allowed_misses(write: Write, manifest: Manifest) -> None:
    folder = write()
    strict = Form(members=("onnx/model_int8.onnx",), precision="int8", min_cosine=0.9999999)
    with pytest.raises(IntegrityError, match=r"'onnx-int8' .* has cosine 0\.9\d+, at least 1\.000000 is asked"):
        replay(folder, msgspec.structs.replace(manifest, forms={"onnx-int8": strict}), "onnx-int8")


def test_one_piece_with_a_low_cosine_misses_whatever_the_others_have(write: Write, manifest: Manifest) -> None:
    folder = write()
    tokens = np.array(read_goldens(folder)[2].tokens)
    tokens[3] = -tokens[3]
    change(folder, 2, tokens=tuple(map(tuple, tokens.tolist())))
    lax = Form(members=("onnx/model.onnx",), precision="fp32", min_cosine=0.5)
    with pytest.raises(IntegrityError, match=r"the token vectors of .* has cosine -\d"):
        replay(folder, msgspec.structs.replace(manifest, forms={"onnx": lax}), "onnx")


def test_a_number_that_is_none_misses(write: Write, manifest: Manifest) -> None:
    from wellread.converters.forms.onnx_form import write_onnx
    from wellread.converters.weights import Weights

    folder, shape = write(), tiny_architecture()
    tensors = tiny_tensors(shape)
    tensors["encoder.layer.0.output.dense.bias"][:] = np.nan
    for form in ("onnx", "onnx-int8"):
        path = folder / manifest.forms[form].members[0]
        write_onnx(path, Weights(shape, tensors, tiny_vocabulary(), "huggingface", None, {}))
        with pytest.raises(IntegrityError, match="misses a golden"):
            replay(folder, manifest, form)


def test_a_tokenizer_that_reads_otherwise_is_found(write: Write, manifest: Manifest) -> None:
    folder = write()
    ids = read_goldens(folder)[0].ids
    change(folder, 0, ids=(ids[0], ids[2], ids[1], *ids[3:]))
    with pytest.raises(IntegrityError, match=r"the tokenizer in .* reads 'I love NLP' as"):
        replay(folder, manifest, "onnx")


def test_a_vector_of_another_length_misses(write: Write, manifest: Manifest) -> None:
    folder = write()
    change(folder, 0, vector=(1.0, 2.0))
    with pytest.raises(IntegrityError, match="is of shape"):
        replay(folder, manifest, "onnx")


def test_nothing_passes_unmeasured(write: Write, manifest: Manifest) -> None:
    folder = write()
    lax = Form(members=("onnx/model.onnx",), precision="fp32")
    with pytest.raises(IntegrityError, match="no tolerance"):
        replay(folder, msgspec.structs.replace(manifest, forms={"onnx": lax}), "onnx")
    (folder / "golden.json").write_bytes(encode(Goldens(goldens=())))
    with pytest.raises(IntegrityError, match="holds no golden"):
        replay(folder, manifest, "onnx")
    (folder / "golden.json").write_bytes(b"{")
    with pytest.raises(IntegrityError, match="is not a valid Goldens"):
        replay(folder, manifest, "onnx")
    (folder / "golden.json").unlink()
    with pytest.raises(IntegrityError, match="cannot be read"):
        replay(folder, manifest, "onnx")


def test_an_unknown_form_is_not_found(write: Write, manifest: Manifest) -> None:
    with pytest.raises(NotFound, match="no form 'onnx-int4'"):
        replay(write(), manifest, "onnx-int4")
