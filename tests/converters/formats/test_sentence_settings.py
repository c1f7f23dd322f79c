"""A source's sentence-transformers settings: what a release takes over, and what it says that it does not.

The oracle is sentence-transformers on the source's own folder.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wellread
from tests.cli.test_press import NAMED, write_recipe
from tests.fixtures.command import Command
from tests.fixtures.tiny import tiny_architecture, tiny_tensors, tiny_vocabulary, write_huggingface
from wellread.converters.formats.sentence_settings import SentenceSettings, read_sentence_settings
from wellread.converters.material import read_material
from wellread.converters.pull import Pulled
from wellread.converters.recipe import Golden, Recipe
from wellread.converters.sources import Source
from wellread.errors import CorruptSource

pytestmark = [pytest.mark.press, pytest.mark.filterwarnings("always:.*sentence-transformers settings")]

TEXTS = ["I love NLP", "hello world " * 20, "the quick brown fox jumps over the lazy dog"]
CLASSIC = "sentence_transformers.models"
VERSION_6 = "sentence_transformers.sentence_transformer.modules.pooling"


def write_modules(folder: Path, *kinds: str) -> None:
    """``modules.json`` with these classes, each in the folder that the library gives it."""
    paths = [f"{number}_{kind}" if number else "" for number, kind in enumerate(k.rpartition(".")[2] for k in kinds)]
    types = [kind if "." in kind else f"{CLASSIC}.{kind}" for kind in kinds]
    listed = [{"idx": i, "name": str(i), "path": paths[i], "type": kind} for i, kind in enumerate(types)]
    (folder / "modules.json").write_text(json.dumps(listed))
    for path in paths:
        (folder / path).mkdir(exist_ok=True)


def write_settings(folder: Path, name: str, **settings: Any) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(settings))


@pytest.fixture
def command(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capfd)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A model that pools by [CLS], reads 20 tokens of a text and brings its vector to length 1."""
    folder, shape = tmp_path / "source", tiny_architecture(activation="gelu_erf")
    write_huggingface(folder, shape, tiny_tensors(shape), tiny_vocabulary())
    write_modules(folder, "Transformer", "Pooling", "Normalize")
    modes = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    write_settings(folder, "1_Pooling/config.json", word_embedding_dimension=32, **modes)
    write_settings(folder, "sentence_bert_config.json", max_seq_length=20, do_lower_case=False)
    return folder


def vectors(folder: Path) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu").encode(TEXTS)


def encoded(hub: Path, **options: Any) -> Any:
    with pytest.warns(UserWarning, match="1 text is longer than"):
        return wellread.pretrained("tiny", hub=hub).encode(TEXTS, **options)


def test_a_release_gives_the_vectors_that_sentence_transformers_gives_for_the_source(
    command: Command, source: Path, tmp_path: Path
) -> None:
    from sentence_transformers import SentenceTransformer

    done = command("build", source, *NAMED, "--forms", "torch,onnx", "--hub", tmp_path / "hub", "--json")
    assert (done.code, done.json["pooling"]) == (0, "cls"), done.err
    assert "tiny: its source's sentence-transformers settings also bring a text's vector to length 1" in done.err
    assert "model.encode(…, normalize=True) gives the source's" in done.err
    assert done.err.count("sentence-transformers settings") == 1, "the rest is as the source has it"
    np.testing.assert_allclose(encoded(tmp_path / "hub", normalize=True), vectors(source), atol=1e-5)
    fetched = wellread.fetch("tiny", hub=tmp_path / "hub", form="torch")
    assert SentenceTransformer(str(fetched), device="cpu").max_seq_length == 20
    np.testing.assert_allclose(vectors(fetched), encoded(tmp_path / "hub"), atol=2e-5)


def test_a_source_that_does_not_normalise_is_built_in_silence(command: Command, source: Path, tmp_path: Path) -> None:
    write_modules(source, "Transformer", "Pooling")
    done = command("build", source, *NAMED, "--forms", "onnx", "--hub", tmp_path / "hub")
    assert (done.code, done.err) == (0, "")
    np.testing.assert_allclose(encoded(tmp_path / "hub"), vectors(source), atol=1e-5)


def test_what_version_6_of_the_library_saved_means_the_same(source: Path, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    SentenceTransformer(str(source), device="cpu").save(str(tmp_path / "saved"))
    modules = json.loads((tmp_path / "saved/modules.json").read_text())
    assert modules[1]["type"].startswith(VERSION_6), "or this test tests nothing"
    assert read_sentence_settings(tmp_path / "saved", 64) == read_sentence_settings(source, 64)


def test_a_new_recipe_says_what_the_source_says(command: Command, source: Path, tmp_path: Path) -> None:
    from wellread.converters.recipe import load

    new = command("recipes", "new", source, *NAMED, "--out", tmp_path / "r.yaml")
    assert (new.code, "normalize=True" in new.err) == (0, True)
    found = load(tmp_path / "r.yaml")
    assert (found.pooling, found.max_length) == ("cls", 20)


def test_a_recipe_that_says_otherwise_wins_and_is_told(command: Command, source: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, source, pooling="mean", max_length=64)
    done = command("build", recipe, "--out", tmp_path / "dist", "--json")
    manifest = wellread.open(done.json["artifact"]).manifest
    assert (manifest.pooling, manifest.max_length) == ("mean", 64)
    assert "pool by cls, and this release by mean: pooling: cls in a recipe gives the source's vectors" in done.err
    assert "read 20 tokens of a text, and this release reads 64: max_length: 20 in a recipe" in done.err


def test_a_recipe_without_a_length_has_the_sources(command: Command, source: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, source, pooling="cls")
    done = command("build", recipe, "--out", tmp_path / "dist", "--json")
    assert wellread.open(done.json["artifact"]).manifest.max_length == 20


def test_where_goldens_do_not_decide_auto_is_what_the_source_says(source: Path) -> None:
    place = Source(kind="folder", location=str(source))
    facts: Any = {"name": "m", "language": "en", "title": "m", "license": "MIT", "sources": (place,), "pooling": "auto"}
    wrong = Golden(level="sentence", text="i love nlp", first=(9.0,))
    for goldens, by_hand in (((), False), ((wrong,), True)):
        with pytest.warns(UserWarning, match="^m: .*to length 1"):
            material = read_material(Recipe(**facts, goldens=goldens), Pulled(source, place), by_hand)
        assert (material.pooling, material.max_length, material.override) == ("cls", 20, by_hand)


# ---------------------------------------------------------------- reading


def told(settings: SentenceSettings, *, cased: bool = False) -> str:
    return "\n".join(settings.differences("mean", 20, cased))


def test_without_such_files_nothing_is_said(tmp_path: Path) -> None:
    write_settings(tmp_path, "tokenizer_config.json", model_max_length=20)
    assert read_sentence_settings(tmp_path, 64) == SentenceSettings()
    assert told(SentenceSettings()) == ""


@pytest.mark.parametrize(
    ("settings", "mode"),
    [
        ({"pooling_mode": "cls"}, "cls"),
        ({"pooling_mode": ["mean"]}, "mean"),
        ({"pooling_mode": ["mean", "max"]}, "mean+max"),
        ({"pooling_mode_max_tokens": True, "pooling_mode_mean_tokens": False}, "max"),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}, "cls+mean"),
        ({}, "mean"),
    ],
)
def test_poolings_in_old_words_and_new(source: Path, settings: dict[str, Any], mode: str) -> None:
    write_settings(source, "1_Pooling/config.json", **settings)
    found = read_sentence_settings(source, 64)
    assert found.mode == mode
    assert found.pooling == (mode if mode in ("mean", "cls") else None)
    assert ("those of whole texts are not" in told(found)) == (found.pooling is None)


@pytest.mark.parametrize(
    ("sentence", "tokenizer", "length"),
    [(20, 30, 20), (1000, 30, 64), (None, 30, 30), (None, 10**30, 64), (None, None, None)],
)
def test_the_length_is_the_one_that_cuts(
    source: Path, sentence: int | None, tokenizer: int | None, length: int | None
) -> None:
    write_settings(source, "sentence_bert_config.json", max_seq_length=sentence)
    write_settings(source, "tokenizer_config.json", model_max_length=tokenizer)
    assert read_sentence_settings(source, 64).max_length == length


def test_what_a_release_cannot_hold_is_named_with_what_to_do(source: Path) -> None:
    write_modules(source, "Transformer", "Pooling", "Dense", "LayerNorm")
    write_settings(source, "sentence_bert_config.json", max_seq_length=20, do_lower_case=True)
    prompts = {"query": "query: ", "document": ""}
    write_settings(source, "config_sentence_transformers.json", prompts=prompts, default_prompt_name="query")
    found = read_sentence_settings(source, 64)
    assert "apply Dense, LayerNorm, which a release cannot hold" in told(found)
    assert "put 'query: ' before every text" in told(found)
    assert "lower case" in told(found, cased=True) and "lower case" not in told(found)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("modules.json", "{}"),
        ("modules.json", "["),
        ("modules.json", '[{"type": 3}]'),
        ("modules.json", '[{"type": "a.Pooling", "path": "../other"}]'),
        ("modules.json", '[{"type": "a.Pooling", "path": "/etc"}]'),
        ("sentence_bert_config.json", "[]"),
        ("sentence_bert_config.json", '{"max_seq_length": "long"}'),
        ("sentence_bert_config.json", '{"max_seq_length": 0}'),
        ("sentence_bert_config.json", '{"max_seq_length": NaN}'),
        ("1_Pooling/config.json", "x"),
        ("config_sentence_transformers.json", "3"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_file(source: Path, name: str, content: str) -> None:
    (source / name).write_text(content)
    with pytest.raises(CorruptSource, match=name):
        read_sentence_settings(source, 64)


def test_a_module_list_with_no_pooling_has_none(source: Path) -> None:
    write_modules(source, "Transformer")
    assert read_sentence_settings(source, 64).pooling is None


@pytest.mark.parametrize("said", [{"prompts": []}, {"prompts": {}, "default_prompt_name": []}, {}])
def test_prompts_that_nobody_puts_anywhere_are_none(source: Path, said: dict[str, Any]) -> None:
    write_settings(source, "config_sentence_transformers.json", **said)
    assert read_sentence_settings(source, 64).prompt == ""
