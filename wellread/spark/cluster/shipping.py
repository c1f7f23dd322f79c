"""How a model comes to the machines of a cluster.

    driver    ship(model, session)   one stored zip of one form, given to Spark once a session       → Shipped
    worker    arrive(shipped)        the folder: of the very release in the worker's cache, or in a site's,
                                     else unpacked from the zip, under a lock, its goldens replayed

The zip is an artifact as ``wellread.open`` takes it, whose manifest lists the members of that form and nothing else.
``Shipped`` travels inside the tasks and names the sha256 of that manifest, which pins every byte. On a local master
nothing is shipped: its workers open the driver's own folder.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from wellread.errors import BadInput, IntegrityError, WellreadError
from wellread.registry import pieces
from wellread.registry.artifact.manifest import MANIFEST, members_of, parse_manifest
from wellread.registry.artifact.package import open_artifact, pack
from wellread.registry.cache.entry import places
from wellread.registry.home import home
from wellread.registry.records import Manifest, encode_pretty
from wellread.registry.transfer.fetch import install
from wellread.runtime.goldens import replay as prove
from wellread.spark.cluster.session import context_of, is_local, threads_of

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    from wellread.runtime.model import Model

_SHIPPING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Shipped:
    """A model on its way to the workers: small, pickles, hashes.

    ``release`` and ``form`` say what it is, ``digest`` is the sha256 of the release's manifest. Workers on the driver's
    machine find it in ``folder``; for others Spark carries ``file``, and ``part`` is the sha256 of the manifest in it.
    ``threads`` is how many cores a worker may use, ``device`` what the driver's model runs on.
    """

    name: str
    language: str
    release: str
    form: str
    stem: str
    digest: str
    threads: int
    device: str = "cpu"
    folder: str = ""
    file: str = ""
    part: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.language}) {self.release}: {self.form}"


# ---------------------------------------------------------------- on the driver


def ship(model: Model, session: SparkSession) -> Shipped:
    """Have Spark carry a model to wherever its tasks run; to ship the same model again costs next to nothing.

    Raises BadInput for a session of Spark Connect and for a model that was not opened from a release, IntegrityError
    where its files are no more what they were.
    """
    context, artifact = context_of(session), model.manifest.artifact
    shipped = Shipped(
        name=str(model.name),
        language=str(model.language),
        release=str(artifact.release),
        form=model.form,
        stem=artifact.stem,
        digest=_digest(model.path),
        threads=threads_of(context),
        device=model.info()["device"],
    )
    if is_local(context):
        return replace(shipped, folder=str(model.path))
    manifest = _of_one_form(model.manifest, model.form)
    part = pieces.sha256(encode_pretty(manifest))
    # The name follows from the bytes: Spark refuses, or worse keeps, a second file of one name.
    file = f"{artifact.stem}-{model.form}-{part[:16]}.zip"
    with _SHIPPING:
        _give(context, model.path, manifest, file)
    return replace(shipped, file=file, part=part)


def _digest(folder: Path) -> str:
    try:
        return pieces.sha256((folder / MANIFEST).read_bytes())
    except OSError as error:
        raise BadInput(
            f"{folder} has no {MANIFEST} to ship: load the model with wellread.pretrained or open"
        ) from error


def _of_one_form(manifest: Manifest, form: str) -> Manifest:
    """The manifest of an artifact that has one of a release's forms, and what comes with it."""
    forms, files = {form: manifest.forms[form]}, members_of(manifest, form)
    return msgspec.structs.replace(manifest, forms=forms, files=files)


def _give(context: SparkContext, folder: Path, manifest: Manifest, file: str) -> None:
    """Give Spark the zip, unless it has it; it lies in a folder that Spark removes, however the driver ends."""
    from pyspark import SparkFiles

    if any(each.endswith(f"/{file}") for each in context.listFiles):
        return
    out = Path(SparkFiles.getRootDirectory(), "wellread", file)
    out.parent.mkdir(exist_ok=True)
    pack(folder, manifest, out)
    context.addFile(str(out))


# ---------------------------------------------------------------- on a worker


def arrive(shipped: Shipped) -> tuple[Path, Manifest]:
    """The folder of a shipped model on this machine, and its manifest.

    Raises IntegrityError where what came is not what was shipped, or misses its goldens on this machine.
    """
    if shipped.folder:
        return _lying_there(shipped)
    _settle()
    return _cached(shipped) or _unpacked(shipped)


def _lying_there(shipped: Shipped) -> tuple[Path, Manifest]:
    """The driver's own folder, which the driver has checked."""
    folder = Path(shipped.folder)
    if _digest(folder) != shipped.digest:
        raise IntegrityError(f"{folder} has changed since the driver opened {shipped}: load the model again")
    return folder, parse_manifest((folder / MANIFEST).read_bytes(), str(folder))


def _settle() -> None:
    """Where no cache can be written, have it among the files of Spark's application."""
    from pyspark import SparkFiles

    try:
        (home() / "cache").mkdir(parents=True, exist_ok=True)
        settled = os.access(home() / "cache", os.W_OK)
    except OSError:
        settled = False
    if not settled:
        os.environ["WELLREAD_HOME"] = str(Path(SparkFiles.getRootDirectory(), "wellread"))


def _cached(shipped: Shipped) -> tuple[Path, Manifest] | None:
    for digest in (shipped.digest, shipped.part):
        for entry in places(shipped.stem, digest):
            if manifest := entry.holds(shipped.form):
                return entry.path, manifest
    return None


def _unpacked(shipped: Shipped) -> tuple[Path, Manifest]:
    from pyspark import SparkFiles

    path = Path(SparkFiles.get(shipped.file))
    try:
        package = open_artifact(path)
    except BadInput as error:
        raise WellreadError(f"{path} is not there: Spark did not bring {shipped} to this machine") from error
    if package.digest != shipped.part:
        raise IntegrityError(f"{path} is not what the driver shipped as {shipped}. Nothing of it was used")
    return install(package, shipped.form, prove=prove, refresh=True)  # to try again costs no download
