"""A folder keeps the promises of a store: create only, compare and swap, nothing outside, nothing half written."""

from __future__ import annotations

import errno
import fcntl
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.registry.processes import start, unprivileged
from wellread.errors import BadInput, HubUnavailable, PublishError, WellreadError
from wellread.registry.stores import Store, check_key, open_store, read
from wellread.registry.stores.folder import FolderStore


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "hub")


def _all(store: Store, key: str, start: int = 0, length: int | None = None) -> bytes:
    body = store.get_range(key, start, length)
    assert body is not None
    return b"".join(body.chunks)


def test_paths_and_file_urls_open_the_same_folder(tmp_path: Path) -> None:
    open_store(tmp_path / "a b").put_new("k", b"data")
    for url in (str(tmp_path / "a b"), (tmp_path / "a b").as_uri()):
        assert _all(open_store(url), "k") == b"data"


def test_other_schemes_are_no_hubs(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="ftp:// is not a kind of hub"):
        open_store("ftp://example.org/hub")
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="is not a folder"):
        open_store(tmp_path / "file")


def test_what_is_put_is_read_back_whole_and_in_ranges(store: Store, tmp_path: Path) -> None:
    data = os.urandom(3 * 1024 * 1024)
    (tmp_path / "source").write_bytes(data)
    assert store.put_new("deep/er/file.zip", tmp_path / "source")
    stat = store.head("deep/er/file.zip")
    assert stat and stat.size == len(data)
    assert _all(store, "deep/er/file.zip") == data
    assert _all(store, "deep/er/file.zip", 1_000_000, 1_500_000) == data[1_000_000:2_500_000]
    assert _all(store, "deep/er/file.zip", len(data) - 5, 100) == data[-5:]
    body = store.get_range("deep/er/file.zip", 0, 0)
    assert body and body.stat == stat and list(body.chunks) == []


def test_what_is_not_there_is_none(store: Store) -> None:
    assert store.head("a/b") is None
    assert store.get_range("a/b") is None
    assert read(store, "a/b") is None
    assert list(store.list()) == []
    store.put_new("a/b", b"x")
    assert store.head("a") is None
    assert store.get_range("a") is None
    assert store.get_range("a/b/c") is None


def test_put_new_never_overwrites(store: Store) -> None:
    assert store.put_new("k", b"one")
    assert not store.put_new("k", b"two")
    assert not store.put_if("k", b"two", None)
    assert _all(store, "k") == b"one"


def test_put_if_replaces_only_the_version_seen(store: Store) -> None:
    assert store.put_if("k", b"one", None)
    first = store.head("k")
    assert first and store.put_if("k", b"two", first.etag)
    assert not store.put_if("k", b"three", first.etag)
    assert not store.put_if("absent", b"three", first.etag)
    assert _all(store, "k") == b"two"


def test_versions_written_in_one_tick_of_the_clock_never_share_an_etag(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def stopped_clock(handle: int) -> None:
        os.utime(handle, ns=(0, 0))
        real(handle)

    monkeypatch.setattr(os, "fsync", stopped_clock)
    store.put_new("k", b"a")
    etags = []
    for data in (b"b", b"c", b"a", b"b"):
        stat = store.head("k")
        assert stat and store.put_if("k", data, stat.etag)
        etags.append(stat.etag)
    assert len(set(etags)) == 4


def test_the_etag_of_a_read_is_that_of_the_bytes_read(store: Store) -> None:
    store.put_new("k", b"old")
    body = store.get_range("k")
    assert body
    assert store.put_if("k", b"new!", body.stat.etag)
    assert b"".join(body.chunks) == b"old"
    assert not store.put_if("k", b"lost", body.stat.etag)


def test_a_conditional_read_of_what_is_known_has_no_bytes(store: Store) -> None:
    store.put_new("k", b"one")
    stat = store.head("k")
    known = store.get_range("k", unless=stat.etag if stat else None)
    assert known and known.stat == stat and list(known.chunks) == []
    assert stat and store.put_if("k", b"two", stat.etag)
    changed = store.get_range("k", unless=stat.etag)
    assert changed and b"".join(changed.chunks) == b"two"
    assert store.get_range("absent", unless=stat.etag) is None


def test_keys_are_listed_as_an_object_store_sorts_them_and_private_files_are_not(store: Store) -> None:
    keys = ["b/2", "a", "b/1", "b/10/x", "bc", "b.d", "b-e/f", "b/1.x"]
    for key in keys:
        store.put_new(key, b"")
    assert list(store.list()) == sorted(keys, key=str.encode)
    for prefix in ("b/", "b", "b/1", "b/10/", "c", "c/d"):
        assert list(store.list(prefix)) == sorted(key for key in keys if key.startswith(prefix))


@pytest.mark.parametrize("url", ["file://host/srv/hub", "file:/srv/hub", "file:hub", "file://"])
def test_file_urls_that_name_no_folder_of_this_machine_are_refused(url: str) -> None:
    with pytest.raises(BadInput, match="three slashes"):
        open_store(url)


def test_what_the_system_refuses_is_said_with_the_path(store: Store, tmp_path: Path) -> None:
    with pytest.raises(WellreadError, match=r"cannot write .*x{255}.*too long"):
        store.put_new("x" * 256, b"")
    with pytest.raises(HubUnavailable, match=r"cannot read .*x{255}.*too long"):
        store.get_range("x" * 256)
    (tmp_path / "hub" / "a").mkdir(exist_ok=True)
    (tmp_path / "hub" / "a" / "k").write_bytes(b"")
    (tmp_path / "hub" / "a" / "k").chmod(0)
    script = "import sys; from wellread.registry.stores import *; read(open_store(sys.argv[1]), sys.argv[2])"
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    for hub, key in ((store.url, "a/k"), (str(closed / "hub"), "k")):
        command = [*unprivileged(), sys.executable, "-c", script, hub, key]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert f"HubUnavailable: cannot read {hub}/{key}: Permission denied; ask the owner of the hub" in done.stderr


def test_links_in_a_circle_are_no_hubs_file(store: Store, tmp_path: Path) -> None:
    store.put_new("k", b"")
    (tmp_path / "hub" / "round").symlink_to("round")
    for key in ("round", "round/k"):
        with pytest.raises(HubUnavailable, match=r"cannot read .*round.*; is its disk there"):
            store.get_range(key)
    assert store.head("round") is None


def test_a_disk_that_fails_in_the_middle_makes_the_hub_unavailable(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: BinaryIO, start: int, length: int) -> Iterator[bytes]:
        yield file.read(2)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    store.put_new("k", b"data")
    monkeypatch.setattr("wellread.registry.stores.folder.section", fail)
    with pytest.raises(HubUnavailable, match=r"cannot read .*k: Input/output error; is its disk there"):
        _all(store, "k")


@pytest.mark.parametrize("url", ["http:/me:secret@h/hub", "https:h/hub", "S3:/bucket", "gs:bucket", "az:///", "s3:"])
def test_an_address_that_lacks_a_slash_is_no_folder(url: str) -> None:
    with pytest.raises(BadInput, match=r"://") as refused:
        open_store(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", ".wellread/lock", "a\\b", "a\n", "C:/x", "a/.b", "~"]
)
def test_keys_that_lead_out_are_refused_by_every_operation(store: Store, key: str) -> None:
    for operation in (
        lambda: store.head(key),
        lambda: store.get_range(key),
        lambda: store.put_new(key, b""),
        lambda: store.put_if(key, b"", None),
    ):
        with pytest.raises(BadInput, match="not a key of a hub"):
            operation()


@given(st.text(max_size=30))
def test_no_key_that_is_taken_leaves_the_root(key: str) -> None:
    try:
        check_key(key)
    except BadInput:
        return
    assert Path(os.path.normpath(Path("/hub") / key)).is_relative_to("/hub")


def test_links_out_of_the_hub_are_refused(store: Store, tmp_path: Path) -> None:
    store.put_new("inside", b"")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "hub" / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "hub" / "up").symlink_to(tmp_path)
    for key in ("link", "up/secret"):
        with pytest.raises(BadInput, match="link that leads out"):
            store.get_range(key)
    with pytest.raises(BadInput, match="link that leads out"):
        store.put_new("up/planted", b"")
    assert not (tmp_path / "planted").exists()


def _append(root: Path, letter: str, times: int, together: Barrier) -> None:
    store = FolderStore(root)
    together.wait()
    for _ in range(times):
        while True:
            found = read(store, "log")
            raw, etag = found or (b"", None)
            if store.put_if("log", raw + letter.encode(), etag):
                break


def test_no_writer_undoes_another(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(3)
    writers = [context.Process(target=_append, args=(tmp_path / "hub", letter, 6, together)) for letter in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = read(FolderStore(tmp_path / "hub"), "log")
    assert found and sorted(found[0].decode()) == sorted("abc" * 6)


_SLOW_PUT = """
import sys
from pathlib import Path
from wellread.registry.stores.folder import FolderStore
FolderStore(Path(sys.argv[1])).put_new("big.zip", Path(sys.argv[2]))
"""


def test_killed_in_the_middle_of_a_copy_nothing_is_there_and_the_next_writer_clears_up(tmp_path: Path) -> None:
    pipe, hub = tmp_path / "pipe", tmp_path / "hub"
    os.mkfifo(pipe)
    with start(_SLOW_PUT, hub, pipe) as child, pipe.open("wb") as feed:
        feed.write(b"x" * 3_000_000)
        feed.flush()
        incoming = _wait_for_some(hub / ".wellread")
        child.send_signal(signal.SIGKILL)
    assert incoming.exists()
    store = open_store(hub)
    assert store.head("big.zip") is None
    assert list(store.list()) == []
    assert store.put_new("big.zip", b"whole")
    assert not incoming.exists()


def _wait_for_some(folder: Path) -> Path:
    """The file being written, once it has bytes."""
    while not (found := [path for path in folder.glob("incoming-*") if path.stat().st_size]):
        time.sleep(0.01)
    return found[0]


def test_a_full_disk_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    script = """
import resource, sys
from pathlib import Path
from wellread.errors import WellreadError
from wellread.registry.stores.folder import FolderStore
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    FolderStore(Path(sys.argv[1])).put_new("a/big.zip", b"x" * 1_000_000)
except WellreadError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "hub")], capture_output=True, text=True, check=True
    )
    assert "cannot write" in done.stdout and "free some space" in done.stdout
    files = [path.name for path in (tmp_path / "hub").rglob("*") if path.is_file()]
    assert files == ["lock"]


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    hub = tmp_path / "hub"
    FolderStore(hub).put_new("a/k", b"data")
    folders = [hub / "a", hub / ".wellread", hub]
    for path in [hub / ".wellread" / "lock", *folders]:
        path.chmod(0o555)
    yield hub
    for folder in folders:
        folder.chmod(0o755)


def test_a_read_only_hub_is_read_and_not_written(read_only: Path) -> None:
    script = """
import sys
from pathlib import Path
from wellread.errors import PublishError
from wellread.registry.stores import read
from wellread.registry.stores.folder import FolderStore
store = FolderStore(Path(sys.argv[1]))
print(read(store, "a/k")[0])
try:
    store.put_new("b", b"")
except PublishError as error:
    print(error)
"""
    done = subprocess.run(
        [*unprivileged(), sys.executable, "-c", script, str(read_only)], capture_output=True, text=True, check=True
    )
    assert "b'data'" in done.stdout
    assert "cannot write b into" in done.stdout


def test_without_locks_publishing_refuses(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_lock(*_: object) -> None:
        raise OSError(errno.ENOSYS, "no locks here")

    monkeypatch.setattr(fcntl, "flock", no_lock)
    with pytest.raises(PublishError, match="cannot write k into"):
        store.put_new("k", b"")
