"""``wellread recipes`` as a user types it, exit status included."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fixtures.command import Command
from tests.fixtures.tiny import tiny_architecture, tiny_tensors, tiny_vocabulary, write_huggingface
from wellread.converters import recipe
from wellread.converters.pull import pull


def test_list_has_a_line_for_each_recipe(command: Command) -> None:
    header, *lines = command("recipes", "list").out.splitlines()
    assert header.split() == ["name", "lang", "title"]
    assert [line.split()[:2] for line in lines] == [[name, lang] for name, lang in recipe.builtin()]
    assert any(line.endswith("Smaller BERT Embeddings (L-8_H-512_A-8)") for line in lines)


def test_list_in_json(command: Command) -> None:
    found = command("recipes", "list", "--json").json
    assert [(r["name"], r["language"]) for r in found] == recipe.builtin()
    assert all(r["title"] for r in found)


def test_show_prints_a_recipe_that_can_be_parsed(command: Command) -> None:
    shown = command("recipes", "show", "small_bert_L8_512").out
    assert recipe.parse(shown) == recipe.load("small_bert_L8_512")


def test_show_in_json(command: Command) -> None:
    shown = command("recipes", "show", "small_bert_L8_512", "--json").json
    assert (shown["name"], shown["time"]) == ("small_bert_L8_512", 1598344705269)


def test_show_of_what_is_no_recipe(command: Command, tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes("title: Modèle\n".encode("latin-1"))
    for name, why in (("small_bert_L8_513", "small_bert_L8_512"), (tmp_path / "latin.yaml", "UTF-8")):
        for options in ([], ["--json"]):
            refused = command("recipes", "show", name, *options)
            assert (refused.code, refused.out) == (1, "")
            assert refused.err.startswith("wellread: ") and why in refused.err


def test_check_says_ok_or_every_problem(command: Command, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(recipe.render(recipe.load("small_bert_L2_128")))
    bad.write_text("nmae: x\nlicense: Apache\n")
    passed = command("recipes", "check", good)
    assert (passed.code, passed.out) == (0, f"{good}: ok\n")
    failed = command("recipes", "check", good, bad)
    assert failed.code == 1
    assert f"{good}: ok" in failed.out
    assert all(text in failed.out for text in (f"{bad} has 7 problems", "Did you mean 'name'", "'Apache' is not"))


def test_check_notes_what_the_card_will_lack(command: Command, tmp_path: Path) -> None:
    bare = tmp_path / "bare.yaml"
    bare.write_text("name: a\nlanguage: en\ntitle: A\ndescription: A model.\nlicense: MIT\nsources: [./a]\n")
    passed = command("recipes", "check", bare)
    assert (passed.code, passed.out.splitlines()[0]) == (0, f"{bare}: ok")
    assert "note: no author" in passed.out and "note: no edition" in passed.out
    (told,) = command("recipes", "check", bare, "--json").json
    assert (told["ok"], len(told["notes"])) == (True, 2)


def test_check_in_json(command: Command, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("- 1\n")
    result = command("recipes", "check", tmp_path / "bad.yaml", tmp_path / "none.yaml", "--json")
    assert result.code == 1
    first, second = result.json
    assert (first["ok"], second["ok"]) == (False, False)
    assert "is to be a mapping" in first["why"]
    assert "no recipe at" in second["why"]


def test_used_wrongly(command: Command) -> None:
    assert command("recipes", "check").code == 2
    assert command("recipes", "new", "somewhere").code == 2
    assert command("recipes", "new", "x", "--name", "a", "--lang", "en", "--time", "1598344705").code == 2


@pytest.fixture
def here(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    architecture = tiny_architecture()
    write_huggingface(tmp_path / "tiny", architecture, tiny_tensors(architecture), tiny_vocabulary())
    return tmp_path


@pytest.mark.press
def test_new_writes_what_can_be_found_out(command: Command, here: Path) -> None:
    result = command("recipes", "new", "tiny", "--name", "my_bert", "--lang", "en", "--license", "apache-2.0")
    assert "wrote my_bert.yaml" in result.out
    assert "wellread build my_bert.yaml" in result.out
    assert command("recipes", "check", "my_bert.yaml").code == 0
    found, architecture = recipe.load("my_bert.yaml"), tiny_architecture()
    assert (found.dimension, found.max_length) == (architecture.hidden, architecture.positions)
    assert (found.license, found.time) == ("Apache-2.0", 1700000000000)
    assert {"config.json", "model.safetensors", "vocab.txt"} <= set(found.sources[0].files)
    assert pull(found.sources, here / "work").folder == Path("tiny"), "its pins hold"
    written = Path("my_bert.yaml").read_text()
    assert "\n# author: " in written and "\n# license" not in written
    assert "fill in what you can" in result.out
    assert "2 layers" in found.description and "tiny" not in found.description, "a folder's name tells nobody anything"


@pytest.mark.press
def test_new_names_what_is_not_known(command: Command, here: Path) -> None:
    result = command("recipes", "new", "tiny", "--name", "my_bert", "--lang", "en", "--out", "r.yaml")
    assert "its license is not known" in result.out
    assert "license is missing" in command("recipes", "check", "r.yaml").out


@pytest.mark.press
def test_new_to_standard_output_and_in_json(command: Command, here: Path) -> None:
    options = ["--name", "my_bert", "--lang", "en", "--license", "MIT", "--time", "1600000000000"]
    printed = recipe.parse(command("recipes", "new", "tiny", *options, "--out", "-").out)
    assert printed.time == 1600000000000
    assert not (here / "my_bert.yaml").exists()
    answer = command("recipes", "new", "tiny", *options, "--json").json
    assert (answer["file"], answer["recipe"]["dimension"]) == ("my_bert.yaml", printed.dimension)


@pytest.mark.press
def test_new_asks_for_what_the_source_does_not_say(command: Command, here: Path) -> None:
    config = json.loads((here / "tiny/config.json").read_text())
    del config["num_attention_heads"]
    (here / "tiny/config.json").write_text(json.dumps(config))
    options = ["--name", "my_bert", "--lang", "en", "--license", "MIT"]
    assert "heads=N" in refuse_new(command, "tiny", *options)
    command("recipes", "new", "tiny", *options, "--set", "heads=4")
    assert recipe.load("my_bert.yaml").architecture == {"heads": 4}


@pytest.mark.press
def test_what_new_wrote_is_built_and_published(command: Command, here: Path) -> None:
    options = ["--name", "my_bert", "--lang", "en", "--license", "MIT"]
    command("recipes", "new", "tiny", *options)
    done = command("build", "my_bert.yaml", "--forms", "onnx", "--hub", "hub", "--json")
    assert done.code == 0, done.err
    assert done.json["release"]["time"] == 1700000000000


def refuse_new(command: Command, *arguments: str) -> str:
    """Why ``recipes new`` refuses; nothing is written then."""
    before = {path: path.read_bytes() for path in Path().glob("*.yaml")}
    refused = command("recipes", "new", *arguments)
    assert (refused.code, refused.out) == (1, "")
    assert {path: path.read_bytes() for path in Path().glob("*.yaml")} == before
    return refused.err


@pytest.mark.parametrize(
    ("setting", "why"), [("haeds=4", "'heads'"), ("heads=four", "whole number"), ("heads", "mapping")]
)
def test_new_with_a_setting_that_cannot_be(command: Command, here: Path, setting: str, why: str) -> None:
    assert why in refuse_new(command, "tiny", "--name", "my_bert", "--lang", "en", "--set", setting)


def test_new_never_overwrites(command: Command, here: Path) -> None:
    (here / "my_bert.yaml").write_text("mine")
    assert "is there already" in refuse_new(command, "tiny", "--name", "my_bert", "--lang", "en")


@pytest.mark.parametrize("epoch", ["1e9", "0", "4102444801", "9" * 5000, "-1", "²"])
def test_a_moment_that_no_release_has(
    command: Command, here: Path, epoch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    said = refuse_new(command, "tiny", "--name", "my_bert", "--lang", "en", "--license", "MIT")
    assert "SOURCE_DATE_EPOCH" in said and len(said) < 300


@pytest.mark.parametrize(
    ("source", "name", "lang", "license", "why"),
    [
        ("nowhere", "a", "en", "MIT", "is not there"),
        ("what:ever", "a", "en", "MIT", "unknown scheme"),
        ("tiny", "a/../b", "en", "MIT", "is not a model name"),
        ("tiny", "a", "English", "MIT", "is not a language code"),
        ("tiny", "a", "en", "Free", "is not an SPDX licence"),
    ],
)
def test_new_with_what_cannot_be(
    command: Command, here: Path, source: str, name: str, lang: str, license: str, why: str
) -> None:
    assert why in refuse_new(command, source, "--name", name, "--lang", lang, "--license", license)
