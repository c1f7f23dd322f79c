"""The press's last step: card, goldens and manifest around the forms, then the zip, then the proof.

Whatever was measured goes into the proof; the artifact holds only what is the same on every machine.
"""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from wellread import __version__
from wellread.converters.forms import onnx_form
from wellread.converters.material import Material
from wellread.converters.parity.golden_values import REPLAYED
from wellread.converters.recipe import Recipe
from wellread.errors import BadInput
from wellread.model_cards.card import render_card
from wellread.registry.artifact import Packed, describe, pack
from wellread.registry.proof import proof_name, write_proof
from wellread.registry.records import Form, Manifest, ParityReport, Proof, encode

TOOLS = ("numpy", "onnx", "onnxruntime", "safetensors", "tensorflow", "tokenizers", "torch", "transformers")

_FROM_RECIPE = (
    *("name", "language", "library_version", "spark_version", "title", "description", "annotator", "task", "license"),
    *(
        "author",
        "edition",
        "supported",
        "recommended",
        "tags",
        "aliases",
        "languages",
        "base_model",
        "data_source",
        "citation",
        "repository",
        "examples",
    ),
)


@dataclass(frozen=True)
class Pressed:
    """An artifact and the proof beside it, and what both say."""

    artifact: Path
    proof: Path
    manifest: Manifest
    report: ParityReport
    packed: Packed


def assemble(
    recipe: Recipe, material: Material, forms: tuple[Path, Mapping[str, Form]], report: ParityReport, out: Path
) -> Pressed:
    """Write artifact and proof into the folder ``out``. Raises BadInput where the recipe names no moment."""
    folder, made = forms
    draft = make_manifest(recipe, material, made)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".wellread-", dir=folder.parent) as scratch:
        members = Path(scratch)
        _link_tree(folder, members)
        goldens = material.yardstick.goldens([*recipe.examples, *REPLAYED], material.pooling)
        (members / "golden.json").write_bytes(encode(goldens) + b"\n")
        (members / "README.md").write_text(render_card(draft), encoding="utf-8")
        manifest = msgspec.structs.replace(draft, files=describe(members))
        packed = pack(members, manifest, out / str(manifest.artifact))
    proof = out / proof_name(packed.path.name)
    write_proof(proof, make_proof(recipe, material, packed, report))
    return Pressed(packed.path, proof, manifest, report, packed)


def make_manifest(recipe: Recipe, material: Material, forms: Mapping[str, Form]) -> Manifest:
    """All of the manifest but its list of files. Raises BadInput where the recipe names no moment."""
    if recipe.time is None:
        raise BadInput(f"the recipe of {recipe.name} names no moment: give one with --time")
    shape = material.weights.architecture
    return Manifest(
        **{field: getattr(recipe, field) for field in _FROM_RECIPE},
        time=recipe.time,
        engine="onnx",
        dimension=shape.hidden,
        max_length=min(recipe.max_length or shape.positions, shape.positions),
        pooling=material.pooling,
        architecture=shape,
        source=material.source_used(),
        inputs=onnx_form.inputs(),
        outputs=onnx_form.outputs(shape.hidden, material.pooling == "pooler-linear"),
        forms=dict(forms),
        files=(),
    )


def make_proof(recipe: Recipe, material: Material, packed: Packed, report: ParityReport) -> Proof:
    """What was measured, on what, with what."""
    return Proof(
        artifact=packed.path.name,
        sha256=packed.sha256,
        manifest=packed.manifest,
        recipe=recipe.digest(),
        source=material.digest,
        parity=report,
        tools={"python": platform.python_version(), "wellread": __version__, **tools(*TOOLS)},
        machine={"system": platform.system(), "machine": platform.machine()},
        created=int(time.time() * 1000),
    )


def tools(*names: str) -> dict[str, str]:
    """The versions of these packages, those that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _link_tree(source: Path, target: Path) -> None:
    for path in source.rglob("*"):
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.hardlink_to(path)
