"""``wellread build``, from a TensorFlow module to vectors: what it makes, and when it must not make it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wellread
from tests.conftest import BuildModule
from tests.fixtures.command import Command
from tests.fixtures.web_server import Answer, serving
from wellread.converters.forms import kinds as forms
from wellread.converters.parity.comparison import run_form
from wellread.converters.parity.probes import single
from wellread.converters.recipe import Golden, Recipe, render
from wellread.converters.sources import Source
from wellread.converters.weights import Weights

pytestmark = pytest.mark.press

MOMENT = 1598344705269
NAMED = ("--name", "tiny", "--lang", "en", "--license", "Apache-2.0", "--time", str(MOMENT))


def write_recipe(folder: Path, source: Path, **fields: Any) -> Path:
    """A recipe for one form, whose snippets import no engine that takes seconds."""
    facts = {"name": "tiny", "language": "en", "title": "Tiny", "description": "A test.", "license": "Apache-2.0"}
    recipe = Recipe(
        **{
            **facts,
            "time": MOMENT,
            "forms": ("onnx",),
            "sources": (Source(kind="folder", location=str(source)),),
            **fields,
        }
    )
    path = folder / "tiny.yaml"
    path.write_text(render(recipe), encoding="utf-8")
    return path


def all_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_no_path_of_this_machine_gets_into_an_artifact(command: Command, module: BuildModule, tmp_path: Path) -> None:
    done = command("build", module("tf2-dict"), *NAMED, "--out", tmp_path / "dist", "--json")
    assert str(module("tf2-dict").parent).encode() not in Path(done.json["artifact"]).read_bytes()


@pytest.fixture(scope="module")
def golden(module: BuildModule, tmp_path_factory: pytest.TempPathFactory) -> Golden:
    """A golden of the plain tf2-dict module, computed by transformers."""
    from wellread.converters.weights import read_weights

    weights, folder = read_weights(module("tf2-dict")), tmp_path_factory.mktemp("golden")
    forms.write_forms(folder, weights, ["torch"], "mean")
    ids = np.array([4, 30, 31, 5])
    (run,) = run_form(folder, "torch", 2, [single("golden", ids)])
    return Golden(level="pooled", ids=tuple(map(int, ids)), first=tuple(map(float, run["pooled"][0, :4])))


def test_a_source_without_recipe_becomes_vectors(command: Command, module: BuildModule, tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    done = command("build", module("tf2-dict"), *NAMED, "--hub", hub)
    assert done.code == 0, done.err
    for word in ("floor", "gate", "reference", "torch", "onnx-int8", "sequence", "pooled", "pass", "published"):
        assert word in done.out
    model = wellread.pretrained("tiny", "en", hub=hub)
    assert model.encode(["I love NLP", ""]).shape == (2, 32)
    assert model.manifest.source.format == "tf2-dict"


def test_transformers_and_sentence_transformers_give_the_same_vectors(
    command: Command, module: BuildModule, tmp_path: Path
) -> None:
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers import AutoModel, AutoTokenizer

    hub, texts = tmp_path / "hub", ["I love NLP", "the quick brown fox jumps over the lazy dog", ""]
    assert command("build", module("tf1-checkpoint"), *NAMED, "--hub", hub).code == 0
    ours = wellread.pretrained("tiny", hub=hub).encode(texts)
    folder = wellread.fetch("tiny", hub=hub, form="torch")
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    for text, vector in zip(texts, ours, strict=True):
        with torch.inference_mode():
            hidden = model(**tokenizer(text, return_tensors="pt")).last_hidden_state
        np.testing.assert_allclose(hidden[0].mean(dim=0).numpy(), vector, atol=2e-5)
    theirs = SentenceTransformer(str(folder), device="cpu").encode(texts)
    np.testing.assert_allclose(theirs, ours, atol=2e-5)


@pytest.mark.parametrize("kind", ["tf2-list", "tf1-saved-model", "huggingface"])
def test_every_format_is_found_out_and_pressed(
    kind: str, command: Command, module: BuildModule, tmp_path: Path
) -> None:
    done = command("build", module(kind), *NAMED, "--out", tmp_path, "--forms", "onnx,torch", "--json")
    assert done.code == 0, done.err
    assert done.json["source"]["format"] == kind
    assert done.json["forms"] == ["torch", "onnx"]
    assert wellread.open(done.json["artifact"]).encode("hello world").shape == (32,)


def test_out_alone_writes_and_does_not_publish(
    command: Command, module: BuildModule, home: Path, tmp_path: Path
) -> None:
    done = command("build", module("tf2-dict"), *NAMED, "--out", tmp_path / "dist", "--json")
    assert [path.name for path in all_files(tmp_path / "dist")] == [
        f"tiny_en_2.6.0_2.4_{MOMENT}.proof.json",
        f"tiny_en_2.6.0_2.4_{MOMENT}.zip",
    ]
    assert done.json["release"] is None
    assert not (home / "hub").exists()
    hub = tmp_path / "hub"
    assert command("publish", done.json["artifact"], "--hub", hub).code == 0
    again = command("publish", done.json["artifact"], "--hub", hub)
    assert (again.code, "already there" in again.out) == (0, True)


def test_the_same_inputs_give_the_same_bytes_whatever_the_machine(module: BuildModule, tmp_path: Path) -> None:
    """Another home, another folder, another umask, one thread, another BLAS kernel, another hash seed."""
    shutil.copytree(module("tf2-dict"), tmp_path / "moved/source")
    recipe = write_recipe(tmp_path, module("tf2-dict"), forms=("torch", "onnx", "onnx-int8"))
    made = []
    for name, settings, umask in (
        ("one", {"PYTHONHASHSEED": "1"}, 0o022),
        ("two", {"OMP_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Haswell", "PYTHONHASHSEED": "2", "LC_ALL": "C"}, 0o077),
    ):
        folder = tmp_path / name
        folder.mkdir()
        environment = {**os.environ, **settings, "WELLREAD_HOME": str(folder / "home")}
        command = [sys.executable, "-m", "wellread", "build", str(recipe), "--out", "dist"]
        subprocess.run(command, cwd=folder, env=environment, check=True, umask=umask, capture_output=True)
        (artifact,) = (folder / "dist").glob("*.zip")
        made.append(artifact.read_bytes())
    assert made[0] == made[1]


def test_a_second_build_takes_every_step_from_the_first(
    command: Command, module: BuildModule, empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = (module("tf2-dict"), "--forms", "onnx", *NAMED[:-1])
    first = command("build", *asked, str(MOMENT), "--out", tmp_path / "a", "--json")
    monkeypatch.setattr("wellread.press.write_forms", _must_not_run)
    monkeypatch.setattr("wellread.press.compare", _must_not_run)
    monkeypatch.setattr("wellread.press.try_snippets", _must_not_run)
    second = command("build", *asked, str(MOMENT + 1), "--out", tmp_path / "b", "--json")
    assert second.code == 0, second.err
    assert second.json["artifact"] != first.json["artifact"]
    assert second.json["parity"] == first.json["parity"]


def _must_not_run(*_: object) -> None:
    raise AssertionError("this step was to be taken from an earlier build")


# ---------------------------------------------------------------- refusals


def test_a_weight_changed_on_the_way_into_a_form_stops_everything(
    command: Command, module: BuildModule, empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = forms.write_forms

    def nudge(folder: Path, weights: Weights, *rest: Any) -> Any:
        tensor = np.array(weights.tensors["encoder.layer.1.output.dense.weight"])
        tensor[3, 5] += 1e-2
        nudged = {**weights.tensors, "encoder.layer.1.output.dense.weight": tensor}
        return write(folder, Weights(weights.architecture, nudged, weights.vocabulary, weights.format, None, {}), *rest)

    monkeypatch.setattr("wellread.press.write_forms", nudge)
    done = command("build", module("tf2-dict"), *NAMED, "--out", tmp_path / "dist", "--hub", tmp_path / "hub")
    assert done.code == 1
    assert "onnx is not equal to the source's own graph" in done.err
    assert "nothing was written" in done.err
    assert "Traceback" not in done.err
    assert all_files(tmp_path / "dist") == all_files(tmp_path / "hub") == []


def test_a_source_that_misses_its_golden_values_is_refused_and_the_next_is_tried(
    command: Command, module: BuildModule, tmp_path: Path, golden: Golden
) -> None:
    other, right = module("tf2-dict", seed=1), module("tf2-dict")
    recipe = write_recipe(tmp_path, other, goldens=(golden,))
    done = command("build", recipe, "--out", tmp_path / "dist")
    assert done.code == 1
    assert "golden" in done.err and "off by" in done.err
    assert all_files(tmp_path / "dist") == []
    sources = tuple(Source(kind="folder", location=str(folder)) for folder in (tmp_path / "none", other, right))
    recipe = write_recipe(tmp_path, other, goldens=(golden,), sources=sources)
    done = command("build", recipe, "--out", tmp_path / "dist", "--json")
    assert done.code == 0, done.err
    assert done.json["source"]["location"] == right.name


def test_a_source_given_by_hand_needs_another_name_to_be_published(
    command: Command, module: BuildModule, tmp_path: Path, golden: Golden
) -> None:
    recipe = write_recipe(tmp_path, module("tf2-dict"), goldens=(golden,))
    other, hub = module("tf2-dict", seed=1), tmp_path / "hub"
    refused = command("build", recipe, "--source", other, "--hub", hub)
    assert (refused.code, "--name" in refused.err, "--out" in refused.err) == (1, True, True)
    assert all_files(hub) == []
    same = command("build", recipe, "--source", other, "--name", "tiny", "--hub", hub)
    assert (same.code, same.err) == (1, refused.err), "its own name is no other name"
    kept = command("build", recipe, "--source", other, "--out", tmp_path / "dist", "--json")
    assert kept.json["source"]["override"] is True
    assert command("publish", kept.json["artifact"], "--hub", hub).code == 1
    assert all_files(hub) == []
    renamed = command("build", recipe, "--source", other, "--name", "mine", "--hub", hub, "--json")
    assert (renamed.code, renamed.json["name"], renamed.json["source"]["override"]) == (0, "mine", False)
    right = command("build", recipe, "--source", module("tf2-dict"), "--hub", hub, "--json")
    assert (right.code, right.json["source"]["override"]) == (0, False)


def test_pooling_is_settled_by_the_golden_values(command: Command, module: BuildModule, tmp_path: Path) -> None:
    source = module("tf2-dict")
    plain = command("build", source, *NAMED, "--out", tmp_path / "plain", "--json")
    hidden = wellread.open(plain.json["artifact"])._session
    ids = wellread.open(plain.json["artifact"])._tokeniser(["i love nlp"])[0].ids[None]
    cls = hidden.run(ids, ids * 0 + 1, ids * 0, ["last_hidden_state"])[0][0, 0]
    known = Golden(level="sentence", text="i love nlp", first=tuple(map(float, cls[:3])))
    recipe = write_recipe(tmp_path, source, pooling="auto", goldens=(known,), annotator="BertSentenceEmbeddings")
    done = command("build", recipe, "--out", tmp_path / "dist", "--json")
    assert done.json["pooling"] == "cls"
    np.testing.assert_allclose(wellread.open(done.json["artifact"]).encode("i love nlp"), cls, atol=1e-5)
    wrong = Golden(level="sentence", text="i love nlp", first=(9.0, 9.0))
    refused = command("build", write_recipe(tmp_path, source, pooling="auto", goldens=(wrong,)), "--out", tmp_path)
    assert refused.code == 1
    for pooling in ("mean", "mean-words", "cls", "pooler", "pooler-linear"):
        assert f"{pooling} is off by" in refused.err


@pytest.mark.parametrize("pooling", ["mean", "mean-words", "cls", "pooler", "pooler-linear"])
def test_every_pooling_is_the_same_in_sentence_transformers(
    pooling: str, command: Command, module: BuildModule, tmp_path: Path
) -> None:
    from sentence_transformers import SentenceTransformer

    recipe = write_recipe(tmp_path, module("huggingface"), pooling=pooling, forms=("torch", "onnx"))
    hub, texts = tmp_path / "hub", ["I love NLP", "hello world", ""]
    assert command("build", recipe, "--hub", hub).code == 0
    ours = wellread.pretrained("tiny", hub=hub).encode(texts)
    folder = wellread.fetch("tiny", hub=hub, form="torch")
    if pooling == "mean-words":
        assert not (folder / "modules.json").exists(), "their files cannot say it, so nothing is said"
    else:
        np.testing.assert_allclose(SentenceTransformer(str(folder), device="cpu").encode(texts), ours, atol=2e-5)


TOLD = {
    "title": "The First",
    "description": "About the first.",
    "author": "its author",
    "edition": "its edition",
    "supported": True,
    "recommended": True,
    "data_source": "https://its.example/source",
    "citation": "its citation",
    "repository": "https://its.example/repository",
    "base_model": "its/base",
    "aliases": ("en.embed.its",),
    "examples": ("its example",),
}
"""What a recipe may say that holds for its own model only."""


@pytest.mark.parametrize("elsewhere", [True, False])
def test_under_another_name_nothing_is_said_that_was_said_of_the_first(
    elsewhere: bool, command: Command, module: BuildModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    facts = {**TOLD, "license": "MIT", "forms": ("onnx",), "pooling": "cls", "architecture": {"heads": 4}}
    recipe = write_recipe(tmp_path, module("huggingface"), **facts)
    source = ("--source", module("huggingface", seed=1)) if elsewhere else ()
    done = command("build", recipe, *source, "--name", "mine", "--out", tmp_path / "dist", "--json")
    assert done.code == 0, done.err
    manifest = wellread.open(done.json["artifact"]).manifest
    origin = module("huggingface", seed=1).name if elsewhere else "the source of tiny"
    assert (manifest.name, manifest.title) == ("mine", "mine")
    assert manifest.description == f"BERT embeddings converted from {origin}."
    assert (manifest.language, manifest.license, manifest.pooling) == ("en", "MIT", "cls")
    assert (tuple(manifest.forms), manifest.time) == (("onnx",), 1700000000000)
    for field, told in TOLD.items():
        kept = field == "data_source" and not elsewhere
        assert kept == (getattr(manifest, field) == told), field


def test_under_another_name_the_recipes_own_source_must_still_be_its_model(
    command: Command, module: BuildModule, tmp_path: Path
) -> None:
    wrong = Golden(level="pooled", ids=(4, 30, 31, 5), first=(9.0, 9.0))
    recipe = write_recipe(tmp_path, module("huggingface"), goldens=(wrong,))
    refused = command("build", recipe, "--name", "mine", "--out", tmp_path / "dist")
    assert (refused.code, all_files(tmp_path / "dist")) == (1, [])


def test_no_secret_of_an_address_is_told(command: Command, module: BuildModule, tmp_path: Path) -> None:
    packed = Path(shutil.make_archive(str(tmp_path / "m"), "zip", module("huggingface")))
    with serving({"/m.zip": Answer(packed.read_bytes())}) as server:
        address = server.url.replace("http://", "http://me:s3cret@")
        done = command("build", f"{address}/m.zip?token=s3cret", *NAMED, "--out", tmp_path / "dist", "--json")
        failed = command("build", f"{address}/none.zip?token=s3cret", *NAMED, "--out", tmp_path / "other")
    assert done.code == 0, done.err
    assert done.json["source"]["location"] == f"{server.url}/m.zip"
    assert (failed.code, f"{server.url}/none.zip" in failed.err) == (1, True)
    told = [done.out, done.err, failed.err, *(p.read_bytes().decode("latin-1") for p in all_files(tmp_path / "dist"))]
    assert not any("s3cret" in text for text in told)


def test_the_artifact_is_named_where_it_was_asked_for(command: Command, module: BuildModule, tmp_path: Path) -> None:
    places = {"dist": ("--out", tmp_path / "dist"), "hub": ("--hub", tmp_path / "hub")}
    both = command("build", module("huggingface"), *NAMED, *places["dist"], *places["hub"], "--json").json
    assert Path(both["artifact"]).is_file() and both["release"]
    assert command("build", module("huggingface"), *NAMED, *places["hub"], "--json").json["artifact"] is None


def test_a_killed_build_leaves_nothing_and_the_next_one_succeeds(
    command: Command, module: BuildModule, empty_home: Path, tmp_path: Path
) -> None:
    arguments = ["build", str(module("tf2-dict")), *NAMED, "--forms", "onnx", "--hub", str(tmp_path / "hub")]
    for step in ("parity", "snippets"):
        with subprocess.Popen([sys.executable, "-m", "wellread", *arguments], stdout=subprocess.DEVNULL) as child:
            while not list(empty_home.glob(f"work/{step}/.*.new")):
                assert child.poll() is None
                time.sleep(0.01)
            started = children_of(child.pid)
            os.kill(child.pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while any(map(is_alive, started)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(map(is_alive, started))
        assert all_files(tmp_path / "hub") == []
    assert command(*arguments).code == 0
    assert wellread.pretrained("tiny", hub=tmp_path / "hub").encode("hello").shape == (32,)


def children_of(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children")
    return list(map(int, found.read_text().split())) if found.exists() else []


def is_alive(process: int) -> bool:
    """Whether it still does something; one that has ended is kept in the list until somebody asks what became of it."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_two_builds_at_once_publish_one_release(module: BuildModule, empty_home: Path, tmp_path: Path) -> None:
    arguments = ["build", str(module("tf2-dict")), *NAMED, "--forms", "onnx", "--hub", str(tmp_path / "hub"), "--json"]
    children = [
        subprocess.Popen([sys.executable, "-m", "wellread", *arguments], stdout=subprocess.PIPE) for _ in range(2)
    ]
    for child in children:
        child.communicate()
    assert [child.returncode for child in children] == [0, 0]
    (index,) = (tmp_path / "hub/index").rglob("*.jsonl")
    assert len(index.read_text().splitlines()) == 1
