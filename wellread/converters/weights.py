"""Weights as every form takes them, whatever the source looked like.

``tensors`` are named and laid out as Hugging Face's ``BertModel`` does, so a dense kernel is (out, in):

    embeddings.{word,position,token_type}_embeddings.weight        (vocabulary | positions | types, hidden)
    embeddings.LayerNorm.{weight,bias}                             (hidden,)
    encoder.layer.N.attention.self.{query,key,value}.{weight,bias}  …
    pooler.dense.{weight,bias}                                     (hidden, hidden), (hidden,)

``read_weights`` finds out what a folder holds and reads it, without TensorFlow and without PyTorch:

    saved_model.pb, variables/              a SavedModel, of TensorFlow 2 (called with a dict or a list) or 1
    *.safetensors, config.json              a Hugging Face folder
    *.index, *.data-*, bert_config.json     a checkpoint of google-research/bert
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from wellread.converters.architectures import bert
from wellread.converters.formats.checkpoint import read_checkpoint
from wellread.converters.formats.claims import settle
from wellread.converters.formats.configuration import check_huggingface
from wellread.converters.formats.contents import Contents, Format
from wellread.converters.formats.huggingface_folder import read_huggingface
from wellread.converters.formats.saved_model import read_saved_model
from wellread.converters.formats.sentence_settings import SILENT, SentenceSettings
from wellread.converters.formats.vocabulary import read_vocabulary, vocabulary_claim
from wellread.errors import CorruptSource, UnsupportedModel
from wellread.registry.records import Architecture

_READERS = {
    "saved_model.pb": read_saved_model,
    "*.safetensors": read_huggingface,
    "model.safetensors.index.json": read_huggingface,
    "*.index": read_checkpoint,
    "*.data-?????-of-?????": read_checkpoint,
}
"""What lies in a folder → how it is read; the first that is there."""
_UNREADABLE = {
    "*.bin": "weights in Python's pickle format, which can run code and is never loaded: convert them to safetensors",
    "*.pt": "weights in Python's pickle format, which can run code and is never loaded: convert them to safetensors",
    "*.h5": "Keras weights in HDF5, which are not supported: take the safetensors of the same model",
    "*.msgpack": "Flax weights, which are not supported: take the safetensors of the same model",
    "saved_model.pbtxt": "a SavedModel in text format, which is not supported",
    "variables": "the variables of a SavedModel without its saved_model.pb",
    "*.tflite": "a TensorFlow Lite model, which is not supported",
    "*.onnx": "an ONNX model, which is no source of weights here",
}


@dataclass(frozen=True)
class Weights:
    """A model out of its source: float32 tensors (memory-mapped where that is possible), configuration, vocabulary.

    ``graph`` is the SavedModel's folder if the source brings a graph that can be run as an oracle, else None.
    ``dropped`` maps each tensor of the source that is not used to the rule that dropped it. ``sentences`` is what the
    source says to sentence-transformers.
    """

    architecture: Architecture
    tensors: Mapping[str, NDArray[np.float32]]
    vocabulary: bytes
    format: Format
    graph: Path | None
    dropped: Mapping[str, str]
    sentences: SentenceSettings = SILENT

    def digest(self) -> str:
        """sha256 over the canonical tensors: name, shape and little-endian float32 bytes, sorted by name."""
        hasher = hashlib.sha256()
        for name in sorted(self.tensors):
            tensor = self.tensors[name]
            hasher.update(f"{name}\n{tensor.shape}\n".encode())
            hasher.update(np.require(tensor, dtype="<f4", requirements="C").data)
        return hasher.hexdigest()


def read_weights(folder: Path, given: Mapping[str, object] = MappingProxyType({})) -> Weights:
    """Read the model in an unpacked source; a folder that holds nothing but one folder stands for that one.

    ``given`` are fields of ``Architecture`` (heads, norm_eps, activation, cased …) for what the source does not say.
    Tensors are read-only views into the files wherever they can be, transposed ones included.

    Raises CorruptSource if bytes contradict a checksum or each other, UnsupportedModel if it is no BERT encoder or in
    no known format, BadInput if something must be given or what is given cannot be.
    """
    folder = _innermost(folder)
    contents = _read(folder)
    found = bert.account(contents.tensors, str(folder))
    vocabulary = read_vocabulary(folder, len(found.tensors["embeddings.word_embeddings.weight"]))
    hidden = found.tensors["embeddings.LayerNorm.weight"].size
    claims = [*found.claims, *contents.claims(hidden), vocabulary_claim(vocabulary)]
    architecture = settle(claims, given, str(folder))
    sentences = contents.sentences(architecture.positions)
    return Weights(architecture, found.tensors, vocabulary, contents.format, contents.graph, found.dropped, sentences)


def _innermost(folder: Path) -> Path:
    if not folder.is_dir():
        raise CorruptSource(f"{folder} is not a folder: a source's unpacked folder is expected")
    inside = [path for path in folder.iterdir() if not path.name.startswith((".", "__"))]
    return (
        _innermost(inside[0]) if len(inside) == 1 and inside[0].is_dir() and inside[0].name != "variables" else folder
    )


def _read(folder: Path) -> Contents:
    for pattern, reader in _READERS.items():
        if next(folder.glob(pattern), None):
            return reader(folder)
    check_huggingface(folder)
    for pattern, meaning in _UNREADABLE.items():
        if path := next(folder.glob(pattern), None):
            raise UnsupportedModel(f"{folder} has {path.name}: {meaning}")
    names = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
    raise UnsupportedModel(
        f"{folder} holds no model in a known format: it has {names}.\n"
        "Expected saved_model.pb with variables/, a checkpoint (*.index), or config.json with *.safetensors"
    )
