"""From a folder to weights: every format gives the very tensors that were written, or an error that says why not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import BuildModule
from tests.fixtures.tiny import tiny_architecture, tiny_tensors, tiny_vocabulary, write_huggingface
from wellread.converters.weights import Weights, read_weights
from wellread.errors import BadInput, CorruptSource, SourceError, UnsupportedModel
from wellread.registry.records import Architecture

pytestmark = pytest.mark.press

FORMATS = ("tf2-dict", "tf2-list", "tf1-saved-model", "tf1-checkpoint", "huggingface")
WITH_GRAPH = FORMATS[:3]
OTHERWISE: dict[str, dict[str, Any]] = {
    "tf2-dict": {"activation": "gelu_erf", "norm_eps": 1e-3, "heads": 2, "cased": True, "mlm": False},
    "tf2-list": {"activation": "gelu_erf", "norm_eps": 1e-6, "layers": 3, "types": 3},
    "tf1-saved-model": {"activation": "gelu_erf", "norm_eps": 1e-5, "heads": 8, "task_head": True, "int64": True},
    "tf1-checkpoint": {"heads": 2, "cased": True, "adam": False, "positions": 40},
    "huggingface": {"activation": "gelu_erf", "norm_eps": 1e-5, "heads": 8, "cased": True},
}


def assert_holds(weights: Weights, architecture: Architecture) -> None:
    tensors = tiny_tensors(architecture)
    assert weights.architecture == architecture
    assert weights.vocabulary == tiny_vocabulary(architecture.cased)
    assert set(weights.tensors) == set(tensors)
    for name, tensor in weights.tensors.items():
        assert tensor.dtype == np.float32
        np.testing.assert_array_equal(tensor, tensors[name], err_msg=name)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_what_was_written(module: BuildModule, kind: str) -> None:
    weights = read_weights(module(kind))
    assert_holds(weights, tiny_architecture())
    assert (weights.format, weights.graph) == (kind, module(kind) if kind in WITH_GRAPH else None)


@pytest.mark.parametrize("kind", FORMATS)
def test_an_unusual_model_is_found_out(module: BuildModule, kind: str) -> None:
    module.together(OTHERWISE.items())
    options = OTHERWISE[kind]
    fields = {name: value for name, value in options.items() if name in Architecture.__struct_fields__}
    assert_holds(read_weights(module(kind, **options)), tiny_architecture(**fields))


def test_every_format_has_the_same_digest(module: BuildModule) -> None:
    assert len({read_weights(module(kind)).digest() for kind in FORMATS}) == 1


@pytest.mark.parametrize("kind", FORMATS)
def test_every_tensor_of_the_source_is_used_or_dropped_by_a_rule(module: BuildModule, kind: str) -> None:
    dropped = set(read_weights(module(kind)).dropped.values())
    expected = {
        "tf2-dict": {"object graph", "lower-case flag", "masked-word head"},
        "tf2-list": {"object graph", "lower-case flag"},
        "tf1-checkpoint": {"masked-word head", "next-sentence head", "optimizer slot", "step counter"},
    }
    assert dropped == expected.get(kind, set())


@pytest.mark.parametrize("kind", FORMATS)
def test_tensors_are_views_into_the_files(module: BuildModule, kind: str) -> None:
    for tensor in read_weights(module(kind)).tensors.values():
        assert (tensor.flags.owndata, tensor.flags.writeable) == (False, False)


@pytest.mark.parametrize("kind", FORMATS)
def test_neither_tensorflow_nor_torch_is_imported(module: BuildModule, kind: str) -> None:
    program = (
        "import sys; from pathlib import Path; from wellread.converters.weights import read_weights\n"
        "read_weights(Path(sys.argv[1])); print(*sorted({'tensorflow', 'torch', 'transformers'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program, str(module(kind))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.fixture
def copy(module: BuildModule, tmp_path: Path) -> Any:
    """``copy(kind)`` → a folder that the test may change."""
    return lambda kind, **options: Path(shutil.copytree(module(kind, **options), tmp_path / "copy"))


def test_a_folder_within_a_folder_is_found(copy: Any, tmp_path: Path) -> None:
    copy("tf1-checkpoint")
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "__MACOSX").mkdir()
    assert_holds(read_weights(tmp_path), tiny_architecture())


def test_heads_come_from_the_graph_where_no_configuration_lies_beside_it(copy: Any) -> None:
    folder = copy("tf1-saved-model")
    (folder / "bert_config.json").unlink()
    assert_holds(read_weights(folder), tiny_architecture())


def test_a_configuration_that_contradicts_the_graph_in_a_size_is_an_error(copy: Any) -> None:
    folder = copy("tf1-saved-model")
    path = folder / "bert_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"num_attention_heads": 8, "hidden_size": 64}))
    with pytest.raises(CorruptSource, match=r"hidden is 32 .* 64 in bert_config\.json; heads is 4 .* 8 in bert_config"):
        read_weights(folder)


def test_what_a_bare_checkpoint_does_not_say_is_asked_for_and_can_be_given(copy: Any) -> None:
    folder = copy("tf1-checkpoint")
    (folder / "bert_config.json").unlink()
    with pytest.raises(BadInput, match=r"does not say the heads and activation of its model\. Give heads=N"):
        read_weights(folder)
    assert_holds(read_weights(folder, {"heads": 4, "activation": "gelu_tanh"}), tiny_architecture())


def test_what_is_given_cannot_contradict_the_graph(copy: Any) -> None:
    with pytest.raises(BadInput, match=r"activation is gelu_tanh in the graph in saved_model\.pb, but gelu_erf"):
        read_weights(copy("tf2-dict"), {"activation": "gelu_erf"})


@pytest.mark.parametrize("kind", FORMATS)
def test_a_vocabulary_one_line_short_or_missing_is_refused(copy: Any, kind: str) -> None:
    folder = copy(kind)
    path = next(path for path in (folder / "assets/vocab.txt", folder / "vocab.txt") if path.exists())
    rows = tiny_vocabulary().count(b"\n")
    path.write_bytes(tiny_vocabulary().rpartition(b"\n")[0].rpartition(b"\n")[0] + b"\n")
    with pytest.raises(CorruptSource, match=f"it has {rows - 1} lines, the word embedding has {rows} rows"):
        read_weights(folder)
    path.unlink()
    with pytest.raises(CorruptSource, match="has no vocabulary"):
        read_weights(folder)


@pytest.mark.parametrize("kind", ["tf2-dict", "tf2-list", "tf1-saved-model", "tf1-checkpoint"])
def test_a_flipped_bit_or_a_cut_in_the_weights_is_refused(copy: Any, kind: str) -> None:
    folder = copy(kind)
    shard = next(folder.rglob("*.data-00000-of-00001"))
    raw = shard.read_bytes()
    for broken in (raw[: len(raw) // 2], raw[:1000] + bytes([raw[1000] ^ 16]) + raw[1001:]):
        shard.write_bytes(broken)
        with pytest.raises(CorruptSource, match=r"tensor '.*': "):
            read_weights(folder)


@pytest.mark.parametrize("kind", ["tf2-dict", "tf2-list", "tf1-saved-model", "tf1-checkpoint"])
def test_a_missing_index_is_refused(copy: Any, kind: str) -> None:
    folder = copy(kind)
    next(folder.rglob("*.index")).unlink()
    with pytest.raises(CorruptSource, match=r"\.index"):
        read_weights(folder)


def test_the_vocabulary_of_a_folder_with_a_tokenizer_alone(copy: Any) -> None:
    folder = copy("huggingface")
    tokens = (folder / "vocab.txt").read_text().split("\n")[:-1]
    (folder / "vocab.txt").unlink()
    model = {"type": "WordPiece", "vocab": {token: number for number, token in enumerate(tokens)}}
    (folder / "tokenizer.json").write_text(json.dumps({"model": model}))
    assert_holds(read_weights(folder), tiny_architecture())


def test_a_model_inside_a_larger_one_of_transformers_is_found(tmp_path: Path) -> None:
    from transformers import BertConfig, BertForPreTraining

    architecture = tiny_architecture(activation="gelu_erf")
    write_huggingface(tmp_path, architecture, tiny_tensors(architecture), tiny_vocabulary())
    larger = BertForPreTraining(BertConfig(**json.loads((tmp_path / "config.json").read_text())))
    larger.save_pretrained(tmp_path)
    weights = read_weights(tmp_path)
    assert weights.architecture == architecture
    state = larger.bert.state_dict()
    for name, tensor in weights.tensors.items():
        np.testing.assert_array_equal(tensor, state[name].numpy(), err_msg=name)
    assert set(weights.dropped.values()) == {"masked-word head", "next-sentence head"}


@pytest.mark.parametrize("model_type", ["albert", "roberta", "electra", "distilbert"])
def test_a_folder_of_another_architecture_is_refused(tmp_path: Path, model_type: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(UnsupportedModel, match=f"model_type is '{model_type}'; expected 'bert'"):
        read_weights(tmp_path)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("pytorch_model.bin", "pickle format, which can run code and is never loaded"),
        ("tf_model.h5", "Keras weights in HDF5"),
        ("saved_model.pbtxt", "text format"),
        ("nothing.md", "holds no model in a known format: it has config.json, nothing.md"),
    ],
)
def test_a_format_that_is_not_read_is_refused_by_name(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / name).touch()
    with pytest.raises(UnsupportedModel, match=reason):
        read_weights(tmp_path)


def test_an_empty_or_absent_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="it has nothing"):
        read_weights(tmp_path)
    with pytest.raises(SourceError, match="is not a folder"):
        read_weights(tmp_path / "absent")
