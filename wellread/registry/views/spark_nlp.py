"""Spark NLP's own list of models, written for its clients and read from its hubs.

    <folder>/metadata.json     JSON Lines, a row a release, blank lines between; ``public/models`` is the usual folder
    {"name":"small_bert_L4_512","language":"en","libVersion":{"parts":[2,6,0]},"sparkVersion":{"parts":[2,4]},
     "readyToUse":true,"time":"2020-08-25T08:36:31.466Z","isZipped":true,"category":"ml","checksum":"",
     "annotator":"BertEmbeddings"}
    <folder>/<name>_<language>_<libVersion>_<sparkVersion>_<time in ms>.zip     a missing part leaves its underscores

``checksum`` is the MD5 of the zip in upper case; empty, nothing is checked. Format: ``ResourceMetadata`` of Spark NLP
2.6 to 7.0. Such a zip has no manifest: it can be listed, resolved, fetched and checked as a whole. Opening it comes
with a later wellread.
"""

from __future__ import annotations

import hashlib
import os
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import msgspec

from wellread.errors import BadInput, IntegrityError
from wellread.registry import disk, pieces
from wellread.registry.home import home
from wellread.registry.names import Lang, ModelName, Version, parse_lang, parse_name
from wellread.registry.records import Record, Release
from wellread.registry.stores import Store
from wellread.registry.views import lines

METADATA = "metadata.json"
FORM = "spark-nlp"
"""The one form of a release that only Spark NLP's list knows."""
ENGINES = ("onnx", "tensorflow", "openvino", "unk")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_NAME = re.compile(rb'"name"\s*:\s*"([^"\\]*)"')
_NOT_READY = "its hub does not call it ready for use"


class Parts(Record, frozen=True):
    """A version as Spark NLP writes it."""

    parts: tuple[int, ...] = ()

    def __str__(self) -> str:
        return ".".join(map(str, self.parts))


class Row(Record, frozen=True, kw_only=True, rename="camel"):
    """A line of ``metadata.json``, the fields in the order in which Spark NLP writes them."""

    name: str
    language: str | None = None
    lib_version: Parts | None = None
    spark_version: Parts | None = None
    ready_to_use: bool
    time: datetime
    is_zipped: bool = False
    category: str | None = None
    checksum: str = ""
    annotator: str | None = None
    engine: str | None = None


_rows = msgspec.json.Decoder(Row)


def metadata_key(folder: str) -> str:
    """Where a folder's list lies."""
    return f"{folder}/{METADATA}"


# ---------------------------------------------------------------- writing


def row(release: Release) -> bytes:
    """A release as Spark NLP reads it, one line without its end.

    Not ready for use until Spark NLP can open the artifact: its clients pass such rows over.
    """
    moment = (_EPOCH + release.time * _MILLISECOND).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    stated = {
        "name": release.name,
        "language": release.language,
        "libVersion": _parts(release.library_version),
        "sparkVersion": _parts(release.spark_version),
        "readyToUse": False,
        "time": moment,
        "isZipped": True,
        "category": "ml",
        "checksum": release.md5.upper(),
        "annotator": release.annotator,
        "engine": release.engine if release.engine in ENGINES else "unk",
    }
    return msgspec.json.encode({key: value for key, value in stated.items() if value is not None})


def _parts(version: str) -> dict[str, list[int]] | None:
    return {"parts": [int(part) for part in version.split(".")]} if version else None


# ---------------------------------------------------------------- reading


def named(line: bytes) -> bytes:
    """The name in a row, found without decoding it; empty where there is none."""
    found = _NAME.search(line)
    return found[1] if found else b""


def file_of(line: bytes) -> str | None:
    """The file that a row speaks of; None for a row that says nothing of the kind."""
    try:
        return _file(_rows.decode(line))
    except (ValueError, RecursionError, OverflowError):
        return None


def parse_foreign(raw: bytes, name: ModelName | None, folder: str) -> Iterator[Release]:
    """The rows of a whole ``metadata.json`` as releases; only those of ``name``, if given. Warns of what is left out.

    Their ``manifest`` and ``sha256`` are empty and their ``size`` is 0, for the list does not tell.
    """
    return _releases(raw.splitlines(), name, folder)


def read_foreign(store: Store, name: ModelName | None, folder: str) -> Iterator[Release]:
    """The same of a hub, row by row as they come; nothing where the hub has no such list."""
    found = lines.stream(store, metadata_key(folder))
    return _releases(found or (), name, folder, store.url)


def _releases(rows: Iterable[bytes], name: ModelName | None, folder: str, where: str = "") -> Iterator[Release]:
    wanted = name.encode() if name else None
    damaged = strange = 0
    for line in rows:
        if (wanted is not None and wanted not in line) or not line.strip():
            continue
        try:
            found = _rows.decode(line)
        except (ValueError, RecursionError):
            damaged += 1
            continue
        if name is not None and found.name != name:
            continue
        release = _release(found, folder)
        if release is None:
            strange += 1
        else:
            yield release
    _tell(f"{where}/{metadata_key(folder)}".lstrip("/"), damaged, strange)


def _tell(where: str, damaged: int, strange: int) -> None:
    """One warning for each kind of row that was left out."""
    if damaged:
        warnings.warn(f"{where}: {damaged} of its rows cannot be read, and are left out", stacklevel=4)
    if strange:
        warnings.warn(
            f"{where}: {strange} of its rows name what wellread cannot (a name, language or version with odd "
            "characters, or no zip), and are left out",
            stacklevel=4,
        )


def _release(found: Row, folder: str) -> Release | None:
    """A row as a release; None for one that could not be a name, a file or a version of ours."""
    try:
        name, language = parse_name(found.name), _language(found.language or "")
        library, spark, moment = _version(found.lib_version), _version(found.spark_version), _moment(found)
    except BadInput:
        return None
    if not found.is_zipped or moment < 0:
        return None
    return Release(
        id=f"{library}_{spark}_{moment}",
        name=name,
        language=language,
        folder=folder,
        library_version=library,
        spark_version=spark,
        time=moment,
        annotator=found.annotator or "",
        engine=found.engine if found.engine in ENGINES else "unk",
        file=_file(found),
        size=0,
        sha256="",
        md5=found.checksum.upper(),
        manifest="",
        manifest_size=0,
        forms=(FORM,),
        serial=0,
        state="ready" if found.ready_to_use else "yanked",
        why="" if found.ready_to_use else _NOT_READY,
    )


def _file(found: Row) -> str:
    """The name of a row's file. Spark NLP leaves the moment out where a row has neither language nor versions."""
    library, spark = found.lib_version, found.spark_version
    if (found.language, library, spark) == (None, None, None):
        stem = found.name
    else:
        stem = f"{found.name}_{found.language or ''}_{library or ''}_{spark or ''}_{_moment(found)}"
    return f"{stem}.zip" if found.is_zipped else stem


@lru_cache(256)
def _language(text: str) -> Lang:
    """A language, or none. Raises BadInput."""
    return parse_lang(text) if text else Lang("")


@lru_cache(256)
def _version(parts: Parts | None) -> str:
    """A version as we write it; empty for none. Raises BadInput."""
    return str(Version.parse(str(parts))) if parts and parts.parts else ""


def _moment(found: Row) -> int:
    """Milliseconds since 1970; a time without a zone is UTC."""
    time = found.time if found.time.tzinfo else found.time.replace(tzinfo=UTC)
    return (time - _EPOCH) // _MILLISECOND


# ---------------------------------------------------------------- fetching


def fetch_zip(store: Store | None, release: Release, hub: str) -> Path:
    """The whole zip of a release that only Spark NLP's list knows, in ``$WELLREAD_HOME/cache/zips``.

    ``hub`` is the URL of the hub that lists it; without a store the cache must have it. Its MD5 is taken on the way;
    what a broken download left is taken up again. One that is there is hashed again, for there is no manifest that its
    pieces could be held against. Raises IntegrityError for other bytes than the list says, which are removed;
    HubUnavailable; WellreadError where the system refuses.
    """
    where = f"{hub}/{release.path}"
    target = home() / "cache" / "zips" / pieces.sha256(where.encode())[:16] / release.file
    if not _is_sound(target, release):
        if store is None:
            raise IntegrityError(f"{release.file} is not whole in the cache, and offline. Fetch it online")
        with _writing(target):
            if not _is_sound(target, release):  # another process may have brought it meanwhile
                _download(store, release, target)
    if not release.md5:
        warnings.warn(f"{where} has no checksum in its hub's list: only its size could be checked", stacklevel=2)
    return target


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    """Be the only one that writes a zip. Raises WellreadError where the cache is closed."""
    import filelock

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(target.with_name(".lock"))
        lock.acquire()
    except OSError as error:
        raise disk.refused(target, error) from error
    try:
        yield
    finally:
        lock.release()


def _is_sound(target: Path, release: Release) -> bool:
    if not target.is_file() or target.is_symlink():
        return False
    with target.open("rb") as file:
        return not release.md5 or _hashed(file).hexdigest().upper() == release.md5


def _download(store: Store, release: Release, target: Path) -> None:
    """Bring a zip, from its start where the part that was there turns out to be of another one."""
    temp = target.with_name(f".{release.file}.part")
    if not release.md5 or temp.is_symlink():
        temp.unlink(missing_ok=True)  # nothing would tell whether it is the beginning of the same file
    begun = temp.exists()
    try:
        with temp.open("a+b") as file:
            _receive(store, release, file)
            file.flush()
            os.fsync(file.fileno())
        temp.replace(target)
        disk.sync(target.parent)
    except OSError as error:
        raise disk.refused(target, error) from error
    except IntegrityError:
        temp.unlink(missing_ok=True)
        if not begun:
            raise
        _download(store, release, target)


def _receive(store: Store, release: Release, file: BinaryIO) -> None:
    """The rest of a zip, hashed while it is written. Raises IntegrityError if the whole is not what the list says."""
    where = f"{store.url}/{release.path}"
    digest = _hashed(file)
    body = store.get_range(release.path, file.tell())
    if body is None:
        raise IntegrityError(f"{where} is listed in {metadata_key(release.folder)} but not there: tell the hub's owner")
    disk.need(Path(file.name).parent, body.stat.size - file.tell(), release.file)
    for chunk in body.chunks:
        digest.update(chunk)
        file.write(chunk)
    found, size = digest.hexdigest().upper(), file.tell()
    if release.md5 and found != release.md5:
        raise IntegrityError(f"{where}: its MD5 is {found}, not {release.md5} as listed. It was removed; try again")
    if body.stat.size not in (-1, size):
        raise IntegrityError(f"{where}: {size} bytes came of {body.stat.size}. They were removed; try again")


def _hashed(file: BinaryIO) -> hashlib._Hash:
    """The MD5 of a file from its start; the file is then read to its end."""
    digest = hashlib.md5(usedforsecurity=False)
    file.seek(0)
    while chunk := file.read(pieces.CHUNK):
        digest.update(chunk)
    return digest
