"""What hubs said, kept on this machine: asked again past a hub's ttl, and there when it is away.

    $WELLREAD_HOME/cache/hubs/<16 hex of the hub's URL>/
      hub.json  index/3f/tiny.jsonl  aliases/7c/en.embed.bert.tiny.json        a file a key, as in the hub
      .away                                                                    its mtime: when a check last failed
    $WELLREAD_SITE_CACHE/hubs/…                                                the same for all users, only ever read

    {"format":1,"url":…,"key":…,"etag":…,"checked":1598344705,…}     a ``Header``, one line
    …                                                                the bytes as they came

Within the ttl a copy is taken as it is, without a request. Past it one conditional read is made, in a thread that is
waited for ``WAIT`` seconds; if that fails, the old copy goes on serving, with a warning in each process, and the hub is
left alone for ``PAUSE`` seconds, so that one that is away slows nobody twice. That a hub does not have a key is kept
too, and what it had before with it: offline that still counts. A copy that was damaged is none. A folder is read
directly, every time; its copies are for the day on which it is gone.

Our own, and not an HTTP library's cache, because a folder and a bucket are copied the same way, and because the header
remembers what no such cache knows: who signed each line, and the highest serial ever seen of it.
"""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from msgspec import field
from msgspec.structs import replace

from wellread.errors import HubUnavailable, IntegrityError, Interrupted, TrustError, WellreadError
from wellread.registry import disk, pieces
from wellread.registry.cache.entry import SITE
from wellread.registry.home import home
from wellread.registry.records import Document, decode, encode
from wellread.registry.retry import PatientStore
from wellread.registry.stores import LARGEST, Store, is_local

WAIT = 2.0
"""Seconds that a hub is waited for where an old copy can serve."""
PAUSE = 300.0
"""Seconds for which a hub that was away is not asked again where an old copy can serve."""
_warned: dict[Path, float] = {}
"""The folders of hubs of which this process has warned that they are away, and when: seconds since 1970."""

T = TypeVar("T")


class Header(Document, frozen=True, kw_only=True):
    """The first line of a copy. ``checked`` in seconds since 1970 says when the hub last spoke of this key.

    ``missing``: it said that there is none. Of an index file: ``signers`` are the ids of the keys whose signature of a
    line was good, ``serials`` the highest serial ever seen of it; both by the path of the release.
    """

    url: str
    key: str
    etag: str = ""
    checked: int = 0
    missing: bool = False
    sha256: str = ""
    signers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    serials: dict[str, int] = field(default_factory=dict)


class Copy(NamedTuple):
    """What a hub said of a key. ``fresh``: it was asked just now. A key that went missing leaves its ``raw`` here."""

    header: Header
    raw: bytes
    fresh: bool = False

    @property
    def there(self) -> bool:
        """Whether the hub has the key, as far as we know."""
        return not self.header.missing

    def counts(self, offline: bool) -> bool:
        """Whether the key is there; offline also one that was there once."""
        return self.there or (offline and bool(self.raw))

    def young(self, ttl: float) -> bool:
        """Whether it was checked in the last ``ttl`` seconds."""
        return _lately(self.header.checked, ttl)


Note = Callable[[bytes, Header | None], Mapping[str, Any]]
"""Looks at bytes that are new, once: the fields of the header that follow from them and from the old header.

What it raises keeps them from being copied.
"""


class _Answer(NamedTuple):
    """What a hub answers now: no bytes where it has no such key, or where ``etag`` is still that of the copy."""

    etag: str = ""
    raw: bytes | None = None
    unchanged: bool = False


def take(
    store: Store,
    key: str,
    *,
    ttl: float,
    refresh: bool = False,
    offline: bool = False,
    note: Note | None = None,
    limit: int = LARGEST,
) -> Copy | None:
    """What a hub says of a key, from its copy where that will do; None only offline, where there is no copy.

    ``ttl`` in seconds; ``refresh`` asks in any case and raises what asking raises; ``offline`` never asks; ``limit`` in
    bytes. Raises HubUnavailable, IntegrityError, TrustError.
    """
    old = _kept(store.url, key)
    if is_local(store.url):
        return _looked(store, key, old, offline, note, limit)
    if offline or (old and not refresh and (old.young(ttl) or _lately(_warned.get(_folder(store.url), 0.0), PAUSE))):
        return old
    if old is None or refresh:
        return _learnt(store, key, old, _ask(store, key, old, limit), note)
    try:
        return _learnt(store, key, old, _hastily(store, key, old, limit), note)
    except TrustError:
        raise
    except (HubUnavailable, IntegrityError) as error:
        if isinstance(error, Interrupted):
            _warned[_folder(store.url)] = time.time()
        warnings.warn(f"{error}. What {store.url} said {_ago(old.header.checked)} ago is used", stacklevel=6)
        return old


def glimpse(store: Store, key: str, *, ttl: float, note: Note | None = None) -> None:
    """Have a copy that is not older than ``ttl`` seconds, if that takes one short request; says nothing if not."""
    old = _kept(store.url, key)
    if not is_local(store.url) and not (old and old.young(ttl)):
        with suppress(WellreadError):
            _learnt(store, key, old, _hastily(store, key, old, LARGEST), note)


def forget(url: str) -> None:
    """Drop all that a hub ever said, the serials too. Raises WellreadError if the system refuses."""
    import shutil  # brings every compression with it

    folder = _folder(url)
    _warned.pop(folder, None)
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise disk.refused(folder, error) from error


def everywhere(pattern: str) -> Iterator[Copy]:
    """The copies of a key, or of a pattern of keys, from every hub, sorted by place."""
    for root in _roots():
        for path in sorted(root.glob(f"*/{pattern}")):
            if copy := _opened(path, root):
                yield copy


# ---------------------------------------------------------------- asking


def _looked(store: Store, key: str, old: Copy | None, offline: bool, note: Note | None, limit: int) -> Copy | None:
    """What a folder says. That it has no such key is not written down: it may just not be mounted."""
    answer = _ask(store, key, old, limit)
    if answer.unchanged and old:
        return old._replace(fresh=True)
    if answer.raw is None:
        return old if offline else Copy(Header(url=store.url, key=key, missing=True), b"", fresh=True)
    return _learnt(store, key, old, answer, note)


def _hastily(store: Store, key: str, old: Copy | None, limit: int) -> _Answer:
    """One request, without patience. Raises Interrupted if it takes longer than ``WAIT`` or was away lately."""
    away = _folder(store.url) / ".away"
    if _lately(_modified(away), PAUSE):
        raise Interrupted(f"{store.url} was away {_ago(_modified(away))} ago and is left alone for a while")
    once = store.store if isinstance(store, PatientStore) else store
    try:
        found = _within(WAIT, lambda: _ask(once, key, old, limit))
        if found is None:
            raise Interrupted(f"{store.url} did not answer within {WAIT:.0f} seconds")
    except Interrupted:
        with suppress(OSError):  # where nothing can be written, each process finds out for itself
            away.parent.mkdir(parents=True, exist_ok=True)
            away.touch()
        raise
    return found


def _ask(store: Store, key: str, old: Copy | None, limit: int) -> _Answer:
    etag = old.header.etag if old and old.there else ""
    body = store.get_range(key, unless=etag or None)
    if body is None:
        return _Answer()
    if etag and body.stat.etag == etag:
        return _Answer(etag, unchanged=True)
    raw = bytearray()
    for chunk in body.chunks:
        raw += chunk
        if len(raw) > limit:
            raise IntegrityError(f"{store.url}/{key} is larger than {limit} bytes: this is not a hub's file")
    return _Answer(body.stat.etag, bytes(raw))


def _within(seconds: float, operation: Callable[[], T]) -> T | None:
    """What an operation gives, or None past so many seconds; an executor's threads would hold up the exit."""
    found: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(operation())
        except BaseException as error:  # raised where it is waited for
            failed.append(error)

    thread = threading.Thread(target=run, name="wellread-ask", daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    return found[0] if found else None


# ---------------------------------------------------------------- keeping


def _learnt(store: Store, key: str, old: Copy | None, answer: _Answer, note: Note | None) -> Copy:
    """The copy after an answer, written down: who answers is not away."""
    _warned.pop(_folder(store.url), None)
    with suppress(OSError):
        (_folder(store.url) / ".away").unlink()
    header = old.header if old else Header(url=store.url, key=key)
    if answer.unchanged and old:
        copy = Copy(replace(header, checked=_now()), old.raw)
    elif answer.raw is None:
        copy = Copy(replace(header, checked=_now(), missing=True), old.raw if old else b"")
    else:
        noted = note(answer.raw, old.header if old else None) if note else {}
        copy = Copy(Header(url=store.url, key=key, etag=answer.etag, checked=_now(), **noted), answer.raw)
    _write(copy)
    return copy._replace(fresh=True)


def _write(copy: Copy) -> None:
    header = replace(copy.header, sha256=pieces.sha256(copy.raw))
    with suppress(OSError, WellreadError):  # a cache that cannot be written serves as it is
        disk.write(_place(header, next(_roots())), encode(header) + b"\n" + copy.raw)


def _kept(url: str, key: str) -> Copy | None:
    """The copy of a key, the user's own before the site's; None where there is none that can be believed."""
    wanted = Header(url=url, key=key)
    found = (_opened(_place(wanted, root), root) for root in _roots())
    return next((copy for copy in found if copy and (copy.header.url, copy.header.key) == (url, key)), None)


def _opened(path: Path, root: Path) -> Copy | None:
    """A copy from its file; None for one that is damaged, out of place or not to be read."""
    try:
        first, end, raw = path.read_bytes().partition(b"\n")
        header = decode(first, Header, str(path))
    except (OSError, IntegrityError):
        return None
    whole = end and header.sha256 == pieces.sha256(raw) and path == _place(header, root)
    return Copy(header, raw) if whole else None


def _roots() -> Iterator[Path]:
    """Where copies lie: in the user's cache, which is written, and in the site's, if there is one."""
    yield home() / "cache" / "hubs"
    if site := os.environ.get(SITE):
        yield Path(site).expanduser().absolute() / "hubs"


def _place(header: Header, root: Path) -> Path:
    return root / _short(header.url) / header.key


def _folder(url: str) -> Path:
    """Where the user's own copies of a hub lie."""
    return next(_roots()) / _short(url)


def _short(url: str) -> str:
    return pieces.sha256(url.encode())[:16]


def _modified(path: Path) -> float:
    """When a file was last written, in seconds since 1970; 0 where there is none."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _lately(moment: float, seconds: float) -> bool:
    """Whether a moment was in the last so many seconds; one to come is a clock that was set back."""
    return 0 <= time.time() - moment < seconds


def _now() -> int:
    return int(time.time())


def _ago(moment: float) -> str:
    """How long ago a moment was, to the largest unit that fits."""
    seconds = max(0, int(time.time() - moment))
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"
