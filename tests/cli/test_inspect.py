"""``wellread list``, ``info`` and ``verify``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.conftest import BuildModule
from tests.fixtures.command import Command
from tests.registry.samples import flip
from wellread.registry.proof import read_proof, write_proof

pytestmark = pytest.mark.press

RELEASE = "2.6.0_2.4_1598344705269"
STEM = f"tiny_en_{RELEASE}"


@pytest.fixture
def artifact(published: Path) -> Path:
    return published.parent / "dist" / f"{STEM}.zip"


def test_list_has_a_line_for_each_model(command: Command, published: Path, tmp_path: Path) -> None:
    header, line = command("list", "--hub", published).out.splitlines()
    assert header.split() == ["name", "lang", "latest", "title"]
    assert line.split() == ["tiny", "en", RELEASE, "tiny"]
    (entry,) = command("list", "--hub", published, "--json").json
    assert (entry["name"], entry["language"], entry["latest"]) == ("tiny", "en", RELEASE)
    (tmp_path / "empty").mkdir()
    assert command("list", "--hub", tmp_path / "empty").out == f"no models in {tmp_path / 'empty'}\n"
    assert command("list", "--hub", tmp_path / "empty", "--json").json == []


def test_info_says_what_a_release_is(command: Command, published: Path) -> None:
    shown = command("info", "tiny", "--hub", published).out
    for word in ("2020-08-25T08:38:25.269Z", "L-2 H-32 A-4", "mean", "Apache-2.0", "ready", str(published)):
        assert word in shown
    forms = [line.split()[:2] for line in shown.splitlines() if line.startswith(("torch", "onnx"))]
    assert forms == [["torch", "fp32"], ["onnx", "fp32"], ["onnx-int8", "int8"]]
    facts = command("info", "tiny", "--hub", published, "--json").json
    assert (facts["release"]["id"], facts["manifest"]["dimension"]) == (RELEASE, 32)


def test_info_of_what_is_not_there(command: Command, published: Path) -> None:
    for words in (("tiny2",), ("tiny", "--lang", "de"), ("tiny", "--version", "3.0"), ("a/b",)):
        refused = command("info", *words, "--hub", published)
        assert (refused.code, refused.out) == (1, "")
        assert refused.err.startswith("wellread: ")


def test_verify_hashes_an_artifact_holds_it_against_its_proof_and_replays_it(command: Command, artifact: Path) -> None:
    sound = command("verify", artifact, "--json")
    assert sound.code == 0, sound.err
    assert list(sound.json) == ["hashes", "sha256", "proof", "goldens"]
    assert (sound.json["proof"], sound.json["goldens"]) == (
        "of these bytes: parity passed for torch, onnx, onnx-int8",
        "met by onnx, onnx-int8",
    )
    assert sound.json["sha256"] in command("verify", artifact).out


def test_verify_without_a_proof_says_so(command: Command, artifact: Path) -> None:
    artifact.with_name(f"{STEM}.proof.json").unlink()
    alone = command("verify", artifact, "--json")
    assert (alone.code, alone.json["proof"]) == (0, f"none beside it ({STEM}.proof.json)")


def test_verify_refuses_a_proof_that_says_no_whatever_its_flags_say(command: Command, artifact: Path) -> None:
    place = artifact.with_name(f"{STEM}.proof.json")
    proof = read_proof(place)
    first, *others = proof.parity.forms
    far = replace(first.points[0], distance=replace(first.points[0].distance, max=9.0), passed=True)
    forms = (replace(first, points=(far, *first.points[1:])), *others)
    write_proof(place, replace(proof, parity=replace(proof.parity, forms=forms)))
    refused = command("verify", artifact)
    assert (refused.code, refused.out) == (1, "")
    assert f"parity failed for {first.form}" in refused.err


def test_verify_refuses_the_proof_of_other_bytes_before_it_runs_anything(
    command: Command, artifact: Path, module: BuildModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = ("--name", "tiny", "--lang", "en", "--license", "MIT", "--time", "1598344705269")
    other = command("build", module("huggingface"), *named, "--out", tmp_path / "other", "--json").json["artifact"]
    shutil.copy(other, artifact)
    monkeypatch.setattr("wellread.cli.inspect._replay", lambda *_: pytest.fail("was run"))
    refused = command("verify", artifact)
    assert (refused.code, refused.out) == (1, "")
    assert "is about other bytes" in refused.err


def test_verify_finds_a_flipped_bit(command: Command, artifact: Path) -> None:
    flip(artifact, artifact.stat().st_size // 2)
    refused = command("verify", artifact)
    assert (refused.code, refused.out) == (1, "")
    assert str(artifact) in refused.err


def test_verify_of_a_model_fetches_all_of_it_and_checks_it(command: Command, published: Path) -> None:
    sound = command("verify", "tiny", "--hub", published, "--json")
    assert sound.code == 0, sound.err
    assert sound.json["goldens"] == "met by onnx, onnx-int8"
    assert Path(sound.json["path"], "model.safetensors").is_file()


def test_verify_of_what_is_not_there(command: Command, published: Path, tmp_path: Path) -> None:
    for target in (tmp_path / "none.zip", "tiny2"):
        refused = command("verify", target, "--hub", published)
        assert (refused.code, refused.out) == (1, "")
        assert refused.err.startswith("wellread: ")
