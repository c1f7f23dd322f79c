"""``wellread list`` and ``wellread search``: what hubs have, as it comes, however much it is.

As text a table whose columns are as wide as its first rows need. As JSON an array with one model a line, so that it is
read whole or line by line. Of several hubs each model says which it is in.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec

from wellread.cli.options import hub_option, json_option
from wellread.cli.plain import plain
from wellread.errors import HubUnavailable, NotFound, WellreadError
from wellread.registry.hub.index import HUB
from wellread.registry.names import DEFAULT_FOLDER, parse_folder
from wellread.registry.records import CatalogEntry
from wellread.registry.resolve.search import hubs, is_offline
from wellread.registry.retry import open_hub
from wellread.registry.stores import Store, is_local
from wellread.registry.views import catalog

_WINDOW = 100
"""Rows that decide how wide the columns are, and that are written at once."""


class _Wanted(NamedTuple):
    """What the options leave of a catalogue."""

    lang: str | None
    annotator: str | None
    folder: str | None

    def admits(self, entry: CatalogEntry) -> bool:
        return (
            self.lang in (None, entry.language)
            and self.folder in (None, entry.folder)
            and (self.annotator or entry.annotator).casefold() == entry.annotator.casefold()
        )

    def __str__(self) -> str:
        given = " ".join(f"--{name} {value}" for name, value in self._asdict().items() if value)
        return f" for {given}" if given else ""


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    """The options that both commands have."""
    for option in (
        click.option("--folder", metavar="FOLDER", help="Only models in this folder of the hub."),
        click.option("--annotator", metavar="NAME", help="Only models for this annotator: BertEmbeddings …"),
        click.option("--lang", metavar="CODE", help="Only models of this language."),
        json_option,
        hub_option,
    ):
        command = option(command)
    return command


@click.command(name="list")
@_filters
def list_models(hub: str | None, as_json: bool, **wanted: str | None) -> None:
    """The models of a hub, by name.

    \b
    wellread list --hub ./hub
    wellread list --lang en --annotator BertSentenceEmbeddings
    wellread list --json | grep L-8
    """
    stores = _opened(hub)
    asked = _Wanted(**wanted)
    _print(_models(stores, asked), stores, as_json, none=str(asked))


list_command = list_models


@click.command(name="search")
@click.argument("words", nargs=-1, required=True, metavar="WORDS…")
@click.option("--limit", type=click.IntRange(1), default=catalog.LIMIT, show_default=True, help="Models at most.")
@_filters
def search(words: Sequence[str], limit: int, hub: str | None, as_json: bool, **wanted: str | None) -> None:
    """The models in which every word occurs, the best first: in name, title, annotator or language.

    \b
    wellread search small_bert_L2_128
    wellread search sentence L-8 --lang en --hub ./hub
    """
    stores = _opened(hub)
    asked, parts = _Wanted(**wanted), " ".join(words).split()
    best = catalog.search(_models(stores, asked), parts, limit)
    _print(best, stores, as_json, none=f"{asked} have all of: {' '.join(parts)}")


# ---------------------------------------------------------------- reading


class _Found(CatalogEntry, frozen=True, kw_only=True):
    """An entry, and the hub that it stands in."""

    hub: str


def _opened(hub: str | None) -> list[Store]:
    """The hubs to ask. Raises NotFound for a folder that was asked for and is not there."""
    places = hubs(hub)
    missing = [str(place) for place in places if hub and is_local(place) and not Path(open_hub(place).url).is_dir()]
    if missing:
        raise NotFound(f"there is no folder {', '.join(missing)}: no hub to list")
    return [open_hub(place) for place in places]


def _models(stores: Sequence[Store], wanted: _Wanted) -> Iterator[_Found]:
    """The entries of all hubs that are wanted. A hub that fails is a warning as long as another answers."""
    folder = parse_folder(wanted.folder or DEFAULT_FOLDER)
    failures: list[WellreadError] = []
    for store in stores:
        try:
            for entry in filter(wanted.admits, _listed(store, folder)):
                yield _Found(hub=store.url, **msgspec.structs.asdict(entry))
        except WellreadError as error:
            failures.append(error)
    if len(failures) == len(stores):
        raise failures[0] if len(failures) == 1 else type(failures[0])("\n".join(map(str, failures)))
    for failure in failures:
        warnings.warn(f"{failure}. Left out.", stacklevel=2)


def _listed(store: Store, folder: str) -> Iterator[CatalogEntry]:
    """The entries of a hub. Raises NotFound for the address of none, HubUnavailable, IntegrityError."""
    if is_offline() and not is_local(store.url):
        raise HubUnavailable(f"{store.url} needs a network, and WELLREAD_OFFLINE is set")
    empty, untitled = True, False
    try:
        for entry in catalog.read_catalog(store, folder):
            empty, untitled = False, untitled or not entry.title
            yield entry
    finally:
        if untitled:
            _say_foreign(store)
    if empty and not is_local(store.url) and store.head(HUB) is None:
        raise NotFound(f"{store.url} has no {HUB}: is that the address of a hub?")


def _say_foreign(store: Store) -> None:
    warnings.warn(
        f"{store.url} lists its models for Spark NLP only: wellread finds, fetches and checks their zips, "
        "but cannot open them yet",
        stacklevel=2,
    )


# ---------------------------------------------------------------- printing


def _print(found: Iterator[_Found], stores: Sequence[Store], as_json: bool, none: str = "") -> None:
    several = len(stores) > 1
    if as_json:
        return _print_json(_facts(entry, several) for entry in found)
    first = next(found, None)
    if first is None:
        return click.echo(f"no models in {', '.join(store.url for store in stores)}{none}")
    header = (*(["hub"] if several else []), "name", "lang", "latest", "title")
    return _print_rows(header, (_row(entry, several) for entry in chain((first,), found)))


def _facts(entry: _Found, several: bool) -> dict[str, Any]:
    facts = msgspec.structs.asdict(entry)
    where = facts.pop("hub")
    return {"hub": where, **facts} if several else facts


def _row(entry: _Found, several: bool) -> list[str]:
    title = " ".join(plain(entry.title).split())
    latest = entry.latest if entry.state == "ready" else f"{entry.latest} ({entry.state})"
    return [*([entry.hub] if several else []), entry.name, entry.language, latest, title]


def _print_json(found: Iterable[dict[str, Any]]) -> None:
    """An array, one element a line, the first of them as soon as it is there."""
    lines = (msgspec.json.encode(facts).decode() for facts in found)
    click.echo("[", nl=False)
    _print_blocks(chain(("\n" + line for line in islice(lines, 1)), (",\n" + line for line in lines)))
    click.echo("\n]")


def _print_rows(header: Sequence[str], rows: Iterator[list[str]]) -> None:
    """Columns as wide as the first rows need; a longer cell further down pushes its own line only."""
    first = [list(header), *islice(rows, _WINDOW)]
    widths = [max(map(len, column)) for column in zip(*first, strict=True)]
    _print_blocks(_aligned(row, widths) for row in chain(first, rows))


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"


def _print_blocks(lines: Iterator[str]) -> None:
    """Lines in blocks: one write a line would take longer than to read the hub."""
    while block := list(islice(lines, _WINDOW)):
        click.echo("".join(block), nl=False)
