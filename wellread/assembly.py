"""The press's last steps: card, goldens and manifest around the forms, then the zip, and at the end the proof.

Whatever was measured goes into the proof; the artifact holds only what is the same on every machine.
"""

from __future__ import annotations

import errno
import platform
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from wellread import __version__
from wellread.converters.forms import onnx_form
from wellread.converters.material import Material
from wellread.converters.parity.golden_values import REPLAYED
from wellread.converters.recipe import Recipe
from wellread.errors import BadInput
from wellread.model_cards.facts import render_card
from wellread.model_cards.trials import Tried
from wellread.registry import disk
from wellread.registry.artifact.package import Packed, describe, pack
from wellread.registry.artifact.proof import proof_name, write_proof
from wellread.registry.records import Benchmark, Form, Manifest, ParityReport, Proof, encode
from wellread.registry.trust.keys import own_keys

TOOLS = (
    *("numpy", "onnx", "onnxruntime", "safetensors", "sentence-transformers", "tensorflow", "tokenizers", "torch"),
    "transformers",
)


@dataclass(frozen=True)
class Draft:
    """An artifact that is not yet where it was asked for: packed from the members in ``folder``."""

    folder: Path
    manifest: Manifest
    packed: Packed


@dataclass(frozen=True)
class Measured:
    """What the proof tells of an artifact."""

    parity: ParityReport
    tried: Tried
    benchmarks: tuple[Benchmark, ...] = ()


@dataclass(frozen=True)
class Pressed:
    """An artifact and the proof beside it, and what both say.

    ``statement`` is what the proof says, ``report`` its parity. ``dropped`` maps each tensor of the source that is in
    no form to the rule that left it out.
    """

    artifact: Path
    proof: Path
    manifest: Manifest
    report: ParityReport
    packed: Packed
    dropped: Mapping[str, str]
    statement: Proof


def assemble(recipe: Recipe, material: Material, forms: tuple[Path, Mapping[str, Form]], scratch: Path) -> Draft:
    """Pack the artifact in ``scratch``, an empty folder on the disk of the forms.

    Raises BadInput where the recipe names no moment.
    """
    place, made = forms
    bare = make_manifest(recipe, material, made)
    folder = scratch / "members"
    _link_tree(place, folder)
    goldens = material.yardstick.goldens([*recipe.examples, *REPLAYED], material.pooling)
    (folder / "golden.json").write_bytes(encode(goldens) + b"\n")
    (folder / "README.md").write_text(render_card(bare), encoding="utf-8")
    manifest = msgspec.structs.replace(bare, files=describe(folder))
    return Draft(folder, manifest, pack(folder, manifest, scratch / str(manifest.artifact)))


def hand_over(recipe: Recipe, material: Material, draft: Draft, measured: Measured, out: Path) -> Pressed:
    """Move the artifact into the folder ``out`` and write its proof beside it.

    Raises BadInput where a key to sign with cannot be used, WellreadError where nothing can be written.
    """
    keys = own_keys()
    packed = replace(draft.packed, path=_move(draft.packed.path, out))
    statement = make_proof(recipe, material, packed, measured)
    proof = out / proof_name(packed.path.name)
    write_proof(proof, statement, keys)
    return Pressed(packed.path, proof, draft.manifest, measured.parity, packed, material.weights.dropped, statement)


def _move(path: Path, out: Path) -> Path:
    """A whole file's place in the folder ``out``, once it is there, in one step."""
    target = out / path.name
    try:
        out.mkdir(parents=True, exist_ok=True)
        path.replace(target)
        disk.sync(out)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise disk.refused(target, error) from error
        with disk.replacing(target) as file, path.open("rb") as there:
            shutil.copyfileobj(there, file)
    return target


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


def make_proof(recipe: Recipe, material: Material, packed: Packed, measured: Measured) -> Proof:
    """What was measured, on what, with what."""
    return Proof(
        artifact=packed.path.name,
        sha256=packed.sha256,
        manifest=packed.manifest,
        recipe=recipe.digest(),
        source=material.digest,
        parity=measured.parity,
        tools={"python": platform.python_version(), "wellread": __version__, **tools(*TOOLS)},
        machine=machine(),
        created=int(time.time() * 1000),
        trials=measured.tried.trials,
        results=measured.tried.results,
        benchmarks=measured.benchmarks,
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
