"""Fixtures that more than one test needs: source modules of every format, written once a session."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from tests.fixtures.tiny import tiny_architecture, tiny_tensors, tiny_vocabulary, write_huggingface
from wellread.registry.records import Architecture

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_BUILT_TOGETHER = ("tf2-dict", "tf2-list", "tf1-saved-model", "tf1-checkpoint")
_HOMES = itertools.count()
_ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "1", "CUDA_VISIBLE_DEVICES": "-1"}


class Modules:
    """Source folders by kind and options; a folder is handed out again and again, so a test must not change it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.built: dict[str, Path] = {}
        self.numbers = itertools.count()

    def __call__(self, kind: str, *, seed: int = 0, **overrides: Any) -> Path:
        """The folder of a tiny module. ``kind`` is a ``Format`` of converters/weights.py.

        ``overrides`` are fields of ``tiny_architecture`` or options of tests/fixtures/tensorflow_modules.py; the
        weights are ``tiny_tensors(tiny_architecture(**fields), seed)``.
        """
        plain = kind in _BUILT_TOGETHER and not overrides and not seed
        self.together([(one, {}) for one in _BUILT_TOGETHER] if plain else [(kind, overrides)], seed)
        return self.built[self._key(kind, seed, overrides)]

    def together(self, wanted: Iterable[tuple[str, dict[str, Any]]], seed: int = 0) -> None:
        """Build those of these kinds and overrides that are not there yet, in one process: TensorFlow starts slowly."""
        folders, jobs = {}, []
        for kind, overrides in wanted:
            key, folder = self._key(kind, seed, overrides), self._folder(kind)
            if key in self.built:
                continue
            fields = {name: value for name, value in overrides.items() if name in Architecture.__struct_fields__}
            options = {name: value for name, value in overrides.items() if name not in fields}
            architecture, folders[key] = tiny_architecture(**fields), folder
            if kind == "huggingface":
                vocabulary = tiny_vocabulary(architecture.cased)
                write_huggingface(folder, architecture, tiny_tensors(architecture, seed), vocabulary)
            else:
                jobs.append(self._job(kind, folder, architecture, seed, options))
        if jobs:
            file = self._folder("jobs.json")
            file.write_bytes(msgspec.json.encode(jobs))
            _run("tests.fixtures.tensorflow_modules", str(file))
        self.built |= folders

    @staticmethod
    def _key(kind: str, seed: int, overrides: dict[str, Any]) -> str:
        return json.dumps([kind, seed, overrides], sort_keys=True)

    def _folder(self, name: str) -> Path:
        return self.root / f"{next(self.numbers)}-{name}"

    def _job(
        self, kind: str, out: Path, architecture: Architecture, seed: int, options: dict[str, Any]
    ) -> dict[str, Any]:
        inputs = self._folder("inputs")
        inputs.mkdir()
        np.savez(inputs / "tensors.npz", **tiny_tensors(architecture, seed))  # type: ignore[arg-type]
        (inputs / "vocab.txt").write_bytes(tiny_vocabulary(architecture.cased))
        given = {"tensors": str(inputs / "tensors.npz"), "vocabulary": str(inputs / "vocab.txt")}
        return {"kind": kind, "out": str(out), "architecture": architecture, "options": options, **given}


BuildModule = Modules


def _run(module: str, *arguments: str) -> None:
    root = str(Path(__file__).parents[1])
    environment = os.environ | _ENVIRONMENT | {"PYTHONPATH": os.pathsep.join([root, *filter(None, sys.path)])}
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"{' '.join(command)} failed:\n{done.stderr[-4000:]}")


@pytest.fixture(scope="session")
def module(tmp_path_factory: pytest.TempPathFactory) -> BuildModule:
    """``module("tf2-dict", layers=3)`` → the folder of such a module; see ``Modules``."""
    return Modules(tmp_path_factory.mktemp("modules"))


_OWN = ("WELLREAD_HUB", "WELLREAD_KEY", "WELLREAD_OFFLINE", "WELLREAD_SITE_CACHE", "WELLREAD_TOKENS")


@pytest.fixture(scope="session", autouse=True)
def _nobodys_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What the developer has set up is no test's: their keys would sign what it publishes."""
    homes = tmp_path_factory.mktemp("homes")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("WELLREAD_HOME", str(homes / "shared"))
        for name in _OWN:
            environment.delenv(name, raising=False)
        yield homes


@pytest.fixture(autouse=True)
def home(_nobodys_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that no other test sees; it is made when something is put there."""
    path = _nobodys_home / str(next(_HOMES))
    monkeypatch.setenv("WELLREAD_HOME", str(path))
    return path


@pytest.fixture(scope="session", autouse=True)
def _nobodys_java(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path | None]:
    """Java is nowhere: what presses a model would start Spark for its card, some 15 s each time.

    ``JAVA_HOME`` names an empty folder, in which Spark and a card's trial look before they look anywhere else. Yields
    the folder of the machine's own Java, None where there is none.
    """
    found = shutil.which("java")
    own = os.environ.get("JAVA_HOME") or (str(Path(found).resolve().parents[1]) if found else "")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("JAVA_HOME", str(tmp_path_factory.mktemp("no-java")))
        yield Path(own) if own else None


@pytest.fixture(scope="session")
def java(_nobodys_java: Path | None) -> Path:
    """``JAVA_HOME`` of this machine, for what lives as long as the session and sets it for the moment it starts."""
    if _nobodys_java is None:
        pytest.skip("java is not installed")
    return _nobodys_java


@pytest.fixture
def with_java(java: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Java is there for this test."""
    monkeypatch.setenv("JAVA_HOME", str(java))
    return java


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser a session: its driver cannot be started twice in a process."""
    from tests.fixtures.browser import chromium  # not every test needs a browser's driver

    with chromium() as opened:
        yield opened


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With ``WELLREAD_REQUIRE=all`` a skip is a failure: CI has everything, so what is missing there is a defect."""
    report = yield
    if report.skipped and os.environ.get("WELLREAD_REQUIRE") == "all":
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and WELLREAD_REQUIRE=all: {report.longrepr}"
    return report
