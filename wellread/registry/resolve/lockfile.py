"""``wellread.lock``: exactly these releases, byte for byte, on every machine.

    {
     "format": 1,
     "models": [
      {
       "name": "small_bert_L8_512", "language": "en", "folder": "public/models",
       "release": "2.6.0_2.4_1598344705269", "file": "small_bert_L8_512_en_2.6.0_2.4_1598344705269.zip",
       "sha256": "…", "manifest": "…", "size": 333000000, "hub": "https://models.example.org",
       "signers": ["…"], "references": ["en.embed.bert.small_L8_512"]
      }
     ]
    }

A model a name and language, sorted by them. ``manifest`` is the digest of the release's manifest, from which the digest
of every piece of every member follows: a hub that lists another is not believed. ``hub`` is where it was found; a call
may name another, the bytes are the same. ``references`` are aliases that it was locked by. The file has no secrets.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import replace

from wellread.errors import BadInput, IntegrityError, NotFound, near_misses
from wellread.registry import disk
from wellread.registry.names import (
    Lang,
    ModelName,
    ReleaseId,
    parse_digest,
    parse_folder,
    parse_lang,
    parse_name,
    parse_reference,
)
from wellread.registry.records import Document, Record, Release, decode, encode_pretty

LOCK = "wellread.lock"


class Locked(Record, frozen=True, kw_only=True):
    """A release that a name stands for; see the module. ``size`` in bytes."""

    name: ModelName
    language: Lang
    folder: str
    release: str
    file: str
    sha256: str
    manifest: str
    size: int
    hub: str
    signers: tuple[str, ...] = ()
    references: tuple[str, ...] = ()


class Lock(Document, frozen=True, kw_only=True):
    """``wellread.lock``."""

    models: tuple[Locked, ...] = ()


def lock_release(release: Release, hub: str, signers: tuple[str, ...] = (), asked: str = "") -> Locked:
    """The entry of a release; ``asked`` is what it was asked for by. Raises BadInput where no digest is known."""
    if not release.manifest:
        raise BadInput(
            f"{release.name} ({release.language}) in {hub} cannot be locked: Spark NLP's list says no digest of its "
            "members. Publish it into a hub of wellread's first"
        )
    return Locked(
        name=release.name,
        language=release.language,
        folder=release.folder,
        release=release.id,
        file=release.file,
        sha256=release.sha256,
        manifest=release.manifest,
        size=release.size,
        hub=hub,
        signers=signers,
        references=(asked,) if asked not in ("", release.name) else (),
    )


def add(lock: Lock, entries: Iterable[Locked]) -> Lock:
    """The lock with those entries, each in the place of what its name, language and references stood for."""
    found = {(each.name, each.language): each for each in lock.models}
    for entry in entries:
        old = found.get((entry.name, entry.language), entry)
        known = {*entry.references, *old.references}
        found = {key: _without(each, entry.references) for key, each in found.items()}
        found[entry.name, entry.language] = replace(entry, references=tuple(sorted(known)))
    return Lock(models=tuple(found[key] for key in sorted(found)))


def _without(entry: Locked, references: tuple[str, ...]) -> Locked:
    return replace(entry, references=tuple(each for each in entry.references if each not in references))


def entry_for(lock: Lock, name: str, lang: str, path: str | Path) -> Locked:
    """What a name, or an alias, stands for. Raises NotFound where it is not locked, saying how that is done."""
    for each in lock.models:
        if (each.name, each.language) == (name, lang) or name in each.references:
            return each
    others = sorted(each.language for each in lock.models if each.name == name)
    told = f" It is locked in: {', '.join(others)}." if others else near_misses(name, {m.name for m in lock.models})
    file = "" if Path(path).name == LOCK else f" --file {path}"
    raise NotFound(f"{name} ({lang}) is not in {path}.{told} To add it: wellread lock {name} --lang {lang}{file}")


def check_locked(locked: Locked, release: Release, where: str) -> None:
    """Raises IntegrityError for a release that is not, byte for byte, the one that was locked."""
    if release.manifest != locked.manifest:
        raise IntegrityError(
            f"{where}: {release.file} is not the one that was locked (manifest {release.manifest[:16] or 'unknown'}…, "
            f"not {locked.manifest[:16]}…). Ask its owner; 'wellread lock {locked.name}' takes the new one"
        )


def read_lock(path: str | Path) -> Lock:
    """The lock in a file. Raises NotFound where there is none, BadInput where it cannot be one."""
    path = Path(path)
    try:
        lock = decode(path.read_bytes(), Lock, str(path))
        for entry in lock.models:
            _check(entry)
    except FileNotFoundError as error:
        raise NotFound(f"there is no lock file {path}: write it with 'wellread lock NAME --file {path}'") from error
    except OSError as error:
        raise BadInput(f"the lock file {path} cannot be read: {error.strerror or error}") from error
    except (BadInput, IntegrityError) as error:
        raise BadInput(f"the lock file {path} is damaged: {error}. Write it anew with 'wellread lock NAME'") from error
    return lock


def _check(entry: Locked) -> None:
    """Raises BadInput for an entry that no lock says."""
    parse_name(entry.name)
    parse_lang(entry.language)
    parse_folder(entry.folder)
    parse_digest(entry.manifest)
    ReleaseId.parse(entry.release)
    for reference in entry.references:
        parse_reference(reference)


def write_lock(path: str | Path, lock: Lock) -> None:
    """Write a lock in one step: the same lock gives the same bytes. Raises WellreadError if the system refuses."""
    disk.write(Path(path), encode_pretty(lock))
