"""The command line as a fixture, with a home of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import BuildModule
from tests.fixtures.command import Command


@pytest.fixture(scope="session")
def shared_work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One workbench for all tests: a step that one test did is kept for the next, as it is for a user."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture
def home(tmp_path: Path, shared_work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home; hub and cache are this test's own."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home/work").symlink_to(shared_work)
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WELLREAD_HUB", raising=False)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return tmp_path / "home"


@pytest.fixture
def empty_home(home: Path) -> Path:
    """A home in which nothing was ever built."""
    (home / "work").unlink()
    return home


@pytest.fixture
def command(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capfd)


@pytest.fixture
def published(command: Command, module: BuildModule, tmp_path: Path) -> Path:
    """A hub with one model, ``tiny`` (en); its artifact and proof lie in ``dist`` beside it."""
    named = ("--name", "tiny", "--lang", "en", "--license", "Apache-2.0", "--time", "1598344705269")
    built = command(
        "build", module("huggingface"), *named, "--hub", tmp_path / "hub", "--out", tmp_path / "dist", "--json"
    )
    assert built.code == 0, built.err
    return tmp_path / "hub"
