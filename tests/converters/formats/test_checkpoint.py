"""Finding the one checkpoint of a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.fixtures.bundles import sample_tensors, write_bundle
from wellread.converters.formats.checkpoint import read_checkpoint
from wellread.errors import BadInput, CorruptSource

pytestmark = pytest.mark.press


@pytest.mark.parametrize("prefix", ["bert_model.ckpt", "model.ckpt-1000000", "weights"])
def test_any_prefix_will_do(tmp_path: Path, prefix: str) -> None:
    write_bundle(tmp_path / prefix, sample_tensors())
    found = read_checkpoint(tmp_path)
    assert (found.format, found.graph) == ("tf1-checkpoint", None)
    for name, tensor in sample_tensors().items():
        np.testing.assert_array_equal(found.tensors[name](), tensor)


def test_several_are_an_error_that_names_them(tmp_path: Path) -> None:
    write_bundle(tmp_path / "a.ckpt", sample_tensors())
    write_bundle(tmp_path / "b.ckpt", sample_tensors())
    with pytest.raises(BadInput, match=r"several checkpoints: a\.ckpt, b\.ckpt"):
        read_checkpoint(tmp_path)


def test_a_lost_index_is_named(tmp_path: Path) -> None:
    write_bundle(tmp_path / "a.ckpt", sample_tensors())
    (tmp_path / "a.ckpt.index").unlink()
    with pytest.raises(CorruptSource, match=r"a\.ckpt\.data-00000-of-00001 but no a\.ckpt\.index"):
        read_checkpoint(tmp_path)
