"""A repository on Hugging Face, through ``huggingface_hub``, its cache and settings (``HF_HOME``, ``HF_TOKEN``…)."""

from __future__ import annotations

from pathlib import Path

from wellread.converters.sources import Progress, Source
from wellread.converters.sources.hub import ask


def fetch(source: Source, work: Path, progress: Progress) -> Path:
    """The snapshot's folder: json, safetensors and vocabulary only. Raises SourceUnavailable, MissingExtra."""
    progress(f"asking Hugging Face for {source.location}")
    return ask(source, "huggingface_hub")
