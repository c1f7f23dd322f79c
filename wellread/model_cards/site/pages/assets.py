"""Scripts, styles and the demo's runtime, in a folder named after their digest.

    assets/3f2a91c0…/site.css  search.js  demo/vendor/ort.wasm …

So a server may let browsers keep them for ever: other bytes have another address. What is not for browsers, as the
lists of packages that npm reads, stays here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).with_name("static")
SHOWN = (".css", ".js", ".svg", ".png", ".ico", ".txt", ".wasm", ".woff2")
"""How files end that a page can ask for."""


@dataclass(frozen=True)
class Assets:
    """``folder`` from the site's root; ``files``: path below it → the file that it is a copy of."""

    folder: str
    files: Mapping[str, Path]

    def paths(self) -> Iterator[tuple[str, Path]]:
        """(path from the site's root, the file) of each."""
        for path, file in self.files.items():
            yield f"{self.folder}/{path}", file


def gather(others: Mapping[str, Path], static: Path = STATIC) -> Assets:
    """All assets: those of the package, and ``others`` by their path."""
    own = {file.relative_to(static).as_posix(): file for file in static.rglob("*") if file.suffix in SHOWN}
    files = dict(sorted({**own, **others}.items()))
    return Assets(f"assets/{digest(files)[:16]}", files)


def digest(files: Mapping[str, Path]) -> str:
    """The sha256 over paths and contents, in the order of the paths."""
    total = hashlib.sha256()
    for path in sorted(files):
        with files[path].open("rb") as file:
            total.update(f"{path}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()
