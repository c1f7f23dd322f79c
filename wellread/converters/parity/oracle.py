"""The source's own graph as the oracle: what TensorFlow computes at every point of the network.

TensorFlow runs in a process of its own, so that its memory goes when it ends and nothing of it is imported here. The
two processes exchange a folder:

    request.npz     0.ids 0.mask 0.types  1.ids …      the probes, (batch, tokens) int64
    answer.npz      0.embeddings 0.layer 1 … 0.pooled   what the graph gave for each, float32
    answer.json     {"tool": "tensorflow 2.21.0"}, or {"refused": why the graph is not one that we can read}
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wellread.converters.parity.probes import Activations, Probe, points
from wellread.converters.weights import Weights
from wellread.errors import BadInput, SourceError, UnsupportedModel, missing_extra

_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
"""No log lines, and no GPU, where float32 products may be rounded to fewer bits."""


@dataclass(frozen=True)
class OracleRun:
    """What the source's graph gave. ``tool`` names the program and its version; one ``Activations`` per probe."""

    tool: str
    activations: tuple[Activations, ...]


def run_source(weights: Weights, probes: Sequence[Probe], exchange: Path, timeout: float = 3600.0) -> OracleRun:
    """Run the graph that ``weights`` came with on every probe; ``timeout`` in seconds is for all of them.

    ``exchange`` is the folder through which the processes talk. Arrays are float32. Positions beyond the real tokens
    hold what the graph gives there.

    Raises BadInput if the source has no graph, MissingExtra without TensorFlow, UnsupportedModel if a point of
    ``points(layers)`` is not found in the graph, SourceError if TensorFlow fails or takes too long.
    """
    if weights.graph is None:
        raise BadInput(f"a source of format {weights.format} has no graph to run: compare with the float64 reference")
    if importlib.util.find_spec("tensorflow") is None:
        raise missing_extra("tensorflow", "press")
    _write_request(exchange, probes)
    _run_process(weights, exchange, timeout)
    return _read_answer(exchange, weights, len(probes))


def _write_request(folder: Path, probes: Sequence[Probe]) -> None:
    arrays = {
        f"{i}.{part}": getattr(probe, part) for i, probe in enumerate(probes) for part in ("ids", "mask", "types")
    }
    np.savez(folder / "request.npz", **arrays)


def _run_process(weights: Weights, folder: Path, timeout: float) -> None:
    layers = str(weights.architecture.layers)
    module = "wellread.converters.parity.oracle_process"
    # What lies in the working folder is not ours to run, so it is on no path.
    command = [sys.executable, "-P", "-m", module, str(weights.graph), weights.format, layers, str(folder)]
    environment = os.environ | _QUIET | {"PYTHONPATH": os.pathsep.join(_paths())}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"TensorFlow has not run {weights.graph} within {timeout:.0f} s") from error
    if done.returncode:
        tail = "\n".join(done.stderr.strip().splitlines()[-2:])
        raise SourceError(f"TensorFlow could not run {weights.graph} ({_ending(done.returncode)}):\n{tail}")


def _paths() -> list[str]:
    """Where this process imports from, but for the working folder; last the package's own place, if it is there."""
    here, ours = Path.cwd(), Path(__file__).parents[3]
    return [*(path for path in sys.path if path and Path(path).resolve() != here), str(ours)]


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    hint = ", perhaps for want of memory" if -code == signal.SIGKILL else ""
    return f"killed by {signal.Signals(-code).name}{hint}"


def _read_answer(folder: Path, weights: Weights, probes: int) -> OracleRun:
    answer = json.loads((folder / "answer.json").read_bytes())
    if "refused" in answer:
        raise UnsupportedModel(f"{weights.graph}: {answer['refused']}")
    names = points(weights.architecture.layers)
    with np.load(folder / "answer.npz") as arrays:
        activations = tuple({name: arrays[f"{i}.{name}"] for name in names} for i in range(probes))
    return OracleRun(answer["tool"], activations)
