"""A TF-Hub module, through ``tensorflow_hub`` and its cache.

    TFHUB_CACHE_DIR/sha1(handle)/        where tensorflow_hub keeps it; <work>/tfhub if the variable is not set

A module that is there is used without importing TensorFlow or asking the network. One that is not is asked for with a
plain request first, so that a hub out of reach is known in seconds, before TensorFlow is imported.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from wellread.converters.sources import Progress, Source
from wellread.converters.sources.hub import ask
from wellread.converters.sources.web import opened


def fetch(source: Source, work: Path, progress: Progress) -> Path:
    """The module's folder in the cache. Raises SourceUnavailable, MissingExtra."""
    cache = Path(os.environ.get("TFHUB_CACHE_DIR") or work / "tfhub")
    folder = cache / hashlib.sha1(source.location.encode(), usedforsecurity=False).hexdigest()
    if folder.is_dir() and any(folder.iterdir()):
        return folder
    progress(f"asking for {source.told}")
    with opened(f"{source.location}?tf-hub-format=compressed"):
        progress(f"downloading {source.told} through tensorflow_hub")
    cache.mkdir(parents=True, exist_ok=True)
    return ask(source, "tensorflow_hub", {"TFHUB_CACHE_DIR": str(cache)})
