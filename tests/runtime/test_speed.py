"""What is told of a form's size and speed, and what it was measured on. How fast it is, no test asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from wellread.registry.artifact.package import describe
from wellread.registry.records import Manifest
from wellread.runtime.folder import open_tokeniser
from wellread.runtime.model import Model
from wellread.runtime.speed import TEXTS, measure

pytestmark = pytest.mark.press


@pytest.fixture
def listed(folder: Path, manifest: Manifest) -> Manifest:
    """The manifest of the tiny model, its files and their sizes included."""
    return msgspec.structs.replace(manifest, files=describe(folder))


def test_each_form_that_runs_here_is_measured(folder: Path, listed: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    found = measure(folder, listed, listed.forms)
    assert [benchmark.form for benchmark in found] == ["onnx", "onnx-int8"]
    for benchmark, file in zip(found, ("model.onnx", "model_int8.onnx"), strict=True):
        sizes = [(folder / name).stat().st_size for name in (f"onnx/{file}", "tokenizer.json")]
        assert (benchmark.size, benchmark.threads) == (sum(sizes), 1)
        assert benchmark.load > 0 and benchmark.speed > 0


def test_the_figures_are_medians_over_the_tokens_that_went_in(
    folder: Path, listed: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a clock by which everything takes two seconds, but the first time a hundred."""
    went_in: list[list[str]] = []
    encode = Model.encode

    def watched(self: Model, texts: list[str], **how: Any) -> Any:
        went_in.append(texts)
        return encode(self, texts, **how)

    ticks = iter([0.0, 100.0, *(float(tick) for tick in range(200, 400, 2))])
    monkeypatch.setattr("wellread.runtime.speed.perf_counter", lambda: next(ticks))
    monkeypatch.setattr(Model, "encode", watched)
    (found,) = measure(folder, listed, ["onnx"])
    assert went_in[0] == went_in[-1]
    tokens = [len(read.ids) for read in open_tokeniser(folder)(went_in[0])]
    assert max(tokens) <= listed.max_length, "nothing is cut off"
    assert (found.speed, found.load) == (sum(tokens) / 2, 2.0)


def test_the_texts_are_of_every_length() -> None:
    words = sorted(len(text.split()) for text in TEXTS)
    assert words[0] == 1 and words[len(words) // 2] < 20 and 80 < words[-1] < 128
