"""The files of a name: read, rendered, written.

A ``Maker`` works alone, in the process of the build or in one of its own: what it is given and what it gives back is
small and can be pickled. The pages themselves go to the disk from here.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import msgspec

from wellread.errors import WellreadError, missing_extra
from wellread.model_cards.site.files.output import Output
from wellread.model_cards.site.hub.listings import Reading, read_name
from wellread.model_cards.site.hub.models import Model
from wellread.model_cards.site.hub.state import File, Kept, Known
from wellread.model_cards.site.hub.survey import Listing
from wellread.model_cards.site.places import Site, model_path
from wellread.registry.names import ModelName
from wellread.registry.records import encode
from wellread.registry.retry import open_hub
from wellread.registry.stores import is_local

_READERS = 8
"""Names that a process reads at once where a network lies between."""


class Made(NamedTuple):
    """What was made of a name, and what that was made of."""

    name: ModelName
    known: Known
    models: tuple[Kept, ...]
    files: tuple[File, ...]


class Batch(NamedTuple):
    """What was made of some names; ``told`` are the warnings on the way, for the process that somebody watches."""

    made: list[Made]
    told: list[str]


class Maker:
    """Makes the pages of names. ``url`` is the hub's, ``root`` the site's folder."""

    def __init__(self, url: str, site: Site, root: Path) -> None:
        self._store = open_hub(url)
        self._site = site
        self._output = Output(root, over_hub=not site.download)

    def make(self, names: Sequence[Listing]) -> Batch:
        """The files of some names. Raises Interrupted where the hub is away, WellreadError where the disk refuses."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            made = [self._made(*pair) for pair in zip(names, self._read(names), strict=True)]
        return Batch(made, [str(one.message) for one in caught])

    def _read(self, names: Sequence[Listing]) -> Iterator[Reading]:
        read = partial(read_name, self._store)
        if is_local(self._store.url) or len(names) == 1:
            yield from map(read, names)
            return
        with ThreadPoolExecutor(_READERS) as pool:
            yield from pool.map(read, names)

    def _made(self, listing: Listing, reading: Reading) -> Made:
        """Write what was read of a name. A model whose page cannot be made is left out, and is no reason to stop."""
        models: list[Kept] = []
        files: list[File] = []
        known = reading.known
        for model in reading.models:
            try:
                kept, content = self._rendered(model)
            except WellreadError:
                raise
            except Exception as error:  # whatever a stranger's release does to a page, the others are built
                warnings.warn(_unshown(model, error), stacklevel=2)
                known = msgspec.structs.replace(known, settled=False)
                continue
            models.append(kept)
            files += self._written(content)
        return Made(listing.name, known, tuple(models), tuple(files))

    def _rendered(self, model: Model) -> tuple[Kept, list[tuple[str, bytes]]]:
        fragments = parts().machine.fragments(self._site, model)
        return Kept(model.language, encode(parts().rows.row_of(model)), fragments), list(rendered(self._site, model))

    def _written(self, content: Iterable[tuple[str, bytes]]) -> Iterator[File]:
        for path, data in content:
            if self._output.may_be_a_hubs(path):
                warnings.warn(f"{path} is how a file of the hub may be named: the site has none there", stacklevel=2)
            else:
                yield File(path, *self._output.put(path, data))


def rendered(site: Site, model: Model) -> Iterator[tuple[str, bytes]]:
    """The files of a model: its page, the same for machines, and its notebook where its page offers one."""
    made, path = parts(), model_path(model.name, model.language)
    yield f"{path}.html", made.rendering.model_page(site, model).encode()
    yield f"{path}.json", made.machine.model_json(site, model)
    if notebook := made.notebook.notebook(site, model):
        yield f"{path}.ipynb", notebook


def _unshown(model: Model, error: Exception) -> str:
    return (
        f"the page of {model.name} ({model.language}) cannot be made, and it is left out: "
        f"{type(error).__name__}: {error}. Tell wellread's authors"
    )


# ---------------------------------------------------------------- what renders


class Parts(NamedTuple):
    """The modules that make the content of files. Their libraries are no consumer's, so they are imported late."""

    rows: ModuleType
    rendering: ModuleType
    machine: ModuleType
    notebook: ModuleType
    search: ModuleType
    feeds: ModuleType
    compare: ModuleType
    demo: ModuleType


@cache
def parts() -> Parts:
    """The modules. Raises MissingExtra."""
    try:
        return Parts(*(import_module(f"wellread.model_cards.site.pages.{name}") for name in Parts._fields))
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("wellread"):
            raise
        raise missing_extra(error.name or "jinja2", "site") from error
