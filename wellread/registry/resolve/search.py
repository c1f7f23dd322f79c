"""From a name to one release: which hub, which version.

    for each hub of the list, then for each mirror of it
        the name in its index, else what the name is an alias of, else the name in Spark NLP's list     places
        the last release that fits                                                                      choice
        is it signed by somebody whom we believe?                                                       trust.policy
        → a hit: the first that can be brought wins

A release id never means anything else, so one that a copy lists is taken from there, and nobody is asked. That a name
is nowhere is said only after every place was asked just now, for a copy may be out of date.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, TypedDict, Unpack

from wellread.errors import BadInput, HubUnavailable, IntegrityError, NotFound, NotYet, TrustError, WellreadError
from wellread.registry.cache.held import held, is_held, remembered, remembered_alias
from wellread.registry.home import home
from wellread.registry.names import DEFAULT_FOLDER, Lang, ModelName, ReleaseId
from wellread.registry.records import Release
from wellread.registry.resolve.choice import choose
from wellread.registry.resolve.places import Place
from wellread.registry.retry import open_hub
from wellread.registry.stores import Store, is_local
from wellread.registry.trust import policy

__all__ = ["Asked", "Hit", "Search", "Unknown", "acquaint", "choose", "find", "hubs", "is_offline"]

OWN = "own"
"""Stands for the user's own hub in a list of hubs."""
_KINDS = (TrustError, IntegrityError, HubUnavailable, NotYet)
"""What can be wrong with a place, the most telling first."""


def hubs(hub: str | Path | None = None) -> tuple[str | Path, ...]:
    """The hubs to ask, in order: those given (commas separate), else ``WELLREAD_HUB``, else the user's own folder.

    Raises BadInput where none is named.
    """
    if isinstance(hub, Path):
        return (hub,)
    given = hub or os.environ.get("WELLREAD_HUB") or OWN
    listed = [part.strip() for part in given.split(",")]
    if not any(listed):
        raise BadInput(f"{given!r} names no hub: give a folder, a URL, or several with commas between")
    return tuple(_own() if part == OWN else part for part in listed if part)


def places(hub: str | Path | None, trust: str | None, *, offline: bool, refresh: bool) -> Iterator[Place]:
    """The hubs, and after each its mirrors, of which more may be known by the time that they are asked."""
    for store in map(open_hub, hubs(hub)):
        place = Place(store, store.url, trust, offline, refresh)
        yield place
        yield from place.mirrors()


def is_offline() -> bool:
    """What ``WELLREAD_OFFLINE`` says."""
    return os.environ.get("WELLREAD_OFFLINE", "").lower() in ("1", "true", "yes", "on")


def _own() -> Path:
    return home() / "hub"


class Hit(NamedTuple):
    """A release that a call may mean, and the place to bring it from; None for a store: only the cache has it.

    ``hub`` is whom it is judged by, the place itself or the one that it is a mirror of; ``signers`` are the ids of the
    keys whose signature of the release's line is good.
    """

    store: Store | None
    release: Release
    hub: str
    signers: tuple[str, ...] = ()


def acquaint(hit: Hit) -> None:
    """Learn what a hub says of itself, when something of it is fetched for the first time: a moment at most."""
    if hit.store and not is_held(hit.release):
        Place(hit.store, hit.hub).acquaint()


class Asked(TypedDict, total=False):
    """What a call may say beside name and language; see ``Search``."""

    hub: str | Path | None
    version: str | None
    folder: str
    offline: bool
    refresh: bool
    suggest: bool
    trust: str | None


def find(name: ModelName, lang: Lang, **asked: Unpack[Asked]) -> tuple[Store | None, Release]:
    """The first release that a call may mean and the store that has it; None for a store: only the cache has it.

    Raises what ``Search.error`` gives.
    """
    search = Search(name, lang, **asked)
    for hit in search.hits():
        return hit.store, hit.release
    raise search.error()


def _passes_over(other: Release, taken: Release) -> bool:
    """Whether one is taken only because a later one says that it was yanked: that line must be believed too."""
    same = (other.language, other.folder, other.state) == (taken.language, taken.folder, "yanked")
    return same and ReleaseId.parse(other.id).order > ReleaseId.parse(taken.id).order


@dataclass
class Search:
    """All places that may have what a call means, and what became of each.

    ``hub`` as in ``hubs``, ``version`` as in ``choose``, ``trust`` one of the policies. ``refresh`` asks every hub now;
    ``offline`` (by default ``is_offline``) asks folders only, and the copies of what other hubs said. ``suggest``: near
    misses are named.
    """

    name: ModelName
    lang: Lang
    _: KW_ONLY
    hub: str | Path | None = None
    version: str | None = None
    folder: str = DEFAULT_FOLDER
    offline: bool = field(default_factory=is_offline)
    refresh: bool = False
    suggest: bool = True
    trust: str | None = None
    stores: dict[str, Store] = field(default_factory=dict)
    outcomes: dict[str, WellreadError] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)

    def hits(self) -> Iterator[Hit]:
        """Every release that fits, place by place: the next place is asked when the one before did not do.

        Warns of those that failed before. Raises BadInput, MissingExtra.
        """
        seen = set()
        for hit in self._found():
            same = hit.store.url if hit.store else "", hit.release.path, hit.release.manifest
            if same not in seen:
                seen.add(same)
                self._tell(hit)
                yield hit

    def failed(self, hit: Hit, error: WellreadError) -> None:
        """Note that a hit could not be brought."""
        self.outcomes[hit.store.url if hit.store else hit.hub] = error

    def error(self) -> WellreadError:
        """Why nothing works, a line for each place: NotFound where none has it, else the most telling kind.

        It is Unknown where no place knows the name: another hub may.
        """
        outcomes = list(self.outcomes.values())
        broken = [error for error in outcomes if not isinstance(error, NotFound)]
        misfits = [str(error) for error in outcomes if type(error) is NotFound]
        if not broken:
            return NotFound("\n".join(misfits)) if misfits else Unknown(self._nowhere())
        if len(outcomes) == 1:
            return broken[0]
        kind = next((kind for kind in _KINDS if any(isinstance(error, kind) for error in broken)), HubUnavailable)
        error = kind("\n".join(str(error) for error in outcomes))
        error.__cause__ = broken[-1]
        return error

    # ------------------------------------------------------------ asking

    def _found(self) -> Iterator[Hit]:
        asked = []
        for place in self._rounds():
            asked.append(place)
            yield from self._asked(place)
        for place in asked:
            if place.unsure and not place.offline:
                yield from self._asked(replace(place, refresh=True, away=False))
        if self.offline:
            yield from self._cached()

    def _rounds(self) -> Iterator[Place]:
        if self._is_pinned() and not (self.offline or self.refresh):
            yield from places(self.hub, self.trust, offline=True, refresh=self.refresh)
        yield from places(self.hub, self.trust, offline=self.offline, refresh=self.refresh)

    def _is_pinned(self) -> bool:
        try:
            return bool(ReleaseId.parse(self.version or ""))
        except BadInput:
            return False  # a version or a range

    def _asked(self, place: Place) -> Iterator[Hit]:
        """What a place has; if nothing, why is noted. A hit that could not be brought stays noted as that."""
        url = place.store.url
        self.stores[url] = place.store
        try:
            hit = self._chosen(place)
        except (HubUnavailable, IntegrityError, NotFound) as error:
            self.outcomes[url] = error
            return
        if isinstance(self.outcomes.get(url), NotFound):
            del self.outcomes[url]
        yield hit

    def _chosen(self, place: Place) -> Hit:
        """Raises NotFound, Unknown where the place does not know the name at all; and as ``Place.listed``."""
        name, lang, known = self.name, self.lang, place.listed(self.name)
        if not known and (alias := place.alias(self.name)):
            name, lang, known = alias.name, alias.language, place.listed(alias.name)
        signers = dict(known or place.foreign(self.name, self.folder))
        if not signers:
            raise Unknown(f"{self.name} ({self.lang}): not in {place.store.url}")
        closed = self.offline and not is_local(place.store.url)
        try:
            release = self._best(signers, lang, closed=closed)
        except NotFound as miss:
            raise NotFound(f"{name} ({lang}) in {place.store.url}: {miss}") from None
        for other, by in signers.items():
            if _passes_over(other, release):
                policy.check(place.hub, other, by, self.trust)
        return self._judged(Hit(None if closed else place.store, release, place.hub, signers[release]))

    def _best(self, known: Iterable[Release], lang: Lang, *, closed: bool) -> Release:
        """The release to take: where only the cache can be had (``closed``), of those of which it has something."""
        there = [release for release in known if is_held(release)] if closed else []
        return choose(there or known, lang=lang, version=self.version, folder=self.folder)

    def _judged(self, hit: Hit) -> Hit:
        policy.check(hit.hub, hit.release, hit.signers, self.trust)
        return hit

    def _cached(self) -> Iterator[Hit]:
        """What any hub ever said of the name: of a hub that is not in the list, or of a folder that is gone."""
        lang, known = self.lang, list(remembered(self.name))
        if not known and (alias := remembered_alias(self.name)):
            lang, known = alias.language, list(remembered(alias.name))
        there = {each.release: each for each in reversed(known) if is_held(each.release)}
        try:
            release = self._best(there, lang, closed=False)
            hit = self._judged(Hit(None, *there[release]))
        except TrustError as error:
            self.outcomes[there[release].hub] = error
        except NotFound:
            return
        else:
            yield hit

    def _tell(self, hit: Hit) -> None:
        """Warn of the places that failed before this one did not."""
        for url, error in self.outcomes.items():
            if url not in self.told and not isinstance(error, NotFound):
                self.told.add(url)
                where = hit.store.url if hit.store else "the cache"
                warnings.warn(f"{error}\n{hit.release.file} is taken from {where} instead", stacklevel=5)

    def _nowhere(self) -> str:
        """The first sentences of the error for a name that no hub knows."""
        from wellread.registry.resolve.suggestions import Catalogue, instead  # only who mistyped needs them

        catalogues = [Catalogue(self.stores[url]) for url in self.outcomes if is_local(url) or not self.offline]
        tried = ", ".join(f"{each.url} ({each.counted(str(_own()))})" for each in catalogues)
        message = f"{self.name} ({self.lang}): not in {tried or 'any hub: all need a network'}"
        if self.offline:
            kept = sorted({f"{release.name} ({release.language})" for release in held()})
            message += f", nor in the cache, and offline. The cache holds: {', '.join(kept) or 'nothing'}"
        return f"{message}.{instead(self.name, self.lang, catalogues, near=self.suggest)}"


class Unknown(NotFound):
    """Not even the name is known, so no other release, language or folder is either."""
