"""Weights to ONNX: wellread beside PyTorch's two exporters, in one run.

    python -m benchmarks.convert [--rounds 5] [--layers 8 --hidden 512]

Every measurement is a process of its own that reads the same Hugging Face folder (random weights, the shape of
small_bert_L8_512) and writes one file; the contenders take turns, so that a noisy machine is noisy for all. Reported:
the median wall time of the whole process and of the conversion alone, the largest peak memory, the file's size and
nodes, and the largest error of last_hidden_state against the float64 reference. Writes docs/benchmarks/convert.md.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent

Row = dict[str, Any]


def by_wellread(folder: Path, out: Path) -> None:
    from wellread.converters.forms.onnx_form import write_onnx
    from wellread.converters.weights import read_weights

    write_onnx(out, read_weights(folder))


def all_forms(folder: Path, out: Path) -> None:
    from wellread.converters.forms.kinds import write_forms
    from wellread.converters.weights import read_weights

    write_forms(out.parent, read_weights(folder), ["torch", "onnx", "onnx-int8"], "mean")
    (out.parent / "onnx/model.onnx").rename(out)


def by_torch(folder: Path, out: Path, dynamo: bool) -> None:
    import torch
    from transformers import AutoModel

    class Plain(torch.nn.Module):
        """Three tensors in, two out: what an exporter can trace."""

        def __init__(self) -> None:
            super().__init__()
            self.bert = AutoModel.from_pretrained(folder).eval()

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
            out = self.bert(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
            return out.last_hidden_state, out.pooler_output

    names = ["input_ids", "attention_mask", "token_type_ids"]
    dims = {name: {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")} for name in names}
    axes = {"dynamic_shapes": dims} if dynamo else {"dynamic_axes": {name: {0: "batch", 1: "tokens"} for name in names}}
    ones = torch.ones(2, 16, dtype=torch.int64)
    mask = ones.clone()
    mask[1, 9:] = 0  # with a mask of ones, transformers takes a short cut that an exporter would bake in
    torch.onnx.export(
        Plain(), (ones, mask, ones * 0), str(out),
        input_names=names, output_names=["last_hidden_state", "pooler_output"],
        dynamo=dynamo, external_data=False, opset_version=20, **axes,
    )  # fmt: skip


CONTENDERS: dict[str, Callable[[Path, Path], None]] = {
    "wellread, onnx": by_wellread,
    "wellread, torch + onnx + int8": all_forms,
    "torch.onnx, dynamo": lambda folder, out: by_torch(folder, out, dynamo=True),
    "torch.onnx, legacy": lambda folder, out: by_torch(folder, out, dynamo=False),
}


def measure_here(contender: str, folder: Path, out: Path) -> None:
    """Runs in a process of its own and prints what it took as JSON."""
    started = time.perf_counter()
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        CONTENDERS[contender](folder, out)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


def measure(contender: str, folder: Path, out: Path) -> Row:
    started = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.convert", "--one", contender, str(folder), str(out)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    return {"whole": time.perf_counter() - started, **json.loads(printed.splitlines()[-1])}


def write_source(folder: Path, layers: int, hidden: int) -> None:
    from tests.fixtures.tiny import tiny_architecture, tiny_tensors, write_huggingface

    shape = {"layers": layers, "hidden": hidden, "heads": hidden // 64, "intermediate": 4 * hidden}
    architecture = tiny_architecture(**shape, vocabulary=30522, positions=512)
    vocabulary = "".join(f"{token}\n" for token in ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *range(30517)])
    write_huggingface(folder, architecture, tiny_tensors(architecture), vocabulary.encode())


def errors(folder: Path, files: dict[str, Path]) -> dict[str, float]:
    import onnxruntime

    from wellread.converters.parity.probes import Probe
    from wellread.converters.parity.reference import Reference
    from wellread.converters.weights import read_weights

    ids = np.random.default_rng(0).integers(0, 30522, (4, 48))
    mask = (np.arange(48) < np.array([[48], [30], [11], [2]])).astype(np.int64)
    truth = Reference(read_weights(folder)).run(Probe("ragged", ids, mask, ids * 0))["sequence"]
    feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": ids * 0}
    found = {
        name: onnxruntime.InferenceSession(file).run(["last_hidden_state"], feeds)[0] for name, file in files.items()
    }
    return {name: float(np.abs(array - truth)[mask > 0].max()) for name, array in found.items()}


def table(rows: dict[str, list[Row]], files: dict[str, Path], wrong: dict[str, float]) -> str:
    import onnx

    lines = [
        "| path | process, s | conversion, s | peak memory, GB | file, MB | nodes | error |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, runs in rows.items():
        whole, seconds = (statistics.median(run[key] for run in runs) for key in ("whole", "seconds"))
        peak, size = max(run["peak"] for run in runs) / 1e9, files[name].stat().st_size / 1e6
        nodes = len(onnx.load(files[name]).graph.node)
        lines.append(
            f"| {name} | {whole:.1f} | {seconds:.1f} | {peak:.2f} | {size:.0f} | {nodes} | {wrong[name]:.1e} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        return measure_here(asked.one[0], Path(asked.one[1]), Path(asked.one[2]))
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch, "source")
        write_source(source, asked.layers, asked.hidden)
        files = {name: Path(scratch, str(i), "model.onnx") for i, name in enumerate(CONTENDERS)}
        for file in files.values():
            file.parent.mkdir()
        rows: dict[str, list[Row]] = {name: [] for name in CONTENDERS}
        for _ in range(asked.rounds):
            for name, file in files.items():
                rows[name].append(measure(name, source, file))
        drawn = table(rows, files, errors(source, files))
    tools = ", ".join(
        f"{tool} {version(tool)}" for tool in ("onnx", "onnxruntime", "torch", "transformers", "onnxscript")
    )
    text = (
        f"# Weights to ONNX\n\nMade by `python -m benchmarks.convert --rounds {asked.rounds}`: "
        f"L-{asked.layers} H-{asked.hidden}, medians of {asked.rounds} interleaved runs (peak memory: the largest), "
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {tools}. "
        "The error is the largest of last_hidden_state against the float64 reference on a ragged batch.\n\n"
    )
    target = ROOT / "docs/benchmarks/convert.md"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(f"{text}{drawn}\n", encoding="utf-8")
    print(drawn)
    return None


if __name__ == "__main__":
    main()
