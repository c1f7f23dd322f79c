"""Hugging Face folders: safetensors as the library writes them, whole, sharded, halved, broken."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.fixtures.tiny import Tensors, tiny_architecture, tiny_tensors, tiny_vocabulary, write_huggingface
from wellread.converters.formats.huggingface_folder import read_huggingface
from wellread.errors import CorruptSource, UnsupportedModel

pytestmark = pytest.mark.press

ARCHITECTURE = tiny_architecture()
TENSORS = tiny_tensors(ARCHITECTURE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_huggingface(tmp_path, ARCHITECTURE, TENSORS, tiny_vocabulary())
    return tmp_path


def assert_same(folder: Path, tensors: Tensors) -> None:
    found = read_huggingface(folder).tensors
    assert set(found) == set(tensors)
    for name, read in found.items():
        np.testing.assert_array_equal(read(), tensors[name])


def test_tensors_are_views_into_the_file(folder: Path) -> None:
    assert_same(folder, TENSORS)
    kernel = read_huggingface(folder).tensors["pooler.dense.weight"]()
    assert (kernel.flags.owndata, kernel.flags.writeable) == (False, False)


def test_a_single_file_of_any_name_will_do(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "encoder.safetensors")
    assert_same(folder, TENSORS)


def shard(folder: Path, tensors: Tensors) -> dict[str, str]:
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    where = {name: f"model-{number % 2 + 1:05d}-of-00002.safetensors" for number, name in enumerate(names)}
    for file in set(where.values()):
        save_file({name: tensors[name] for name in names if where[name] == file}, folder / file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": where}))
    return where


def test_shards_are_put_together(folder: Path) -> None:
    shard(folder, TENSORS)
    assert_same(folder, TENSORS)


def test_a_missing_shard_or_tensor_is_named(folder: Path) -> None:
    where = shard(folder, TENSORS)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": where | {"more.weight": where["pooler.dense.bias"]}}))
    with pytest.raises(CorruptSource, match=r"tensors more\.weight are in none of its files"):
        read_huggingface(folder)
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(CorruptSource, match=r"model-00002-of-00002\.safetensors not there"):
        read_huggingface(folder)


@pytest.mark.parametrize("content", ["{}", '{"weight_map": {"a": "../model.safetensors"}}', '{"weight_map": {"a": 3}}'])
def test_an_index_that_points_nowhere_or_elsewhere_is_refused(folder: Path, content: str) -> None:
    (folder / "model.safetensors.index.json").write_text(content)
    with pytest.raises(CorruptSource):
        read_huggingface(folder)


def test_half_precision_is_widened_exactly(folder: Path) -> None:
    import torch
    from safetensors.torch import save_file as save_torch

    for dtype in (torch.float16, torch.bfloat16):
        halved = {name: torch.from_numpy(tensor).to(dtype) for name, tensor in TENSORS.items()}
        save_torch(halved, folder / "model.safetensors")
        assert_same(folder, {name: tensor.float().numpy() for name, tensor in halved.items()})


def test_double_precision_is_refused_by_name(folder: Path) -> None:
    save_file({"pooler.dense.bias": np.zeros(2)}, folder / "model.safetensors")
    with pytest.raises(UnsupportedModel, match=r"tensor 'pooler\.dense\.bias' is of type F64; F32, F16, BF16"):
        read_huggingface(folder).tensors["pooler.dense.bias"]()


def test_a_cut_file_or_a_broken_header_is_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    raw = path.read_bytes()
    for broken in (b"", raw[:5], raw[:100], raw[:-1], raw + b"x", b"\xff" * 8 + raw[8:], raw[:8] + b"x" + raw[9:]):
        path.write_bytes(broken)
        with pytest.raises(CorruptSource, match=r"model\.safetensors"):
            read_huggingface(folder)


@pytest.mark.parametrize("given", [{"strip_accents": False}, {"tokenize_chinese_chars": False}, {"never_split": ["a"]}])
def test_a_tokenizer_that_cuts_otherwise_is_refused(folder: Path, given: dict[str, object]) -> None:
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True} | given))
    with pytest.raises(UnsupportedModel, match=f"tokenizer_config.json: {next(iter(given))} is"):
        read_huggingface(folder)


def test_weights_without_a_configuration_are_refused(folder: Path) -> None:
    (folder / "config.json").unlink()
    with pytest.raises(CorruptSource, match=r"has safetensors but no config\.json"):
        read_huggingface(folder)
