"""What is asked of ``wellread build``: options, places and moments that cannot be meant are known before it works."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.cli.test_press import NAMED, write_recipe
from tests.conftest import BuildModule
from tests.fixtures.command import Command

pytestmark = pytest.mark.press


def test_a_place_that_cannot_be_written_is_known_before_anything_is_pressed(
    command: Command, module: BuildModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wellread.cli.press.press", None)  # to call it is an error
    (tmp_path / "file").touch()
    for option, place in (
        ("--hub", "https://example.org/hub"),
        ("--hub", "ftp://example.org/hub"),
        ("--hub", f"{tmp_path / 'hub'},{tmp_path / 'other'}"),
        ("--hub", tmp_path / "file"),
        ("--hub", tmp_path / "file/hub"),
        ("--out", tmp_path / "file/dist"),
    ):
        refused = command("build", module("huggingface"), *NAMED, option, place)
        assert (refused.code, refused.out) == (1, "")
        assert str(place).partition(",")[0] in refused.err


def test_options_that_contradict_a_recipe_are_not_passed_over(
    command: Command, module: BuildModule, tmp_path: Path
) -> None:
    recipe = write_recipe(tmp_path, module("huggingface"))
    for option, value in (("--lang", "de"), ("--license", "MIT")):
        refused = command("build", recipe, option, value, "--out", tmp_path / "dist")
        assert (refused.code, f"{option} {value} contradicts" in refused.err) == (2, True)
    twice = command("build", module("huggingface"), *NAMED, "--source", module("huggingface"))
    assert (twice.code, "--source is for a recipe" in twice.err) == (2, True)
    for typed in (",", "", " , "):
        none = command("build", recipe, "--forms", typed, "--out", tmp_path / "dist")
        assert (none.code, "no form was asked for" in none.err) == (1, True)
    assert not (tmp_path / "dist").exists()
    agreed = ("--lang", "en", "--license", "apache-2.0", "--forms", "onnx")
    assert command("build", recipe, *agreed, "--out", tmp_path / "dist").code == 0


def test_of_several_targets_the_one_that_fails_is_named_and_the_others_told(
    command: Command, module: BuildModule, tmp_path: Path
) -> None:
    good = write_recipe(tmp_path, module("huggingface"), forms=("onnx",))
    (tmp_path / "sub").mkdir()
    bad = write_recipe(tmp_path / "sub", tmp_path / "nowhere")
    failed = command("build", good, bad, "--out", tmp_path / "dist", "--json")
    assert (failed.code, [made["outcome"] for made in failed.json]) == (1, ["made", "failed"])
    assert failed.err.startswith(f"wellread: {bad}: ")
    assert command("build", good, "typo", "--out", tmp_path / "none").code == 1
    assert not (tmp_path / "none").exists(), "a target that cannot be meant is known before any is pressed"
    assert command("build", good, bad, "--name", "x").code == 2


def test_what_cannot_be_meant_is_said_at_once(command: Command, module: BuildModule, tmp_path: Path) -> None:
    source = module("huggingface")
    missing = command("build", source, "--name", "tiny")
    assert (missing.code, "--lang, --license must be given" in missing.err) == (2, True)
    unknown = command("build", "small_bert_L8_51")
    assert (unknown.code, "small_bert_L8_512" in unknown.err) == (1, True)
    form = command("build", source, *NAMED, "--forms", "onx", "--out", tmp_path)
    assert (form.code, "Did you mean 'onnx'" in form.err) == (1, True)
    licence = command("build", source, "--name", "tiny", "--lang", "en", "--license", "Apache", "--out", tmp_path)
    assert (licence.code, "SPDX" in licence.err) == (1, True)
    nowhere = command("build", tmp_path / "none", *NAMED, "--out", tmp_path / "dist")
    assert (nowhere.code, "is not there" in nowhere.err) == (1, True)
    for result in (missing, unknown, form, licence, nowhere):
        assert "Traceback" not in result.err


def test_the_moment_is_given_or_taken_from_the_environment_or_now_and_printed(
    command: Command, module: BuildModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named, source = (*NAMED[:-2], "--forms", "onnx"), module("huggingface")
    before = int(time.time() * 1000)
    now = command("build", source, *named, "--out", tmp_path / "now")
    moment = int(now.out.split()[1])
    assert before <= moment <= int(time.time() * 1000)
    assert (tmp_path / "now" / f"tiny_en_2.6.0_2.4_{moment}.zip").exists()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1600000000")
    command("build", source, *named, "--out", tmp_path / "epoch")
    assert (tmp_path / "epoch" / "tiny_en_2.6.0_2.4_1600000000000.zip").exists()
    for epoch in ("yesterday", "1600000000000"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
        refused = command("build", source, *named, "--out", tmp_path / "bad")
        assert (refused.code, "SOURCE_DATE_EPOCH" in refused.err) == (1, True)
