"""The bundle reader beside TensorFlow's, and under every single flipped bit."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.fixtures.bundles import entry, sample_tensors, write_bundle, write_table
from wellread.converters.formats.tensor_bundle import OBJECT_GRAPH, TensorBundle
from wellread.errors import CorruptSource, UnsupportedModel

pytestmark = pytest.mark.press

_ORACLE = """
import sys, pathlib, numpy as np, tensorflow as tf
folder = pathlib.Path(sys.argv[1])
random = np.random.default_rng(0)

def save(prefix, tensors):
    names = list(tensors)
    tf.raw_ops.SaveV2(prefix=str(prefix), tensor_names=names, shape_and_slices=[""] * len(names),
                      tensors=[tf.constant(value) for value in tensors.values()])

kinds = ["float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
numbers = {f"many/{kind}": (random.normal(size=(3, 2, 4)) * 50).astype(kind) for kind in kinds}
numbers |= {f"block/{i:03d}/kernel": np.full((2, i), i, "float32") for i in range(300)}
save(folder / "tf", numbers | {"flags": np.array([True, False]), "scalar": np.float32(3.5),
                               "strings": np.array([["", "a"], ["\\xe9" * 200, "b" * 70000]])})
save(folder / "part-0", {"x": np.arange(5, dtype="float32")})
save(folder / "part-1", {"y": np.arange(7, dtype="int64")})
tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=[str(folder / "part-0"), str(folder / "part-1")],
                              destination_prefix=str(folder / "sharded"))

class Inner(tf.Module):
    def __init__(self, name):
        super().__init__(name)
        with self.name_scope:
            self.kernel = tf.Variable(tf.ones((2, 3)), name="kernel")
            self.flag = tf.Variable(True)

tf.train.Checkpoint(first=Inner(name="scope")).write(str(folder / "objects"))
for name in ("tf", "sharded", "objects", "plain", "squeezed", "spread"):
    reader = tf.train.load_checkpoint(str(folder / name))
    tensors = {key: reader.get_tensor(key) for key in reader.get_variable_to_shape_map()}
    tensors = {key: np.frombuffer(b"\\0".join(np.array(t, object).ravel().tolist()), "u1")
               if np.asarray(t).dtype.kind in "OS" else t for key, t in tensors.items()}
    np.savez(folder / f"{name}.npz", **{key.replace("/", "|"): value for key, value in tensors.items()})
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundles written by TensorFlow and by tests/fixtures/bundles.py, each with what TensorFlow reads in it."""
    folder = tmp_path_factory.mktemp("bundles")
    write_bundle(folder / "plain", sample_tensors())
    write_bundle(folder / "squeezed", sample_tensors(), snappy=True)
    write_bundle(folder / "spread", sample_tensors(), shards=3)
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, "-c", _ORACLE, str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr[-3000:]
    return folder


@pytest.mark.parametrize("name", ["tf", "sharded", "objects", "plain", "squeezed", "spread"])
def test_every_tensor_is_what_tensorflow_reads(folder: Path, name: str) -> None:
    bundle = TensorBundle(folder / name)
    with np.load(folder / f"{name}.npz") as oracle:
        assert sorted(bundle.entries) == sorted(key.replace("|", "/") for key in oracle)
        for key in bundle.entries:
            found, truth = bundle.read(key), oracle[key.replace("/", "|")]
            if found.dtype == object:
                found = np.frombuffer(b"\0".join(found.ravel().tolist()), "u1")
            assert found.dtype == truth.dtype
            np.testing.assert_array_equal(found, truth)


def test_names_come_from_the_object_graph(folder: Path) -> None:
    names = TensorBundle(folder / "objects").names()
    assert names["first/kernel/.ATTRIBUTES/VARIABLE_VALUE"] == "scope/kernel"
    assert names["first/flag/.ATTRIBUTES/VARIABLE_VALUE"] == "first/flag", "a variable without a name has its path's"
    assert names[OBJECT_GRAPH] == OBJECT_GRAPH


def test_names_without_an_object_graph_are_the_keys(tmp_path: Path) -> None:
    write_bundle(tmp_path / "b", sample_tensors())
    assert TensorBundle(tmp_path / "b").names() == {name: name for name in sample_tensors()}


def test_tensors_are_views_into_the_file(tmp_path: Path) -> None:
    write_bundle(tmp_path / "b", sample_tensors())
    bundle = TensorBundle(tmp_path / "b")
    kernel = bundle.read("bert/a/kernel")
    assert not kernel.flags.owndata
    assert not kernel.flags.writeable
    assert kernel.base is not None


def read_all(prefix: Path) -> None:
    bundle = TensorBundle(prefix)
    bundle.names()
    for key in bundle.entries:
        bundle.read(key)


def broken(raw: bytes) -> Iterator[tuple[str, bytes]]:
    for at in range(len(raw)):
        yield f"cut at {at}", raw[:at]
        for bit in range(8):
            yield f"bit {bit} of byte {at}", raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :]


@pytest.mark.parametrize("snappy", [False, True])
@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001"])
def test_every_flipped_bit_and_every_cut_is_noticed(tmp_path: Path, suffix: str, snappy: bool) -> None:
    prefix = tmp_path / "b"
    write_bundle(prefix, {"bert/a": np.arange(6, dtype="<f4").reshape(2, 3), "flag": np.array(True)}, snappy=snappy)
    path = Path(f"{prefix}{suffix}")
    unnoticed = []
    for what, raw in broken(path.read_bytes()):
        path.write_bytes(raw)
        try:
            read_all(prefix)
            unnoticed.append(what)
        except CorruptSource:
            pass
    assert unnoticed == []


def test_flipped_bits_of_strings_are_noticed(folder: Path, tmp_path: Path) -> None:
    for suffix in (".index", ".data-00000-of-00001"):
        (tmp_path / f"o{suffix}").write_bytes((folder / f"objects{suffix}").read_bytes())
    path = tmp_path / "o.data-00000-of-00001"
    raw = path.read_bytes()
    for at in range(len(raw)):
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 1 << at % 8]) + raw[at + 1 :])
        with pytest.raises(CorruptSource):
            read_all(tmp_path / "o")


def test_a_missing_index_or_shard_is_named(tmp_path: Path) -> None:
    write_bundle(tmp_path / "b", sample_tensors(), shards=2)
    (tmp_path / "b.data-00001-of-00002").unlink()
    with pytest.raises(CorruptSource, match=r"tensor 'bert/a/kernel': its file b\.data-00001-of-00002 is missing"):
        read_all(tmp_path / "b")
    (tmp_path / "b.index").unlink()
    with pytest.raises(CorruptSource, match=r"b\.index: the file is missing"):
        TensorBundle(tmp_path / "b")


def test_big_endian_is_refused(tmp_path: Path) -> None:
    write_bundle(tmp_path / "b", sample_tensors(), endianness=1)
    with pytest.raises(UnsupportedModel, match="big-endian"):
        TensorBundle(tmp_path / "b")


@pytest.mark.parametrize(
    ("proto", "reason"),
    [
        (entry(1, (4, 4), 0, 0, b"abcd"), "does not take 4 bytes"),
        (entry(1, (1 << 62, 1 << 62), 0, 0, b"abcd"), "does not take 4 bytes"),
        (entry(1, (0, 1 << 62, 1 << 62), 0, 0, b""), "is no shape"),
        (entry(1, (1,), 0, 1 << 60, b"abcd"), "it may be cut off"),
        (entry(1, (1,), 77, 0, b"abcd"), "is missing"),
        (entry(1, (-1 % 2**64,), 0, 0, b""), "negative"),
        (entry(7, (1 << 60,), 0, 0, b"abcd"), "do not fit"),
        (entry(7, (2,), 0, 0, b"abcd"), "do not fill"),
        (b"\x0a", "cannot be read"),
    ],
)
def test_an_entry_that_lies_is_refused_without_a_traceback(tmp_path: Path, proto: bytes, reason: str) -> None:
    write_table(tmp_path / "b.index", {b"": b"\x08\x01", b"x": proto})
    (tmp_path / "b.data-00000-of-00001").write_bytes(b"abcd")
    with pytest.raises(CorruptSource, match=f"tensor 'x'.*{reason}"):
        TensorBundle(tmp_path / "b").read("x")


def test_types_and_layouts_of_no_bert_are_refused_by_name(tmp_path: Path) -> None:
    sliced = entry(1, (1,), 0, 0, b"abcd") + b"\x3a\x00"
    write_table(tmp_path / "b.index", {b"": b"\x08\x01", b"sliced": sliced, b"variant": entry(21, (), 0, 0, b"abcd")})
    (tmp_path / "b.data-00000-of-00001").write_bytes(b"abcd")
    bundle = TensorBundle(tmp_path / "b")
    with pytest.raises(UnsupportedModel, match="'sliced' is stored in slices"):
        bundle.read("sliced")
    with pytest.raises(UnsupportedModel, match="'variant' is of TensorFlow's type 21"):
        bundle.read("variant")


def test_an_object_graph_that_is_none_is_refused(tmp_path: Path) -> None:
    write_bundle(tmp_path / "b", {OBJECT_GRAPH: np.arange(3, dtype="<f4")})
    with pytest.raises(CorruptSource, match="TrackableObjectGraph"):
        TensorBundle(tmp_path / "b").names()


def test_a_bundle_without_a_header_is_refused(tmp_path: Path) -> None:
    write_table(tmp_path / "b.index", {b"x": entry(1, (1,), 0, 0, struct.pack("<f", 1))})
    with pytest.raises(CorruptSource, match="no header"):
        TensorBundle(tmp_path / "b")
