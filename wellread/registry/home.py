"""Where a user's own things lie.

$WELLREAD_HOME/
  hub/          the user's own hub
  keys/         private keys to sign with
  trust.json    whose keys are believed, hub by hub
  cache/        what was fetched; can be deleted at any time
  work/         what was pulled and converted; can be deleted at any time
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def home() -> Path:
    """``WELLREAD_HOME``, or the system's place for a user's data: it holds the user's own hub and keys too."""
    if given := os.environ.get("WELLREAD_HOME"):
        return Path(given).expanduser().absolute()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "wellread"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "wellread"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "wellread"
