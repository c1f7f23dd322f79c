"""A Hugging Face folder: ``config.json``, ``model.safetensors`` or its shards, ``vocab.txt`` or ``tokenizer.json``.

A safetensors file is eight bytes with the size of a JSON header, the header (name → dtype, shape, offsets), the bytes
of the tensors. The library checks that the header and the file agree; the tensors are then mapped, not loaded.
Half-precision weights are widened to float32, which loses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from wellread.converters.formats.claims import Claim
from wellread.converters.formats.configuration import (
    HUGGINGFACE,
    TOKENIZER_CONFIG,
    case_claims,
    check_huggingface,
    huggingface_claims,
    read_json,
)
from wellread.converters.formats.contents import Contents
from wellread.converters.formats.sentence_settings import read_sentence_settings
from wellread.errors import CorruptSource, UnsupportedModel

INDEX = "model.safetensors.index.json"
_TOKENIZER_FIXED = {"tokenize_chinese_chars": True, "do_basic_tokenize": True, "never_split": None}
"""What a tokenizer_config.json must say, where it speaks, for text to be cut as Google's tokenizer does."""


def read_huggingface(folder: Path) -> Contents:
    """The tensors and the claims of such a folder. Raises CorruptSource, UnsupportedModel."""
    if not (folder / HUGGINGFACE).is_file():
        raise CorruptSource(f"{folder} has safetensors but no {HUGGINGFACE}")
    check_huggingface(folder)
    _check_tokenizer(folder)
    tensors: dict[str, Callable[[], NDArray[Any]]] = {}
    for path in _files(folder):
        for name, header in _header(path):
            if name in tensors:
                raise CorruptSource(f"{path}: tensor {name!r} stands in another file too")
            tensors[name] = partial(_read, path, name, header)
    _check_index(folder, tensors)

    def claims(hidden: int) -> Sequence[Claim]:
        return [*huggingface_claims(folder), *case_claims(folder)]

    return Contents("huggingface", tensors, claims, sentences=partial(read_sentence_settings, folder))


def _check_tokenizer(folder: Path) -> None:
    path = folder / TOKENIZER_CONFIG
    config = read_json(path)
    fixed = _TOKENIZER_FIXED | {"strip_accents": config.get("do_lower_case")}
    wrong = [f"{key} is {config[key]!r}" for key, value in fixed.items() if config.get(key) not in (None, value)]
    if wrong:
        raise UnsupportedModel(f"{path}: {', '.join(wrong)}; only BERT's own way to cut text is supported")


def _files(folder: Path) -> list[Path]:
    names = _weight_map(folder).values() if (folder / INDEX).is_file() else ["model.safetensors"]
    paths = sorted({folder / str(name) for name in names})
    if not all(path.is_file() for path in paths):
        paths = paths if (folder / INDEX).is_file() else sorted(folder.glob("*.safetensors"))
    missing = [path.name for path in paths if path.parent != folder or not path.is_file()]
    if missing:
        raise CorruptSource(f"{folder / INDEX}: {', '.join(missing)} not there. Fetch the source again")
    if len(paths) > 1 and not (folder / INDEX).is_file():
        raise CorruptSource(
            f"{folder} has several safetensors and no {INDEX}: {', '.join(path.name for path in paths)}"
        )
    return paths


def _weight_map(folder: Path) -> Mapping[str, Any]:
    found = read_json(folder / INDEX).get("weight_map")
    if not isinstance(found, dict) or not found:
        raise CorruptSource(f"{folder / INDEX} has no weight_map")
    return found


def _check_index(folder: Path, tensors: Mapping[str, object]) -> None:
    if (folder / INDEX).is_file() and (missing := sorted(set(_weight_map(folder)) - set(tensors))):
        raise CorruptSource(f"{folder / INDEX}: tensors {', '.join(missing)} are in none of its files")


def _header(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Name → dtype, shape, offsets from the start of the file."""
    try:
        with safe_open(path, framework="numpy"):  # checks the header against the size of the file
            pass
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size))
    except (OSError, SafetensorError, ValueError) as error:
        raise CorruptSource(f"{path}: {error}. Fetch the source again") from error
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            yield name, {**entry, "data_offsets": (8 + size + start, 8 + size + end)}


def _read(path: Path, name: str, entry: Mapping[str, Any]) -> NDArray[np.float32]:
    start, end = entry["data_offsets"]
    if entry["dtype"] not in _WIDEN:
        raise UnsupportedModel(
            f"{path}: tensor {name!r} is of type {entry['dtype']}; {', '.join(_WIDEN)} are supported"
        )
    raw = np.asarray(np.memmap(path, dtype=np.uint8, mode="r"))[start:end]
    return _WIDEN[entry["dtype"]](raw).reshape(entry["shape"])


_WIDEN: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.float32]]] = {
    "F32": lambda raw: raw.view("<f4"),
    "F16": lambda raw: raw.view("<f2").astype("<f4"),
    "BF16": lambda raw: (raw.view("<u2").astype("<u4") << 16).view("<f4"),
}
