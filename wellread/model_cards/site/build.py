"""A hub's site, all of it or what changed since the last time.

    lock the folder · what the hub says of itself · what of its names changed (``hub``)
      their ``pages``, by several processes (``files``), noted in the ``state``
      the files of names that are gone are removed
      what models share, from all rows: home, lists, search, feeds, files for machines, assets

A full build and a partial one give the same bytes: the state only says what need not be made again.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from wellread.errors import NotFound
from wellread.model_cards.site.files.builder import fingerprint
from wellread.model_cards.site.files.crew import make_all
from wellread.model_cards.site.files.making import Batch, Made, parts
from wellread.model_cards.site.files.output import PRIVATE, Output, prepare
from wellread.model_cards.site.hub import state as states
from wellread.model_cards.site.hub.listings import site_of
from wellread.model_cards.site.hub.models import Row
from wellread.model_cards.site.hub.state import SHARED, File, State
from wellread.model_cards.site.hub.survey import Survey, is_hub
from wellread.model_cards.site.pages.assets import Assets, gather
from wellread.model_cards.site.places import Site
from wellread.registry import disk
from wellread.registry.cache.locks import locked
from wellread.registry.home import home
from wellread.registry.retry import open_hub
from wellread.registry.stores import Store, is_local
from wellread.registry.transfer.progress import PATIENCE, Silence, watched

NO_DEMO = "this site was built without it"
_ONE_FILE = (
    "{} and another page differ in capitals alone, and this disk takes them for one file: only one of them is there. "
    "Build the site on a disk that tells them apart, as Linux has"
)
_PAGE = ".html"
_MOST_TOLD = 20
"""Warnings about single releases that are worth reading."""


@dataclass(frozen=True, kw_only=True)
class Built:
    """What a build did.

    ``home`` is the site's first page. ``models`` and ``pages`` are what the site has now; ``written`` and ``removed``
    count pages, ``files`` all files that were written. ``changed`` are the pages of models that were written, as paths
    from the site's root. ``problems`` counts names of which something could not be read or shown.
    """

    home: Path
    models: int
    pages: int
    written: int
    removed: int
    files: int
    changed: tuple[str, ...]
    problems: int

    @property
    def unchanged(self) -> int:
        return self.pages - self.written


def build_site(
    hub: Store | str | Path,
    out: str | Path,
    *,
    address: str = "",
    beside: bool = False,
    all: bool = False,
    demo: bool = True,
    processes: int | None = None,
) -> Built:
    """Build the site of a hub into a folder, or bring the one that is there up to date; with ``all`` anew.

    ``address`` is where it will be, if not where ``hub.json`` says; ``beside`` says that it is shown at its hub's own
    address, so that all links stay there. Without ``demo`` npm is not asked for the live demo's runtime. Names of which
    something cannot be read are warnings. Raises BadInput, NotFound for a folder that is not there and for a place that
    was a hub and is none, MissingExtra, IntegrityError for a ``hub.json`` that cannot be read, HubUnavailable,
    WellreadError where the system refuses; what was built until then stays, and the next build goes on from there.
    More ``processes`` than one import the caller's main module: there, call this below ``if __name__ == "__main__"``.
    """
    parts()
    store = open_hub(hub) if isinstance(hub, str | Path) else hub
    folder = _folder_of(store)
    root = prepare(Path(out), folder)
    with _alone(root), states.opened(root / PRIVATE) as state:
        site, assets = _introduced(site_of(store, address, beside=beside), demo)
        build = _Build(store, site, assets, Output(root), state)
        build.begin(anew=all)
        build.models(processes)
        build.shared()
        return build.told()


def _folder_of(store: Store) -> Path | None:
    """The folder of a hub that is one. Raises NotFound where there is none: its site would be emptied."""
    if not is_local(store.url):
        return None
    if not Path(store.url).is_dir():
        raise NotFound(f"there is no folder {store.url}: no hub to show")
    return Path(store.url)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Be the only build of a folder."""
    lock = root / PRIVATE / "site-lock"
    with ExitStack() as held:
        try:
            held.enter_context(locked(lock, f"another process builds {root}; waiting for it"))
        except OSError as error:
            raise disk.refused(lock, error) from error
        yield


def _introduced(site: Site, demo: bool) -> tuple[Site, Assets]:
    """A site that knows its assets, and these."""
    from wellread.model_cards.site.pages.vendored import Vendored, vendor

    vendored = vendor(home() / "cache") if demo else Vendored({}, NO_DEMO)
    assets = gather(vendored.files)
    return replace(site, assets=assets.folder, demo=vendored.problem), assets


class _Build:
    """One build, and what it counts."""

    def __init__(self, store: Store, site: Site, assets: Assets, output: Output, state: State) -> None:
        self.store, self.site, self.assets, self.output, self.state = store, site, assets, output, state
        self.written: list[str] = []
        self.changed: list[str] = []
        self.removed = self.problems = self.warned = 0

    # ------------------------------------------------------------ the steps

    def begin(self, *, anew: bool) -> None:
        """Find out what cannot stay as it is."""
        self.output.clear()
        builder = fingerprint(self.site)
        if anew or self.state.get("builder") != builder:
            self.state.renew()
            self.state.set("builder", builder)
            self._count(self._put_assets())  # before the pages that use them, for the site may be in use
        self.state.distrust(set(self._damaged()))

    def models(self, processes: int | None) -> None:
        """Make the pages of names that changed, and remove those of names that are gone."""
        survey = Survey(self.store, self.state.known, self.state.nicknames())
        with _bar() as bar:
            for batch in make_all(survey.changed(), self.store.url, self.site, self.output.root, processes):
                self._tell(batch)
                for made in batch.made:
                    self._note(made)
                self.state.commit()
                bar.update(len(batch.made))
        gone = self.state.names() - survey.names
        if gone and not survey.names and not is_hub(self.store):
            raise NotFound(f"{self.store.url} is no hub any more: nothing is listed there. The site stays as it is")
        for name in sorted(gone):
            self._remove(self.state.forget(name))
        self.state.note_nicknames(survey.nicknames)
        self.state.commit()
        if self.warned > _MOST_TOLD:
            warnings.warn(f"and {self.warned - _MOST_TOLD} more such warnings", stacklevel=3)

    def shared(self) -> None:
        """Make what models share, if any of it may be another."""
        if self.state.get("shared"):
            return
        files = self._put_assets()
        files += [
            File(path, *self.output.put(path, content)) for path, content in self._shared_files(self.state.rows())
        ]
        self._count(files)
        self._remove(self.state.note_files(SHARED, files))
        if self.output.folds_case() and (alike := self.state.alike()):
            warnings.warn(_ONE_FILE.format(alike[0]), stacklevel=3)
        self.state.set("shared", "done")
        self.state.commit()

    def told(self) -> Built:
        return Built(
            home=self.output.root / "index.html",
            models=self.state.models(),
            pages=self.state.count(_PAGE),
            written=_pages(self.written),
            removed=self.removed,
            files=len(self.written),
            changed=tuple(sorted(self.changed)),
            problems=self.problems,
        )

    # ------------------------------------------------------------ how

    def _damaged(self) -> Iterator[str]:
        """The names of which a file is gone, or not as long as it was written."""
        for folder, files in groupby(self.state.files(), key=lambda file: file[0].rpartition("/")[0]):
            sizes = self.output.sizes(folder)
            yield from (name for path, name, size in files if sizes.get(path.rpartition("/")[2]) != size)

    def _put_assets(self) -> list[File]:
        return [File(path, *self.output.put_copy(path, file)) for path, file in self.assets.paths()]

    def _note(self, made: Made) -> None:
        self._count(made.files)
        self.changed += (file.path for file in made.files if file.written and file.path.endswith(_PAGE))
        self.problems += not made.known.settled
        self._remove(self.state.note(made.name, made.known, made.models, made.files))

    def _count(self, files: Iterable[File]) -> None:
        self.written += (file.path for file in files if file.written)

    def _remove(self, paths: Iterable[str]) -> None:
        self.removed += _pages([path for path in paths if self.output.remove(path)])

    def _tell(self, batch: Batch) -> None:
        for text in batch.told:
            self.warned += 1
            if self.warned <= _MOST_TOLD:
                warnings.warn(text, stacklevel=4)

    def _shared_files(self, rows: Sequence[Row]) -> Iterator[tuple[str, bytes | Iterable[bytes]]]:
        made = parts()
        for path, page in made.rendering.shared_pages(self.site, rows):
            yield path, page.encode()
        yield "compare.html", made.compare.compare_page(self.site).encode()
        yield "demo.html", made.demo.demo_page(self.site).encode()
        yield from made.search.search_files(rows)
        yield from made.feeds.feed_files(self.site, rows)
        yield from made.machine.list_files(self.site, rows, self.state.fragments)


def _pages(paths: Iterable[str]) -> int:
    return sum(path.endswith(_PAGE) for path in paths)


def _bar() -> Any:
    """A count of models, where somebody is watching; how many there will be is known at the end only.

    ``nrows`` is for a terminal without a size, such as script, containers and CI give: it would be shown nothing.
    """
    if not watched():
        return Silence()
    from tqdm import tqdm

    return tqdm(desc="pages", unit=" models", delay=PATIENCE, leave=False, nrows=24)
