"""``wellread recipes`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.fixtures.tiny import tiny_architecture, tiny_tensors, tiny_vocabulary, write_huggingface
from wellread.cli.recipes import recipes
from wellread.converters import recipe
from wellread.converters.pull import pull
from wellread.errors import BadInput, NotFound, SourceUnavailable, WellreadError


def run(*arguments: str) -> Result:
    """Run the group; an error of wellread's own passes through, as it does to the ``wellread`` command."""
    result = CliRunner().invoke(recipes, list(arguments))
    if isinstance(result.exception, WellreadError):
        raise result.exception
    return result


def test_list_has_a_line_for_each_recipe() -> None:
    header, *lines = run("list").output.splitlines()
    assert header.split() == ["name", "lang", "title"]
    assert [line.split()[:2] for line in lines] == [[name, lang] for name, lang in recipe.builtin()]
    assert any(line.endswith("Smaller BERT Embeddings (L-8_H-512_A-8)") for line in lines)


def test_list_in_json() -> None:
    found = json.loads(run("list", "--json").output)
    assert [(r["name"], r["language"]) for r in found] == recipe.builtin()
    assert all(r["title"] for r in found)


def test_show_prints_a_recipe_that_can_be_parsed() -> None:
    shown = run("show", "small_bert_L8_512").output
    assert recipe.parse(shown) == recipe.load("small_bert_L8_512")


def test_show_in_json() -> None:
    shown = json.loads(run("show", "small_bert_L8_512", "--json").output)
    assert (shown["name"], shown["time"]) == ("small_bert_L8_512", 1598344705269)


def test_show_of_an_unknown_name() -> None:
    with pytest.raises(NotFound, match="small_bert_L8_512"):
        run("show", "small_bert_L8_513")


def test_check_says_ok_or_every_problem(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(recipe.render(recipe.load("small_bert_L2_128")))
    bad.write_text("nmae: x\nlicense: Apache\n")
    passed = run("check", str(good))
    assert (passed.exit_code, passed.output) == (0, f"{good}: ok\n")
    failed = run("check", str(good), str(bad))
    assert failed.exit_code == 1
    assert f"{good}: ok" in failed.output
    assert all(text in failed.output for text in (f"{bad} has 6 problems", "Did you mean 'name'", "'Apache' is not"))


def test_check_in_json(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("- 1\n")
    result = run("check", str(tmp_path / "bad.yaml"), str(tmp_path / "none.yaml"), "--json")
    assert result.exit_code == 1
    first, second = json.loads(result.output)
    assert (first["ok"], second["ok"]) == (False, False)
    assert "is to be a mapping" in first["why"]
    assert "no recipe at" in second["why"]


def test_used_wrongly() -> None:
    assert run("check").exit_code == 2
    assert run("new", "somewhere").exit_code == 2


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    architecture = tiny_architecture()
    write_huggingface(tmp_path / "tiny", architecture, tiny_tensors(architecture), tiny_vocabulary())
    return tmp_path


@pytest.mark.press
def test_new_writes_what_can_be_found_out(here: Path) -> None:
    result = run("new", "tiny", "--name", "my_bert", "--lang", "en", "--license", "apache-2.0")
    assert "wrote my_bert.yaml" in result.output
    assert "wellread build my_bert.yaml" in result.output
    assert run("check", "my_bert.yaml").exit_code == 0
    found, architecture = recipe.load("my_bert.yaml"), tiny_architecture()
    assert (found.dimension, found.max_length) == (architecture.hidden, architecture.positions)
    assert (found.license, found.time) == ("Apache-2.0", 1700000000000)
    assert {"config.json", "model.safetensors", "vocab.txt"} <= set(found.sources[0].files)
    assert pull(found.sources, here / "work").folder == Path("tiny"), "its pins hold"


@pytest.mark.press
def test_new_names_what_is_not_known(here: Path) -> None:
    result = run("new", "tiny", "--name", "my_bert", "--lang", "en", "--out", "r.yaml")
    assert "its license is not known" in result.output
    assert "license is missing" in run("check", "r.yaml").output


@pytest.mark.press
def test_new_to_standard_output_and_in_json(here: Path) -> None:
    options = ["--name", "my_bert", "--lang", "en", "--license", "MIT", "--time", "1600000000000"]
    printed = recipe.parse(run("new", "tiny", *options, "--out", "-").output)
    assert printed.time == 1600000000000
    assert not (here / "my_bert.yaml").exists()
    answer = json.loads(run("new", "tiny", *options, "--json").output)
    assert (answer["file"], answer["recipe"]["dimension"]) == ("my_bert.yaml", printed.dimension)


@pytest.mark.press
def test_new_asks_for_what_the_source_does_not_say(here: Path) -> None:
    config = json.loads((here / "tiny/config.json").read_text())
    del config["num_attention_heads"]
    (here / "tiny/config.json").write_text(json.dumps(config))
    options = ["--name", "my_bert", "--lang", "en", "--license", "MIT"]
    with pytest.raises(BadInput, match="heads=N"):
        run("new", "tiny", *options)
    run("new", "tiny", *options, "--set", "heads=4")
    assert recipe.load("my_bert.yaml").architecture == {"heads": 4}


@pytest.mark.parametrize(
    ("setting", "why"), [("haeds=4", "'heads'"), ("heads=four", "whole number"), ("heads", "mapping")]
)
def test_new_with_a_setting_that_cannot_be(here: Path, setting: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        run("new", "tiny", "--name", "my_bert", "--lang", "en", "--set", setting)


def test_new_never_overwrites(here: Path) -> None:
    (here / "my_bert.yaml").write_text("mine")
    with pytest.raises(BadInput, match="is there already"):
        run("new", "tiny", "--name", "my_bert", "--lang", "en")
    assert (here / "my_bert.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("source", "name", "lang", "license", "error"),
    [
        ("nowhere", "a", "en", "MIT", SourceUnavailable),
        ("what:ever", "a", "en", "MIT", BadInput),
        ("tiny", "a/../b", "en", "MIT", BadInput),
        ("tiny", "a", "English", "MIT", BadInput),
        ("tiny", "a", "en", "Free", BadInput),
    ],
)
def test_new_with_what_cannot_be(
    here: Path, source: str, name: str, lang: str, license: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        run("new", source, "--name", name, "--lang", lang, "--license", license)
    assert not list(here.glob("*.yaml"))
