"""Cold start: from the start of a process to its first vector, everything on disk and in the system's cache.

The scripts are what somebody would write; each prints a number of the vector and is timed until that line. The barest
one has nothing but onnxruntime and tokenizers, checks nothing, and knows where the files are.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from benchmarks.models import Material
from benchmarks.players import QUIET, Absent
from benchmarks.processes import ROOT

BAREST = "barest script: onnxruntime + tokenizers"
_BAREST = """
import numpy, onnxruntime, tokenizers
read = tokenizers.Tokenizer.from_file({folder!r} + "/tokenizer.json").encode("I love NLP")
ids = numpy.array([read.ids])
feeds = {{"input_ids": ids, "attention_mask": ids * 0 + 1, "token_type_ids": ids * 0}}
session = onnxruntime.InferenceSession({folder!r} + "/onnx/model.onnx")
print(session.run(["last_hidden_state"], feeds)[0][0].mean(0)[0], flush=True)
"""
_WELLREAD = """
import wellread
model = wellread.pretrained({name!r}, hub={hub!r}, form={form!r})
print(model.encode("I love NLP")[0], flush=True)
"""
_TRANSFORMERS = """
import torch, transformers
tokenizer = transformers.AutoTokenizer.from_pretrained({folder!r})
model = transformers.AutoModel.from_pretrained({folder!r})
with torch.inference_mode():
    print(model(**tokenizer("I love NLP", return_tensors="pt")).last_hidden_state[0].mean(0)[0].item(), flush=True)
"""
_SENTENCE_TRANSFORMERS = """
from sentence_transformers import SentenceTransformer
print(SentenceTransformer({folder!r}, device="cpu").encode("I love NLP")[0], flush=True)
"""
_TENSORFLOW = """
import tensorflow, tokenizers
ids = [tokenizers.Tokenizer.from_file({folder!r} + "/tokenizer.json").encode("I love NLP").ids]
ids = tensorflow.constant(ids, tensorflow.int32)
model = tensorflow.saved_model.load({source!r})
fed = {{"input_word_ids": ids, "input_mask": ids * 0 + 1, "input_type_ids": ids * 0}}
print(model(fed, training=False)["sequence_output"].numpy()[0].mean(0)[0], flush=True)
"""
SCRIPTS = {
    BAREST: (_BAREST, ""),
    "wellread, fp32": (_WELLREAD, "onnx"),
    "wellread, int8": (_WELLREAD, "onnx-int8"),
    "transformers": (_TRANSFORMERS, ""),
    "sentence-transformers, torch": (_SENTENCE_TRANSFORMERS, ""),
    "TensorFlow, source called": (_TENSORFLOW, ""),
}


def scripts(of: Material) -> dict[str, str]:
    """Name → the script for that model."""
    return {
        name: text.format(**of.as_json(), form=form)
        for name, (text, form) in SCRIPTS.items()
        if of.source or text != _TENSORFLOW
    }


@dataclass
class ColdStarts:
    """``seconds`` to the first vector, a list of rounds for each script, and why an ``absent`` one did not run."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def medians(self) -> dict[str, float]:
        """The quickest first."""
        return dict(sorted(((name, median(took)) for name, took in self.seconds.items()), key=lambda item: item[1]))


def cold_starts(of: Material, rounds: int, shuffled: Callable[[list[str], int], list[str]]) -> ColdStarts:
    """All scripts in turns, after one round that warms up the system's cache and shows who runs at all."""
    texts, found = scripts(of), ColdStarts()
    environment = {"WELLREAD_HOME": of.home}
    for name, text in texts.items():
        try:
            first_line([sys.executable, "-c", text], environment)
            found.seconds[name] = []
        except Absent as reason:
            found.absent[name] = str(reason)
    for number in range(rounds):
        for name in shuffled(list(found.seconds), number):
            found.seconds[name].append(first_line([sys.executable, "-c", texts[name]], environment))
    return found


def first_line(command: list[str], environment: dict[str, str]) -> float:
    """Seconds until a process has printed a line. Raises Absent if it fails."""
    started = time.perf_counter()
    whole = os.environ | QUIET | environment
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=whole
    )  # fmt: skip
    assert process.stdout
    line = process.stdout.readline()
    seconds = time.perf_counter() - started
    _, told = process.communicate()
    if process.returncode or not line:
        raise Absent((told.strip().splitlines() or ["it said nothing"])[-1])
    return seconds
