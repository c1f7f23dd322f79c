"""Releases made of a dict of bytes: real zips and proofs around members that no runtime could open."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from wellread.registry import records
from wellread.registry.artifact.manifest import INPUTS
from wellread.registry.artifact.package import Packed, describe, pack
from wellread.registry.artifact.proof import proof_name, write_proof
from wellread.registry.names import Lang, ModelName

TIME = 1598344705269
FILES: Mapping[str, bytes] = {
    "README.md": b"---\nname: tiny\n---\n# tiny\n",
    "config.json": b"{}\n",
    "empty.txt": b"",
    "golden.json": b'{"format":1,"reference":"float64","goldens":[]}\n',
    "model.safetensors": b"torch" * 1000,
    "onnx/model.onnx": b"fp32" * 1000,
    "onnx/model_int8.onnx": b"int8" * 250,
    "tokenizer.json": b"{}",
    "vocab.txt": b"[PAD]\n[UNK]\n",
}
_SHARED = ("config.json", "tokenizer.json", "vocab.txt")
FORMS: Mapping[str, records.Form] = {
    "onnx": records.Form(members=(*_SHARED, "onnx/model.onnx"), precision="fp32", max_error=1e-4),
    "onnx-int8": records.Form(members=(*_SHARED, "onnx/model_int8.onnx"), precision="int8", min_cosine=0.95),
    "torch": records.Form(members=(*_SHARED, "model.safetensors"), precision="fp32"),
}


@dataclass(frozen=True)
class Sample:
    """An artifact with its proof, and the folder that it was packed from."""

    folder: Path
    zip: Path
    proof: Path
    manifest: records.Manifest
    packed: Packed


def noise(size: int, seed: str = "") -> bytes:
    """Bytes without a pattern, the same for the same seed."""
    return hashlib.shake_128(seed.encode()).digest(size)


def make_manifest(files: tuple[records.Member, ...] = (), **fields: Any) -> records.Manifest:
    """A manifest of a model that does not exist; any field can be given another value."""
    shape = records.Architecture(
        layers=2, hidden=32, heads=4, intermediate=80, vocabulary=2, positions=64, types=2,
        norm_eps=1e-12, activation="gelu_tanh", cased=False,
    )  # fmt: skip
    hidden = fields.get("architecture", shape).hidden
    defaults: dict[str, Any] = {
        "name": ModelName("tiny"),
        "language": Lang("en"),
        "library_version": "2.6.0",
        "spark_version": "2.4",
        "time": TIME,
        "title": "Tiny",
        "description": "A model for tests.",
        "annotator": "BertEmbeddings",
        "task": "Embeddings",
        "engine": "onnx",
        "license": "Apache-2.0",
        "author": "tests",
        "edition": "test",
        "supported": True,
        "tags": (),
        "aliases": (),
        "data_source": "none",
        "citation": "",
        "repository": "",
        "examples": ("I love NLP",),
        "dimension": hidden,
        "max_length": fields.get("architecture", shape).positions,
        "pooling": "mean",
        "architecture": shape,
        "source": records.SourceUsed(kind="folder", location="./tiny", format="huggingface", tensors="0" * 64),
        "inputs": tuple(records.Tensor(name=name, dtype="int64", shape=("batch", "tokens")) for name in INPUTS),
        "outputs": (
            records.Tensor(name="last_hidden_state", dtype="float32", shape=("batch", "tokens", hidden)),
            records.Tensor(name="pooler_output", dtype="float32", shape=("batch", hidden)),
        ),
        "forms": dict(FORMS),
        "files": files,
    }
    return records.Manifest(**(defaults | fields))


def make_proof(manifest: records.Manifest, packed: Packed, *, passed: bool = True) -> records.Proof:
    """A proof in which every form was compared at one point, and the card's own snippet ran."""
    distance = records.Distance(max=1e-6, p99=1e-6, mean=1e-7, min_cosine=1.0, mean_cosine=1.0)
    point = records.Point(
        name="sequence", distance=distance, floor=1e-7, limit=1e-5, measure="max", worst="real text", passed=passed
    )
    return records.Proof(
        artifact=str(manifest.artifact),
        sha256=packed.sha256,
        manifest=packed.manifest,
        recipe="0" * 64,
        source=manifest.source.tensors,
        parity=records.ParityReport(
            oracle="float64",
            inputs=("real text",),
            tokens=12,
            forms=tuple(records.FormParity(form=form, points=(point,)) for form in manifest.forms),
        ),
        tools={"numpy": "2"},
        machine={"cpu": "any"},
        created=TIME,
        trials=(records.Trial(tab=records.OWN_TAB, outcome="passed"),) if "onnx" in manifest.forms else (),
    )


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    """A folder with those files."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def as_weights(data: bytes) -> tuple[bytes, str]:
    """A safetensors file of one float32 tensor with those bytes, and the digest over its tensors."""
    data += bytes(-len(data) % 4)
    laid = {"dtype": "F32", "shape": [len(data) // 4], "data_offsets": [0, len(data)]}
    header = json.dumps({"weights": laid}).encode()
    digest = hashlib.sha256(f"weights\n({len(data) // 4},)\n".encode() + data).hexdigest()
    return len(header).to_bytes(8, "little") + header + data, digest


def make_sample(root: Path, files: Mapping[str, bytes] | None = None, **fields: Any) -> Sample:
    """A release ready to publish below ``root``: ``files`` added to the usual ones, manifest ``fields`` as given.

    The bytes of ``model.safetensors`` are made a tensor of, and the source's, unless ``source`` is given.
    """
    given = {**FILES, **(files or {})}
    if "source" not in fields:
        given["model.safetensors"], digest = as_weights(given["model.safetensors"])
        fields["source"] = msgspec.structs.replace(make_manifest().source, tensors=digest)
    folder = write_files(root / "members", given)
    manifest = make_manifest(describe(folder), **fields)
    packed = pack(folder, manifest, root / str(manifest.artifact))
    proof = packed.path.with_name(proof_name(packed.path.name))
    write_proof(proof, make_proof(manifest, packed))
    return Sample(folder, packed.path, proof, manifest, packed)


def flip(path: Path, offset: int) -> None:
    """Turn one bit of a file around, size and name kept."""
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def released(serial: int = 1, **fields: Any) -> records.Release:
    """An index line of ``tiny`` that belongs to no artifact."""
    line = records.Release(
        id=f"2.6.0_2.4_{TIME}", name=ModelName("tiny"), language=Lang("en"), folder="public/models",
        library_version="2.6.0", spark_version="2.4", time=TIME, annotator="BertEmbeddings", engine="onnx",
        file=f"tiny_en_2.6.0_2.4_{TIME}.zip", size=1000, sha256="0" * 64, md5="0" * 32, manifest="0" * 64,
        manifest_size=100, forms=("onnx",), serial=serial,
    )  # fmt: skip
    versions = {name: fields.get(name, getattr(line, name)) for name in ("library_version", "spark_version", "time")}
    identity = "{library_version}_{spark_version}_{time}".format(**versions)
    file = f"{fields.get('name', line.name)}_{fields.get('language', line.language)}_{identity}.zip"
    return msgspec.structs.replace(line, **({"id": identity, "file": file} | fields))
