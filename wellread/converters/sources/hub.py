"""Asking a hub's own client (``clients.py``) for a folder."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from wellread.converters.sources import Source, clients
from wellread.errors import SourceUnavailable, missing_extra
from wellread.registry.stores.reasons import explain


def ask(source: Source, module: str, environment: Mapping[str, str] | None = None) -> Path:
    """The folder that the client library ``module`` brings for ``source``. Raises SourceUnavailable, MissingExtra."""
    if importlib.util.find_spec(module) is None:
        raise missing_extra(module, "press")
    finished = subprocess.run(
        [sys.executable, "-P", clients.__file__, source.kind, source.location],
        env={**os.environ, "HF_HUB_DISABLE_PROGRESS_BARS": "1", **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    answer = _answer(finished)
    folder = Path(answer.get("folder", ""))
    if "folder" not in answer or not folder.is_dir():
        raise SourceUnavailable(explain(answer.get("error", f"{module} gave no folder")))
    return folder


def _answer(finished: subprocess.CompletedProcess[str]) -> dict[str, str]:
    last = finished.stdout.strip().rpartition("\n")[2]
    if finished.returncode or not last.startswith("{"):
        return {"error": finished.stderr.strip().rpartition("\n")[2] or f"the client ended with {finished.returncode}"}
    answer: dict[str, str] = json.loads(last)
    return answer
