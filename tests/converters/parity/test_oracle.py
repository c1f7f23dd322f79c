"""The source's own graph, run by TensorFlow, against a BERT written down in plain float64 numpy."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import BuildModule
from tests.fixtures.bundles import field
from tests.fixtures.tiny import tiny_architecture, tiny_tensors
from wellread.converters.formats.contents import Format
from wellread.converters.parity.oracle import OracleRun, run_source
from wellread.converters.parity.probes import Probe, points
from wellread.converters.weights import Weights
from wellread.errors import BadInput, MissingExtra, SourceError, UnsupportedModel
from wellread.registry.records import Architecture

pytestmark = pytest.mark.press

Array = NDArray[np.float64]

SOURCES: dict[str, tuple[Format, dict[str, Any], dict[str, Any]]] = {
    "dict API": ("tf2-dict", {}, {}),
    "list API": ("tf2-list", {}, {}),
    "erf, fused layer norm, one layer": (
        "tf2-list",
        {"activation": "gelu_erf", "norm_eps": 2e-5, "layers": 1, "heads": 2},
        {},
    ),
    "fixed length, task head": (
        "tf1-saved-model",
        {"layers": 3},
        {"fixed_length": 48, "int64": True, "task_head": True, "ref_variables": True},
    ),
}
"""Case → format, architecture, options of the fixture."""
MISLABELLED = ("tf2-dict", {"mislabelled": True, "mlm": False})


def source(folder: Path | None, form: Format, **fields: Any) -> Weights:
    """A source without its tensors: the oracle must not need them."""
    return Weights(tiny_architecture(**fields), {}, b"", form, folder, {})


def ragged(architecture: Architecture, tokens: int = 20) -> Probe:
    """Rows padded right, padded left, with a hole, and full, of both types."""
    random = np.random.default_rng(5)
    mask = np.ones((4, tokens), np.int64)
    mask[0, tokens // 2 :] = mask[1, : tokens // 3] = mask[2, 2:5] = 0
    ids = random.integers(0, architecture.vocabulary, mask.shape)
    return Probe("ragged", ids, mask, random.integers(0, architecture.types, mask.shape))


def plain(architecture: Architecture, tokens: int, name: str) -> Probe:
    ids = np.random.default_rng(6).integers(0, architecture.vocabulary, (1, tokens))
    return Probe(name, ids, np.ones_like(ids), np.zeros_like(ids))


# ---------------------------------------------------------------- the reference


def bert(architecture: Architecture, tensors: Mapping[str, NDArray[np.float32]], probe: Probe) -> dict[str, Array]:
    """Every point of ``points(layers)``, in float64."""
    weights = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}

    def dense(x: Array, name: str) -> Array:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(x: Array, name: str) -> Array:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + architecture.norm_eps)
        moved: Array = scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]
        return moved

    def split(x: Array) -> Array:
        return x.reshape(*x.shape[:2], architecture.heads, -1).transpose(0, 2, 1, 3)

    def attend(x: Array, name: str) -> Array:
        query, key, value = (split(dense(x, f"{name}.{part}")) for part in ("query", "key", "value"))
        scores = query @ key.transpose(0, 1, 3, 2) / math.sqrt(query.shape[-1])
        scores = np.where(probe.mask[:, None, None, :] == 1, scores, -np.inf)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        mixed: Array = shares @ value
        return mixed.transpose(0, 2, 1, 3).reshape(x.shape)

    x = weights["embeddings.word_embeddings.weight"][probe.ids]
    x = x + weights["embeddings.position_embeddings.weight"][: x.shape[1]]
    x = norm(x + weights["embeddings.token_type_embeddings.weight"][probe.types], "embeddings.LayerNorm")
    found = {"embeddings": x}
    for i in range(architecture.layers):
        at = f"encoder.layer.{i}"
        mixed = dense(attend(x, f"{at}.attention.self"), f"{at}.attention.output.dense")
        x = norm(x + mixed, f"{at}.attention.output.LayerNorm")
        inner = gelu(dense(x, f"{at}.intermediate.dense"), architecture.activation)
        x = found[f"layer {i + 1}"] = norm(x + dense(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    return found | {"sequence": x, "pooled": np.tanh(dense(x[:, 0], "pooler.dense"))}


def gelu(x: Array, kind: str) -> Array:
    """The Gaussian error linear unit, or the tanh that comes near to it."""
    if kind == "gelu_tanh":
        share: Array = 1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
    else:
        share = 1 + np.vectorize(math.erf)(x / math.sqrt(2))
    return 0.5 * x * share


# ---------------------------------------------------------------- what the graph gives


@pytest.mark.parametrize("case", SOURCES)
def test_every_point_of_the_graph_is_what_bert_computes_there(module: BuildModule, tmp_path: Path, case: str) -> None:
    module.together([*((form, fields | options) for form, fields, options in SOURCES.values()), MISLABELLED])
    form, fields, options = SOURCES[case]
    architecture = tiny_architecture(**fields)
    longest = options.get("fixed_length", architecture.positions)
    probes = [ragged(architecture), plain(architecture, 1, "one token"), plain(architecture, longest, "full length")]

    run = run_source(source(module(form, **fields, **options), form, **fields), probes, tmp_path)

    assert_every_point(run, architecture, probes)


def assert_every_point(run: OracleRun, architecture: Architecture, probes: Sequence[Probe]) -> None:
    assert run.tool.startswith("tensorflow 2.")
    assert len(run.activations) == len(probes)
    for probe, activations in zip(probes, run.activations, strict=True):
        expected = bert(architecture, tiny_tensors(architecture), probe)
        assert tuple(activations) == points(architecture.layers)
        for point, array in activations.items():
            real = slice(None) if point == "pooled" else probe.mask == 1
            assert array.dtype == np.float32
            assert array.shape == expected[point].shape
            np.testing.assert_allclose(array[real], expected[point][real], rtol=0, atol=1e-5, err_msg=point)


def test_a_longer_batch_than_the_graph_takes_is_refused(module: BuildModule, tmp_path: Path) -> None:
    form, fields, options = SOURCES["fixed length, task head"]
    weights = source(module(form, **fields, **options), form, **fields)
    with pytest.raises(UnsupportedModel, match="takes 48 tokens, and 49"):
        run_source(weights, [plain(weights.architecture, 49, "too long")], tmp_path)


def test_the_graph_that_is_run_is_the_one_that_was_read_and_nothing_of_the_working_folder_is(
    module: BuildModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second graph, for training, lies before it; modules that would stop the process lie where the user stands."""
    folder = shutil.copytree(module("tf1-saved-model"), tmp_path / "module")
    train = field(2, field(1, field(4, b"train")))
    (folder / "saved_model.pb").write_bytes(train + (folder / "saved_model.pb").read_bytes())
    for name in ("secrets.py", "typing_extensions.py", "tensorflow.py"):
        (tmp_path / name).write_text("raise SystemExit('this was not to be run')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))  # as ``python -m wellread`` has it
    weights = source(folder, "tf1-saved-model")
    probes = [ragged(weights.architecture), plain(weights.architecture, 1, "one token")]
    assert_every_point(run_source(weights, probes, tmp_path), weights.architecture, probes)


# ---------------------------------------------------------------- what goes wrong


def test_a_point_that_is_not_in_the_graph_is_named(module: BuildModule, tmp_path: Path) -> None:
    weights = source(module("tf2-list"), "tf2-list", layers=4)
    with pytest.raises(UnsupportedModel, match="nothing in the graph was recognised as layer 3, layer 4"):
        run_source(weights, [], tmp_path)


def test_an_output_that_is_not_what_it_says_is_named(module: BuildModule, tmp_path: Path) -> None:
    weights = source(module(MISLABELLED[0], **MISLABELLED[1]), "tf2-dict")
    with pytest.raises(UnsupportedModel, match=r"declared as layer [12] is not the tensor"):
        run_source(weights, [ragged(weights.architecture)], tmp_path)


def test_a_broken_module_gives_tensorflows_reason_and_no_traceback(module: BuildModule, tmp_path: Path) -> None:
    folder = shutil.copytree(module("tf2-list"), tmp_path / "module")
    data = folder / "variables" / "variables.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:1000])
    with pytest.raises(SourceError, match=r"could not run .*exit status 1") as caught:
        run_source(source(folder, "tf2-list"), [], tmp_path)
    assert "Error" in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_run_that_takes_too_long_is_stopped(module: BuildModule, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"within 0 s"):
        run_source(source(module("tf2-list"), "tf2-list"), [], tmp_path, timeout=0.01)


def test_a_source_without_a_graph_has_no_oracle(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="tf1-checkpoint has no graph"):
        run_source(source(None, "tf1-checkpoint"), [], tmp_path)


def test_without_tensorflow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(MissingExtra, match=r"pip install 'wellread\[press\]'"):
        run_source(source(tmp_path, "tf2-dict"), [], tmp_path)
