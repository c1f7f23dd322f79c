"""A hub with its site laid over it, kept up to date while both are shown.

    $WELLREAD_HOME/cache/sites/
      <digest of the hub's URL>/         the site; can be deleted at any time
      <digest of the hub's URL>.lock     held while somebody shows it: ``wellread cache prune`` passes it over

A page wins over what the hub has of that name: no key of a hub is a path of the site, so that could only be a page
that was built into the hub's folder some time ago. A thread looks whether the hub is as it was when the site was
built, and builds what changed: every second where the hub is a folder; where it lies behind a network, every minute
and when somebody asks for a page. Pages are shown meanwhile; where there is no site yet, who asks for a page waits a
while, and is then told to look again. A build that fails leaves the site as it was, and a line in the log.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from wellread.errors import WellreadError
from wellread.model_cards.site.build import build_site
from wellread.registry import disk
from wellread.registry.home import home
from wellread.registry.hub.index import CATALOG, HUB
from wellread.registry.names import DEFAULT_FOLDER
from wellread.registry.pieces import sha256
from wellread.registry.stores import Body, Stat, Store, is_local, open_store

_VIEWS = (HUB, CATALOG, f"{DEFAULT_FOLDER}/metadata.json")
"""What changes with every publishing."""
_FOLDERS = ("index/*/", "aliases/*/", f"{DEFAULT_FOLDER}/")
"""Folders whose time changes with every file that is put there, of the yanking of an old release too."""
_PAGE, _FIRST = ".html", "index.html"
_GAP, _QUIET, _FAILED = 1.0, 60.0, 30.0
"""Seconds between two looks at least; at most, at a hub behind a network; and after a build that failed."""
_PATIENCE = 20.0
"""Seconds that a visitor waits for the first build."""
_FAREWELL = 2.0
"""Seconds that the end waits for a build; one that is cut off goes on with the next."""
_SOON = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="3"><title>Being made</title></head>
<body><p>The pages of this hub are being made. This page looks again by itself.</p></body></html>
"""


def folder_of(hub: Store) -> Path:
    """Where the site of a hub is kept."""
    return home() / "cache" / "sites" / sha256(hub.url.encode())[:16]


class Overlay:
    """The pages of a site, and below them its hub's keys. ``asked`` is told before a page is looked for."""

    def __init__(self, hub: Store, pages: Store, asked: Callable[[], object] = lambda: None) -> None:
        self.hub, self.pages, self.url = hub, pages, hub.url
        self._asked = asked

    def head(self, key: str) -> Stat | None:
        if key.endswith(_PAGE):
            self._asked()
        return self.pages.head(key) or self.hub.head(key)

    def get_range(
        self, key: str, start: int = 0, length: int | None = None, *, unless: str | None = None
    ) -> Body | None:
        found = self.pages.get_range(key, start, length, unless=unless)
        return found or self.hub.get_range(key, start, length, unless=unless)

    def put_new(self, key: str, source: Path | bytes) -> bool:
        return self.hub.put_new(key, source)

    def put_if(self, key: str, source: Path | bytes, etag: str | None) -> bool:
        return self.hub.put_if(key, source, etag)

    def list(self, prefix: str = "") -> Iterator[str]:
        return self.hub.list(prefix)


class ServedSite:
    """The site of a hub, built and rebuilt in a thread while the block runs; ``store`` is what to serve.

    ``log`` gets a line for each build that fails. Where the site has no place on the disk, the hub alone is shown.
    """

    def __init__(self, hub: Store, folder: Path, log: Callable[[str], object]) -> None:
        self.hub, self.folder, self.log = hub, folder, log
        self.store = Overlay(hub, open_store(folder), self.wanted)
        self._there, self._asked, self._ended = threading.Event(), threading.Event(), threading.Event()
        self._lock = FileLock(folder.with_suffix(".lock"), fallback_to_soft=False, thread_local=False)
        self._thread = threading.Thread(target=self._keep, name="site", daemon=True)
        self._mark: tuple[str, ...] | None = None
        self._said = ""

    def __enter__(self) -> ServedSite:
        try:
            if (self.folder / _FIRST).exists():
                self._there.set()
            else:
                disk.write(self.folder / _FIRST, _SOON)
            self._thread.start()
        except WellreadError as error:
            self._there.set()
            self._tell(str(error))
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._asked.set()
        if self._thread.is_alive():
            self._thread.join(_FAREWELL)
        if self._thread.is_alive():  # else its processes would finish what they were given, and be waited for
            for process in multiprocessing.active_children():
                process.terminate()
            self._thread.join(_FAREWELL)
        self._lock.release()

    def wanted(self) -> None:
        """A page is about to be shown: look soon whether it is still right, and wait where there is none at all."""
        self._asked.set()
        self._there.wait(_PATIENCE)

    def look(self) -> bool:
        """Bring the site up to date if the hub changed since the last look; whether it is."""
        try:
            mark = mark_of(self.hub)
            if mark != self._mark or not (self.folder / _FIRST).exists():
                build_site(self.hub, self.folder, beside=True)
                self._mark, self._said = mark, ""
        except WellreadError as error:
            self._tell(str(error))
            return False
        except Exception as error:  # a defect must not end the thread, nor the server
            self._tell(f"{type(error).__name__}: {error}")
            return False
        return True

    def _keep(self) -> None:
        while not self._ended.is_set():
            self._hold()
            well = self.look()
            self._there.set()
            self._asked.clear()
            self._ended.wait(_GAP if well else _FAILED)
            self._asked.wait(0.0 if is_local(self.hub.url) else _QUIET)

    def _hold(self) -> None:
        """Hold the site's lock, where there are locks; if another server of this hub does, that will do."""
        with suppress(OSError, NotImplementedError):  # a timeout is an OSError
            if not self._lock.is_locked:
                self._lock.acquire(timeout=0)
                os.utime(self._lock.lock_file)

    def _tell(self, line: str) -> None:
        """Once, however often it is tried again."""
        if line != self._said and not self._ended.is_set():
            self.log(f"the site stays as it is: {line}")
        self._said = line


def mark_of(hub: Store) -> tuple[str, ...]:
    """What is another where the hub changed. Raises HubUnavailable."""
    views = (hub.head(key) for key in _VIEWS)
    etags = [found.etag if found else "" for found in views]
    if is_local(hub.url):
        folders = (folder for pattern in _FOLDERS for folder in sorted(Path(hub.url).glob(pattern)))
        etags += [f"{folder.name} {folder.stat().st_mtime_ns}" for folder in folders]
    return tuple(etags)
