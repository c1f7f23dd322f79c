"""An ONNX file opened without a copy of its weights.

onnxruntime reads a model whole and copies its weights. Those that lie in another file, ONNX's external data, it maps:
what is never used is never read, and the processes of a machine share the pages. An artifact's graph and weights are
one file. So the graph is taken out of it, and of each large weight it says where in that very file it lies:

    ModelProto.graph = 7 ─ GraphProto.initializer = 5 ─ TensorProto.raw_data = 9
                                                        → external_data = 13, data_location = 14

The numbers are those of onnx.proto3, the encoding is protobuf's. This module reads as much of it as it needs: the onnx
package would be 30 MB more for every consumer, and its import takes longer than what is gained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import NamedTuple

LARGE = 2**16
"""Bytes of the smallest weight that is left in the file. These are matrices and tables: packed, or copied row by row,
whatever their alignment in the file. Smaller ones are computed with where they lie, and are aligned in a copy."""
MOST = 2**17
"""Fields of a message, at most: a graph has some thousands."""
_GRAPH, _INITIALIZER = 7, 5
_RAW, _EXTERNAL, _LOCATION, _ELSEWHERE = 9, 13, 14, 1
_NUMBER, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
"""Protobuf's types of fields: a number of variable length, 8 bytes, a length and as many bytes, 4 bytes."""


class _Field(NamedTuple):
    """A field of a message: where it begins, where its content does, and where it ends."""

    number: int
    kind: int
    begin: int
    content: int
    end: int


def graph_of(onnx: Path, place: str) -> bytes:
    """The model in a file with its large weights left there; ``place`` is how onnxruntime shall find that file.

    Raises ValueError for what is no ONNX model, has no large weights, or has weights in other files; and OSError.
    """
    with onnx.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as model:
        graph = _replaced(model, 0, len(model), _GRAPH, lambda graph: _graph(model, graph, place))
        if len(graph) > len(model) - LARGE // 2:
            raise ValueError(f"{onnx} has no weight of {LARGE} bytes or more")
        return graph


def _graph(model: mmap, graph: _Field, file: str) -> bytes:
    return _replaced(model, graph.content, graph.end, _INITIALIZER, lambda tensor: _tensor(model, tensor, file))


def _tensor(model: mmap, tensor: _Field, file: str) -> bytes:
    """A tensor, without its bytes if they are many."""
    fields = list(_fields(model, tensor.content, tensor.end))
    raw = [_checked(field) for field in fields if field.number == _RAW]
    if len(raw) > 1 or any(field.number in (_EXTERNAL, _LOCATION) for field in fields):
        raise ValueError("a weight lies in another file already, or in two places")
    weights = next((each for each in raw if each.end - each.content >= LARGE), None)
    kept = b"".join(model[each.begin : each.end] for each in fields if each is not weights)
    if weights is None:
        return kept
    place = {"location": file, "offset": str(weights.content), "length": str(weights.end - weights.content)}
    entries = (_bytes(1, key.encode()) + _bytes(2, value.encode()) for key, value in place.items())
    outside = b"".join(_bytes(_EXTERNAL, entry) for entry in entries)
    return kept + outside + _varint(_LOCATION << 3) + _varint(_ELSEWHERE)


# ---------------------------------------------------------------- protobuf


def _replaced(data: mmap, begin: int, end: int, number: int, new: Callable[[_Field], bytes]) -> bytes:
    """A message with what ``new`` makes of each field of that number."""
    return b"".join(
        _bytes(number, new(_checked(field))) if field.number == number else data[field.begin : field.end]
        for field in _fields(data, begin, end)
    )


def _checked(field: _Field) -> _Field:
    if field.kind != _BYTES:
        raise ValueError(f"field {field.number} at byte {field.begin} is of another type than ONNX's")
    return field


def _fields(data: mmap, begin: int, end: int) -> Iterator[_Field]:
    for _ in range(MOST):
        if begin == end:
            return
        key, content = _number(data, begin, end)
        kind = key & 7
        if kind == _BYTES:
            size, content = _number(data, content, end)
            after = content + size
        elif kind == _NUMBER:
            _, after = _number(data, content, end)
        elif kind in (_EIGHT, _FOUR):
            after = content + (8 if kind == _EIGHT else 4)
        else:
            raise ValueError(f"no message of protobuf: field of type {kind} at byte {begin}")
        if after > end:
            raise ValueError(f"no message of protobuf: the field at byte {begin} goes past its end")
        yield _Field(key >> 3, kind, begin, content, after)
        begin = after
    raise ValueError(f"a message of more than {MOST} fields")


def _number(data: mmap, at: int, end: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    found = shift = 0
    while at < end and shift < 64:
        byte = data[at]
        at, found, shift = at + 1, found | (byte & 127) << shift, shift + 7
        if byte < 128:
            return found, at
    raise ValueError(f"no message of protobuf: a number without end before byte {at}")


def _varint(number: int) -> bytes:
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + _varint(rest) if rest else bytes([low])


def _bytes(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content
