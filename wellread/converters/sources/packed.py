"""An archive, on this machine or behind an address: ``.zip``, ``.tar``, ``.tar.gz``."""

from __future__ import annotations

from pathlib import Path

from wellread.converters.archive import extract
from wellread.converters.sources import Progress, Source, is_web
from wellread.converters.sources.shelf import model_root, shelved
from wellread.converters.sources.web import check_digest, digest_of, download, edition
from wellread.errors import SourceUnavailable


def fetch(source: Source, work: Path, progress: Progress) -> Path:
    """Unpack it into ``work``, once for its content.

    What an address gives is what the pins say; where there are none, the server is asked whether it is still the same.

    Raises SourceUnavailable, UnsafeArchive, CorruptSource.
    """
    return _from_web(source, work, progress) if is_web(source.location) else _from_disk(source, work, progress)


def _from_disk(source: Source, work: Path, progress: Progress) -> Path:
    archive = Path(source.location).expanduser()
    if not archive.is_file():
        raise SourceUnavailable(f"the file {archive} is not there")
    digest = digest_of(archive)
    check_digest(archive.name, digest, source.sha256)
    progress(f"unpacking {archive.name}")
    return model_root(shelved(work, source, digest, lambda scratch, target: extract(archive, target)))


def _from_web(source: Source, work: Path, progress: Progress) -> Path:
    def make(scratch: Path, target: Path) -> None:
        archive = scratch / (source.location.split("?")[0].rpartition("/")[2] or "archive")
        download(source.location, archive, source.sha256, progress)
        progress(f"unpacking {archive.name}")
        extract(archive, target)

    pinned = source.sha256 or source.files
    return model_root(shelved(work, source, "" if pinned else edition(source.location), make))
