"""The press's last step: card, goldens and manifest around the forms, then the zip, then the proof.

Whatever was measured goes into the proof; the artifact holds only what is the same on every machine.
"""

from __future__ import annotations

import platform
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
from wellread.registry.artifact.package import Packed, describe, pack
from wellread.registry.artifact.proof import proof_name, write_proof
from wellread.registry.records import Form, Manifest, ParityReport, Proof, encode
from wellread.registry.trust.keys import own_keys

TOOLS = ("numpy", "onnx", "onnxruntime", "safetensors", "tensorflow", "tokenizers", "torch", "transformers")


@dataclass(frozen=True)
class Pressed:
    """An artifact and the proof beside it, and what both say.

    ``dropped`` maps each tensor of the source that is in no form to the rule that left it out.
    """

    artifact: Path
    proof: Path
    manifest: Manifest
    report: ParityReport
    packed: Packed
    dropped: Mapping[str, str]


def assemble(
    recipe: Recipe,
    material: Material,
    forms: tuple[Path, Mapping[str, Form]],
    report: ParityReport,
    out: Path,
    scratch: Path,
) -> Pressed:
    """Write artifact and proof into the folder ``out``; ``scratch`` is an empty one on the disk of the forms.

    Raises BadInput where the recipe names no moment, or where a key to sign with cannot be used.
    """
    keys = own_keys()
    folder, made = forms
    draft = make_manifest(recipe, material, made)
    out.mkdir(parents=True, exist_ok=True)
    _link_tree(folder, scratch)
    goldens = material.yardstick.goldens([*recipe.examples, *REPLAYED], material.pooling)
    (scratch / "golden.json").write_bytes(encode(goldens) + b"\n")
    (scratch / "README.md").write_text(render_card(draft), encoding="utf-8")
    manifest = msgspec.structs.replace(draft, files=describe(scratch))
    packed = pack(scratch, manifest, out / str(manifest.artifact))
    proof = out / proof_name(packed.path.name)
    write_proof(proof, make_proof(recipe, material, packed, report), keys)
    return Pressed(packed.path, proof, manifest, report, packed, material.weights.dropped)


def make_manifest(recipe: Recipe, material: Material, forms: Mapping[str, Form]) -> Manifest:
    """All of the manifest but its list of files. Raises BadInput where the recipe names no moment."""
    if recipe.time is None:
        raise BadInput(f"the recipe of {recipe.name} names no moment: give one with --time")
    shape = material.weights.architecture
    # A fact that recipe and manifest both name is the recipe's, unless the weights know better.
    told = {field: getattr(recipe, field) for field in Manifest.__struct_fields__ if hasattr(recipe, field)}
    found = {
        "engine": "onnx",
        "dimension": shape.hidden,
        "max_length": material.max_length,
        "pooling": material.pooling,
        "architecture": shape,
        "source": material.source_used(),
        "inputs": onnx_form.inputs(),
        "outputs": onnx_form.outputs(shape.hidden, material.pooling == "pooler-linear"),
        "forms": dict(forms),
        "files": (),
    }
    return Manifest(**told | found)


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
        machine=machine(),
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


def machine() -> dict[str, str]:
    """The kind of machine this is, by which numerical libraries choose how they round."""
    return {"system": platform.system(), "machine": platform.machine(), "processor": _processor()}


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8", errors="replace").splitlines() if told.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _link_tree(source: Path, target: Path) -> None:
    for path in source.rglob("*"):
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.hardlink_to(path)
