"""Fetching: the members of a form and no others, checked, proved, whole or not there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.registry.processes import start, unprivileged
from tests.registry.samples import Sample, flip, make_sample, noise
from wellread.errors import IntegrityError, NotFound
from wellread.registry import cache, layout
from wellread.registry.artifact import identify, open_artifact
from wellread.registry.fetch import ALL, bring, install, open_release
from wellread.registry.index import add_release
from wellread.registry.publish import release_line
from wellread.registry.records import PIECE, Manifest, Release
from wellread.registry.stores import Body, Store, open_store

ONNX = {"manifest.json", "README.md", "config.json", "golden.json", "onnx/model.onnx", "tokenizer.json", "vocab.txt"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


class _Watched:
    """A store that remembers what was read of it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.url = store.url
        self.reads: list[tuple[int, int | None]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def get_range(self, key: str, start: int = 0, length: int | None = None) -> Body | None:
        self.reads.append((start, length))
        return self.store.get_range(key, start, length)


def _listed(sample: Sample, hub: Path) -> tuple[_Watched, Release]:
    """The sample in a hub, by the shortest way."""
    store = open_store(hub)
    release = release_line(sample.manifest, sample.packed, "public/models")
    store.put_new(release.path, sample.zip)
    return _Watched(store), add_release(store, release)


@pytest.fixture
def listed(tmp_path: Path) -> tuple[_Watched, Release]:
    return _listed(make_sample(tmp_path), tmp_path / "hub")


def _unproved(path: Path, manifest: Manifest, form: str) -> None:
    """Members without a runtime prove themselves."""


def _members(path: Path) -> set[str]:
    names = (file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    return {name for name in names if not name.startswith(".wellread/")}


def test_only_the_members_of_the_form_are_read(listed: tuple[_Watched, Release], tmp_path: Path) -> None:
    store, release = listed
    path, manifest = bring(store, release, "onnx", prove=_unproved)
    assert _members(path) == ONNX
    for name in ONNX - {"manifest.json"}:
        assert (path / name).read_bytes() == (tmp_path / "members" / name).read_bytes()
    wanted = sum(member.size for member in manifest.files if member.name in ONNX) + release.manifest_size
    assert sum(length or 0 for _, length in store.reads) == wanted


def test_a_later_form_is_added_to_the_same_folder(listed: tuple[_Watched, Release]) -> None:
    store, release = listed
    first, _ = bring(store, release, "onnx", prove=_unproved)
    store.reads.clear()
    second, manifest = bring(store, release, "onnx-int8", prove=_unproved)
    assert second == first
    assert _members(second) == ONNX | {"onnx/model_int8.onnx"}
    sizes = [release.manifest_size, manifest.member("onnx/model_int8.onnx").size]
    assert [length for _, length in store.reads] == sizes


def test_all_forms_at_once(listed: tuple[_Watched, Release]) -> None:
    path, _ = bring(*listed, ALL, prove=_unproved)
    assert _members(path) == ONNX | {"onnx/model_int8.onnx", "model.safetensors"}


def test_a_warm_cache_reads_nothing_and_hashes_only_the_manifest(
    listed: tuple[_Watched, Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, release = listed
    path, manifest = bring(store, release, "onnx", prove=_unproved)
    store.reads.clear()
    monkeypatch.setattr(cache.Entry, "sound", lambda *_: pytest.fail("hashed again"))
    assert bring(store, release, "onnx", prove=lambda *_: pytest.fail("proved again")) == (path, manifest)
    assert bring(None, release, "onnx", prove=_unproved) == (path, manifest)
    assert store.reads == []


def test_a_touched_member_is_hashed_and_kept(listed: tuple[_Watched, Release], monkeypatch: pytest.MonkeyPatch) -> None:
    store, release = listed
    path, _ = bring(store, release, "onnx", prove=_unproved)
    store.reads.clear()
    (path / "vocab.txt").touch()
    shutil.copytree(path, path.with_name("copy"))
    shutil.rmtree(path)
    path.with_name("copy").rename(path)
    bring(store, release, "onnx", prove=_unproved)
    assert store.reads == []
    monkeypatch.setattr(cache.Entry, "sound", lambda *_: pytest.fail("hashed twice"))
    bring(store, release, "onnx", prove=_unproved)


def test_a_changed_member_is_fetched_again_alone(listed: tuple[_Watched, Release]) -> None:
    store, release = listed
    path, manifest = bring(store, release, "onnx", prove=_unproved)
    store.reads.clear()
    flip(path / "onnx/model.onnx", 77)
    bring(store, release, "onnx", prove=_unproved)
    assert (path / "onnx/model.onnx").read_bytes() == b"fp32" * 1000
    assert [length for _, length in store.reads] == [
        release.manifest_size,
        manifest.member("onnx/model.onnx").size,
    ]


@pytest.mark.parametrize("name", [*sorted(ONNX), ".wellread/onnx.json"])
def test_a_missing_file_is_fetched_again(listed: tuple[_Watched, Release], name: str) -> None:
    path, manifest = bring(*listed, "onnx", prove=_unproved)
    (path / name).unlink()
    assert bring(*listed, "onnx", prove=_unproved) == (path, manifest)
    assert _members(path) == ONNX


def test_full_verification_finds_what_a_stamp_hides(listed: tuple[_Watched, Release]) -> None:
    store, release = listed
    path, _ = bring(store, release, "onnx", prove=_unproved)
    member = path / "onnx/model.onnx"
    before = member.stat()
    flip(member, 77)
    os.utime(member, ns=(before.st_atime_ns, before.st_mtime_ns))
    bring(store, release, "onnx", prove=_unproved, full=True)
    assert member.read_bytes() == b"fp32" * 1000


def test_a_manifest_changed_in_the_cache_is_never_believed(listed: tuple[_Watched, Release]) -> None:
    path, manifest = bring(*listed, "onnx", prove=_unproved)
    raw = (path / "manifest.json").read_bytes()
    (path / "manifest.json").write_bytes(raw.replace(b'"mean"', b'"cls" '))
    assert bring(*listed, "onnx", prove=_unproved) == (path, manifest)
    assert (path / "manifest.json").read_bytes() == raw


def test_an_unknown_form_is_refused_before_anything_is_written(listed: tuple[_Watched, Release], home: Path) -> None:
    with pytest.raises(NotFound, match=r"no form 'tf'. Available: onnx, onnx-int8, torch"):
        bring(*listed, "tf", prove=_unproved)
    assert not home.exists()


def test_without_a_store_an_incomplete_cache_says_so(listed: tuple[_Watched, Release]) -> None:
    with pytest.raises(IntegrityError, match="not whole in the cache, and offline"):
        bring(None, listed[1], "onnx", prove=_unproved)


# ---------------------------------------------------------------- a hub with wrong bytes


def test_a_flipped_bit_in_the_hub_is_never_installed(tmp_path: Path) -> None:
    sample = make_sample(tmp_path, {"onnx/model.onnx": noise(PIECE + 100)})
    store, release = _listed(sample, tmp_path / "hub")
    offset = layout.offsets(sample.manifest, release.manifest_size)["onnx/model.onnx"]
    flip(tmp_path / "hub" / release.path, offset + PIECE + 50)
    with pytest.raises(IntegrityError, match=r"onnx/model\.onnx differs .* read twice"):
        bring(store, release, "onnx", prove=_unproved)
    path = cache.Entry(sample.zip.stem, release.manifest).path
    assert "onnx/model.onnx" not in _members(path)
    assert [part.stat().st_size for part in path.rglob("incoming-*")] == [PIECE]
    bring(store, release, "torch", prove=_unproved)


@pytest.mark.parametrize("offset", [43, 200, 20])
def test_a_flipped_bit_in_the_manifest_is_seen_unless_nobody_reads_it(
    listed: tuple[_Watched, Release], tmp_path: Path, offset: int
) -> None:
    store, release = listed
    flip(tmp_path / "hub" / release.path, offset)
    if offset < layout.FIRST:
        bring(store, release, "onnx", prove=_unproved)
    else:
        with pytest.raises(IntegrityError, match=r"manifest\.json differs from the index line, read twice"):
            bring(store, release, "onnx", prove=_unproved)


def test_a_truncated_artifact_in_the_hub_is_refused(listed: tuple[_Watched, Release], tmp_path: Path) -> None:
    store, release = listed
    artifact = tmp_path / "hub" / release.path
    artifact.write_bytes(artifact.read_bytes()[: release.manifest_size + 1000])
    with pytest.raises(IntegrityError, match="differs from the manifest"):
        bring(store, release, "onnx", prove=_unproved)


def test_a_listed_artifact_that_is_gone_is_said_so(listed: tuple[_Watched, Release], tmp_path: Path) -> None:
    store, release = listed
    (tmp_path / "hub" / release.path).unlink()
    with pytest.raises(IntegrityError, match="listed in the index but not there: publish it again"):
        bring(store, release, "onnx", prove=_unproved)


def test_a_line_that_gives_one_model_for_another_is_refused(tmp_path: Path) -> None:
    evil = make_sample(tmp_path, name="evil")
    store = open_store(tmp_path / "hub")
    honest = release_line(make_sample(tmp_path / "b").manifest, evil.packed, "public/models")
    store.put_new(honest.path, evil.zip)
    with pytest.raises(IntegrityError, match="speaks of another artifact than its manifest"):
        open_release(store, honest)


# ---------------------------------------------------------------- goldens


def test_a_form_that_misses_its_goldens_is_quarantined_and_never_opened(listed: tuple[_Watched, Release]) -> None:
    store, release = listed

    def miss(path: Path, manifest: Manifest, form: str) -> None:
        assert (path / "onnx/model.onnx").is_file()
        raise IntegrityError(f"form {form!r} misses a golden")

    for _ in range(2):
        with pytest.raises(IntegrityError, match=r"(?s)misses a golden.*'onnx' of .* quarantined in (?P<away>.*)"):
            bring(store, release, "onnx", prove=miss, refresh=True)
        path = cache.Entry(release.file.removesuffix(".zip"), release.manifest).path
        assert "onnx/model.onnx" not in _members(path)
        assert (path / ".wellread/quarantine/onnx/model.onnx").is_file()
        assert not (path / ".wellread/onnx.json").exists()
    store.reads.clear()
    for opened in (store, None):
        with pytest.raises(IntegrityError, match=r"(?s)misses a golden.*quarantined in .*refresh=True tries it again"):
            bring(opened, release, "onnx", prove=lambda *_: pytest.fail("tried again"))
    assert store.reads == []
    bring(store, release, "onnx", prove=_unproved, refresh=True)
    assert [length for _, length in store.reads] == [release.manifest_size]
    assert _members(path) == ONNX
    assert not list(path.rglob("quarantine/*.json"))


def test_another_onnxruntime_tries_a_form_again(
    listed: tuple[_Watched, Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    def miss(*_: object) -> None:
        raise IntegrityError("misses a golden")

    with pytest.raises(IntegrityError):
        bring(*listed, "onnx", prove=miss)
    monkeypatch.setattr(cache, "_runtime", lambda: "99")
    path, _ = bring(*listed, "onnx", prove=_unproved)
    assert _members(path) == ONNX


def test_what_broke_while_it_was_proved_is_proved_again(listed: tuple[_Watched, Release]) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(*listed, "onnx", prove=crash)
    proved = []
    bring(*listed, "onnx", prove=lambda path, manifest, form: proved.append(form))
    assert proved == ["onnx"]


# ---------------------------------------------------------------- zips without a hub


def test_a_zip_installs_into_the_same_place_as_from_a_hub(tmp_path: Path) -> None:
    sample = make_sample(tmp_path)
    from_zip = install(open_artifact(sample.zip), "onnx", prove=_unproved)
    store, release = _listed(sample, tmp_path / "hub")
    store.reads.clear()
    assert bring(store, release, "onnx", prove=_unproved) == from_zip
    assert store.reads == []
    assert identify(open_artifact(sample.zip), sample.zip) == sample.packed


# ---------------------------------------------------------------- other processes

_FETCH = """
import os, sys
from pathlib import Path
from wellread.registry import cache, disk
from wellread.registry.fetch import bring
from wellread.registry.index import read_releases
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
receive = cache.Entry.receive
def logged(self, member, read):
    receive(self, member, read)
    with open(log, "a") as file:
        file.write(member.name + chr(10))
cache.Entry.receive = logged
store = open_store(hub)
path, _ = bring(store, read_releases(store, "tiny")[0], "onnx", prove=lambda *_: None)
print(path)
"""


def test_killed_at_any_step_nothing_looks_whole_and_the_next_run_keeps_what_is_there(
    listed: tuple[_Watched, Release], tmp_path: Path, home: Path
) -> None:
    store, release = listed
    entry = cache.Entry(release.file.removesuffix(".zip"), release.manifest)
    died = 0
    for step in range(0, 60, 3):
        shutil.rmtree(home, ignore_errors=True)
        with start(_FETCH, store.url, str(step), tmp_path / "log") as child:
            output = child.communicate()[0]
        if child.returncode == 0:
            break
        assert child.returncode == -signal.SIGKILL, output
        died += 1
        there = {name for name in _members(entry.path) if name != "manifest.json"} if entry.path.exists() else set()
        assert entry.holds("onnx") == entry.holds("onnx", full=True)  # what looks whole is
        store.reads.clear()
        path, manifest = bring(store, release, "onnx", prove=_unproved)
        assert _members(path) == ONNX
        assert not list(path.rglob("incoming-*"))
        fetched = {length for _, length in store.reads}
        kept = {member.size for member in manifest.files if member.name in there and member.size > 100}
        assert not fetched & kept
    assert died >= 4


def test_processes_at_once_on_a_cold_cache_fetch_each_member_once(
    listed: tuple[_Watched, Release], tmp_path: Path
) -> None:
    store, _ = listed
    log = tmp_path / "log"
    children = [start(_FETCH, store.url, "-1", log) for _ in range(8)]
    outputs = {child.communicate()[0] for child in children}
    assert [child.returncode for child in children] == [0] * 8
    assert len(outputs) == 1
    assert sorted(log.read_text().split()) == sorted(ONNX - {"manifest.json"})


_PIECEMEAL = """
import os, sys
from wellread.registry.fetch import bring
from wellread.registry.index import read_releases
from wellread.registry.stores import Body, open_store
from wellread.registry.stores.folder import FolderStore
hub, left = sys.argv[1], int(sys.argv[2])
get_range = FolderStore.get_range
def dying(*arguments):
    body = get_range(*arguments)
    def chunks():
        global left
        for chunk in body.chunks:
            left -= len(chunk)
            if left < 0:
                os.kill(os.getpid(), 9)
            yield chunk
    return body and Body(body.stat, chunks())
FolderStore.get_range = dying
bring(open_store(hub), read_releases(open_store(hub), "tiny")[0], "onnx", prove=lambda *_: None)
"""


def test_killed_in_the_middle_of_a_member_its_whole_pieces_are_kept(tmp_path: Path, home: Path) -> None:
    data = noise(3 * PIECE + 100)
    store, release = _listed(make_sample(tmp_path, {"onnx/model.onnx": data}), tmp_path / "hub")
    with start(_PIECEMEAL, store.url, str(2 * PIECE + PIECE // 2)) as child:
        child.communicate()
    assert child.returncode == -signal.SIGKILL
    (part,) = home.rglob("incoming-*")
    whole = part.stat().st_size // PIECE
    assert whole >= 1
    with part.open("r+b") as file:  # and a bit that flipped since costs its own piece and those after it
        file.seek((whole - 1) * PIECE + 9)
        file.write(bytes([data[(whole - 1) * PIECE + 9] ^ 1]))
    path, _ = bring(store, release, "onnx", prove=_unproved)
    assert (path / "onnx/model.onnx").read_bytes() == data
    assert len(data) - (whole - 1) * PIECE in {length for _, length in store.reads}
    assert not list(home.rglob("incoming-*"))


def test_a_model_first_opened_from_a_zip_is_found_offline_once_a_hub_gave_it(tmp_path: Path) -> None:
    sample = make_sample(tmp_path)
    install(open_artifact(sample.zip), "onnx", prove=_unproved)
    assert list(cache.releases()) == []
    store, release = _listed(sample, tmp_path / "hub")
    bring(store, release, "onnx", prove=_unproved)
    assert list(cache.releases()) == [release]
    assert cache.remembered(store.url, sample.zip.stem) == release
    assert cache.remembered("elsewhere", sample.zip.stem) is None


def test_a_hub_made_anew_is_remembered_in_the_place_of_the_old(tmp_path: Path) -> None:
    for place, files in (("a", {}), ("b", {"vocab.txt": b"new"})):
        shutil.rmtree(tmp_path / "hub", ignore_errors=True)
        store, release = _listed(make_sample(tmp_path / place, files), tmp_path / "hub")
        bring(store, release, "onnx", prove=_unproved)
    assert list(cache.releases()) == [release]


@pytest.mark.parametrize("linked", ["onnx", ".wellread", "vocab.txt", "manifest.json", ".wellread/onnx.json"])
def test_links_in_the_cache_are_replaced_and_never_written_through(
    listed: tuple[_Watched, Release], tmp_path: Path, linked: str
) -> None:
    path, manifest = bring(*listed, "onnx", prove=_unproved)
    (path / linked).rename(tmp_path / "elsewhere")
    (path / linked).symlink_to(tmp_path / "elsewhere")
    for stale in (path / "README.md", path / "onnx" / "model.onnx"):
        stale.unlink()
    before = _tree(tmp_path / "elsewhere")
    assert bring(*listed, "onnx", prove=_unproved) == (path, manifest)
    assert not (path / linked).is_symlink()
    assert _members(path) == ONNX
    assert _tree(tmp_path / "elsewhere") == before


def _tree(path: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in (path, *path.rglob("*")) if file.is_file()}


@pytest.mark.parametrize("name", ["vocab.txt", "manifest.json", "onnx/model.onnx", ".wellread/onnx.json"])
def test_a_folder_in_the_place_of_a_file_is_mended(listed: tuple[_Watched, Release], name: str) -> None:
    path, manifest = bring(*listed, "onnx", prove=_unproved)
    (path / name).unlink()
    (path / name / "deep").mkdir(parents=True)
    assert bring(*listed, "onnx", prove=_unproved) == (path, manifest)
    assert _members(path) == ONNX


def test_files_in_the_place_of_folders_are_mended(listed: tuple[_Watched, Release]) -> None:
    path, manifest = bring(*listed, "onnx", prove=_unproved)
    for name in ("onnx", ".wellread"):
        shutil.rmtree(path / name)
        (path / name).write_text("x")
    assert bring(*listed, "onnx", prove=_unproved) == (path, manifest)
    assert _members(path) == ONNX


_PLAIN = """
import resource, sys
from wellread.errors import WellreadError
from wellread.registry.fetch import bring
from wellread.registry.index import read_releases
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


def test_a_warm_load_takes_no_lock_nor_imports_what_would(listed: tuple[_Watched, Release]) -> None:
    bring(*listed, "onnx", prove=_unproved)
    script = _PLAIN + "assert not {'filelock', 'importlib.metadata'} & set(sys.modules)"
    command = [sys.executable, "-c", script, listed[0].url, "0"]
    subprocess.run(command, capture_output=True, text=True, check=True)


def test_a_full_disk_is_said_and_leaves_no_part(tmp_path: Path, home: Path) -> None:
    sample = make_sample(tmp_path, {"onnx/model.onnx": noise(200_000)})
    store, release = _listed(sample, tmp_path / "hub")
    with start(_PLAIN, store.url, "100000") as child:
        output = child.communicate()[0]
    assert "refused: cannot write" in output
    assert "free some space" in output
    assert not list(home.rglob("incoming-*")) and not list(home.rglob("model.onnx"))
    path, _ = bring(store, release, "onnx", prove=_unproved)
    assert _members(path) == ONNX


@pytest.fixture
def read_only_home(listed: tuple[_Watched, Release], home: Path) -> Iterator[Path]:
    bring(*listed, "onnx", prove=_unproved)
    paths = [home, *home.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield home
    for path in paths:
        path.chmod(0o755)


def test_a_read_only_cache_serves_what_it_has(
    listed: tuple[_Watched, Release], read_only_home: Path, tmp_path: Path
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


def test_the_cache_knows_what_it_has(listed: tuple[_Watched, Release]) -> None:
    assert list(cache.releases()) == []
    bring(*listed, "onnx", prove=_unproved)
    assert list(cache.releases()) == [listed[1]]
