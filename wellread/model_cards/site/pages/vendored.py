"""What the live demo runs on: onnxruntime for browsers and a tokenizers' library, brought by npm at build time.

    static/demo/package-lock.json     which versions, with the digests of their archives; npm refuses any other bytes
    <cache>/demo/<digest of the lock>/
      ort.js  ort.wasm  tokenizers.js  tokenizers.LICENSE.txt

Whatever registry, mirror, proxy and certificate the user set for npm counts. No script of a package is run. The folder
appears by one rename, so one that is there is whole, and later builds need neither npm nor a network.

A reason why there is none ends up on pages, so it names neither a host nor a path of the builder's machine.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from wellread.errors import WellreadError
from wellread.registry import disk
from wellread.registry.cache.locks import locked

FOLDER = Path(__file__).parent / "static" / "demo"
PINNED = ("package.json", "package-lock.json")
TAKEN: Mapping[str, str] = {
    "ort.js": "onnxruntime-web/dist/ort.wasm.bundle.min.mjs",
    "ort.wasm": "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm",
    "tokenizers.js": "@huggingface/tokenizers/dist/tokenizers.min.mjs",
    "tokenizers.LICENSE.txt": "@huggingface/tokenizers/LICENSE",
}
"""Name on the site → file below ``node_modules``. Scripts end in ``.js``, for many servers do not know ``.mjs``."""
BELOW = "demo/vendor"
"""Where the files lie in the folder of the site's assets."""

_SCRATCH = ".npm-"
_PATIENCE = 180.0
"""Seconds until npm has brought some 30 MB."""
_UNREACHABLE = ("ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EAI_AGAIN", "ENETUNREACH", "ENOTCACHED")
_FAILED: dict[Path, str] = {}
"""Where npm brought nothing, and why: a server builds often, and npm may take minutes each time to fail."""
_CODE = re.compile(r"^npm (?:error|ERR!) code (\w+)$", re.MULTILINE)


@dataclass(frozen=True)
class Vendored:
    """``files``: path below the site's assets → the file to copy there. ``problem``: why there are none, or empty."""

    files: Mapping[str, Path]
    problem: str = ""


def vendor(cache: Path) -> Vendored:
    """The demo's runtime, out of the cache or brought into it by npm, which takes seconds to a minute.

    Never raises: a site without a live demo is a site, and says why. Where npm fails it is not asked again by this
    process.
    """
    pinned = b"".join((FOLDER / name).read_bytes() for name in PINNED)
    place = cache / "demo" / hashlib.sha256(pinned).hexdigest()[:16]
    try:
        problem = "" if place.is_dir() else _FAILED.get(place) or _brought(place)
    except (OSError, WellreadError):
        problem = "the runtime could not be put in place on the machine that built this site"
    return Vendored({} if problem else {f"{BELOW}/{name}": place / name for name in TAKEN}, problem)


def _brought(place: Path) -> str:
    """Make the folder; why it could not be made, or empty."""
    npm = shutil.which("npm")
    if os.environ.get("WELLREAD_OFFLINE", "0") not in ("", "0"):
        return "this site was built offline, before npm had ever brought the runtime"
    if npm is None:
        return "npm is not installed on the machine that built this site"
    with locked(place.with_suffix(".lock"), "another wellread is bringing the live demo's runtime"):
        return "" if place.is_dir() else _installed(npm, place)


def _installed(npm: str, place: Path) -> str:
    for leaving in place.parent.glob(f"{_SCRATCH}*"):  # of one that was killed: we hold the lock
        shutil.rmtree(leaving, ignore_errors=True)
    with TemporaryDirectory(prefix=_SCRATCH, dir=place.parent) as scratch:
        work = Path(scratch)
        for name in PINNED:
            shutil.copyfile(FOLDER / name, work / name)
        if problem := _run(npm, work):
            _FAILED[place] = problem
            return problem
        whole = work / "whole"
        whole.mkdir()
        for name, source in TAKEN.items():
            shutil.move(work / "node_modules" / source, whole / name)
        whole.rename(place)
        disk.sync(place.parent)
    return ""


def _run(npm: str, work: Path) -> str:
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--prefer-offline"]
    try:
        done = subprocess.run(
            [*command, "--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--loglevel=error"],
            cwd=work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"npm took longer than {_PATIENCE:.0f} seconds when this site was built"
    return _complaint(done.stderr) if done.returncode else ""


def _complaint(stderr: str) -> str:
    found = _CODE.search(stderr)
    code = found[1] if found else "no code"
    if code in _UNREACHABLE:
        return "npm could not reach its registry when this site was built"
    if code == "EINTEGRITY":
        return "what npm brought is not what this version of wellread pins"
    return f"npm failed when this site was built ({code})"
