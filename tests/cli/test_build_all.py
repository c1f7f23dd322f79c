"""``wellread build`` of many models: all, or all that git says changed, and a table of what became of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_ci import ZEROS, releases
from tests.cli.test_press import MOMENT, NAMED, write_recipe
from tests.conftest import BuildModule
from tests.fixtures.command import Command
from tests.fixtures.github import commit, git
from tests.registry.samples import make_proof, make_sample
from wellread.assembly import Pressed
from wellread.converters.recipe import Golden, Recipe, builtin
from wellread.errors import ParityError

pytestmark = pytest.mark.press


class Press:
    """Stands for the press: makes a release that a hub takes, or raises what ``faults`` has for a model."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.options: dict[str, Any] = {}
        self.faults: dict[str, BaseException] = {}

    def __call__(self, recipe: Recipe, out: Path, bench: Any, **options: Any) -> Pressed:
        self.asked.append(recipe.name)
        self.options = options
        if recipe.name in self.faults:
            raise self.faults[recipe.name]
        with bench.timed("pack"):
            sample = make_sample(out, name=recipe.name, time=recipe.time)
        proof = make_proof(sample.manifest, sample.packed)
        return Pressed(sample.zip, sample.proof, sample.manifest, proof.parity, sample.packed, {}, proof)


@pytest.fixture
def pressing(monkeypatch: pytest.MonkeyPatch) -> Press:
    press = Press()
    monkeypatch.setattr("wellread.cli.press.press", press)
    return press


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A git repository with the recipes one, two and three."""
    (tmp_path / "house/recipes/en").mkdir(parents=True)
    for name in ("one", "two", "three"):
        recipe(tmp_path / "house", name)
    git(tmp_path / "house", "init", "--quiet")
    commit(tmp_path / "house", "three recipes")
    return tmp_path / "house"


def recipe(house: Path, name: str, **fields: Any) -> Path:
    made = write_recipe(house, house / "nowhere", name=name, **fields)
    return made.rename(house / f"recipes/en/{name}.yaml")


def rows(out: str) -> list[list[str]]:
    """The table: model, language, first word of the outcome."""
    _, *lines, _ = out.splitlines()
    return [line.split()[:3] for line in lines]


# ---------------------------------------------------------------- what is built


def test_all_built_in_recipes_are_all(command: Command, pressing: Press, tmp_path: Path) -> None:
    done = command("build", "--all", "--out", tmp_path / "dist", "--json")
    assert (done.code, done.err) == (0, "")
    assert pressing.asked == [name for name, _ in builtin()] == [made["name"] for made in done.json]


def test_all_recipes_of_a_folder_are_found_wherever_they_lie(
    command: Command, pressing: Press, house: Path, tmp_path: Path
) -> None:
    (house / "recipes/.github").mkdir()
    (house / "recipes/.github/workflow.yml").write_text("on: push\n")
    (house / "recipes/README.md").write_text("# Recipes\n")
    done = command("build", "--all", "--recipes", house / "recipes", "--hub", tmp_path / "hub")
    assert (done.code, done.err) == (0, "")
    assert rows(done.out) == [["one", "en", "published"], ["three", "en", "published"], ["two", "en", "published"]]
    assert done.out.endswith("3 of 3 models went well\n")
    again = command("build", "--all", "--recipes", house / "recipes", "--hub", tmp_path / "hub", "--json")
    assert [(made["outcome"], made["why"]) for made in again.json] == [("already there", "")] * 3


def test_only_what_changed_is_built(command: Command, pressing: Press, house: Path, tmp_path: Path) -> None:
    def changed(since: str) -> list[str]:
        listed = command("recipes", "changed", since, "--recipes", house / "recipes", "--json")
        assert (listed.code, listed.out.count("\n")) == (0, 1), listed.err
        pressing.asked.clear()
        asked = ("--recipes", house / "recipes", "--changed-since", since, "--out", tmp_path / "dist")
        done = command("build", "--all", *asked, "--json")
        assert done.code == 0, done.err
        assert [made["target"] for made in done.json] == listed.json
        return [Path(path).stem for path in listed.json]

    first = git(house, "rev-parse", "HEAD")
    assert changed("HEAD") == []
    recipe(house, "two", title="Another title")
    assert changed("HEAD") == ["two"], "edited, not committed"
    second = commit(house, "edited")
    (house / "recipes/en/one.yaml").rename(house / "recipes/en/uno.yaml")
    assert changed(second) == ["uno"], "renamed, not even staged"
    git(house, "add", "--all")
    assert changed(second) == ["uno"], "renamed"
    (house / "recipes/en/three.yaml").unlink()
    commit(house, "renamed, deleted")
    assert changed(second) == ["uno"], "deleted"
    assert changed(first) == ["two", "uno"]
    recipe(house, "new").rename(house / "recipes/en/nuevo é.yaml")
    assert changed("HEAD") == ["nuevo é"], "untracked"
    (house / ".gitignore").write_text("nuevo*\n")
    assert changed("HEAD") == [], "ignored"
    assert changed(ZEROS) == ["nuevo é", "two", "uno"]


def test_where_nothing_changed_that_is_said(command: Command, pressing: Press, house: Path) -> None:
    done = command("build", "--all", "--recipes", house / "recipes", "--changed-since", "HEAD")
    assert (done.code, done.out) == (0, "no recipe changed since HEAD\n")
    lines = command("recipes", "changed", ZEROS, "--recipes", house / "recipes")
    assert [Path(line).stem for line in lines.out.splitlines()] == ["one", "three", "two"]


def test_where_git_cannot_tell_it_is_said_what_to_do(
    command: Command, pressing: Press, house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe(house, "one", title="Another title")
    commit(house, "edited")
    git(tmp_path, "clone", "--quiet", "--depth=1", house.as_uri(), "shallow")
    (tmp_path / "plain").mkdir()
    write_recipe(tmp_path / "plain", tmp_path)
    (tmp_path / "empty").mkdir()
    for folder, since, said in (
        (tmp_path / "shallow/recipes", "HEAD~1", "fetch-depth: 0"),
        (house / "recipes", "typo", "there is no such commit"),
        (house / "recipes", "--output=x", "there is no such commit"),
        (tmp_path / "plain", "HEAD", "not a git repository"),
        (tmp_path / "empty", "HEAD", "holds no recipe"),
    ):
        refused = command("build", "--all", "--recipes", folder, f"--changed-since={since}")
        assert (refused.code, refused.out, said in refused.err) == (1, "", True), refused.err
    monkeypatch.setenv("PATH", str(tmp_path))
    refused = command("build", "--all", "--recipes", house / "recipes", "--changed-since", "HEAD")
    assert (refused.code, "git is not installed" in refused.err) == (1, True)
    assert pressing.asked == []


@pytest.mark.parametrize("name", [b"\xff.yaml", b"a\nb.yaml"])
def test_a_name_that_no_list_can_hold_is_refused(name: bytes, command: Command, house: Path) -> None:
    (house / "recipes" / os.fsdecode(name)).touch()
    for words in (("recipes", "changed", ZEROS, "--json"), ("build", "--all")):
        refused = command(*words, "--recipes", house / "recipes")
        assert (refused.code, refused.out, "rename it" in refused.err) == (1, "", True), refused.err


def test_options_for_one_model_and_for_all_do_not_mix(command: Command, pressing: Press, house: Path) -> None:
    for words, said in (
        (("build",), "name a RECIPE"),
        (("build", "--all", "small_bert_L2_128_bleurt"), "name none beside it"),
        (("build", "--all", "--source", house), "--source: for one model"),
        (("build", "--all", "--name", "x", "--set", "heads=4"), "--name, --set: for one model"),
        (("build", "x", "--recipes", house), "--recipes: only with --all"),
        (("build", "x", "--changed-since", "HEAD"), "--changed-since: only with --all"),
    ):
        refused = command(*words)
        assert (refused.code, said in refused.err) == (2, True), refused.err
    assert pressing.asked == []


# ---------------------------------------------------------------- what becomes of them


def test_one_that_fails_does_not_stop_the_others(
    command: Command, pressing: Press, house: Path, tmp_path: Path
) -> None:
    recipe(house, "four", time=None)
    (house / "recipes/en/broken.yaml").write_text("name: [\n")
    pressing.faults = {
        "one": ParityError("onnx is not equal to the source's own graph\nnothing was written"),
        "three": RuntimeError("a fault of ours"),
        "four": OSError(28, "No space left on device", "/dist"),
    }
    asked = ("build", "--all", "--recipes", house / "recipes", "--time", MOMENT, "--hub", tmp_path / "hub")
    done = command(*asked)
    assert done.code == 1
    assert rows(done.out) == [
        [str(house / "recipes/en/broken.yaml"), "failed:", rows(done.out)[0][2]],
        ["four", "en", "failed:"],
        ["one", "en", "refused:"],
        ["three", "en", "failed:"],
        ["two", "en", "published"],
    ]
    assert "refused: parity: onnx is not equal" in done.out and "1 of 5 models went well" in done.out
    assert f"wellread: {house / 'recipes/en/one.yaml'}: onnx is not equal" in done.err
    assert f"wellread: {house / 'recipes/en/broken.yaml'}: " in done.err
    assert done.err.count("broken.yaml") == 1
    assert "RuntimeError: a fault of ours" in done.err and "/dist: No space left" in done.err
    told = command(*asked, "--json").json
    assert [made["outcome"] for made in told] == ["failed", "failed", "refused", "failed", "already there"]
    assert told[2]["why"].endswith("nothing was written")
    assert len(told[4]["sha256"]) == 64


def test_the_same_json_each_time(command: Command, pressing: Press, house: Path, tmp_path: Path) -> None:
    asked = ("build", "--all", "--recipes", house / "recipes", "--out", tmp_path / "dist", "--json")
    assert command(*asked).out == command(*asked).out


def test_what_was_done_is_told_when_the_user_interrupts(
    command: Command, pressing: Press, house: Path, tmp_path: Path
) -> None:
    pressing.faults = {"three": KeyboardInterrupt()}
    done = command("build", "--all", "--recipes", house / "recipes", "--hub", tmp_path / "hub")
    assert (done.code, done.err.strip()) == (130, "interrupted")
    assert rows(done.out) == [["one", "en", "published"]]
    assert done.out.endswith("1 of 3 models went well\n")
    assert pressing.asked == ["one", "three"]


def test_a_terminal_shows_a_bar_and_a_pipe_does_not(
    command: Command, pressing: Press, house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("build", "--all", "--recipes", house / "recipes", "--out", tmp_path / "dist")
    assert command(*asked).err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    shown = command(*asked)
    assert "one.yaml: 0 of 3 |" in shown.err and "pack …" in shown.err
    assert rows(shown.out) == [["one", "en", "made"], ["three", "en", "made"], ["two", "en", "made"]]


def test_measuring_is_asked_for(command: Command, pressing: Press, house: Path, tmp_path: Path) -> None:
    asked = ("build", house / "recipes/en/one.yaml", "--out", tmp_path / "dist")
    for words, benchmark in (((), False), (("--benchmark",), True)):
        assert command(*asked, *words).code == 0
        assert pressing.options["benchmark"] is benchmark


def test_no_secret_of_a_target_is_told(command: Command, tmp_path: Path) -> None:
    secret = "http://me:s3cret@127.0.0.1:9/m.zip?token=s3cret"
    for targets in ((secret,), (secret, secret), (f"{secret}#.yaml",)):
        unnamed = command("build", *targets, "--out", tmp_path / "dist")
        assert (unnamed.code, "s3cret" in unnamed.err) == (2, False), unnamed.err
        assert "http://127.0.0.1:9/m.zip is a source without a recipe" in unnamed.err
    for source in ("ftp://me:s3cret@host/m.zip", "hf:https://me:s3cret@host/m?token=s3cret"):
        unknown = command("build", source, *NAMED, "--out", tmp_path / "dist")
        assert (unknown.code, "s3cret" in unknown.err, "host/m" in unknown.err) == (1, False, True), unknown.err


def test_really_pressed_ones_too(command: Command, module: BuildModule, house: Path, tmp_path: Path) -> None:
    source, wrong = module("huggingface"), Golden(level="pooled", ids=(4, 30, 31, 5), first=(9.0, 9.0))
    for name, goldens in (("one", ()), ("two", (wrong,))):
        write_recipe(house, source, name=name, forms=("onnx",), goldens=goldens).rename(
            house / f"recipes/en/{name}.yaml"
        )
    (house / "recipes/en/three.yaml").unlink()
    done = command("build", "--all", "--recipes", house / "recipes", "--hub", tmp_path / "hub")
    assert (done.code, rows(done.out)) == (1, [["one", "en", "published"], ["two", "en", "refused:"]])
    assert "golden" in done.err
    assert (len(releases(tmp_path / "hub", "one")), releases(tmp_path / "hub", "two")) == (1, [])
