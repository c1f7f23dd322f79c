"""Who is put to the test, and how a download of theirs is run and judged.

Each downloads the same bytes from the same server, in a process and with a cache of its own: wellread the form
``torch`` of a release, huggingface_hub a file of a repository, pooch a URL with its sha256.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.fault_server import Server

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 180
"""Seconds that a download may last before it counts as hanging."""
ERROR = "error «{}»"
LONGEST = 300
"""Letters of an error that are shown."""

_DIGEST = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{56}\b")


class Contender(NamedTuple):
    """A downloader: a script that prints the path of the model's file, its settings, what makes it offline, and what
    makes it look at every byte of its cache, where it can be told to."""

    script: str
    settings: Mapping[str, str]
    offline: Mapping[str, str]
    careful: Mapping[str, str]


CONTENDERS: Mapping[str, Contender] = {
    "wellread": Contender(
        "import os, wellread; verify = os.environ.get('VERIFY', 'stat'); "
        "print(wellread.fetch('tiny', 'en', form='torch', verify=verify) / 'model.safetensors')",
        {"WELLREAD_HOME": "{cache}", "WELLREAD_HUB": "{url}/hub"},
        {"WELLREAD_OFFLINE": "1"},
        {"VERIFY": "full"},
    ),
    "huggingface_hub": Contender(
        "from huggingface_hub import hf_hub_download; print(hf_hub_download('org/tiny', 'model.safetensors'))",
        {"HF_HOME": "{cache}", "HF_ENDPOINT": "{url}", "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"},
        {"HF_HUB_OFFLINE": "1"},
        {},
    ),
    "pooch": Contender(
        "import os, pooch; e = os.environ; print(pooch.retrieve(e['URL'], e['HASH'], 'model', e['TO']))",
        {"TO": "{cache}", "URL": "{url}/files/model.safetensors", "HASH": "sha256:{sha256}"},
        {},
        {},
    ),
}


class Bench(NamedTuple):
    """A contender with its server and its cache, and what it should bring."""

    contender: Contender
    server: Server
    cache: Path
    sha256: str

    def start(self, *before: str, more: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        told = {"cache": str(self.cache), "url": self.server.url, "sha256": self.sha256}
        settings = {name: value.format(**told) for name, value in self.contender.settings.items()}
        environment = {**os.environ, **settings, **(more or {})}
        command = [*before, sys.executable, "-W", "ignore", "-c", self.contender.script]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True)

    def run(self, *before: str, more: Mapping[str, str] | None = None) -> str:
        return self.judge(self.start(*before, more=more))

    def judge(self, process: subprocess.Popen[str]) -> str:
        """What a download came to, in words."""
        try:
            out, err = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return f"hangs: no end within {LIMIT} s"
        if process.returncode:
            return ERROR.format(_last_line(err))
        found = hashlib.sha256(Path(out.strip().splitlines()[-1]).read_bytes()).hexdigest()
        return "right bytes" if found == self.sha256 else "**wrong bytes**, returned as good"

    def file(self) -> Path:
        """The model's file in the cache: the largest there."""
        return max((path for path in self.cache.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)

    def counted(self) -> str:
        served = self.server
        return f"{served.answers} of {served.requests} requests for payload, {served.sent / 1e6:.0f} MB"


def _last_line(err: str) -> str:
    """The last error that a traceback tells of, without its module, digests and whatever makes it long."""
    lines = [line.strip() for line in err.strip().splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"[\w.]*(Error|Interrupted|Unavailable)\b", line)]
    kind, _, message = (errors or lines or ["no message"])[-1].partition(": ")
    told = _DIGEST.sub(r"\1…", f"{kind.rpartition('.')[2]}: {message}")
    return told if len(told) <= LONGEST else f"{told[:LONGEST]}…"
