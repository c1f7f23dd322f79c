"""The folder that a site is written into.

    OUT/index.html …                the pages, written whole by one rename, and only where their bytes differ
    OUT/.wellread/site-incoming/    files on their way; what a build that died left there goes with the next one

Nothing is flushed to the disk file by file, as ``disk`` does with what cannot be had again: a site can, and 60,000
flushes take an hour on a slow disk. A page that a power cut left short has another size than the state says, so the
next build writes it anew.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

from wellread.errors import BadInput, WellreadError
from wellread.model_cards.site.hub import state
from wellread.registry import disk
from wellread.registry.pieces import CHUNK

PRIVATE = ".wellread"
"""No key of a hub and no page begins with a dot, so what is kept here is never served."""
ROOT_FILES = (
    *("404.html", "benchmarking.json", "changelog.html", "compare.html", "demo.html", "feed.xml", "index.html"),
    *("models.json", "references.json", "robots.txt", "sitemap.xml"),
)
"""What a site has beside its folders."""
_INCOMING = "site-incoming"
_FEW = 3
_HUBS_OWN = (".proof.json", "/metadata.json")
"""How files of a hub end that a page's file could be named like, where a site lies over its hub."""


class Output:
    """See the module; ``root`` is the folder. One object a process; only one build at a time has the folder.

    ``over_hub`` says that its files will be shown together with those of its hub.
    """

    def __init__(self, root: Path, *, over_hub: bool = False) -> None:
        self.root = root
        self._incoming = root / PRIVATE / _INCOMING
        self._over_hub = over_hub or (root / "index").is_dir()
        self._numbers = count()
        self._made: set[Path] = set()

    def clear(self) -> None:
        """Remove what a build that died was writing."""
        shutil.rmtree(self._incoming, ignore_errors=True)

    def put(self, path: str, content: bytes | Iterable[bytes]) -> tuple[int, bool]:
        """Write a file where its bytes differ from those there; its size and whether it was written.

        Raises WellreadError where the system refuses.
        """
        target = self.root / path
        try:
            if isinstance(content, bytes):
                return len(content), not _same(target, iter((content,))) and self._replace(target, (content,))
            return self._put_stream(target, content)
        except OSError as error:
            raise disk.refused(target, error) from error

    def put_copy(self, path: str, source: Path) -> tuple[int, bool]:
        """The same of a file that lies elsewhere."""
        try:
            with source.open("rb") as file:
                return self.put(path, iter(lambda: file.read(CHUNK), b""))
        except OSError as error:
            raise WellreadError(f"cannot read {source}: {error.strerror or error}; try again") from error

    def folds_case(self) -> bool:
        """Whether A.html and a.html are one file here, as on most disks of Windows and macOS."""
        return (self.root / PRIVATE.upper()).exists()

    def remove(self, path: str) -> bool:
        """Remove a file, and the folders that it leaves empty; whether it was there."""
        target = self.root / path
        if not self._is_inside(target.parent):
            return False
        try:
            target.unlink(missing_ok=True)
            for folder in list(target.parents)[: path.count("/")]:
                folder.rmdir()
                self._made.discard(folder)
        except FileNotFoundError:
            return False
        except OSError as error:
            if not target.exists():
                return True  # a folder with other things in it stays
            raise disk.refused(target, error) from error
        return True

    def sizes(self, folder: str) -> dict[str, int]:
        """Name → bytes of every file in a folder; a page that is a link is none of ours."""
        try:
            with os.scandir(self.root / folder) as entries:
                return {entry.name: entry.stat().st_size for entry in entries if entry.is_file(follow_symlinks=False)}
        except OSError:
            return {}

    def may_be_a_hubs(self, path: str) -> bool:
        """Whether a file of a model with an odd name could take the place of one of the hub that the site lies over."""
        return self._over_hub and path.endswith(_HUBS_OWN)

    def _put_stream(self, target: Path, chunks: Iterable[bytes]) -> tuple[int, bool]:
        temp = self._written(chunks)
        try:
            size = temp.stat().st_size
            with temp.open("rb") as file:
                if _same(target, iter(lambda: file.read(CHUNK), b""), size):
                    return size, False
            self._settle(temp, target)
            return size, True
        finally:
            temp.unlink(missing_ok=True)

    def _replace(self, target: Path, chunks: Iterable[bytes]) -> bool:
        self._settle(self._written(chunks), target)
        return True

    def _written(self, chunks: Iterable[bytes]) -> Path:
        """A file on its way."""
        self._make(self._incoming)
        temp = self._incoming / f"{os.getpid()}-{next(self._numbers)}"
        with temp.open("wb") as file:
            file.writelines(chunks)
        return temp

    def _settle(self, temp: Path, target: Path) -> None:
        self._make(target.parent)
        temp.replace(target)

    def _make(self, folder: Path) -> None:
        if folder not in self._made:
            if not self._is_inside(folder):
                raise WellreadError(f"{folder} is a link that leads out of the site, and nothing is written through it")
            folder.mkdir(parents=True, exist_ok=True)
            self._made.add(folder)

    def _is_inside(self, folder: Path) -> bool:
        """Whether a folder is where its path says: who may write into a shared hub could put a link in its place."""
        return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(self.root))


def prepare(out: Path, hub: Path | None) -> Path:
    """The folder of a site, made if it is not there. ``hub`` is the folder of its hub, where that is one.

    Raises BadInput for a file or for a place among the hub's own files, WellreadError where the system refuses.
    """
    root = out.expanduser().absolute()
    if root.exists() and not root.is_dir():
        raise BadInput(f"{root} is not a folder: a site is one, give another --out")
    part = _part_of(root, hub)
    if part:
        raise BadInput(f"{root} lies in {part}/ of its hub, among what is published: give {hub}, or a folder elsewhere")
    try:
        (root / PRIVATE).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk.refused(root, error) from error
    if not os.access(root, os.W_OK | os.X_OK):
        raise WellreadError(f"cannot write into {root}: it is closed to you; choose another folder (--out)")
    return root


def require_ours(out: Path) -> None:
    """Raises BadInput for a folder where no site was built and files lie that its first build would write over."""
    root = out.expanduser()
    if (root / PRIVATE / state.FILE).exists():
        return
    theirs = [name for name in ROOT_FILES if os.path.lexists(root / name)]
    if theirs:
        named = ", ".join(theirs[:_FEW]) + (" …" if len(theirs) > _FEW else "")
        raise BadInput(
            f"{root} holds {named}, and no site was built there: nothing is written over. "
            "Give an empty folder (--out), or remove them"
        )


def _part_of(root: Path, hub: Path | None) -> str:
    """Which of a hub's own folders a folder lies in; empty for none."""
    if hub is None:
        return ""
    inside, there = Path(os.path.realpath(root)), Path(os.path.realpath(hub))
    first = inside.relative_to(there).parts[:1] if inside.is_relative_to(there) else ()
    return first[0] if first and first[0] in ("public", "index", "aliases", PRIVATE) else ""


def _same(target: Path, chunks: Iterator[bytes], size: int | None = None) -> bool:
    """Whether a file is there and holds these bytes."""
    try:
        file = target.open("rb")
    except FileNotFoundError:
        return False
    with file:
        if size is not None and os.fstat(file.fileno()).st_size != size:
            return False
        return all(file.read(len(chunk)) == chunk for chunk in chunks) and not file.read(1)
