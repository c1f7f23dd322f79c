"""The producer's door: from a recipe to an artifact with its proof.

    recipe ─ pull ─▶ source ─ read ─▶ weights ─ write ─▶ forms ─ compare ─▶ parity ─ assemble ─▶ artifact + proof

A step whose inputs have not changed is taken from the workbench. Parity that fails stops everything before a byte of
the artifact is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

from wellread.assembly import TOOLS, Pressed, assemble, tools
from wellread.converters.forms.kinds import check_forms, write_forms
from wellread.converters.material import Material, read_material, require_recipes_model
from wellread.converters.parity.comparison import compare, find_truth, require_parity
from wellread.converters.pull import Pulled, pull
from wellread.converters.recipe import Recipe
from wellread.converters.sources import Progress, Source
from wellread.converters.workbench import Workbench
from wellread.errors import SourceError
from wellread.registry.artifact import describe
from wellread.registry.records import Form, ParityReport, decode, encode

__all__ = ["Pressed", "press"]


def press(
    recipe: Recipe,
    out: Path,
    bench: Workbench,
    *,
    source: Source | None = None,
    forms: tuple[str, ...] = (),
    for_hub: bool = False,
) -> Pressed:
    """Make the artifact of ``recipe`` and its proof in the folder ``out``.

    ``source`` takes the place of the recipe's own and lifts their pins; ``forms`` that of its forms. ``for_hub`` says
    that it is to be published, so it must be the recipe's model. Raises BadInput for a form that does not exist,
    SourceError where no source can be had or read, ParityError where the golden values or a gate are missed. Nothing is
    written to ``out`` then.
    """
    wanted = check_forms(forms or recipe.forms)
    material = take_material(recipe, source, bench)
    if for_hub:
        require_recipes_model(recipe, material)
    made = make_forms(material, wanted, bench)
    report = measure_parity(material, made[0], wanted, bench)
    require_parity(report)
    return bench.timed("pack", lambda: assemble(recipe, material, made, report, out))


def take_material(
    recipe: Recipe, by_hand: Source | None, bench: Workbench, progress: Progress = lambda line: None
) -> Material:
    """The first source that can be had, read and accepted: the one given by hand, or the recipe's in their order."""
    accepted: list[Material] = []

    def accept(pulled: Pulled) -> None:
        accepted.append(read_material(recipe, pulled, by_hand is not None))

    sources = [by_hand] if by_hand else recipe.sources
    try:
        bench.timed("pull and read", lambda: pull(sources, bench.root, progress, accept))
    except SourceError as error:
        raise type(error)(f"{recipe.name} ({recipe.language}): {error}") from error
    return accepted[-1]


def make_forms(material: Material, forms: tuple[str, ...], bench: Workbench) -> tuple[Path, Mapping[str, Form]]:
    """The folder that holds the forms, and what the manifest says of each."""

    def make(folder: Path) -> None:
        made = write_forms(folder / "members", material.weights, forms, material.pooling)
        (folder / "forms.json").write_bytes(msgspec.json.encode(made))

    place = bench.step("forms", {**material.identity, "forms": forms, "made by": _makers()}, make)
    return place / "members", msgspec.json.decode((place / "forms.json").read_bytes(), type=dict[str, Form])


def measure_parity(material: Material, folder: Path, forms: tuple[str, ...], bench: Workbench) -> ParityReport:
    """Compare every form with the source. The report is kept whether it passed or not: the same inputs fail alike."""
    probes = material.probes()

    def make(kept: Path) -> None:
        (kept / "parity.json").write_bytes(encode(compare(find_truth(material.weights, probes), folder, forms)))

    members = {member.name: member.pieces for member in describe(folder)}
    key = {**material.identity, "graph": material.graph, "forms": forms, "members": members, "made by": _makers()}
    place = bench.step("parity", key, make)
    return decode((place / "parity.json").read_bytes(), ParityReport, str(place))


@cache
def _makers() -> dict[str, str]:
    """The versions of the tools that make and compare forms, our own code's included."""
    ours = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("converters/**/*.py")):
        ours.update(path.read_bytes())
    return {**tools(*TOOLS), "converters": ours.hexdigest()}
