"""A snippet is run as it is printed, alone, against the artifact; what becomes of it is told with its line."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

import wellread
from tests.model_cards.conftest import Publish
from wellread.errors import BadInput, IntegrityError, SnippetError
from wellread.model_cards import snippets as page
from wellread.model_cards.stage import Played, Scene, Stage
from wellread.model_cards.trials import Tried, require_passed, try_release, try_snippets
from wellread.registry.artifact.package import identify, open_artifact
from wellread.registry.records import Trial

pytestmark = pytest.mark.press


@pytest.fixture(scope="session")
def artifact(published: Publish) -> Path:
    return published(forms=("onnx",), examples=("Hello, world",)).pressed.artifact


def printed(monkeypatch: pytest.MonkeyPatch, *templates: str) -> None:
    """Cards show these snippets, under the titles of those that a model of form onnx has."""
    rows = [row for row in page._ROWS if row.title in ("Python", "ONNX Runtime")]
    monkeypatch.setattr(page, "_ROWS", [replace(row, template=t) for row, t in zip(rows, templates, strict=False)])


def test_the_results_are_what_the_snippet_computed(artifact: Path, tmp_path: Path) -> None:
    package = open_artifact(artifact)
    tried = try_snippets(package.manifest, identify(package, artifact), tmp_path)
    found = wellread.open(artifact).encode("Hello, world", output_level="token")
    (result,) = tried.results
    assert (result.text, result.words) == ("Hello, world", found.words)
    assert result.vectors == tuple(tuple(round(float(n), 6) + 0.0 for n in row[:4]) for row in found.vectors)


_FAILING = {
    "an error": ("x = 1\nopen('none')\n", "line 2: open('none'): FileNotFoundError: [Errno 2] No such file"),
    "an error of ours": ("import wellread\nwellread.pretrained('tina')\n", "line 2: wellread.pretrained('tina'): "),
    "bad syntax": ("x = 1\ny = = 2\n", "line 2: y = = 2: SyntaxError"),
    "an exit": ("import sys\nsys.exit()\n", "line 2: sys.exit(): SystemExit"),
    "a missing module": ("import none_such\n", "line 1: import none_such: ModuleNotFoundError"),
    "a crash": ("import os\nos.kill(os.getpid(), 11)\n", "its process was killed by SIGSEGV"),
    "a silent end": ("import os\nos._exit(0)\n", "its process ended early"),
    "no words": ("words = None\n", "AttributeError"),
    "an essay": ("raise ValueError('so ' * 10_000)\n", "line 1: raise ValueError('so ' * 10_000): ValueError: so so"),
}


@pytest.mark.parametrize(("code", "why"), _FAILING.values(), ids=_FAILING.keys())
def test_a_snippet_that_fails_is_told_with_its_line(
    artifact: Path, monkeypatch: pytest.MonkeyPatch, code: str, why: str
) -> None:
    printed(monkeypatch, code, "import numpy\n")
    failed, other = try_release(artifact)
    assert (failed.tab, failed.outcome, other.outcome) == ("Python", "failed", "passed")
    assert failed.why.startswith(why) and len(failed.why) < 400 and "\n" not in failed.why
    with pytest.raises(SnippetError) as caught:
        require_passed(Tried(trials=(failed, other)), open_artifact(artifact).manifest)
    assert failed.why in str(caught.value) and "ONNX Runtime" not in str(caught.value)


def test_what_is_not_installed_is_not_run_and_says_so(artifact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(page.ENGINES, "ONNX Runtime", ("numpy", "none_such"))
    ours, other, _ = try_release(artifact)
    assert ours == Trial(tab="Python", outcome="passed")
    why = "none_such is not installed: pip install none-such"
    assert other == Trial(tab="ONNX Runtime", outcome="not run", why=why)
    require_passed(Tried(trials=(ours, other)), open_artifact(artifact).manifest)


@pytest.mark.parametrize("variable", ["JAVA_HOME", "PATH"])
def test_a_program_is_an_engine_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """Java is looked for where Spark looks: in JAVA_HOME, and where there is none on the path."""
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv(variable, str(tmp_path if variable == "JAVA_HOME" else tmp_path / "bin"))
    java = tmp_path / "bin/java"
    needy = msgspec.structs.replace(scene(tmp_path, "x = 1\n"), engines=("none_such", "java"))
    stage = Stage()
    assert stage.play(needy).absent.startswith("java is not installed: Debian and Ubuntu have it as openjdk-17-jre-")
    java.parent.mkdir()
    java.write_text("#!/bin/sh\n")
    java.chmod(0o755)
    assert stage.play(needy).absent == "none_such is not installed: pip install none-such"
    stage.close()


def test_a_snippet_that_asks_for_something_to_be_installed_has_not_failed(tmp_path: Path) -> None:
    """Nor do the folders of this machine get into a proof, which tells why."""
    stage = Stage()
    said = "Spark 4.3.0 runs on Java 17 or later, and /home/ann/jdk/bin/java is Java 8. and/or: https://adoptium.net"
    code = f"from wellread.errors import MissingExtra\nraise MissingExtra({said!r})\n"
    told = "Spark 4.3.0 runs on Java 17 or later, and java is Java 8. and/or: https://adoptium.net"
    assert stage.play(scene(tmp_path, code)) == Played(absent=told)
    stage.close()


def test_which_spark_the_owner_has_set_up_is_nothing_to_a_snippet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SPARK_HOME", "SPARK_MASTER", "PYSPARK_SUBMIT_ARGS", "PYSPARK_PYTHON"):
        monkeypatch.setenv(name, "spark://elsewhere:7077")
    stage, code = Stage(), "import os\nassert {n: v for n, v in os.environ.items() if 'SPARK' in n} == {}, os.environ"
    played = stage.play(scene(tmp_path, code.replace("{},", "{'SPARK_LOCAL_IP': '127.0.0.1'},")))
    stage.close()
    assert not played.error


@pytest.mark.parametrize(
    ("broken", "error"),
    [("raise OSError('/home/ann/libcuda.so')", "OSError"), ("import none_such", "ModuleNotFoundError")],
)
def test_an_engine_that_is_broken_here_is_no_fault_of_the_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, error: str
) -> None:
    (tmp_path / "broken_engine.py").write_text(f"{broken}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    stage = Stage()
    played = stage.play(msgspec.structs.replace(scene(tmp_path, "x = 1\n"), engines=("numpy", "broken_engine")))
    stage.close()
    assert played == Played(absent=f"broken_engine is broken: python -c 'import broken_engine' ends with {error}")


def test_a_snippet_sees_nothing_of_the_press_nor_of_another(artifact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WELLREAD_OFFLINE", "1")
    monkeypatch.setenv("WELLREAD_HUB", "https://nowhere.invalid")
    alone = (
        "import os, sys\n"
        "import wellread\n"
        "import wellread.registry.names as shared\n"
        "assert not hasattr(shared, 'seen') and not os.listdir() and sys.stdin.read() == ''\n"
        "assert sorted(n for n in os.environ if n.startswith('WELLREAD')) == ['WELLREAD_HOME', 'WELLREAD_HUB']\n"
        "assert os.environ['HF_HUB_OFFLINE'] == os.environ['TRANSFORMERS_OFFLINE'] == '1'\n"
        "shared.seen = True\n"
        "print('said on the stage')\n"
        "open('left', 'w').close()\n"
        "os.remove('left')\n"
    )
    printed(monkeypatch, f"{alone}words = wellread.pretrained('tiny', 'en').encode('a', output_level='token')\n", alone)
    assert [(trial.outcome, trial.why) for trial in try_release(artifact)] == [("passed", "")] * 2


def scene(folder: Path, code: str, limit: int = 60) -> Scene:
    (folder / "snippet.py").write_text(code)
    return Scene(script=str(folder / "snippet.py"), folder=str(folder), environment={}, limit=limit)


def test_a_snippet_that_does_not_end_is_ended(tmp_path: Path) -> None:
    stage = Stage()
    played = stage.play(scene(tmp_path, "while True: pass\n", limit=1))
    assert played.error == "it did not end within 1 s"
    stage.close()


def test_a_stage_that_broke_down_is_built_again(tmp_path: Path) -> None:
    stage, fine = Stage(), scene(tmp_path, "x = 1\n")
    assert stage.play(fine).error == ""
    assert stage._process
    os.kill(stage._process.pid, signal.SIGKILL)
    assert stage.play(fine).error == "its process broke down"
    assert stage.play(fine).error == ""
    stage.close()


@pytest.mark.parametrize("change", [lambda raw: raw[:-1], lambda raw: raw.replace(b"hello", b"jello")])
def test_only_an_artifact_that_is_whole_is_tried(
    artifact: Path, tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    spoilt = tmp_path / artifact.name
    spoilt.write_bytes(change(artifact.read_bytes()))
    with pytest.raises(IntegrityError):
        try_release(spoilt)
    with pytest.raises(BadInput):
        try_release(tmp_path / "none.zip")
