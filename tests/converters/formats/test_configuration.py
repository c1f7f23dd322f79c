"""The JSON files beside the weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.tiny import huggingface_config, tiny_architecture
from wellread.converters.formats.configuration import (
    case_claims,
    check_huggingface,
    google_claims,
    huggingface_claims,
    read_json,
)
from wellread.errors import CorruptSource, UnsupportedModel


def write(folder: Path, name: str, **content: Any) -> None:
    (folder / name).write_text(json.dumps(content))


def values(claims: Any) -> dict[str, Any]:
    return {claim.field: claim.value for claim in claims}


@pytest.mark.parametrize(("word", "google", "huggingface"), [("gelu", "gelu_tanh", "gelu_erf")])
def test_the_word_gelu_means_what_each_code_base_means(
    tmp_path: Path, word: str, google: str, huggingface: str
) -> None:
    write(tmp_path, "bert_config.json", hidden_act=word)
    write(tmp_path, "config.json", hidden_act=word)
    assert values(google_claims(tmp_path))["activation"] == google
    assert values(huggingface_claims(tmp_path))["activation"] == huggingface


@pytest.mark.press
def test_each_hidden_act_means_the_function_that_transformers_computes(tmp_path: Path) -> None:
    import torch
    from transformers.activations import ACT2FN

    x = torch.linspace(-4, 4, 200, dtype=torch.float64)
    computed = {"gelu_tanh": torch.nn.functional.gelu(x, approximate="tanh"), "gelu_erf": torch.nn.functional.gelu(x)}
    known = [word for word in ACT2FN if word.startswith("gelu")]
    for word in known:
        write(tmp_path, "config.json", hidden_act=word)
        try:
            found = values(huggingface_claims(tmp_path))["activation"]
        except UnsupportedModel:
            assert word == "gelu_10", f"{word} is a GELU"
            continue
        assert float((ACT2FN[word](x) - computed[found]).abs().max()) < 1e-6, word


def test_a_config_gives_every_size_and_what_it_is_silent_about_is_the_default_of_transformers(tmp_path: Path) -> None:
    architecture = tiny_architecture(activation="gelu_erf")
    config = huggingface_config(architecture)
    del config["hidden_act"], config["layer_norm_eps"]
    write(tmp_path, "config.json", **config)
    found = values(huggingface_claims(tmp_path))
    assert found == {field: getattr(architecture, field) for field in found}
    assert len(found) == 9


@pytest.mark.parametrize("act", ["relu", "gelu_10", None, 3, ["gelu"]])
def test_another_activation_is_refused(tmp_path: Path, act: object) -> None:
    write(tmp_path, "config.json", hidden_act=act)
    with pytest.raises(UnsupportedModel, match=r"config\.json: hidden_act is .*; expected one of gelu"):
        list(huggingface_claims(tmp_path))


@pytest.mark.parametrize(("key", "value"), [("hidden_size", "32"), ("num_hidden_layers", -2), ("vocab_size", True)])
def test_a_value_that_cannot_be_is_refused_by_name(tmp_path: Path, key: str, value: object) -> None:
    write(tmp_path, "bert_config.json", **{key: value})
    with pytest.raises(CorruptSource, match=rf"bert_config\.json: {key} is {value!r}"):
        list(google_claims(tmp_path))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_not_a_json_object_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(CorruptSource, match=r"x\.json"):
        read_json(tmp_path / "x.json")


def test_every_key_of_another_architecture_is_named(tmp_path: Path) -> None:
    write(tmp_path, "config.json", model_type="roberta", position_embedding_type="relative_key", is_decoder=None)
    with pytest.raises(UnsupportedModel, match="model_type is 'roberta', position_embedding_type is 'relative_key'"):
        check_huggingface(tmp_path)


@pytest.mark.parametrize("name", ["bert_config.json", "tokenizer_config.json", "bleurt_config.json", "config.json"])
@pytest.mark.parametrize("lower", [True, False])
def test_any_file_can_say_that_text_is_lower_cased(tmp_path: Path, name: str, lower: bool) -> None:
    write(tmp_path, name, do_lower_case=lower)
    assert values(case_claims(tmp_path)) == {"cased": not lower}


def test_the_normalizer_speaks_where_nothing_else_does(tmp_path: Path) -> None:
    write(tmp_path, "tokenizer.json", normalizer={"type": "BertNormalizer", "lowercase": False})
    assert values(case_claims(tmp_path)) == {"cased": True}
    write(tmp_path, "tokenizer_config.json", do_lower_case=True)
    assert values(case_claims(tmp_path)) == {"cased": False}
