"""The cache: what is believed of it, mended, quarantined, shared between processes, served read-only."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import filelock
import pytest

from tests.registry.processes import start, unprivileged
from tests.registry.samples import flip, make_sample, noise
from tests.registry.watched import ONNX, Watched, list_in, members_in, unproved
from wellread.errors import IntegrityError, WellreadError
from wellread.registry.cache import entry as cache
from wellread.registry.records import Manifest, Release
from wellread.registry.transfer import progress
from wellread.registry.transfer.fetch import bring


@pytest.fixture
def listed(tmp_path: Path) -> tuple[Watched, Release]:
    return list_in(make_sample(tmp_path), tmp_path / "hub")


# ---------------------------------------------------------------- stamps


def test_a_warm_cache_reads_nothing_and_hashes_only_the_manifest(
    listed: tuple[Watched, Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, release = listed
    path, manifest = bring(store, release, "onnx", prove=unproved)
    store.reads.clear()
    monkeypatch.setattr(cache.Entry, "sound", lambda *_: pytest.fail("hashed again"))
    assert bring(store, release, "onnx", prove=lambda *_: pytest.fail("proved again")) == (path, manifest)
    assert bring(None, release, "onnx", prove=unproved) == (path, manifest)
    assert store.reads == []


def test_a_touched_member_is_hashed_and_kept(listed: tuple[Watched, Release], monkeypatch: pytest.MonkeyPatch) -> None:
    store, release = listed
    path, _ = bring(store, release, "onnx", prove=unproved)
    store.reads.clear()
    (path / "vocab.txt").touch()
    shutil.copytree(path, path.with_name("copy"))
    shutil.rmtree(path)
    path.with_name("copy").rename(path)
    bring(store, release, "onnx", prove=unproved)
    assert store.reads == []
    monkeypatch.setattr(cache.Entry, "sound", lambda *_: pytest.fail("hashed twice"))
    bring(store, release, "onnx", prove=unproved)


def test_full_verification_finds_what_a_stamp_hides(listed: tuple[Watched, Release]) -> None:
    store, release = listed
    path, _ = bring(store, release, "onnx", prove=unproved)
    member = path / "onnx/model.onnx"
    before = member.stat()
    flip(member, 77)
    os.utime(member, ns=(before.st_atime_ns, before.st_mtime_ns))
    bring(store, release, "onnx", prove=unproved, full=True)
    assert member.read_bytes() == b"fp32" * 1000


def test_a_manifest_changed_in_the_cache_is_never_believed(listed: tuple[Watched, Release]) -> None:
    path, manifest = bring(*listed, "onnx", prove=unproved)
    raw = (path / "manifest.json").read_bytes()
    (path / "manifest.json").write_bytes(raw.replace(b'"mean"', b'"cls" '))
    assert bring(*listed, "onnx", prove=unproved) == (path, manifest)
    assert (path / "manifest.json").read_bytes() == raw


# ---------------------------------------------------------------- what lies where something else belongs


@pytest.mark.parametrize("linked", ["onnx", ".wellread", "vocab.txt", "manifest.json", ".wellread/onnx.json"])
def test_links_in_the_cache_are_replaced_and_never_written_through(
    listed: tuple[Watched, Release], tmp_path: Path, linked: str
) -> None:
    path, manifest = bring(*listed, "onnx", prove=unproved)
    (path / linked).rename(tmp_path / "elsewhere")
    (path / linked).symlink_to(tmp_path / "elsewhere")
    for stale in (path / "README.md", path / "onnx" / "model.onnx"):
        stale.unlink()
    before = _tree(tmp_path / "elsewhere")
    assert bring(*listed, "onnx", prove=unproved) == (path, manifest)
    assert not (path / linked).is_symlink()
    assert members_in(path) == ONNX
    assert _tree(tmp_path / "elsewhere") == before


def _tree(path: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in (path, *path.rglob("*")) if file.is_file()}


@pytest.mark.parametrize("name", ["vocab.txt", "manifest.json", "onnx/model.onnx", ".wellread/onnx.json"])
def test_a_folder_in_the_place_of_a_file_is_mended(listed: tuple[Watched, Release], name: str) -> None:
    path, manifest = bring(*listed, "onnx", prove=unproved)
    (path / name).unlink()
    (path / name / "deep").mkdir(parents=True)
    assert bring(*listed, "onnx", prove=unproved) == (path, manifest)
    assert members_in(path) == ONNX


def test_what_is_mended_is_another_file_than_the_one_that_is_open(listed: tuple[Watched, Release]) -> None:
    path, manifest = bring(*listed, "onnx", prove=unproved)
    graph = path / "onnx/model.onnx"
    flip(graph, -1)
    damaged = graph.read_bytes()
    with graph.open("rb") as held:
        assert bring(*listed, "onnx", prove=unproved, refresh=True) == (path, manifest)
        assert held.read() == damaged
    assert graph.read_bytes() != damaged


def test_files_in_the_place_of_folders_are_mended(listed: tuple[Watched, Release]) -> None:
    path, manifest = bring(*listed, "onnx", prove=unproved)
    for name in ("onnx", ".wellread"):
        shutil.rmtree(path / name)
        (path / name).write_text("x")
    assert bring(*listed, "onnx", prove=unproved) == (path, manifest)
    assert members_in(path) == ONNX


# ---------------------------------------------------------------- quarantine


def test_a_form_that_misses_its_goldens_is_quarantined_and_never_opened(listed: tuple[Watched, Release]) -> None:
    store, release = listed

    def miss(path: Path, manifest: Manifest, form: str) -> None:
        assert (path / "onnx/model.onnx").is_file()
        raise IntegrityError(f"form {form!r} misses a golden")

    for _ in range(2):
        with pytest.raises(IntegrityError, match=r"(?s)misses a golden.*'onnx' of .* quarantined in (?P<away>.*)"):
            bring(store, release, "onnx", prove=miss, refresh=True)
        path = cache.Entry(release.file.removesuffix(".zip"), release.manifest).path
        assert "onnx/model.onnx" not in members_in(path)
        assert (path / ".wellread/quarantine/onnx/model.onnx").is_file()
        assert not (path / ".wellread/onnx.json").exists()
    store.reads.clear()
    for opened in (store, None):
        with pytest.raises(IntegrityError, match=r"(?s)misses a golden.*quarantined in .*refresh=True tries it again"):
            bring(opened, release, "onnx", prove=lambda *_: pytest.fail("tried again"))
    assert store.reads == []
    bring(store, release, "onnx", prove=unproved, refresh=True)
    assert [length for _, length in store.reads] == [release.manifest_size]
    assert members_in(path) == ONNX
    assert not list(path.rglob("quarantine/*.json"))


def test_another_onnxruntime_tries_a_form_again(
    listed: tuple[Watched, Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    def miss(*_: object) -> None:
        raise IntegrityError("misses a golden")

    with pytest.raises(IntegrityError):
        bring(*listed, "onnx", prove=miss)
    monkeypatch.setattr(cache, "_runtime", lambda: "99")
    path, _ = bring(*listed, "onnx", prove=unproved)
    assert members_in(path) == ONNX


# ---------------------------------------------------------------- what is there, and when it was used


def test_the_cache_knows_what_it_has_and_nothing_else(listed: tuple[Watched, Release], home: Path) -> None:
    assert list(cache.entries()) == []
    path, _ = bring(*listed, "onnx", prove=unproved)
    (home / "cache/models/stray").mkdir()
    (home / "cache/models/link-0123").symlink_to(path)
    (entry,) = cache.entries()
    assert (entry.path, entry.stem, entry.digest) == (path, listed[1].file.removesuffix(".zip"), listed[1].manifest)
    assert entry.holds("onnx")
    flip(path / "manifest.json", 5)
    (entry,) = cache.entries()
    assert entry.path == path
    assert entry.holds("onnx") is None


def test_use_is_noted_to_the_hour(listed: tuple[Watched, Release]) -> None:
    path, _ = bring(*listed, "onnx", prove=unproved)
    (entry,) = cache.entries()
    used = path / ".wellread/used"
    for age, noted in ((10, False), (7200, True)):
        before = time.time() - age
        os.utime(used, (before, before))
        os.utime(path / ".wellread/onnx.json", (before, before))
        assert entry.used() == pytest.approx(before, abs=1)
        bring(*listed, "onnx", prove=unproved)
        assert (entry.used() > before + 60) is noted


# ---------------------------------------------------------------- a cache for the whole site


@pytest.fixture
def site(listed: tuple[Watched, Release], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the user's cache that everybody may read; the user's own is empty again."""
    bring(*listed, "onnx", prove=unproved)
    shutil.copytree(home / "cache", tmp_path / "site")
    shutil.rmtree(home)
    listed[0].reads.clear()
    monkeypatch.setenv("WELLREAD_SITE_CACHE", str(tmp_path / "site"))
    return tmp_path / "site"


def test_a_site_cache_is_read_and_hashed_once_and_never_written(
    listed: tuple[Watched, Release], site: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*")}
    path, manifest = bring(*listed, "onnx", prove=lambda *_: pytest.fail("proved again"))
    assert path.is_relative_to(site)
    monkeypatch.setattr(cache.Entry, "sound", lambda *_: pytest.fail("hashed again"))
    assert bring(None, listed[1], "onnx", prove=unproved) == (path, manifest)
    assert listed[0].reads == []
    assert {path: path.stat().st_mtime_ns for path in site.rglob("*")} == before
    assert not (home / "cache/models").exists()


def test_what_the_site_lacks_or_has_wrong_goes_into_the_users_cache(
    listed: tuple[Watched, Release], site: Path, home: Path
) -> None:
    assert bring(*listed, "torch", prove=unproved)[0].is_relative_to(home)
    flip(next(site.rglob("model.onnx")), 5)
    path, _ = bring(*listed, "onnx", prove=unproved)
    assert path.is_relative_to(home)
    assert (path / "onnx/model.onnx").read_bytes() == b"fp32" * 1000


def test_a_form_that_failed_here_is_not_taken_from_the_site(
    listed: tuple[Watched, Release], site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def miss(*_: object) -> None:
        raise IntegrityError("misses a golden")

    monkeypatch.delenv("WELLREAD_SITE_CACHE")
    with pytest.raises(IntegrityError, match="misses a golden"):
        bring(*listed, "onnx", prove=miss)
    monkeypatch.setenv("WELLREAD_SITE_CACHE", str(site))
    with pytest.raises(IntegrityError, match="quarantined in"):
        bring(*listed, "onnx", prove=unproved)


# ---------------------------------------------------------------- locks


@pytest.mark.parametrize("error", [OSError(errno.ENOLCK, "no locks"), NotImplementedError("no locks")])
def test_where_locks_do_not_work_each_writer_has_files_of_its_own(
    listed: tuple[Watched, Release], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    entry = cache.Entry(listed[1].file.removesuffix(".zip"), listed[1].manifest)
    others = entry.path / ".wellread/incoming-of-another"
    others.parent.mkdir(parents=True)
    others.write_bytes(b"half")

    def during(path: Path, manifest: Manifest, form: str) -> None:
        bring(*listed, "onnx", prove=unproved)  # another writer at the same time, which is faster

    path, manifest = bring(*listed, "onnx", prove=during)
    assert members_in(path) == ONNX
    assert entry.holds("onnx", full=True) == manifest
    assert list(path.rglob("incoming-*")) == [others]
    another, graph = cache.Entry(entry.stem, entry.digest), manifest.member("onnx/model.onnx")
    with entry.writing(), another.writing():
        assert entry.incoming(graph).temp != another.incoming(graph).temp


def test_a_cache_that_may_not_be_written_is_no_file_system_without_locks(
    listed: tuple[Watched, Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    with pytest.raises(WellreadError, match=r"the cache .* cannot be written: Permission denied.*WELLREAD_HOME"):
        bring(*listed, "onnx", prove=unproved)


def test_who_waits_for_another_writer_is_told(listed: tuple[Watched, Release], monkeypatch: pytest.MonkeyPatch) -> None:
    said: SimpleQueue[str] = SimpleQueue()
    monkeypatch.setattr(progress, "say", said.put)
    entry = cache.Entry(listed[1].file.removesuffix(".zip"), listed[1].manifest)
    waiter = threading.Thread(target=bring, args=(*listed, "onnx"), kwargs={"prove": unproved})
    with entry.writing():
        waiter.start()
        assert said.get(timeout=30) == f"Another process is fetching {entry.stem}: waiting for it."
    waiter.join()
    assert entry.holds("onnx")


# ---------------------------------------------------------------- other processes


_FETCH = """
import os, sys
from pathlib import Path
from wellread.registry import disk
from wellread.registry.cache.incoming import Incoming
from wellread.registry.transfer.fetch import bring
from wellread.registry.hub.index import read_releases
from wellread.registry.stores import open_store
hub, kill_at, log = sys.argv[1:]
left = int(kill_at)
def dying(operation):
    def run(*arguments, **options):
        global left
        if left == 0:
            os.kill(os.getpid(), 9)
        left -= 1
        return operation(*arguments, **options)
    return run
os.replace = dying(os.replace)
os.fsync = dying(os.fsync)
disk.replacing.__wrapped__.__kwdefaults__["settle"] = os.replace
settle = Incoming.settle
def logged(self):
    settle(self)
    with open(log, "a") as file:
        file.write(self.target.name + chr(10))
Incoming.settle = logged
store = open_store(hub)
path, _ = bring(store, read_releases(store, "tiny")[0], "onnx", prove=lambda *_: None)
print(path)
"""


def test_killed_at_any_step_nothing_looks_whole_and_the_next_run_keeps_what_is_there(
    listed: tuple[Watched, Release], tmp_path: Path, home: Path
) -> None:
    store, release = listed
    entry = cache.Entry(release.file.removesuffix(".zip"), release.manifest)
    died = 0
    for step in range(0, 60, 4):
        shutil.rmtree(home, ignore_errors=True)
        with start(_FETCH, store.url, str(step), tmp_path / "log") as child:
            output = child.communicate()[0]
        if child.returncode == 0:
            break
        assert child.returncode == -signal.SIGKILL, output
        died += 1
        there = {name for name in members_in(entry.path) if name != "manifest.json"} if entry.path.exists() else set()
        assert entry.holds("onnx") == entry.holds("onnx", full=True)  # what looks whole is
        store.reads.clear()
        path, manifest = bring(store, release, "onnx", prove=unproved)
        assert members_in(path) == ONNX
        assert not list(path.rglob("incoming-*"))
        fetched = {length for _, length in store.reads}
        kept = {member.size for member in manifest.files if member.name in there and member.size > 100}
        assert not fetched & kept
    assert died >= 4


@pytest.mark.parametrize("count", [3, pytest.param(16, marks=pytest.mark.heavy)])
def test_processes_at_once_on_a_cold_cache_fetch_each_member_once(
    listed: tuple[Watched, Release], tmp_path: Path, count: int
) -> None:
    store, _ = listed
    log = tmp_path / "log"
    children = [start(_FETCH, store.url, "-1", log) for _ in range(count)]
    outputs = {child.communicate()[0] for child in children}
    assert [child.returncode for child in children] == [0] * count
    assert len(outputs) == 1
    assert sorted(log.read_text().split()) == sorted(Path(name).name for name in ONNX - {"manifest.json"})


_PLAIN = """
import resource, sys
from wellread.errors import WellreadError
from wellread.registry.transfer.fetch import bring
from wellread.registry.hub.index import read_releases
from wellread.registry.stores import open_store
hub, limit = sys.argv[1:]
if int(limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
store = open_store(hub)
try:
    print(bring(store, read_releases(store, "tiny")[0], "onnx", prove=lambda *_: None)[0])
except WellreadError as error:
    print("refused:", error)
"""


def test_a_warm_load_takes_no_lock_nor_imports_what_would(listed: tuple[Watched, Release]) -> None:
    bring(*listed, "onnx", prove=unproved)
    heavy = {"filelock", "importlib.metadata", "requests", "cryptography", "tqdm", "zipfile", "concurrent.futures"}
    script = f"{_PLAIN}\nassert not {heavy} & set(sys.modules)"
    command = [sys.executable, "-c", script, listed[0].url, "0"]
    subprocess.run(command, capture_output=True, text=True, check=True)


# ---------------------------------------------------------------- disks that are full or read-only


def test_a_full_disk_is_said_and_leaves_no_part(tmp_path: Path, home: Path) -> None:
    sample = make_sample(tmp_path, {"onnx/model.onnx": noise(200_000)})
    store, release = list_in(sample, tmp_path / "hub")
    with start(_PLAIN, store.url, "100000") as child:
        output = child.communicate()[0]
    assert "refused: cannot write" in output
    assert "free some space" in output
    assert not list(home.rglob("incoming-*")) and not list(home.rglob("model.onnx"))
    path, _ = bring(store, release, "onnx", prove=unproved)
    assert members_in(path) == ONNX


@pytest.fixture
def read_only_home(listed: tuple[Watched, Release], home: Path) -> Iterator[Path]:
    bring(*listed, "onnx", prove=unproved)
    paths = [home, *home.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield home
    for path in paths:
        path.chmod(0o755)


def test_a_read_only_cache_serves_what_it_has(
    listed: tuple[Watched, Release], read_only_home: Path, tmp_path: Path
) -> None:
    command = [*unprivileged(), sys.executable, "-c", _PLAIN, listed[0].url, "0"]
    warm = subprocess.run(command, capture_output=True, text=True, check=True)
    assert warm.stdout.strip() == str(cache.Entry(listed[1].file.removesuffix(".zip"), listed[1].manifest).path)
    member = next(read_only_home.rglob("vocab.txt"))
    os.utime(member, ns=(5, 5))
    copied = subprocess.run(command, capture_output=True, text=True, check=True)
    assert copied.stdout == warm.stdout
    next(read_only_home.rglob("onnx.json")).write_bytes(b"{}")
    missing = subprocess.run(command, capture_output=True, text=True, check=True)
    assert missing.stdout.startswith("refused: the cache")
    assert "WELLREAD_HOME" in missing.stdout
