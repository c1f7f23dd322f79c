"""``wellread cache``."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.command import Command
from tests.registry.samples import TIME, flip, make_sample
from tests.registry.watched import list_in, unproved
from wellread.registry.transfer.fetch import bring

Fetch = Callable[[str, int], Path]
RELEASE = f"_en_2.6.0_2.4_{TIME}"


@pytest.fixture
def fetch(tmp_path: Path, empty_home: Path) -> Fetch:
    """``fetch("tiny", 3)`` → its folder in the cache, last used at that hour of 1970."""

    def fetch(name: str, used: int) -> Path:
        store, release = list_in(make_sample(tmp_path / name, name=name), tmp_path / "hub")
        path, _ = bring(store, release, "onnx", prove=unproved)
        for file in path.glob(".wellread/*"):
            os.utime(file, (used * 3600, used * 3600))
        return path

    return fetch


def test_list_shows_the_least_recently_used_first(command: Command, fetch: Fetch) -> None:
    assert command("cache", "list").out.startswith("nothing in ")
    assert command("cache", "list", "--json").json == []
    paths = {name: fetch(name, used) for name, used in (("new", 2), ("old", 1))}
    told = command("cache", "list", "--json").json
    assert [(item["release"], item["used"]) for item in told] == [
        (f"old{RELEASE}", "1970-01-01T01:00Z"),
        (f"new{RELEASE}", "1970-01-01T02:00Z"),
    ]
    assert told[0]["forms"] == ["onnx"] and told[0]["path"] == str(paths["old"])
    lines = command("cache", "list").out.splitlines()
    assert lines[0].split() == ["release", "forms", "MB", "used"]
    assert lines[1].split()[:2] == [f"old{RELEASE}", "onnx"]


def test_verify_fails_for_what_is_wrong_and_repair_removes_it(command: Command, fetch: Fetch) -> None:
    fetch("good", 1)
    flip(fetch("bad", 2) / "onnx/model.onnx", 5)
    found = command("cache", "verify")
    assert found.code == 1
    assert found.out.splitlines()[0] == f"bad{RELEASE}: onnx/model.onnx differs from what was published"
    told = command("cache", "verify", "bad", "--json")
    assert told.code == 1
    assert told.json == [{"name": f"bad{RELEASE}", "file": "onnx/model.onnx", "gone": False, "forms": ["onnx"]}]
    assert command("cache", "verify", "good").code == 0
    assert command("cache", "repair", "--json").json == told.json
    again = command("cache", "verify")
    assert (again.code, again.out) == (0, "all as published\n")


def test_prune_keeps_the_cache_small(command: Command, fetch: Fetch) -> None:
    fetch("new", 2)
    old = fetch("old", 1)
    size = sum(item["size"] for item in command("cache", "list", "--json").json)
    limit = f"{size - 1}B"
    dry = command("cache", "prune", "--max-size", limit, "--dry-run")
    assert (dry.code, f"would remove old{RELEASE}" in dry.out, old.exists()) == (0, True, True)
    told = command("cache", "prune", "--max-size", limit, "--json").json
    assert [item["release"] for item in told["removed"]] == [f"old{RELEASE}"]
    assert told["busy"] == [] and told["left"] < size and not old.exists()
    assert command("cache", "prune", "--max-size", "10GB").code == 0
    refused = command("cache", "prune", "--max-size", "much")
    assert (refused.code, "'10GB', '500MB'" in refused.err) == (1, True)
    assert command("cache", "prune").code == 2


def test_prune_says_if_it_is_not_enough(command: Command, fetch: Fetch, empty_home: Path) -> None:
    fetch("new", 2)
    (empty_home / "cache/hubs").mkdir()
    (empty_home / "cache/hubs/copy").write_bytes(b"x" * 200_000)
    pruned = command("cache", "prune", "--max-size", "0")
    assert (pruned.code, "still has 0.2 MB" in pruned.err) == (1, True)


def test_rm_removes_by_name(command: Command, fetch: Fetch) -> None:
    for number, name in enumerate(("a", "b", "c")):
        fetch(name, number)
    assert command("cache", "rm", "a", "--dry-run").out.startswith(f"would remove a{RELEASE}")
    assert command("cache", "rm", "a").out.startswith(f"removed a{RELEASE}")
    missing = command("cache", "rm", "a")
    assert (missing.code, "a is not in the cache" in missing.err) == (1, True)
    assert command("cache", "rm").code == 2
    assert command("cache", "rm", "b", "--all").code == 2
    assert [item["release"] for item in command("cache", "rm", "--all", "--json").json["removed"]] == [
        f"b{RELEASE}",
        f"c{RELEASE}",
    ]
    assert command("cache", "list", "--json").json == []
