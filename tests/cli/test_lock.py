"""``wellread lock`` and what ``fetch --lock`` makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.command import Command
from tests.registry.samples import TIME, make_sample
from wellread.registry.hub.publish import publish


@pytest.fixture
def hub(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two models that no runtime could open; the folder of the test is the working directory."""
    monkeypatch.setattr("wellread.loader._prove", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    _publish(tmp_path, "tiny", aliases=("en.embed.tiny",))
    _publish(tmp_path, "other")
    return tmp_path / "hub"


def _publish(root: Path, name: str, time: int = TIME, **fields: Any) -> None:
    sample = make_sample(root / f"{name}-{time}", name=name, time=time, **fields)
    publish(sample.zip, sample.proof, root / "hub")


def test_names_are_locked_and_fetched_as_they_were(command: Command, hub: Path, tmp_path: Path) -> None:
    locked = command("lock", "tiny", "en.embed.tiny", "other", "--hub", hub)
    assert (locked.code, locked.out.count(str(hub))) == (0, 3)
    models = json.loads((tmp_path / "wellread.lock").read_text())["models"]
    assert [(each["name"], each["references"]) for each in models] == [("other", []), ("tiny", ["en.embed.tiny"])]
    _publish(tmp_path, "tiny", TIME + 1)
    folders = command("fetch", "--lock").out.split()
    assert [Path(folder).name.rpartition("_")[2].split("-")[0] for folder in folders] == [str(TIME)] * 2
    assert command("fetch", "en.embed.tiny", "--lock", "--json").json == {"name": "en.embed.tiny", "path": folders[1]}
    assert command("fetch", "tiny", "--hub", hub).out.split() != folders[1:]
    before = (tmp_path / "wellread.lock").read_bytes()
    assert command("lock", "other", "--hub", hub).code == 0
    assert (tmp_path / "wellread.lock").read_bytes() == before
    (answer,) = command("lock", "tiny", "--hub", hub, "--json").json
    assert answer["release"] == f"2.6.0_2.4_{TIME + 1}"
    assert command("fetch", "tiny", "--lock").out.split() != folders[1:]


def test_what_cannot_be_locked_leaves_the_file_as_it_is(command: Command, hub: Path, tmp_path: Path) -> None:
    assert command("lock", "tiny", "--hub", hub, "--file", "my.lock").code == 0
    before = (tmp_path / "my.lock").read_bytes()
    failed = command("lock", "tiny", "absent", "--hub", hub, "--file", "my.lock")
    assert (failed.code, "absent (en): not in" in failed.err) == (1, True)
    assert (tmp_path / "my.lock").read_bytes() == before
    assert command("fetch", "other", "--lock", "my.lock").err.endswith("wellread lock other --lang en --file my.lock\n")
    assert command("fetch", "--lock").code == 1
    assert command("fetch").code == 2
    (tmp_path / "my.lock").write_text("{")
    assert "is damaged" in command("lock", "tiny", "--hub", hub, "--file", "my.lock").err


def test_trust_is_asked_for_by_an_option(command: Command, hub: Path) -> None:
    for name in ("fetch", "lock"):
        refused = command(name, "tiny", "--hub", hub, "--trust", "enforce")
        assert (refused.code, "no key is trusted for this hub yet" in refused.err) == (1, True)
    assert command("fetch", "tiny", "--hub", hub, "--trust", "maybe").code == 2
