"""One large file from one server to one disk: wellread beside curl, pooch and huggingface_hub.

wellread downloads and verifies a form of a release (manifest, pieces, sync, marker); curl writes the same bytes and
verifies nothing; pooch compares a sha256 at the end; huggingface_hub compares the size. They take turns, in another
order each round. Python's start is in none of them, curl's in curl's.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import statistics
import subprocess
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from benchmarks.local_server import serving
from tests.registry.samples import make_sample, noise
from tests.registry.watched import unproved
from wellread.registry.hub.index import add_release
from wellread.registry.hub.publish import release_line
from wellread.registry.names import DEFAULT_FOLDER
from wellread.registry.records import Release
from wellread.registry.retry import open_hub
from wellread.registry.transfer.fetch import bring

Contender = Callable[[str, Release, Path], None]
"""Brings the artifact of a release from a server's URL into an empty folder."""


def by_wellread(url: str, release: Release, folder: Path) -> None:
    os.environ["WELLREAD_HOME"] = str(folder)
    bring(open_hub(url), release, "onnx", prove=unproved)


def by_curl(url: str, release: Release, folder: Path) -> None:
    subprocess.run(["curl", "-sSf", "-o", str(folder / "file"), f"{url}/{release.path}"], check=True)


def by_curl_and_sync(url: str, release: Release, folder: Path) -> None:
    by_curl(url, release, folder)
    subprocess.run(["sync", str(folder / "file")], check=True)


def by_pooch(url: str, release: Release, folder: Path) -> None:
    import pooch

    pooch.get_logger().setLevel("ERROR")
    pooch.retrieve(f"{url}/{release.path}", f"sha256:{release.sha256}", fname="file", path=folder)


def by_huggingface_hub(url: str, release: Release, folder: Path) -> None:
    import huggingface_hub
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    huggingface_hub.hf_hub_download(
        "org/name", release.path, endpoint=url, cache_dir=folder, token=False, library_name="benchmark"
    )


CONTENDERS: dict[str, Contender] = {
    "wellread: every piece hashed, synced": by_wellread,
    "curl -o": by_curl,
    "curl -o, then sync": by_curl_and_sync,
    "pooch: sha256 at the end": by_pooch,
    "huggingface_hub: size only": by_huggingface_hub,
}


def compare(scratch: Path, megabytes: int, rounds: int) -> tuple[dict[str, float], dict[str, str]]:
    """Median seconds of each contender that works here, and what the others said."""
    release = _publish(scratch, megabytes)
    seconds: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    failures: dict[str, str] = {}
    shuffled = random.Random(1)
    with serving(scratch / "hub") as server:
        by_curl(server.url, release, _empty(scratch / "into"))  # the page cache is warm for all
        for _ in range(rounds):
            names = [each for each in CONTENDERS if each not in failures]
            for name in shuffled.sample(names, len(names)):
                _warm(scratch / "fresh", megabytes)
                folder = _empty(scratch / "into")
                try:
                    seconds[name].append(_timed(CONTENDERS[name], server.url, release, folder))
                except Exception as error:  # a peer that cannot do it is a row too
                    failures[name] = f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"
    return {name: statistics.median(seconds[name]) for name in CONTENDERS if name not in failures}, failures


def _timed(contender: Contender, url: str, release: Release, folder: Path) -> float:
    os.sync()
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        contender(url, release, folder)
    return time.perf_counter() - started


def _warm(file: Path, megabytes: int) -> None:
    """Have the memory for the page cache: a virtual machine pays for getting it back, whoever writes first."""
    with file.open("wb") as writing:
        for _ in range(megabytes + 100):
            writing.write(bytes(1_000_000))
    file.unlink()


def _publish(scratch: Path, megabytes: int) -> Release:
    sample = make_sample(scratch / "large", {"onnx/model.onnx": noise(megabytes * 1_000_000)})
    release = release_line(sample.manifest, sample.packed, DEFAULT_FOLDER)
    target = scratch / "hub" / release.path
    target.parent.mkdir(parents=True)
    sample.zip.rename(target)
    shutil.rmtree(sample.folder)
    if hashlib.sha256(target.read_bytes()).hexdigest() != release.sha256:
        raise RuntimeError("the sample is not what it says")
    return add_release(open_hub(scratch / "hub"), release)


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
