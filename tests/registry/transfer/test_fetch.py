"""Fetching: the members of a form and no others, checked, proved, whole or not there."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.registry.processes import start
from tests.registry.samples import flip, make_sample, noise
from tests.registry.watched import ONNX, Watched, far_apart, list_in, members_in, unproved
from wellread.errors import IntegrityError, NotFound, WellreadError
from wellread.registry.artifact import layout
from wellread.registry.artifact.package import identify, open_artifact
from wellread.registry.cache import entry as cache
from wellread.registry.cache import upkeep
from wellread.registry.hub.publish import release_line
from wellread.registry.records import PIECE, Release
from wellread.registry.stores import Body, Stat, open_store
from wellread.registry.transfer.fetch import ALL, bring, install, open_release


@pytest.fixture
def listed(tmp_path: Path) -> tuple[Watched, Release]:
    return list_in(make_sample(tmp_path, far_apart()), tmp_path / "hub")


def test_only_the_members_of_the_form_are_read_in_few_requests(listed: tuple[Watched, Release], tmp_path: Path) -> None:
    store, release = listed
    path, manifest = bring(store, release, "onnx", prove=unproved)
    assert members_in(path) == ONNX
    for name in ONNX - {"manifest.json"}:
        assert (path / name).read_bytes() == (tmp_path / "members" / name).read_bytes()
    wanted = sum(member.size for member in manifest.files if member.name in ONNX) + release.manifest_size
    assert wanted <= sum(length or 0 for _, length in store.reads) < wanted + 500  # headers between the members
    assert len(store.reads) == 4  # manifest, what is before model.safetensors, the graph, what is behind the int8 graph


def test_a_later_form_is_added_to_the_same_folder(listed: tuple[Watched, Release]) -> None:
    store, release = listed
    first, _ = bring(store, release, "onnx", prove=unproved)
    store.reads.clear()
    second, manifest = bring(store, release, "onnx-int8", prove=unproved)
    assert second == first
    assert members_in(second) == ONNX | {"onnx/model_int8.onnx"}
    sizes = [release.manifest_size, manifest.member("onnx/model_int8.onnx").size]
    assert [length for _, length in store.reads] == sizes


def test_all_forms_at_once(listed: tuple[Watched, Release]) -> None:
    path, _ = bring(*listed, ALL, prove=unproved)
    assert members_in(path) == ONNX | {"onnx/model_int8.onnx", "model.safetensors"}


def test_a_changed_member_is_fetched_again_alone(listed: tuple[Watched, Release]) -> None:
    store, release = listed
    path, manifest = bring(store, release, "onnx", prove=unproved)
    store.reads.clear()
    flip(path / "onnx/model.onnx", 77)
    bring(store, release, "onnx", prove=unproved)
    assert (path / "onnx/model.onnx").read_bytes() == b"fp32" * 1000
    assert [length for _, length in store.reads] == [
        release.manifest_size,
        manifest.member("onnx/model.onnx").size,
    ]


@pytest.mark.parametrize("mend", [lambda: None, lambda: list(upkeep.repair())], ids=["loaded", "repaired"])
def test_a_bit_that_flips_in_the_cache_costs_one_piece(tmp_path: Path, mend: Callable[[], object]) -> None:
    data = noise(2 * PIECE + 100)
    store, release = list_in(make_sample(tmp_path, far_apart(**{"onnx/model.onnx": data})), tmp_path / "hub")
    path, manifest = bring(store, release, "onnx", prove=unproved)
    store.reads.clear()
    flip(path / "onnx/model.onnx", PIECE + 5)
    mend()
    bring(store, release, "onnx", prove=unproved)
    assert (path / "onnx/model.onnx").read_bytes() == data
    offset = layout.offsets(manifest, release.manifest_size)["onnx/model.onnx"]
    assert store.reads == [(layout.FIRST, release.manifest_size), (offset + PIECE, PIECE)]


def test_a_changed_member_that_lies_elsewhere_too_is_not_written_into(
    listed: tuple[Watched, Release], tmp_path: Path
) -> None:
    path, _ = bring(*listed, "onnx", prove=unproved)
    flip(path / "onnx/model.onnx", 77)
    changed = (path / "onnx/model.onnx").read_bytes()
    os.link(path / "onnx/model.onnx", tmp_path / "mine")
    bring(*listed, "onnx", prove=unproved)
    assert (tmp_path / "mine").read_bytes() == changed
    assert (path / "onnx/model.onnx").read_bytes() == b"fp32" * 1000


@pytest.mark.parametrize("name", [*sorted(ONNX), ".wellread/onnx.json"])
def test_a_missing_file_is_fetched_again(listed: tuple[Watched, Release], name: str) -> None:
    path, manifest = bring(*listed, "onnx", prove=unproved)
    (path / name).unlink()
    assert bring(*listed, "onnx", prove=unproved) == (path, manifest)
    assert members_in(path) == ONNX


def test_an_unknown_form_is_refused_before_anything_is_written(listed: tuple[Watched, Release], home: Path) -> None:
    with pytest.raises(NotFound, match=r"no form 'tf'. Available: onnx, onnx-int8, torch"):
        bring(*listed, "tf", prove=unproved)
    assert not home.exists()


def test_two_forms_at_once_read_what_they_share_once(listed: tuple[Watched, Release]) -> None:
    store, release = listed
    bring(store, release, ALL, prove=unproved)
    assert sum(length or 0 for _, length in store.reads) < release.size


def test_without_a_store_an_incomplete_cache_says_so(listed: tuple[Watched, Release]) -> None:
    with pytest.raises(IntegrityError, match="not whole in the cache, and offline"):
        bring(None, listed[1], "onnx", prove=unproved)


# ---------------------------------------------------------------- a hub with wrong bytes


def test_a_flipped_bit_in_the_hub_is_never_installed(tmp_path: Path) -> None:
    sample = make_sample(tmp_path, {"onnx/model.onnx": noise(PIECE + 100)})
    store, release = list_in(sample, tmp_path / "hub")
    offset = layout.offsets(sample.manifest, release.manifest_size)["onnx/model.onnx"]
    flip(tmp_path / "hub" / release.path, offset + PIECE + 50)
    with pytest.raises(IntegrityError, match=r"onnx/model\.onnx differs .* read twice"):
        bring(store, release, "onnx", prove=unproved)
    path = cache.Entry(sample.zip.stem, release.manifest).path
    assert "onnx/model.onnx" not in members_in(path)
    assert [part.stat().st_size for part in path.rglob("incoming-*")] == [PIECE]
    bring(store, release, "torch", prove=unproved)


@pytest.mark.parametrize("offset", [43, 200, 20])
def test_a_flipped_bit_in_the_manifest_is_seen_unless_nobody_reads_it(
    listed: tuple[Watched, Release], tmp_path: Path, offset: int
) -> None:
    store, release = listed
    flip(tmp_path / "hub" / release.path, offset)
    if offset < layout.FIRST:
        bring(store, release, "onnx", prove=unproved)
    else:
        with pytest.raises(IntegrityError, match=r"manifest\.json differs from the index line, read twice"):
            bring(store, release, "onnx", prove=unproved)


def test_a_bit_that_flips_on_the_way_costs_one_piece(tmp_path: Path) -> None:
    data = noise(2 * PIECE + 100)
    store, release = list_in(make_sample(tmp_path, far_apart(**{"onnx/model.onnx": data})), tmp_path / "hub")
    store.change = lambda number, body: _flipped(body) if store.reads[number][1] == len(data) else body
    path, manifest = bring(store, release, "onnx", prove=unproved)
    assert (path / "onnx/model.onnx").read_bytes() == data
    offset = layout.offsets(manifest, release.manifest_size)["onnx/model.onnx"]
    assert {(start, length) for start, length in store.reads if start == offset} == {
        (offset, len(data)),
        (offset, PIECE),
    }
    assert len(store.reads) == 5


def _flipped(body: Body) -> Body:
    """A body with another first bit."""

    def chunks() -> Iterator[bytes]:
        first = next(body.chunks)
        yield bytes([first[0] ^ 1]) + first[1:]
        yield from body.chunks

    return body._replace(chunks=chunks())


def test_a_file_that_changes_while_it_is_read_is_said_so(listed: tuple[Watched, Release]) -> None:
    store, release = listed
    store.change = lambda number, body: Body(Stat(body.stat.size, "other"), iter([b"?"])) if number else body
    with pytest.raises(IntegrityError, match=r"(?s)Nothing of it was used.*changed while it was read .*run this again"):
        bring(store, release, "onnx", prove=unproved)


def test_another_file_in_its_place_is_said_so(listed: tuple[Watched, Release]) -> None:
    store, release = listed
    store.change = lambda number, body: Body(Stat(999, ""), iter([b"<html>please log in"]))
    with pytest.raises(IntegrityError, match=rf"999 bytes where {release.size} were published.*wants a login"):
        bring(store, release, "onnx", prove=unproved)


def test_a_place_without_ranges_is_read_once_from_front_to_back(tmp_path: Path) -> None:
    store, release = list_in(make_sample(tmp_path, far_apart()), tmp_path / "hub")
    store.change = lambda number, body: body._replace(ranged=False)
    path, _ = bring(store, release, "onnx", prove=unproved)
    assert members_in(path) == ONNX
    assert len(store.reads) == 2  # the manifest, and from the first wanted member to the last


def test_a_truncated_artifact_in_the_hub_is_refused(listed: tuple[Watched, Release], tmp_path: Path) -> None:
    store, release = listed
    artifact = tmp_path / "hub" / release.path
    artifact.write_bytes(artifact.read_bytes()[: release.manifest_size + 1000])
    with pytest.raises(IntegrityError, match="differs from the manifest"):
        bring(store, release, "onnx", prove=unproved)


def test_a_listed_artifact_that_is_gone_is_said_so(listed: tuple[Watched, Release], tmp_path: Path) -> None:
    store, release = listed
    (tmp_path / "hub" / release.path).unlink()
    with pytest.raises(IntegrityError, match="listed in the index but not there: publish it again"):
        bring(store, release, "onnx", prove=unproved)


def test_a_line_that_gives_one_model_for_another_is_refused(tmp_path: Path) -> None:
    evil = make_sample(tmp_path, name="evil")
    store = open_store(tmp_path / "hub")
    honest = release_line(make_sample(tmp_path / "b").manifest, evil.packed, "public/models")
    store.put_new(honest.path, evil.zip)
    with pytest.raises(IntegrityError, match="speaks of another artifact than its manifest"):
        open_release(store, honest)


# ---------------------------------------------------------------- goldens


def test_what_broke_while_it_was_proved_is_proved_again(listed: tuple[Watched, Release]) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(*listed, "onnx", prove=crash)
    proved = []
    bring(*listed, "onnx", prove=lambda path, manifest, form: proved.append(form))
    assert proved == ["onnx"]


# ---------------------------------------------------------------- a disk without room


def test_a_disk_without_room_is_said_before_anything_is_downloaded(
    listed: tuple[Watched, Release], monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    store, release = listed
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(WellreadError, match=r"tiny_en_\S+ needs 4,\d\d\d bytes more and .* has 1,000 left; free some"):
        bring(store, release, "onnx", prove=unproved)
    assert len(store.reads) == 1
    assert not list(home.rglob("incoming-*"))


# ---------------------------------------------------------------- zips without a hub


def test_a_zip_installs_into_the_same_place_as_from_a_hub(tmp_path: Path) -> None:
    sample = make_sample(tmp_path)
    from_zip = install(open_artifact(sample.zip), "onnx", prove=unproved)
    store, release = list_in(sample, tmp_path / "hub")
    store.reads.clear()
    assert bring(store, release, "onnx", prove=unproved) == from_zip
    assert store.reads == []
    assert identify(open_artifact(sample.zip), sample.zip) == sample.packed


# ---------------------------------------------------------------- other processes


_PIECEMEAL = """
import os, sys
from wellread.registry.transfer.fetch import bring
from wellread.registry.hub.index import read_releases
from wellread.registry.stores import Body, open_store
from wellread.registry.stores.folder import FolderStore
hub, left = sys.argv[1], int(sys.argv[2])
get_range = FolderStore.get_range
def dying(*arguments, **options):
    body = get_range(*arguments, **options)
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


def test_killed_in_the_middle_of_a_member_only_missing_pieces_are_read(tmp_path: Path, home: Path) -> None:
    data = noise(4 * PIECE + 100)
    sample = make_sample(tmp_path, far_apart(**{"onnx/model.onnx": data}))
    store, release = list_in(sample, tmp_path / "hub")
    with start(_PIECEMEAL, store.url, str(3 * PIECE + PIECE // 2)) as child:
        child.communicate()
    assert child.returncode == -signal.SIGKILL
    (part,) = home.rglob("incoming-*")
    assert part.stat().st_size == 3 * PIECE  # of a stream that is killed only the piece being received is lost
    with part.open("r+b") as file:  # and a bit that flipped since costs its own piece
        file.seek(9)
        file.write(bytes([data[9] ^ 1]))
    path, manifest = bring(store, release, "onnx", prove=unproved)
    assert (path / "onnx/model.onnx").read_bytes() == data
    offset = layout.offsets(manifest, release.manifest_size)["onnx/model.onnx"]
    assert (offset, PIECE) in store.reads
    assert (offset + 3 * PIECE, PIECE + 100) in store.reads
    assert sum(length or 0 for _, length in store.reads) < 2 * PIECE + 10_000
    assert not list(home.rglob("incoming-*"))
