"""What references stand for, by the aliases of the hubs alone: one read of the hub that knows it, a few bytes.

    en.embed.bert.small_L8_512     aliases/…/en.embed.bert.small_L8_512.json  →  small_bert_L8_512, en
    embed.bert.small_L8_512        no hub knows it as it is: with ``en.`` in front of it, as NLU does

A model's own name is no reference: an alias comes before it, because a hub is asked for that first.
"""

from __future__ import annotations

import heapq
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple

from wellread.errors import HubUnavailable, IntegrityError, WellreadError, near_misses
from wellread.registry.cache.held import remembered_alias
from wellread.registry.names import Lang, ModelName, parse_reference
from wellread.registry.records import Alias
from wellread.registry.resolve.places import Place
from wellread.registry.resolve.search import hubs, places
from wellread.registry.resolve.suggestions import Catalogue, alike
from wellread.registry.retry import open_hub
from wellread.registry.stores import Store, is_local

DEFAULT = "en."
"""What NLU puts in front of a reference that says no language."""
_NEAR = 3
"""Of how many models the references are read for near misses: each costs two requests."""


class Meant(NamedTuple):
    """What a reference stands for. ``reference`` is as the hub knows it; ``hub`` is that hub, None for the cache."""

    reference: str
    name: ModelName
    language: Lang
    hub: str | Path | None


@dataclass
class References:
    """The references of some hubs; ``hub``, ``offline`` and ``trust`` as for ``Search``.

    ``unsure`` says that an answer was out of a copy, so that a no may be out of date; ``failed`` has what was wrong
    with hubs, by their URLs.
    """

    hub: str | Path | None = None
    offline: bool = False
    trust: str | None = None
    unsure: bool = False
    failed: dict[str, WellreadError] = field(default_factory=dict)

    def find(self, reference: str, *, refresh: bool = False) -> Meant | None:
        """What a reference stands for in the first hub that knows it, or in the cache, offline; None in none.

        A hub that fails is passed over, with a warning if another knows it. Raises BadInput for what is no reference.
        """
        self.failed.clear()
        for candidate in _candidates(parse_reference(reference)):
            for place in places(self.hub, self.trust, offline=self.offline, refresh=refresh):
                if alias := self._alias(place, candidate):
                    self._tell(alias, place)
                    return _meant(alias, place.hub)
            if self.offline and (alias := remembered_alias(candidate)):
                return _meant(alias, None)
        return None

    def instead(self, reference: str) -> str:
        """A question about references like one that no hub knows, of the models whose names are like it too.

        Empty where it is the name of a model: then it is something else that failed.
        """
        catalogues = [(store, Catalogue(store)) for store in self._stores()]
        if any(reference in catalogue.languages for _, catalogue in catalogues):
            return ""
        known = {each for store, catalogue in catalogues for each in self._like(reference, store, catalogue)}
        return near_misses(reference, known, "Did you mean the reference")

    def _alias(self, place: Place, candidate: str) -> Alias | None:
        """What a place says; one that failed is not waited for again."""
        if isinstance(self.failed.get(place.store.url), HubUnavailable):
            return None
        try:
            return place.alias(candidate)
        except (HubUnavailable, IntegrityError) as error:
            self.failed[place.store.url] = error
            return None
        finally:
            self.unsure |= place.unsure

    def _tell(self, alias: Alias, place: Place) -> None:
        for error in self.failed.values():
            warnings.warn(f"{error}\n{alias.reference} is taken from {place.store.url} instead", stacklevel=6)

    def _stores(self) -> Iterator[Store]:
        return (open_hub(hub) for hub in hubs(self.hub) if is_local(hub) or not self.offline)

    def _like(self, reference: str, store: Store, catalogue: Catalogue) -> Iterator[str]:
        """The references of the models of a hub that have names like it."""
        from wellread.registry.transfer.fetch import open_release  # only who mistyped needs manifests

        place = Place(store, store.url, self.trust)
        for name in _likest(reference, catalogue.languages):
            try:
                releases = [known.release for known in place.listed(ModelName(name))]
                yield from open_release(store, releases[-1]).manifest.aliases if releases else ()
            except WellreadError:
                continue  # a near miss less


def _candidates(reference: str) -> Sequence[str]:
    return (reference,) if reference.startswith(DEFAULT) else (reference, DEFAULT + reference)


def _meant(alias: Alias, hub: str | None) -> Meant:
    """A folder as a path, for a comma in it parts nothing."""
    return Meant(alias.reference, alias.name, alias.language, Path(hub) if hub and is_local(hub) else hub)


def _likest(reference: str, names: dict[str, set[Lang]]) -> list[str]:
    """The names most like any end of a reference: its beginning says what a model does, its end which one it is."""
    parts = reference.split(".")
    ends = ["_".join(parts[at:]) for at in range(len(parts))]

    def likeness(name: str) -> float:
        return max(SequenceMatcher(None, end, name).ratio() for end in ends)

    return heapq.nlargest(_NEAR, alike(ends[0], names), key=likeness)
