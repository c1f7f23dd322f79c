"""Which files of a folder differ from a revision of the git repository that it lies in.

What counts is the working tree: committed, staged, edited or new files that git does not ignore. A renamed file counts
under its new name. The revision of zeros, which hooks and build servers give where there was none before, stands for
nothing: all files differ from it.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from wellread.errors import BadInput

_NONE = re.compile(r"0{40}|0{64}")
_DEEPER = "fetch the whole history (actions/checkout: fetch-depth: 0; else: git fetch --unshallow)"


def changed(files: Iterable[Path], folder: Path, since: str) -> list[Path]:
    """Those of the files below ``folder`` that differ from the revision ``since``, in their order.

    Raises BadInput where git is missing, the folder is in no repository, or the revision is not known there.
    """
    if _NONE.fullmatch(since):
        return list(files)
    revision = _revision(folder, since)
    differing = _git(folder, "diff", "--name-only", "-z", "--relative", "--no-ext-diff", revision)
    new = _git(folder, "ls-files", "-z", "--others", "--exclude-standard")
    found = {folder / name for name in (differing + new).split("\0") if name}
    return [file for file in files if file in found]


def _revision(folder: Path, since: str) -> str:
    """The commit that ``since`` names."""
    shallow = _git(folder, "rev-parse", "--is-shallow-repository").strip() == "true"
    try:
        return _git(folder, "rev-parse", "--verify", "--end-of-options", f"{since}^{{commit}}").strip()
    except BadInput as error:
        advice = _DEEPER if shallow else "after a forced push it may be gone; leave --changed-since out to build all"
        raise BadInput(
            f"--changed-since {since}: there is no such commit in the repository of {folder}; {advice}"
        ) from error


def _git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), *words]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="surrogateescape", check=False)
    except FileNotFoundError as error:
        raise BadInput("--changed-since needs git, and git is not installed: install it, or build all") from error
    if done.returncode:
        said = done.stderr.strip().removeprefix("fatal: ")
        raise BadInput(f"--changed-since: git cannot say what changed in {folder}: {said or done.returncode}")
    return done.stdout
