"""A model on Kaggle, through ``kagglehub`` and its cache (``KAGGLEHUB_CACHE``)."""

from __future__ import annotations

from pathlib import Path

from wellread.converters.sources import Progress, Source
from wellread.converters.sources.hub import ask


def fetch(source: Source, work: Path, progress: Progress) -> Path:
    """The folder in kagglehub's cache. Raises SourceUnavailable, MissingExtra."""
    progress(f"asking Kaggle for {source.location}")
    return ask(source, "kagglehub")
