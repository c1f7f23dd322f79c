"""Virtual environments for peers that cannot live beside what wellread is tested with.

    build/peers/fastembed   wants huggingface_hub < 2
    build/peers/optimum     the ONNX backend of sentence-transformers wants transformers < 5

Each lies on top of the environment that runs the benchmark: what both can take (onnxruntime, PyTorch, numpy) is the
very same installation, so that libraries are compared and not their engines' versions.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

from benchmarks.players import Absent
from benchmarks.processes import ROOT

PEERS = ROOT / "build/peers"
WANTED = {
    "fastembed": ("fastembed>=0.9,<1",),
    "optimum": ("optimum-onnx[onnxruntime]>=0.1", "sentence-transformers>=5,<6"),
}
_READY = ".ready"


def python(peer: str) -> str:
    """The interpreter that has ``peer``, installed on first use. Raises Absent where that does not work."""
    folder = PEERS / peer
    interpreter = folder / "bin/python"
    if not (folder / _READY).is_file():
        _make(folder, interpreter, WANTED[peer])
    return str(interpreter)


def _make(folder: Path, interpreter: Path, wanted: tuple[str, ...]) -> None:
    _run(f"{folder} cannot be made", sys.executable, "-m", "venv", "--clear", str(folder))
    below = Path(sysconfig.get_path("purelib"))
    above = folder / below.relative_to(sys.prefix)
    (above / "below.pth").write_text(f"{below}\n")
    _run(f"{', '.join(wanted)} cannot be installed", str(interpreter), "-m", "pip", "install", "--quiet", *wanted)
    (folder / _READY).touch()


def _run(failed: str, *command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Absent(f"{failed}: {(done.stderr.strip().splitlines() or ['no word why'])[-1]}")
