"""The weights of an artifact, held against the digest of its source's tensors."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fixtures.tiny import tiny_architecture, tiny_tensors, tiny_vocabulary
from tests.registry.samples import make_manifest, make_sample
from wellread.converters.forms.torch_form import write_torch
from wellread.converters.weights import Weights
from wellread.registry.artifact.package import open_artifact
from wellread.registry.artifact.tensors import unpacked_problems, weights_problems
from wellread.registry.records import SourceUsed

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def _problems(root: Path, raw: bytes, digest: str = EMPTY) -> list[str]:
    """What is said of the same weights in a zip and in a folder."""
    source = SourceUsed(kind="folder", location="./tiny", format="huggingface", tensors=digest)
    sample = make_sample(root, {"model.safetensors": raw}, source=source)
    found = weights_problems(open_artifact(sample.zip))
    assert unpacked_problems(sample.folder, sample.manifest) == found
    return found


def _file(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def _tensor(begin: int, end: int, *shape: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    architecture = tiny_architecture()
    tensors = tiny_tensors(architecture, 0)
    return Weights(architecture, tensors, tiny_vocabulary(architecture.cased), "huggingface", None, {})


def test_the_torch_form_has_the_digest_of_its_source(weights: Weights, tmp_path: Path) -> None:
    write_torch(tmp_path / "form", weights)
    raw = (tmp_path / "form/model.safetensors").read_bytes()
    assert _problems(tmp_path, raw, weights.digest()) == []


def test_weights_that_were_changed_are_told_whatever_their_hashes_say(weights: Weights, tmp_path: Path) -> None:
    name = next(iter(weights.tensors))
    changed = {**weights.tensors, name: np.nextafter(weights.tensors[name], np.float32(9))}
    write_torch(tmp_path / "form", Weights(**{**vars(weights), "tensors": changed}))
    (problem,) = _problems(tmp_path, (tmp_path / "form/model.safetensors").read_bytes(), weights.digest())
    assert "holds other tensors" in problem and weights.digest() in problem


def test_an_artifact_without_that_form_has_nothing_to_hold_against(tmp_path: Path) -> None:
    assert unpacked_problems(tmp_path, make_manifest()) == []


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"torch",
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 3) + b"{}",
        _file(b"{"),
        _file(b"[" * 100_000),
        _file([]),
        _file({"a": 1}),
        _file({"a": _tensor(0, 4, 1, dtype="F16")}, b"1234"),
        _file({"a": _tensor(0, 4, 2)}, b"1234"),
        _file({"a": _tensor(0, 8, 2)}, b"1234"),
        _file({"a": _tensor(-4, 0, 1)}, b"1234"),
        _file({"a": _tensor(0, 4, -1, -1)}, b"1234"),
        _file({"a": _tensor(0, 4, *[1] * 9)}, b"1234"),
        _file({"a": {"dtype": "F32", "shape": [2**62] * 8, "data_offsets": [0, 4]}}, b"1234"),
        _file(b'{"a":{"dtype":"F32","shape":[1' + b"0" * 100_000 + b'],"data_offsets":[0,4]}}', b"1234"),
    ],
)
def test_what_is_no_dense_file_of_float32_is_a_problem_and_no_crash(tmp_path: Path, raw: bytes) -> None:
    (problem,) = _problems(tmp_path, raw)
    assert "model.safetensors" in problem


@pytest.mark.parametrize(
    "raw",
    [
        _file({"a": _tensor(0, 4, 1), "b": _tensor(0, 4, 1)}, b"1234"),
        _file({"a": _tensor(0, 4, 1)}, b"12345678"),
    ],
)
def test_tensors_that_overlap_are_not_hashed_again_and_again(tmp_path: Path, raw: bytes) -> None:
    (problem,) = _problems(tmp_path, raw)
    assert "overlap, or leave bytes between them" in problem


def test_the_order_of_the_header_is_no_matter(weights: Weights, tmp_path: Path) -> None:
    one, two = np.array([1, 2], "<f4"), np.array([[3]], "<f4")
    digest = Weights(**{**vars(weights), "tensors": {"a": one, "b": two}}).digest()
    raw = _file({"b": _tensor(8, 12, 1, 1), "a": _tensor(0, 8, 2)}, one.tobytes() + two.tobytes())
    assert _problems(tmp_path, raw, digest) == []


def test_a_file_without_tensors_has_the_digest_of_nothing(tmp_path: Path) -> None:
    assert _problems(tmp_path, _file({"__metadata__": {"format": "pt"}})) == []
