"""Looking after the cache: nothing wrong is missed, nothing in use goes, nothing half removed is read."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from tests.registry.processes import start
from tests.registry.samples import TIME, flip, make_sample, noise
from tests.registry.watched import Watched, list_in, unproved
from wellread.errors import BadInput, NotFound, WellreadError
from wellread.registry.cache import upkeep
from wellread.registry.cache.entry import Entry, entries
from wellread.registry.records import Release
from wellread.registry.stores import Store
from wellread.registry.transfer.fetch import bring

Fetched = tuple[Store, Release, Path]
Fetch = Callable[..., Fetched]
HOUR = 3600


@pytest.fixture
def fetch(tmp_path: Path) -> Fetch:
    """``fetch("tiny", used=3)`` → a release in a hub and in the cache, last used at that hour of 1970."""

    def fetch(name: str, *, used: int = 1, form: str = "onnx", time: int = TIME, size: int = 1000) -> Fetched:
        files = {"onnx/model.onnx": noise(size, name)}
        sample = make_sample(tmp_path / f"{name}-{time}", files, name=name, time=time)
        store, release = list_in(sample, tmp_path / "hub")
        path, _ = bring(store, release, form, prove=unproved)
        for file in path.glob(".wellread/*"):
            os.utime(file, (used * HOUR, used * HOUR))
        return store, release, path

    return fetch


def _names() -> list[str]:
    return [item.name.partition("_")[0] for item in upkeep.kept()]


# ---------------------------------------------------------------- what there is


def test_the_least_recently_used_comes_first(fetch: Fetch) -> None:
    for name, used in (("b", 2), ("a", 3), ("c", 1)):
        fetch(name, used=used)
    assert _names() == ["c", "b", "a"]
    (first, *_) = upkeep.kept()
    assert (first.forms, first.used) == (("onnx",), 1.0 * HOUR)
    assert first.size == sum(file.stat().st_size for file in first.path.rglob("*") if file.is_file())


def test_looking_is_no_use(fetch: Fetch) -> None:
    fetch("a", used=1)
    list(upkeep.verify())
    assert upkeep.kept()[0].used == HOUR
    store, release, _ = fetch("a", used=1)
    bring(store, release, "onnx", prove=unproved)
    assert upkeep.kept()[0].used > HOUR


def test_an_empty_cache_holds_nothing() -> None:
    assert upkeep.kept() == []
    assert list(upkeep.verify()) == []
    assert upkeep.prune(0) == upkeep.Freed((), (), 0)


def test_zips_of_spark_nlp_are_kept_too(fetch: Fetch, home: Path) -> None:
    fetch("a", used=1)
    folder = home / "cache/zips/0123456789abcdef"
    folder.mkdir(parents=True)
    for name in ("ner_en_2.6.0_2.4_1.zip", ".pos_en_2.6.0_2.4_1.zip.part", ".lock"):
        (folder / name).write_bytes(b"x" * 100)
        os.utime(folder / name, (HOUR * 2, HOUR * 2))
    assert [(item.name, item.forms) for item in upkeep.kept()[1:]] == [
        ("ner_en_2.6.0_2.4_1", ("spark-nlp",)),
        ("pos_en_2.6.0_2.4_1", ()),
    ]
    upkeep.remove(["ner", "pos"])
    assert [file.name for file in folder.iterdir()] == [".lock"]
    assert _names() == ["a"]


# ---------------------------------------------------------------- checking


def _changed(path: Path) -> None:
    flip(path / "onnx/model.onnx", 5)


def _missing(path: Path) -> None:
    (path / "vocab.txt").unlink()


def _linked(path: Path) -> None:
    (path / "vocab.txt").rename(path.parent.parent / "elsewhere")
    (path / "vocab.txt").symlink_to(path.parent.parent / "elsewhere")


def _replaced(path: Path) -> None:
    (path / "config.json").unlink()
    (path / "config.json").mkdir()


def _rewritten(path: Path) -> None:
    (path / "manifest.json").write_bytes(b"{}")


def _undescribed(path: Path) -> None:
    (path / "manifest.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "file", "gone"),
    [
        (_changed, "onnx/model.onnx", False),
        (_missing, "vocab.txt", True),
        (_linked, "vocab.txt", False),
        (_replaced, "config.json", False),
        (_rewritten, "manifest.json", False),
        (_undescribed, "manifest.json", True),
    ],
)
def test_what_is_wrong_is_found_removed_and_fetched_again(
    fetch: Fetch, spoil: Callable[[Path], None], file: str, gone: bool
) -> None:
    fetch("sound")
    store, release, path = fetch("spoilt")
    assert list(upkeep.verify()) == []
    spoil(path)
    (wrong,) = upkeep.verify()
    assert (wrong.name, wrong.file, wrong.gone, wrong.forms) == (path.name.rpartition("-")[0], file, gone, ("onnx",))
    assert list(upkeep.verify(["spoilt"])) == [wrong]
    assert list(upkeep.verify(["sound"])) == []
    assert list(upkeep.repair()) == [wrong]
    assert list(upkeep.verify()) == []
    assert not os.path.lexists(path / file)
    watched = Watched(store)
    assert bring(watched, release, "onnx", prove=unproved)[0] == path
    assert watched.reads and list(upkeep.verify()) == []
    assert Entry(release.file.removesuffix(".zip"), release.manifest).holds("onnx", full=True)


def test_a_form_that_does_not_need_what_is_wrong_stays_whole(fetch: Fetch) -> None:
    store, release, path = fetch("a")
    bring(store, release, "torch", prove=unproved)
    _changed(path)
    (wrong,) = upkeep.repair()
    assert wrong.forms == ("onnx",)
    entry = Entry(release.file.removesuffix(".zip"), release.manifest)
    assert entry.holds("torch") and not entry.holds("onnx")


def test_a_stamp_that_lies_is_no_excuse(fetch: Fetch) -> None:
    _, release, path = fetch("a")
    model = path / "onnx/model.onnx"
    before = model.stat()
    flip(model, 5)
    os.utime(model, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert Entry(release.file.removesuffix(".zip"), release.manifest).holds("onnx")
    assert [wrong.file for wrong in upkeep.verify()] == ["onnx/model.onnx"]


def test_names_that_are_not_there_are_said_so(fetch: Fetch) -> None:
    fetch("bert_small")
    for ask in (upkeep.verify, upkeep.repair):
        with pytest.raises(NotFound, match=r"bert_smal is not in the cache .* Did you mean 'bert_small'\?"):
            list(ask(["bert_smal"]))
    with pytest.raises(NotFound):
        upkeep.remove(["bert_small", "other"])
    assert _names() == ["bert"]


# ---------------------------------------------------------------- removing


def test_pruning_removes_the_least_recently_used_until_it_is_enough(fetch: Fetch, home: Path) -> None:
    for name, used in (("b", 2), ("a", 3), ("c", 1)):
        fetch(name, used=used, size=100_000)
    (home / "hub").mkdir()
    (home / "hub/file").write_bytes(b"x" * 500_000)
    limit = upkeep.prune(10**9).left - 50_000
    would = upkeep.prune(limit, dry_run=True)
    assert [item.name[0] for item in would.removed] == ["c"]
    assert _names() == ["c", "b", "a"]
    assert upkeep.prune(limit) == would
    assert _names() == ["b", "a"]
    assert would.left <= limit
    assert upkeep.prune(0).left < 1000
    assert _names() == [] and (home / "hub/file").exists()
    assert list((home / "cache/models").iterdir()) == []


def test_what_was_pruned_is_fetched_again(fetch: Fetch) -> None:
    store, release, path = fetch("a")
    upkeep.prune(0)
    assert not path.exists()
    assert bring(store, release, "onnx", prove=unproved)[0] == path
    assert list(upkeep.verify()) == []


def test_one_release_or_all_of_a_model_are_removed_by_name(fetch: Fetch) -> None:
    _, release, _ = fetch("a", time=TIME)
    fetch("a", time=TIME + 1)
    fetch("b")
    assert len(upkeep.remove([release.file], dry_run=True).removed) == 1
    assert len(upkeep.remove([release.file]).removed) == 1
    assert _names() == ["a", "b"]
    upkeep.remove(["a"])
    assert _names() == ["b"]
    upkeep.remove_all()
    assert _names() == []


_HOLD = """
import time
from wellread.registry.cache.entry import entries
(entry,) = [entry for entry in entries() if entry.stem.startswith("a_")]
with entry.writing():
    print("held", flush=True)
    time.sleep(600)
"""


def test_what_another_process_is_fetching_stays(fetch: Fetch) -> None:
    fetch("a", used=1)
    fetch("b", used=2)
    with start(_HOLD) as child:
        assert child.stdout and child.stdout.readline() == "held\n"
        freed = upkeep.prune(0)
        dry = upkeep.remove(["a"], dry_run=True)
        child.kill()
    assert [item.name[0] for item in freed.busy] == ["a"] == [item.name[0] for item in dry.busy]
    assert [item.name[0] for item in freed.removed] == ["b"]
    assert _names() == ["a"]
    assert list(upkeep.verify()) == []
    upkeep.prune(0)
    assert _names() == []


_KILLED = """
import os, signal, shutil, sys
from wellread.registry.cache import upkeep

def die(path, *_, **__):
    next(file for file in sorted(path.rglob("*")) if file.is_file()).unlink()
    os.kill(os.getpid(), signal.SIGKILL)

shutil.rmtree = die
upkeep.prune(0)
"""


def test_sites_and_demos_go_unless_somebody_shows_them(fetch: Fetch, home: Path) -> None:
    for name in ("sites/ab", "sites/cd", "demo/ef", "demo/.npm-x"):
        (home / "cache" / name).mkdir(parents=True)
        (home / "cache" / name / "file").write_bytes(b"x" * 1000)
    assert sorted((item.name, item.forms, item.size) for item in upkeep.kept()) == [
        ("demo/ef", ("demo",), 1000), ("sites/ab", ("site",), 1000), ("sites/cd", ("site",), 1000)
    ]  # fmt: skip
    with FileLock(home / "cache/sites/ab.lock"):
        freed = upkeep.prune(0)
    assert ([item.name for item in freed.busy], len(freed.removed), freed.left) == (["sites/ab"], 2, 2000)
    (left,) = upkeep.remove(["sites/ab"]).removed
    assert left.name == "sites/ab" and upkeep.kept() == []


def test_a_prune_that_was_killed_leaves_nothing_that_looks_whole(fetch: Fetch, home: Path) -> None:
    store, release, path = fetch("a")
    with start(_KILLED) as child:
        child.communicate()
    assert child.returncode == -signal.SIGKILL
    (leaving,) = (home / "cache/models").iterdir()
    assert not path.exists() and upkeep.kept() == [] and list(entries()) == []
    assert bring(store, release, "onnx", prove=unproved)[0] == path
    assert upkeep.prune(10**9).removed == ()
    assert not leaving.exists() and path.exists()


def test_what_writers_left_where_there_are_no_locks_goes_after_a_day(fetch: Fetch) -> None:
    path = fetch("a")[2]
    stale, fresh = path / ".wellread/incoming-0.1.ab.tmp", path / ".wellread/incoming-0.2.cd.tmp"
    for half in (stale, fresh):
        half.write_bytes(b"half")
    os.utime(stale, (HOUR, HOUR))
    upkeep.prune(10**9, dry_run=True)
    assert stale.exists()
    upkeep.prune(10**9)
    assert (stale.exists(), fresh.exists()) == (False, True)


def test_stamps_go_with_the_release_of_the_site(
    fetch: Fetch, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, release, path = fetch("a")
    site = tmp_path / "site/models"
    site.mkdir(parents=True)
    shutil.move(path, site / path.name)
    monkeypatch.setenv("WELLREAD_SITE_CACHE", str(site.parent))
    os.utime(site / path.name / "vocab.txt", (HOUR, HOUR))
    assert bring(store, release, "onnx", prove=unproved)[0] == site / path.name
    upkeep.prune(10**9)
    assert list(home.glob("cache/stamps/*/*/onnx.json"))
    (site / path.name).rename(tmp_path / "gone")
    site.rename(tmp_path / "unplugged")
    upkeep.prune(10**9)
    assert list(home.glob("cache/stamps/*/*/onnx.json"))
    (tmp_path / "unplugged").rename(site)
    upkeep.prune(10**9)
    assert not list(home.glob("cache/stamps/*/*"))


def test_nothing_outside_the_cache_is_removed(fetch: Fetch, home: Path, tmp_path: Path) -> None:
    _, _, path = fetch("a")
    away = tmp_path / "away" / path.name
    away.parent.mkdir()
    shutil.move(path, away)
    path.symlink_to(away)
    inner = fetch("b")[2]
    (inner / "link").symlink_to(away)
    upkeep.remove_all()
    assert (away / "onnx/model.onnx").exists()
    assert not inner.exists()


def test_a_cache_on_another_disk_is_one(fetch: Fetch, home: Path, tmp_path: Path) -> None:
    fetch("a", size=100_000)
    (home / "cache/models").rename(tmp_path / "disk")
    (home / "cache/models").symlink_to(tmp_path / "disk")
    freed = upkeep.prune(50_000)
    assert len(freed.removed) == 1 and freed.left < 50_000
    assert list((tmp_path / "disk").iterdir()) == []


def test_without_locks_nobody_holds_one(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch("a")

    def no_locks(*_: object, **__: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr("filelock.FileLock.acquire", no_locks)
    assert len(upkeep.prune(0).removed) == 1


def test_what_the_system_refuses_is_said(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch("a")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(WellreadError, match="Permission denied"):
        upkeep.prune(0)
    assert _names() == ["a"]


# ---------------------------------------------------------------- sizes


@pytest.mark.parametrize(
    ("text", "size"),
    [("10GB", 10**10), ("500mb", 5 * 10**8), ("1.5 GiB", 3 * 2**29), ("7", 7), ("2k", 2000), ("1TB", 10**12), ("0", 0)],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert upkeep.parse_size(text) == size


@given(st.text(max_size=6))
def test_a_size_is_read_or_refused(text: str) -> None:
    try:
        assert upkeep.parse_size(text) >= 0
    except BadInput:
        assert not text.isascii() or not text.isdigit()
