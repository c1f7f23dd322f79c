"""Whether the weights in an artifact are the ones that its manifest names.

    model.safetensors      8 bytes: length n of the header, little-endian
                           n bytes: {"<tensor>": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …}
                           the tensors' bytes, little-endian and dense

``manifest.source.tensors`` is the sha256 over the source's canonical tensors, which the ``torch`` form holds as they
are: for each, sorted by name, ``name``, newline, shape, newline, bytes. So it can be worked out again from the zip
alone, without numpy. The ``onnx`` forms are held against the goldens instead: their graphs keep the weights otherwise.

Format: https://github.com/huggingface/safetensors, README. Parsed here because its library is of the press extra.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import partial
from math import prod
from pathlib import Path
from typing import TypeVar

import msgspec

from wellread.errors import IntegrityError
from wellread.registry import pieces
from wellread.registry.artifact import layout
from wellread.registry.artifact.package import Package
from wellread.registry.records import Manifest, Record

WEIGHTS = "model.safetensors"
_LONGEST = 16 * 1024 * 1024
"""Bytes of a header at most: a hundred times what a large model needs."""
_DIMENSIONS = 8
_ITEM = 4
"""Bytes of a float32."""

T = TypeVar("T")
Stretch = Callable[[int, int], Iterable[bytes]]
"""From a position in the file and a length to those bytes, in chunks."""


class Laid(Record, frozen=True, kw_only=True):
    """Where a tensor lies: the first byte and the one after the last, counted from the end of the header."""

    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


def weights_problems(package: Package) -> list[str]:
    """What speaks against the weights of an artifact being those of its source; nothing where it has no such form."""
    at = layout.offsets(package.manifest, len(package.raw)).get(WEIGHTS, 0)
    return _problems(package.manifest, lambda start, length: package.stretch(at + start, length))


def unpacked_problems(folder: Path, manifest: Manifest) -> list[str]:
    """The same of an artifact's members in a folder."""
    return _problems(manifest, partial(pieces.stretch, folder / WEIGHTS))


def _problems(manifest: Manifest, stretch: Stretch) -> list[str]:
    member = next((member for member in manifest.files if member.name == WEIGHTS), None)
    if member is None:
        return []
    try:
        found = _digest(stretch, member.size)
    except IntegrityError as error:
        return [str(error)]
    stated = manifest.source.tensors
    return [] if found == stated else [f"its {WEIGHTS} holds other tensors (sha256 {found}) than its source ({stated})"]


def _digest(stretch: Stretch, size: int) -> str:
    """The digest over the tensors of a file of that size. Raises IntegrityError for what is no such file of float32."""
    length = int.from_bytes(b"".join(stretch(0, 8)), "little")
    if length > min(_LONGEST, size - 8):
        raise IntegrityError(f"its {WEIGHTS} is no safetensors file")
    data = 8 + length
    laid = _parse(b"".join(stretch(8, length)), size - data)
    digest = hashlib.sha256()
    for name in sorted(laid):
        begin, end = laid[name].data_offsets
        digest.update(f"{name}\n{laid[name].shape}\n".encode())
        for chunk in stretch(data + begin, end - begin):
            digest.update(chunk)
    return digest.hexdigest()


def _parse(header: bytes, room: int) -> dict[str, Laid]:
    """Where each tensor lies; together they fill ``room`` bytes. Raises IntegrityError."""
    entries = _decoded(header, dict[str, msgspec.Raw])
    laid = {name: _decoded(bytes(raw), Laid) for name, raw in entries.items() if name != "__metadata__"}
    if wrong := next((name for name, tensor in laid.items() if not _is_dense(tensor, room)), None):
        raise IntegrityError(f"its {WEIGHTS} does not hold {wrong!r} as dense float32")
    if sum(end - begin for begin, end in (tensor.data_offsets for tensor in laid.values())) != room:
        raise IntegrityError(f"the tensors of its {WEIGHTS} overlap, or leave bytes between them")
    return laid


def _is_dense(tensor: Laid, room: int) -> bool:
    begin, end = tensor.data_offsets
    fits = 0 <= begin <= end <= room and len(tensor.shape) <= _DIMENSIONS and min(tensor.shape, default=0) >= 0
    return fits and tensor.dtype == "F32" and end - begin == _ITEM * prod(tensor.shape)


def _decoded(raw: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise IntegrityError(f"the header of its {WEIGHTS} cannot be read: {error}") from error
