"""Hostile and broken archives, built here byte by byte."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from wellread.converters.archive import LIMITS, Limits, extract
from wellread.errors import CorruptSource, SourceError, UnsafeArchive

FILES = {"model/saved_model.pb": b"graph" * 1000, "model/variables/variables.index": b"index", "model/empty": b""}


def tar_bytes(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        for info, content in members:
            info.size = info.size or len(content)
            file.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return buffer.getvalue()


def member(name: str, content: bytes = b"x", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def tar_of(files: Mapping[str, bytes]) -> bytes:
    return tar_bytes(*(member(name, content) for name, content in files.items()))


def zip_of(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, content in files.items():
            file.writestr(zipfile.ZipInfo(name), content, compression)
    return buffer.getvalue()


def zipped(name: str, mode: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        file.writestr(info, "/etc/passwd")
    return buffer.getvalue()


def tgz_of(files: Mapping[str, bytes]) -> bytes:
    return gzip.compress(tar_of(files), mtime=0)


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def unpack(tmp_path: Path, raw: bytes, limits: Limits = LIMITS, folder: str = "") -> dict[str, bytes]:
    archive = tmp_path / "archive"
    archive.write_bytes(raw)
    return contents(extract(archive, tmp_path / "out" / "tree", limits, folder))


@pytest.mark.parametrize("pack", [tar_of, tgz_of, zip_of])
def test_the_files_come_out_as_they_went_in(tmp_path: Path, pack: Callable[[Mapping[str, bytes]], bytes]) -> None:
    assert unpack(tmp_path, pack(FILES)) == FILES


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_one_folder_can_be_taken_alone(tmp_path: Path, pack: Callable[[Mapping[str, bytes]], bytes]) -> None:
    files = {"a/b/one": b"1", "a/b/c/two": b"2", "a/bc": b"no", "d": b"no"}
    assert unpack(tmp_path, pack(files), folder="a/b") == {"one": b"1", "c/two": b"2"}


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorruptSource, match="no folder 'variables'"):
        unpack(tmp_path, zip_of(FILES), folder="variables")


def test_folders_may_be_written_as_tf_hub_does(tmp_path: Path) -> None:
    raw = tar_bytes(
        member("./", type=tarfile.DIRTYPE),
        member("./a", type=tarfile.DIRTYPE),
        member("./a/", type=tarfile.DIRTYPE),
        member("./a/f", b"1"),
    )
    assert unpack(tmp_path, raw) == {"a/f": b"1"}


ESCAPES = ["../evil", "/evil", "a/../../evil", "a\\..\\evil", "C:/evil", "a/\x07bell", "e" * 300]
HOSTILE = {
    **{f"tar {name[:20]!r}": tar_of({name: b"x"}) for name in ESCAPES},
    **{f"zip {name[:20]!r}": zip_of({name: b"x"}) for name in ESCAPES},
    "tar symlink": tar_bytes(member("link", type=tarfile.SYMTYPE, linkname="inside")),
    "tar hard link": tar_bytes(member("f"), member("link", type=tarfile.LNKTYPE, linkname="f")),
    "tar link out": tar_bytes(member("link", type=tarfile.SYMTYPE, linkname="/etc")),
    "tar device": tar_bytes(member("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3)),
    "tar fifo": tar_bytes(member("pipe", type=tarfile.FIFOTYPE)),
    "tar twice": tar_bytes(member("f", b"1"), member("f", b"2")),
    "tar twice by dot": tar_bytes(member("f", b"1"), member("./f", b"2")),
    "tar case": tar_of({"Vocab.txt": b"1", "vocab.txt": b"2"}),
    "tar case of a folder": tar_of({"A": b"1", "a/b": b"2"}),
    "tar accents": tar_of({"caf\u00e9": b"1", "cafe\u0301": b"2"}),
    "zip symlink": zipped("link", stat.S_IFLNK | 0o777),
    "zip device": zipped("null", stat.S_IFCHR | 0o666),
    "zip case": zip_of({"Vocab.txt": b"1", "vocab.txt": b"2"}),
    "zip file as folder": zip_of({"a": b"1", "a/b": b"2"}),
    "tar sparse": tar_bytes(member("f", pax_headers={"GNU.sparse.size": "99999999999", "GNU.sparse.map": "0,1"})),
    "tar huge header": tar_bytes(member("f", pax_headers={"comment": "x" * (5 * 2**20)})),
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_nothing_hostile_gets_out(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(UnsafeArchive, match="archive"):
        unpack(tmp_path, raw)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["archive", "out"]


def test_the_member_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchive, match=r"'\.\./evil'"):
        unpack(tmp_path, tar_of({"good": b"x", "../evil": b"x"}))


BOMB = {"zeros": bytes(3 * 2**20)}
TIGHT = {
    "bytes": Limits(total=2**20),
    "ratio": Limits(ratio=10, small=2**20),
}


@pytest.mark.parametrize("limits", TIGHT.values(), ids=TIGHT.keys())
@pytest.mark.parametrize("pack", [tgz_of, zip_of])
def test_a_bomb_is_stopped(tmp_path: Path, pack: Callable[[Mapping[str, bytes]], bytes], limits: Limits) -> None:
    with pytest.raises(UnsafeArchive, match="'zeros' takes it past"):
        unpack(tmp_path, pack(BOMB), limits)
    assert list((tmp_path / "out").iterdir()) == []


def test_zeros_after_the_end_are_a_bomb_too(tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchive, match="takes it past"):
        unpack(tmp_path, gzip.compress(tar_of({"f": b"1"}) + bytes(3 * 2**20)), Limits(total=2**20))


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_the_number_of_members_is_bounded(tmp_path: Path, pack: Callable[[Mapping[str, bytes]], bytes]) -> None:
    with pytest.raises(UnsafeArchive, match="more than 20 members"):
        unpack(tmp_path, pack({f"f{i}": b"" for i in range(21)}), Limits(members=20))


def flipped(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 0x10]) + raw[at + 1 :]


def nested_headers(count: int) -> bytes:
    header = tar_bytes(member("f", pax_headers={"comment": "x"}))[:1024]
    return header * count


BROKEN = {
    "empty file": b"",
    "no archive": b"<html>not found</html>" * 100,
    "gzip cut short": tgz_of(FILES)[:-20],
    "gzip, its checksum cut": tgz_of(FILES)[:-4],
    "gzip, one bit of its checksum": flipped(tgz_of(FILES), -6),
    "gzip, one bit of its content": flipped(tgz_of(FILES), len(tgz_of(FILES)) // 2),
    "tar cut within a member": tar_of(FILES)[:1500],
    "tar of headers only": nested_headers(3000),
    "zip cut short": zip_of(FILES)[:-40],
    "zip, one bit of its content": flipped(zip_of(FILES, zipfile.ZIP_STORED), 500),
    "zip of bzip2": zip_of(FILES, zipfile.ZIP_BZIP2),
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_broken_is_refused_and_leaves_nothing(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(CorruptSource, match="archive"):
        unpack(tmp_path, raw)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("pack", [tgz_of, zip_of])
def test_no_bit_can_be_flipped_unseen(tmp_path: Path, pack: Callable[[Mapping[str, bytes]], bytes]) -> None:
    raw = pack(FILES)
    for number, at in enumerate(range(0, len(raw), 7)):
        (tmp_path / "archive").write_bytes(flipped(raw, at))
        try:
            found = contents(extract(tmp_path / "archive", tmp_path / str(number)))
        except SourceError:
            continue
        assert sorted(found.values()) == sorted(FILES.values())
