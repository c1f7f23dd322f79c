"""TensorFlow's checkpoint format, the tensor bundle, read without TensorFlow.

    PREFIX.index                    a sorted string table: "" → header, tensor's key → entry
    PREFIX.data-00000-of-00001      the tensors' bytes; large checkpoints have several such shards

An entry gives dtype, shape, shard, offset, size and the masked crc32c of a tensor. The shards are memory-mapped; a
tensor is a view into its shard, whose bytes are checked against the crc32c when it is read. A tensor of strings is
written as the lengths (varints), a crc32c over them, then the strings; its own crc32c takes in the lengths as 32-bit
numbers. Source of the format: tensorflow/core/util/tensor_bundle and core/protobuf/tensor_bundle.proto.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from wellread.converters.formats.sstable import masked_crc32c, read_table
from wellread.converters.formats.tensorflow_protos import parse
from wellread.converters.formats.varint import read_varint
from wellread.errors import CorruptSource, UnsupportedModel

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
"""The key under which an object-based checkpoint keeps the real names of its variables."""

DTYPES = {
    1: "<f4",
    2: "<f8",
    3: "<i4",
    4: "|u1",
    5: "<i2",
    6: "|i1",
    9: "<i8",
    10: "|b1",
    17: "<u2",
    19: "<f2",
    22: "<u4",
    23: "<u8",
}
"""Number of a type in tensorflow/core/framework/types.proto → numpy's name; 7, a string, is read apart."""
_STRING = 7
_BIG_ENDIAN = 1
_UNNAMED = re.compile(r"(Variable(_\d+)?)?")


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index says of a tensor: type (a number of types.proto), shape, place in bytes, masked crc32c."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc32c: int
    sliced: bool


class TensorBundle:
    """The bundle of a prefix such as ``variables/variables``. Raises CorruptSource, UnsupportedModel for big-endian."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        self.index = Path(f"{prefix}.index")
        table = read_table(self.index)
        self._shard_count = self._read_header(table.pop(b"", None))
        self._shards: dict[int, NDArray[np.uint8]] = {}
        self.entries: Mapping[str, Entry] = {_text(key): self._entry(_text(key), raw) for key, raw in table.items()}

    def read(self, key: str) -> NDArray[Any]:
        """The tensor, checked: a read-only view into the mapped file; strings as an array of bytes objects.

        Raises CorruptSource, and UnsupportedModel for a type or a layout that no BERT has.
        """
        entry = self.entries[key]
        if entry.sliced:
            raise UnsupportedModel(f"{self.index}: tensor {key!r} is stored in slices, which is not supported")
        if entry.dtype == _STRING:
            return self._strings(key, entry)
        dtype = DTYPES.get(entry.dtype)
        if dtype is None:
            raise UnsupportedModel(f"{self.index}: tensor {key!r} is of TensorFlow's type {entry.dtype}, not supported")
        if math.prod(entry.shape) * np.dtype(dtype).itemsize != entry.size:
            raise self._corrupt(key, f"shape {entry.shape} does not take {entry.size} bytes")
        raw = self._bytes(key, entry)
        self._check(key, entry, google_crc32c.value(raw))
        return self._shaped(key, entry, raw.view(dtype))

    def names(self) -> dict[str, str]:
        """Key → the variable's name. They differ where the bundle holds an object graph (TensorFlow 2)."""
        if OBJECT_GRAPH not in self.entries:
            return {key: key for key in self.entries}
        raw = self.read(OBJECT_GRAPH)
        try:
            graph = parse("TrackableObjectGraph", raw.item() if raw.size == 1 else b"\xff")
        except ValueError as error:
            raise self._corrupt(OBJECT_GRAPH, str(error)) from error
        full = {a.checkpoint_key: a.full_name for node in graph.nodes for a in node.attributes}
        return {key: _name(key, full.get(key, "")) for key in self.entries}

    def _read_header(self, raw: bytes | None) -> int:
        try:
            if raw is None:
                raise ValueError("it has no header")
            header = parse("BundleHeader", raw)
        except ValueError as error:
            raise CorruptSource(f"{self.index}: {error}. Fetch the source again") from error
        if header.endianness == _BIG_ENDIAN:
            raise UnsupportedModel(f"{self.index}: written on a big-endian machine, which is not supported")
        return int(header.num_shards)

    def _entry(self, key: str, raw: bytes) -> Entry:
        try:
            proto = parse("BundleEntry", raw)
        except ValueError as error:
            raise self._corrupt(key, str(error)) from error
        shape = tuple(int(dim.size) for dim in proto.shape.dim)
        if proto.shape.unknown_rank or min((0, *shape, proto.offset, proto.size)) < 0:
            raise self._corrupt(key, "its shape or place is negative or unknown")
        return Entry(proto.dtype, shape, proto.shard_id, proto.offset, proto.size, proto.crc32c, bool(proto.slices))

    def _bytes(self, key: str, entry: Entry) -> NDArray[np.uint8]:
        shard = self._shard(key, entry.shard)
        end = entry.offset + entry.size
        if end > shard.size:
            path = self._shard_path(entry.shard)
            raise self._corrupt(key, f"it ends at byte {end}, {path.name} holds {shard.size}; it may be cut off")
        return shard[entry.offset : end]

    def _shard(self, key: str, number: int) -> NDArray[np.uint8]:
        if number not in self._shards:
            path = self._shard_path(number)
            try:
                self._shards[number] = _map(path)
            except OSError as error:
                raise self._corrupt(key, f"its file {path.name} is missing or cannot be read") from error
        return self._shards[number]

    def _shard_path(self, number: int) -> Path:
        return Path(f"{self.prefix}.data-{number:05d}-of-{self._shard_count:05d}")

    def _strings(self, key: str, entry: Entry) -> NDArray[np.object_]:
        raw = self._bytes(key, entry).tobytes()
        count = math.prod(entry.shape)
        if count > len(raw):
            raise self._corrupt(key, f"{count} strings do not fit into {len(raw)} bytes")
        try:
            lengths, at = _lengths(raw, count)
        except ValueError as error:
            raise self._corrupt(key, str(error)) from error
        if at + 4 + sum(lengths) != len(raw):
            raise self._corrupt(key, "its strings do not fill its bytes")
        crc = google_crc32c.value(b"".join(_packed(length) for length in lengths))
        if masked_crc32c(crc) != int.from_bytes(raw[at : at + 4], "little"):
            raise self._corrupt(key, "the lengths of its strings do not match their crc32c")
        self._check(key, entry, google_crc32c.extend(crc, raw[at:]))
        return self._shaped(key, entry, _split(raw, at + 4, lengths))

    def _shaped(self, key: str, entry: Entry, flat: NDArray[Any]) -> NDArray[Any]:
        try:
            return flat.reshape(entry.shape)
        except ValueError as error:
            raise self._corrupt(key, f"shape {entry.shape} is no shape") from error

    def _check(self, key: str, entry: Entry, crc: int) -> None:
        if masked_crc32c(crc) != entry.crc32c:
            raise self._corrupt(key, f"its bytes in {self._shard_path(entry.shard).name} do not match their crc32c")

    def _corrupt(self, key: str, reason: str) -> CorruptSource:
        return CorruptSource(f"{self.index}: tensor {key!r}: {reason}. Fetch the source again")


def _text(key: bytes) -> str:
    return key.decode("utf-8", errors="backslashreplace")


def _map(path: Path) -> NDArray[np.uint8]:
    if path.stat().st_size == 0:  # which cannot be mapped
        return np.zeros(0, np.uint8)
    return np.asarray(np.memmap(path, dtype=np.uint8, mode="r"))


def _name(key: str, full: str) -> str:
    """A variable made without a name is called ``Variable`` or ``Variable_1``: there the attribute's path says more."""
    path = key.partition("/.ATTRIBUTES/")[0]
    return path if _UNNAMED.fullmatch(full.rpartition("/")[2]) else full


def _lengths(raw: bytes, count: int) -> tuple[list[int], int]:
    lengths, at = [], 0
    for _ in range(count):
        length, at = read_varint(raw, at)
        lengths.append(length)
    return lengths, at


def _packed(length: int) -> bytes:
    return length.to_bytes(4 if length < 1 << 32 else 8, "little")


def _split(raw: bytes, at: int, lengths: list[int]) -> NDArray[np.object_]:
    strings = np.empty(len(lengths), np.object_)
    for number, length in enumerate(lengths):
        strings[number] = raw[at : at + length]
        at += length
    return strings
