"""A folder on this machine, read where it lies."""

from __future__ import annotations

from pathlib import Path

from wellread.converters.sources import Progress, Source
from wellread.errors import SourceUnavailable


def fetch(source: Source, work: Path, progress: Progress) -> Path:
    """The folder itself. Raises SourceUnavailable."""
    folder = Path(source.location).expanduser()
    if folder.is_dir():
        return folder
    if folder.exists():
        raise SourceUnavailable(f"the folder {folder} is a file, and no .zip, .tar or .tar.gz")
    like_a_handle = source.location.count("/") == 4 and not folder.is_absolute()
    hint = f"; for a Kaggle handle write kaggle:{source.location}" if like_a_handle else ""
    raise SourceUnavailable(f"the folder {folder} is not there{hint}")
