"""An artifact is the same bytes everywhere, opens in any zip tool, and anything that is not one is refused."""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.registry.samples import FILES, as_weights, flip, make_manifest, make_sample, noise, write_files
from wellread.errors import BadInput, IntegrityError
from wellread.registry.artifact import layout
from wellread.registry.artifact.manifest import is_member_name
from wellread.registry.artifact.package import describe, identify, open_artifact, pack, unpack, verify
from wellread.registry.records import PIECE, encode_pretty

_NAMES = st.from_regex(r"[a-z0-9]{1,6}(/[a-z0-9]{1,6}){0,2}\.(json|md|txt|onnx|safetensors)", fullmatch=True).filter(
    is_member_name
)


def _by_zipfile(path: Path, members: dict[str, bytes]) -> None:
    """The oracle: the same members written by the standard library."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, 0o100644 << 16
            archive.writestr(info, data)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(_NAMES, st.binary(max_size=64), max_size=6))
def test_round_trip_and_the_standard_library_writes_the_same(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    files = {name: data for name, data in files.items() if not _is_also_folder(name, files)}
    root = tmp_path_factory.mktemp("zip")
    folder = write_files(root / "members", files)
    folder.mkdir(exist_ok=True)
    manifest = make_manifest(describe(folder), forms={})
    packed = pack(folder, manifest, root / "a.zip")
    package = verify(packed.path)
    assert package.manifest == manifest
    assert {m.name: b"".join(package.read(m)) for m in manifest.files} == files
    _by_zipfile(root / "b.zip", {"manifest.json": package.raw} | {name: files[name] for name in sorted(files)})
    assert packed.path.read_bytes() == (root / "b.zip").read_bytes()


def _is_also_folder(name: str, files: dict[str, bytes]) -> bool:
    return any(other.startswith(f"{name}/") for other in files)


def test_digests_are_those_of_the_file(tmp_path: Path) -> None:
    packed = make_sample(tmp_path).packed
    data = packed.path.read_bytes()
    assert packed.sha256 == hashlib.sha256(data).hexdigest()
    assert packed.md5 == hashlib.md5(data).hexdigest().upper()
    assert packed.size == len(data)
    assert identify(open_artifact(packed.path), packed.path) == packed


def test_same_bytes_whatever_the_umask_folder_and_times(tmp_path: Path) -> None:
    first = make_sample(tmp_path / "one")
    script = (
        "import os, sys; os.umask(0o077); from pathlib import Path; from tests.registry.samples import make_sample;"
        "print(make_sample(Path(sys.argv[1])).packed.sha256)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "another place")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == first.packed.sha256
    for file in first.folder.rglob("*"):
        os.utime(file, (1, 1))
    assert pack(first.folder, first.manifest, tmp_path / "again.zip").sha256 == first.packed.sha256


def test_offsets_follow_from_sizes(tmp_path: Path) -> None:
    sample = make_sample(tmp_path, {"onnx/model.onnx": noise(3000)})
    data = sample.zip.read_bytes()
    offsets = layout.offsets(sample.manifest, sample.packed.manifest_size)
    assert offsets["manifest.json"] == layout.FIRST == 43
    for member in sample.manifest.files:
        expected = (sample.folder / member.name).read_bytes()
        assert data[offsets[member.name] :][: member.size] == expected
    assert layout.total(sample.manifest, sample.packed.manifest_size) == len(data)


def test_members_of_many_pieces_are_checked_piece_by_piece(tmp_path: Path) -> None:
    sample = make_sample(tmp_path, {"onnx/model.onnx": noise(PIECE + 5)})
    member = sample.manifest.member("onnx/model.onnx")
    assert [len(piece) for piece in verify(sample.zip).read(member)] == [PIECE, 5]
    start = layout.offsets(sample.manifest, sample.packed.manifest_size)[member.name]
    flip(sample.zip, start + PIECE + 2)
    with pytest.raises(IntegrityError, match=rf"onnx/model.onnx .* bytes {PIECE} to {PIECE + 5}"):
        verify(sample.zip)


def test_unpack_gives_the_members(tmp_path: Path) -> None:
    sample = make_sample(tmp_path)
    unpack(verify(sample.zip), tmp_path / "out")
    found = {p.relative_to(tmp_path / "out").as_posix(): p.read_bytes() for p in (tmp_path / "out").rglob("*.*")}
    packed = {**FILES, "model.safetensors": as_weights(FILES["model.safetensors"])[0]}
    assert found == {**packed, "manifest.json": encode_pretty(sample.manifest)}


# ---------------------------------------------------------------- what cannot be packed


def test_files_of_other_kinds_are_refused_by_name(tmp_path: Path) -> None:
    write_files(tmp_path, {"weights.pkl": b"", "model.bin": b"", "fine.txt": b""})
    with pytest.raises(BadInput, match=r"model\.bin, weights\.pkl cannot be in an artifact"):
        describe(tmp_path)


def test_links_are_refused(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "members", {"fine.txt": b"x"})
    (folder / "link.txt").symlink_to("fine.txt")
    with pytest.raises(BadInput, match=r"link\.txt"):
        describe(folder)


def test_a_file_that_changed_after_it_was_described_leaves_no_zip(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "members", FILES)
    manifest = make_manifest(describe(folder))
    (folder / "vocab.txt").write_bytes(b"[PAD]\n[UNX]\n")
    with pytest.raises(IntegrityError, match=r"vocab\.txt"):
        pack(folder, manifest, tmp_path / "out" / "a.zip")
    assert list((tmp_path / "out").iterdir()) == []


def test_more_than_a_plain_zip_can_hold_is_refused(tmp_path: Path) -> None:
    huge = 2**32
    member = msgspec.structs.replace(
        describe(write_files(tmp_path, {"a.onnx": b"x"}))[0], size=huge, pieces=("0" * 64,) * (huge // PIECE)
    )
    with pytest.raises(BadInput, match="at most 4294967295: pack fewer forms"):
        pack(tmp_path, make_manifest((member,), forms={}), tmp_path / "out.zip")


# ---------------------------------------------------------------- what is no artifact


def _append_member(path: Path, name: str, data: bytes = b"evil", **fields: int) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, 0o100644 << 16
        for field, value in fields.items():
            setattr(info, field, value)
        archive.writestr(info, data)


def _recompressed(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


def _reordered(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    first = members.pop("manifest.json")
    _by_zipfile(path, {"manifest.json": first} | dict(reversed(members.items())))


def _without_vocabulary(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if name != "vocab.txt"}
    _by_zipfile(path, members)


def _duplicated(path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        _append_member(path, "vocab.txt")


def _encrypted_flag(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\3\4", 4) + 6] |= 1
    path.write_bytes(data)


def _other_local_name(path: Path) -> None:
    """The header names a member otherwise than the directory."""
    data = path.read_bytes()
    at = data.rindex(b"vocab.txt", 0, data.index(b"PK\1\2"))
    path.write_bytes(data[:at] + b"vocal.txt" + data[at + 9 :])


def _other_central_name(path: Path) -> None:
    """The directory names a member otherwise than its header: zip tools would disagree about it."""
    data = path.read_bytes()
    at = data.rindex(b"vocab.txt")
    path.write_bytes(data[:at] + b"vocal.txt" + data[at + 9 :])


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def _commented(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"hello"


_SPOILED: dict[str, Callable[[Path], object]] = {
    "an extra member": lambda path: _append_member(path, "extra.txt"),
    "a member that leads upwards": lambda path: _append_member(path, "../evil.txt"),
    "an absolute member": lambda path: _append_member(path, "/etc/evil.txt"),
    "a symlink": lambda path: _append_member(path, "link.txt", b"/etc/passwd", external_attr=0o120777 << 16),
    "a member twice": _duplicated,
    "members deflated": _recompressed,
    "members in another order": _reordered,
    "a member missing": _without_vocabulary,
    "an encrypted member": _encrypted_flag,
    "two names for a member": _other_central_name,
    "two names for a member, the other way": _other_local_name,
    "the end cut off": _cut,
    "only the beginning": lambda path: path.write_bytes(path.read_bytes()[:100]),
    "nothing": lambda path: path.write_bytes(b""),
    "bytes in front": lambda path: path.write_bytes(b"#!/bin/sh\n" + path.read_bytes()),
    "bytes behind": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "a comment": _commented,
    "a text": lambda path: path.write_bytes(b"<html>log in</html>" * 100),
}


@pytest.mark.parametrize("spoil", _SPOILED.values(), ids=_SPOILED.keys())
def test_anything_strange_is_refused(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    path = make_sample(tmp_path).zip
    spoil(path)
    with pytest.raises(IntegrityError, match=r"tiny_en_2\.6\.0_2\.4_1598344705269\.zip"):
        verify(path)


def test_a_manifest_of_more_than_a_zip_can_hold_is_refused_before_it_is_laid_out(tmp_path: Path) -> None:
    sample = make_sample(tmp_path)
    files = sample.manifest.files
    huge = msgspec.structs.replace(files[-1], size=5 * 2**30, pieces=("0" * 64,) * 640)
    raw = encode_pretty(msgspec.structs.replace(sample.manifest, files=(*files[:-1], huge)))
    path = tmp_path / "huge.zip"
    path.write_bytes(layout.header("manifest.json", len(raw), zlib.crc32(raw)) + raw + bytes(1000))
    with pytest.raises(IntegrityError, match="more bytes than an artifact can have"):
        open_artifact(path)


def test_the_error_names_the_member_that_does_not_belong(tmp_path: Path) -> None:
    path = make_sample(tmp_path).zip
    _append_member(path, "extra.txt")
    with pytest.raises(IntegrityError, match=r"Not in the manifest: 'extra\.txt'"):
        open_artifact(path)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_flipped_bit_goes_unseen(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    root = tmp_path_factory.mktemp("flip")
    sample = make_sample(root)
    flip(sample.zip, data.draw(st.integers(0, sample.packed.size - 1)))
    with pytest.raises(IntegrityError):
        verify(sample.zip)


def test_a_wrong_crc_is_seen_though_the_hashes_fit(tmp_path: Path) -> None:
    sample = make_sample(tmp_path)
    data = bytearray(sample.zip.read_bytes())
    offset = layout.offsets(sample.manifest, sample.packed.manifest_size)["vocab.txt"]
    crc = struct.unpack_from("<I", data, offset - len("vocab.txt") - 16)[0]
    wrong = struct.pack("<I", crc ^ 1)
    sample.zip.write_bytes(data.replace(struct.pack("<I", crc), wrong))
    with pytest.raises(IntegrityError, match=r"CRC-32 of vocab\.txt"):
        verify(sample.zip)


def test_no_file_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is not a file"):
        open_artifact(tmp_path / "absent.zip")
