"""No artifact tells another library which code to run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

import wellread
from tests.fixtures.tiny import tiny_architecture, tiny_tensors, tiny_vocabulary
from tests.registry.samples import make_sample
from wellread.converters.forms.sentence_form import write_sentence_transformers
from wellread.converters.forms.torch_form import write_config
from wellread.converters.tokenizer import write_tokenizer
from wellread.converters.weights import Weights
from wellread.errors import IntegrityError, PublishError
from wellread.model_cards.trials import try_release
from wellread.registry.artifact.package import open_artifact
from wellread.registry.artifact.settings import SETTINGS, settings_problems
from wellread.registry.hub.index import add_release
from wellread.registry.hub.publish import publish, release_line
from wellread.registry.names import DEFAULT_FOLDER
from wellread.registry.records import Form, Pooling
from wellread.registry.stores import open_store


def module(kind: str, path: str = "") -> dict[str, Any]:
    return {"idx": 0, "name": "0", "path": path, "type": kind}


TRANSFORMER = module("sentence_transformers.models.Transformer")
OURS = {
    "modules.json": [TRANSFORMER, module("sentence_transformers.models.Pooling", "1_Pooling")],
    "1_Pooling/config.json": {"word_embedding_dimension": 32, "pooling_mode_cls_token": True},
    "2_Dense/config.json": {"in_features": 32, "activation_function": "torch.nn.modules.activation.Tanh"},
    "config.json": {"architectures": ["BertModel"], "model_type": "bert", "hidden_act": "gelu"},
    "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"},
}
HOSTILE: dict[str, tuple[str, Any]] = {
    "a class of another package": ("modules.json", [module("antigravity.Geohash")]),
    "a class beside the artifact": ("modules.json", [module("modeling_evil.Evil")]),
    "a class whose settings name others": ("modules.json", [module("sentence_transformers.models.Router")]),
    "a class that is a prefix": ("modules.json", [module("sentence_transformers.models.Transformer.load")]),
    "a second class": ("modules.json", [TRANSFORMER, module("os.system", "1_Pooling")]),
    "a folder elsewhere": ("modules.json", [module("sentence_transformers.models.Pooling", "../../other")]),
    "arguments of a class": ("modules.json", [{**TRANSFORMER, "kwargs": ["trust_remote_code"]}]),
    "no list": ("modules.json", 1),
    "a list of lists": ("modules.json", [[]]),
    "a function": ("2_Dense/config.json", {"activation_function": "os.abort"}),
    "code of the model": ("config.json", {"auto_map": {"AutoModel": "evil.Evil"}}),
    "code for attention": ("config.json", {"attn_implementation": "somebody/kernel"}),
    "a package for quantised weights": ("config.json", {"quantization_config": {"quant_method": "x"}}),
    "another architecture": ("config.json", {"model_type": "evil"}),
    "code of the tokeniser": ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["evil.Evil", None]}}),
    "another tokeniser": ("tokenizer_config.json", {"tokenizer_class": "Evil"}),
    "an adapter": ("adapter_config.json", {"base_model_name_or_path": "somebody/else"}),
    "another library's own": ("sentence_bert_config.json", {"model_args": {"trust_remote_code": True}}),
    "the same elsewhere": ("0_Transformer/config.json", {}),
    "too long to be true": ("config.json", {"hidden_size": "1" * 100_000}),
}


def problems(root: Path, files: dict[str, Any]) -> list[str]:
    sample = make_sample(root, {name: json.dumps(said).encode() for name, said in files.items()})
    return settings_problems(open_artifact(sample.zip))


@pytest.mark.press
def test_what_a_press_writes_is_fine(tmp_path: Path) -> None:
    shape = tiny_architecture()
    weights = Weights(shape, tiny_tensors(shape, 0), tiny_vocabulary(shape.cased), "huggingface", None, {})
    for pooling in get_args(Pooling):
        folder = tmp_path / pooling
        write_config(folder, weights)
        write_tokenizer(folder, weights.vocabulary, cased=True, max_length=64)
        write_sentence_transformers(folder, weights, pooling)
        written = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.json")}
        assert settings_problems(open_artifact(make_sample(tmp_path / f"{pooling}-packed", written).zip)) == []
    assert written.keys() > SETTINGS.keys(), "each was written, by the last pooling"


@pytest.mark.parametrize(("name", "said"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_might_lead_to_code_is_named(tmp_path: Path, name: str, said: Any) -> None:
    (problem,) = problems(tmp_path, {**OURS, name: said})
    assert name in problem and len(problem) < 300 and "\n" not in problem


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[" * 60_000, b'{"hidden_size": NaN}'])
def test_what_cannot_be_read_is_a_problem_and_no_crash(tmp_path: Path, raw: bytes) -> None:
    sample = make_sample(tmp_path, {"config.json": raw})
    (problem,) = settings_problems(open_artifact(sample.zip))
    assert problem.startswith("its config.json cannot be read: ")


@pytest.mark.press
def test_it_is_neither_published_nor_tried(tmp_path: Path) -> None:
    evil = json.dumps([module("antigravity.Geohash")]).encode()
    sample = make_sample(tmp_path, {"modules.json": evil})
    with pytest.raises(PublishError, match=r"its modules\.json says 'type': 'antigravity\.Geohash'"):
        publish(sample.zip, sample.proof, tmp_path / "hub")
    with pytest.raises(IntegrityError, match=r"(?s)nothing of it is run.*antigravity"):
        try_release(sample.zip)


def test_a_hub_that_lists_it_all_the_same_gets_it_into_no_cache(tmp_path: Path, home: Path) -> None:
    """Whoever writes the index of a hub need not pass our gate; what was fetched before the look is not opened."""
    files = ("config.json", "model.safetensors", "modules.json", "tokenizer.json", "vocab.txt")
    torch = {"torch": Form(members=files, precision="fp32")}
    sample = make_sample(tmp_path, {"modules.json": json.dumps([module("antigravity.Geohash")]).encode()}, forms=torch)
    release = release_line(sample.manifest, sample.packed, DEFAULT_FOLDER)
    open_store(tmp_path / "hub").put_new(release.path, sample.zip)
    add_release(open_store(tmp_path / "hub"), release)
    for _ in range(2):
        with pytest.raises(IntegrityError, match=r"is refused: its modules\.json says 'type': 'antigravity\.Geohash'"):
            wellread.fetch("tiny", "en", hub=tmp_path / "hub", form="torch")
