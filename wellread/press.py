"""The producer's door: from a recipe to an artifact with its proof.

    recipe ─ pull ─▶ source ─ read ─▶ weights ─ write ─▶ forms ─ compare ─▶ parity
           ─ pack ─▶ artifact ─ run what its card tells people to type ─▶ trials ─ hand over ─▶ artifact + proof

A step whose inputs have not changed is taken from the workbench. Parity that fails, or a snippet, stops everything
before a byte is written where the artifact was asked for.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from shutil import which

import msgspec

from wellread.assembly import TOOLS, Draft, Measured, Pressed, assemble, hand_over, machine, tools
from wellread.converters.forms.kinds import check_forms, write_forms
from wellread.converters.material import Material, read_material, require_recipes_model
from wellread.converters.parity.comparison import compare, find_truth, require_parity
from wellread.converters.pull import Pulled, pull
from wellread.converters.recipe import Recipe
from wellread.converters.sources import Source
from wellread.converters.workbench import Workbench
from wellread.errors import SourceError
from wellread.model_cards.snippets import snippets
from wellread.model_cards.trials import Tried, require_passed, try_snippets
from wellread.registry.artifact.package import describe
from wellread.registry.records import Benchmark, Form, ParityReport, decode, encode
from wellread.runtime.speed import measure

__all__ = ["Pressed", "press"]

_CONVERTERS = ("converters/**/*.py",)
_RUNTIME = ("runtime/*.py", "registry/records.py")
_CONSUMER = (
    *("__init__.py", "loader.py", "request.py", "registry/**/*.py", "runtime/*.py"),
    *("annotators/*.py", "nlu/*.py", "spark/**/*.py"),
    *("model_cards/snippets.py", "model_cards/stage.py", "model_cards/trials.py"),
)


def press(
    recipe: Recipe,
    out: Path,
    bench: Workbench,
    *,
    source: Source | None = None,
    forms: tuple[str, ...] = (),
    for_hub: bool = False,
    benchmark: bool = False,
) -> Pressed:
    """Make the artifact of ``recipe`` and its proof in the folder ``out``.

    ``source`` takes the place of the recipe's own and lifts their pins; ``forms`` that of its forms. ``for_hub`` says
    that it is to be published, so it must be the recipe's model. ``benchmark`` adds to the proof how fast the forms
    are here. Raises BadInput for a form that does not exist, SourceError where no source can be had or read,
    ParityError where the golden values or a gate are missed, SnippetError where a snippet of the card does not run.
    Nothing is written to ``out`` then.
    """
    wanted = check_forms(forms or recipe.forms)
    material = take_material(recipe, source, bench)
    if for_hub:
        require_recipes_model(recipe, material)
    made = make_forms(material, wanted, bench)
    report = measure_parity(material, made[0], wanted, bench)
    require_parity(report)
    with bench.scratch() as scratch:
        with bench.timed("pack"):
            draft = assemble(recipe, material, made, scratch)
        measured = Measured(report, try_card(draft, bench), measure_speed(draft, bench) if benchmark else ())
        return hand_over(recipe, material, draft, measured, out)


def take_material(recipe: Recipe, by_hand: Source | None, bench: Workbench) -> Material:
    """The first source that can be had, read and accepted: the one given by hand, or the recipe's in their order."""
    accepted: list[Material] = []

    def accept(pulled: Pulled) -> None:
        accepted.append(read_material(recipe, pulled, by_hand is not None))

    sources = [by_hand] if by_hand else recipe.sources
    try:
        with bench.timed("pull and read") as progress:
            pull(sources, bench.root, progress, accept)
    except SourceError as error:
        raise type(error)(f"{recipe.name} ({recipe.language}): {error}") from error
    return accepted[-1]


def make_forms(material: Material, forms: tuple[str, ...], bench: Workbench) -> tuple[Path, Mapping[str, Form]]:
    """The folder that holds the forms, and what the manifest says of each."""

    def make(folder: Path) -> None:
        made = write_forms(folder / "members", material.weights, forms, material.pooling, material.max_length)
        (folder / "forms.json").write_bytes(msgspec.json.encode(made))

    def read(place: Path) -> tuple[Path, Mapping[str, Form]]:
        return place / "members", msgspec.json.decode((place / "forms.json").read_bytes(), type=dict[str, Form])

    return bench.step("forms", {**material.identity, "forms": forms, "made by": _makers(*_CONVERTERS)}, make, read)


def measure_parity(material: Material, folder: Path, forms: tuple[str, ...], bench: Workbench) -> ParityReport:
    """Compare every form with the source. The report is kept whether it passed or not: the same inputs fail alike."""
    probes = material.probes()

    def make(kept: Path) -> None:
        with bench.scratch() as scratch:
            report = compare(find_truth(material.weights, probes, scratch), folder, forms, scratch)
        (kept / "parity.json").write_bytes(encode(report))

    def read(place: Path) -> ParityReport:
        return decode((place / "parity.json").read_bytes(), ParityReport, str(place))

    members = {member.name: member.pieces for member in describe(folder)}
    made_by = {**_makers(*_CONVERTERS, *_RUNTIME), "machine": machine()}
    key = {**material.identity, "graph": material.graph, "forms": forms, "members": members, "made by": made_by}
    return bench.step("parity", key, make, read)


def try_card(draft: Draft, bench: Workbench) -> Tried:
    """Run the card's snippets as they are printed. Only what passed is kept: a failure may be of the moment."""
    manifest = draft.manifest

    def make(kept: Path) -> None:
        with bench.scratch() as scratch:
            tried = try_snippets(manifest, draft.packed, scratch)
        require_passed(tried, manifest)
        (kept / "snippets.json").write_bytes(encode(tried))

    def read(place: Path) -> Tried:
        return decode((place / "snippets.json").read_bytes(), Tried, str(place))

    # What the artifact says of itself beyond that makes no difference to a snippet.
    facts = {"forms": manifest.forms, "pooling": manifest.pooling, "max_length": manifest.max_length}
    members = {member.name: member.pieces for member in manifest.files if member.name != "README.md"}
    engines = {
        **tools("pandas", "pyarrow", "sentencex", "pyspark"),
        "java": [os.environ.get("JAVA_HOME"), which("java")],
    }
    made_by = {**_makers(*_CONSUMER), **engines, "machine": machine(), "python": platform.python_version()}
    key = {**facts, "snippets": snippets(manifest), "members": members, "made by": made_by}
    return bench.step("snippets", key, make, read)


def measure_speed(draft: Draft, bench: Workbench) -> tuple[Benchmark, ...]:
    """How fast the forms are on this machine, measured anew each time."""
    with bench.timed("benchmark"):
        return measure(draft.folder, draft.manifest, draft.manifest.forms)


@cache
def _makers(*ours: str) -> dict[str, object]:
    """The versions of the tools that make and compare forms, and of our own code in these files."""
    package = Path(__file__).parent
    hasher = hashlib.sha256()
    for path in sorted(path for pattern in ours for path in package.glob(pattern)):
        hasher.update(path.read_bytes())
    return {**tools(*TOOLS), "wellread": hasher.hexdigest()}
