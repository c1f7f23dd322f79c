"""Which Java there is, and whether this Spark runs on it.

Spark takes ``$JAVA_HOME/bin/java``, else the ``java`` of the PATH. A JDK and a JRE say their version in a file
``release`` beside ``bin``; asking ``java -version`` would cost a second of every start.

The Java Runtimes that PyPI has do not carry Spark: they lack the module ``jdk.incubator.vector``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from wellread.errors import MissingExtra

LINES = {3: (8, 17), 4: (17, None)}
"""The first and the last Java that a line of Spark runs on; None: no last one is known."""
ADVICE = "Debian and Ubuntu have 17 as openjdk-17-jre-headless; elsewhere adoptium.net has it. JAVA_HOME chooses one"

_VERSION = re.compile(r'(?:version |JAVA_VERSION=)"(?:1\.)?(\d+)')


def check_java(spark: str) -> None:
    """Raises MissingExtra where there is no Java, or none that Spark of that version (``"4.1.0"``) runs on."""
    java = find_java()
    if java is None:
        raise MissingExtra(f"Spark {spark} needs Java, and {_sought()} has none. {ADVICE}")
    version = version_of(java)
    first, last = LINES.get(int(spark.partition(".")[0]), (17, None))
    if version is not None and (version < first or (last is not None and version > last)):
        wanted = f"{first} or later" if last is None else f"{first} to {last}"
        raise MissingExtra(f"Spark {spark} runs on Java {wanted}, and {java} is Java {version}. {ADVICE}")


def find_java() -> Path | None:
    """The ``java`` that Spark would start."""
    if given := os.environ.get("JAVA_HOME"):
        found = shutil.which("java", path=str(Path(given, "bin")))
    else:
        found = shutil.which("java")
    return Path(found) if found else None


def version_of(java: Path) -> int | None:
    """8, 11, 17, …; None where it does not say."""
    told = _VERSION.search(_release(java.resolve().parents[1] / "release") or _asked(java))
    return int(told[1]) if told else None


def _release(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _asked(java: Path) -> str:
    try:
        return subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False).stderr
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _sought() -> str:
    given = os.environ.get("JAVA_HOME")
    return f"JAVA_HOME={given}" if given else "the PATH"
