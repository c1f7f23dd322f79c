"""What else there is, for whoever asked for a name that is nowhere: from the catalogues of the hubs that were asked."""

from __future__ import annotations

import heapq
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

from wellread.errors import HubUnavailable, IntegrityError, near_misses
from wellread.registry.hub.index import HUB
from wellread.registry.names import Lang, ModelName
from wellread.registry.stores import Store, is_local
from wellread.registry.views.catalog import read_catalog


class Catalogue:
    """What a hub's catalogue says: the languages of each name, and how many releases there are in all."""

    def __init__(self, store: Store) -> None:
        self.url = store.url
        self.is_hub = True
        self.languages: dict[str, set[Lang]] = {}
        self.releases = 0
        try:
            for entry in read_catalog(store):
                self.languages.setdefault(entry.name, set()).add(entry.language)
                self.releases += entry.releases
            self.is_hub = bool(self.releases) or is_local(store.url) or store.head(HUB) is not None
        except (HubUnavailable, IntegrityError) as error:
            warnings.warn(str(error), stacklevel=6)  # a name is nowhere all the same

    def counted(self, own: str) -> str:
        """How many releases there are; whether it is a hub at all, unless it is one's ``own``."""
        if not self.releases and is_local(self.url) and self.url != own and not Path(self.url).exists():
            return "no such folder"
        if not self.is_hub:
            return f"no {HUB} there: is that the address of a hub?"
        return f"{self.releases} {'release' if self.releases == 1 else 'releases'}"


def instead(name: ModelName, lang: Lang, catalogues: Sequence[Catalogue], *, near: bool) -> str:
    """A sentence about the languages that a name is there in, or (``near``) about names like it; or nothing."""
    others = {language for each in catalogues for language in each.languages.get(name, ())} - {lang}
    if others:
        return f" It is there in: {', '.join(sorted(others))}."
    return near_misses(name, alike(name, {other for each in catalogues for other in each.languages})) if near else ""


def alike(name: str, known: Iterable[str]) -> list[str]:
    """The hundred names that share most pairs of letters with one: near misses are dear to find among 100,000."""
    pairs = {name[at : at + 2] for at in range(len(name) - 1)} | {name}
    return heapq.nsmallest(100, known, key=lambda other: (-sum(pair in other for pair in pairs), other))
