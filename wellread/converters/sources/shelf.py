"""Unpacked sources that are kept, so that a second build does not pull again.

    <work>/sources/<key>/tree/      the files; the workbench renames <key> into place when all is there

The key is the sha256 of what was asked for: the source as typed, its archive's pin, what is known of its content.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from wellread.converters.sources import Source
from wellread.converters.workbench import Workbench


def shelved(work: Path, source: Source, content: str, make: Callable[[Path, Path], object]) -> Path:
    """The tree of ``source`` with that ``content``, made by ``make(scratch, tree)`` if it is not there yet.

    ``scratch`` is a folder that goes away afterwards; ``tree`` does not exist before.
    """

    def fill(place: Path) -> None:
        with tempfile.TemporaryDirectory(dir=place) as scratch:
            make(Path(scratch), place / "tree")

    key = {"source": source.typed, "sha256": source.sha256, "content": content}
    return Workbench(work).step("sources", key, fill, lambda place: place / "tree")


def discard(work: Path, folder: Path) -> bool:
    """Throw a source away that turned out wrong, so that it is pulled afresh next time; False if it is not ours."""
    ours = [place for place in (folder.resolve(), *folder.resolve().parents) if place.parent.parent == work.resolve()]
    for place in ours:
        shutil.rmtree(place, ignore_errors=True)
    return bool(ours)


def model_root(folder: Path) -> Path:
    """Where the model lies in an unpacked archive: past folders that hold nothing but one folder."""
    while True:
        inside = [path for path in folder.iterdir() if not path.name.startswith((".", "__MACOSX"))]
        if len(inside) != 1 or not inside[0].is_dir():
            return folder
        folder = inside[0]
