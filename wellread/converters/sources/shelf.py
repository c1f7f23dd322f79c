"""Unpacked sources that are kept, so that a second build does not pull again.

    <work>/sources/<key>/tree/      the files; the workbench renames <key> into place when all is there

The key is the sha256 of what was asked for: the source as typed, its archive's pin, a local archive's content.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from wellread.converters.sources import Source
from wellread.converters.workbench import Workbench

_STEP = "sources"


def shelved(work: Path, source: Source, content: str, make: Callable[[Path, Path], object]) -> Path:
    """The tree of ``source`` with that ``content``, made by ``make(scratch, tree)`` if it is not there yet.

    ``scratch`` is a folder that goes away afterwards; ``tree`` does not exist before.
    """

    def fill(place: Path) -> None:
        with tempfile.TemporaryDirectory(dir=place) as scratch:
            make(Path(scratch), place / "tree")

    key = {"source": str(source), "sha256": source.sha256, "content": content}
    return Workbench(work).step(_STEP, key, fill) / "tree"


def discard(work: Path, folder: Path) -> None:
    """Throw a tree away that turned out wrong, if it is one of ours, so that it is pulled afresh next time."""
    shelf = work.resolve() / _STEP
    for place in folder.resolve().parents:
        if place.parent == shelf:
            shutil.rmtree(place, ignore_errors=True)


def model_root(folder: Path) -> Path:
    """Where the model lies in an unpacked archive: past folders that hold nothing but one folder."""
    while True:
        inside = [path for path in folder.iterdir() if not path.name.startswith((".", "__MACOSX"))]
        if len(inside) != 1 or not inside[0].is_dir():
            return folder
        folder = inside[0]
