"""A place that is asked for a name: a hub, or a mirror of one, through the copies of what it said.

    index/…/<name>.jsonl      the name's releases, and who signed them
    aliases/…/<name>.json     read only where the index does not know the name
    hub.json                  ttl and mirrors, out of its copy: read when something is fetched anyway (``acquaint``)
    <folder>/metadata.json    read only of a place that has none of the others: Spark NLP's hub

A mirror is judged as its hub is, for whoever chose the hub did not choose the mirror.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from wellread.errors import BadInput, IntegrityError
from wellread.registry.cache.copies import Copy, Header, Note, forget, glimpse, take
from wellread.registry.hub.entries import SIGNED, Entry, parse_entries, parse_index
from wellread.registry.hub.index import HUB, alias_key, index_key, parse_alias
from wellread.registry.names import ModelName, parse_reference
from wellread.registry.records import Alias, HubInfo, Release, decode
from wellread.registry.retry import open_hub
from wellread.registry.stores import LARGEST, MAX_SMALL, Store, is_local
from wellread.registry.trust import policy
from wellread.registry.trust.signing import signers

MOST_MIRRORS = 8
LONGEST_TTL = 30 * 24 * 3600
"""Seconds that a hub can ask to be believed for."""


class Known(NamedTuple):
    """A release as a place lists it, and the ids of the keys whose signature of the line is good."""

    release: Release
    signers: tuple[str, ...] = ()


@dataclass
class Place:
    """A place and how it is asked. ``hub`` is the URL of the hub that it is, or is a mirror of.

    ``offline``: by its copies alone; ``refresh``: anew. Afterwards ``unsure`` says that an answer was out of a copy,
    so that a no may be out of date; ``away`` that it did not answer: it is not waited for again.
    """

    store: Store
    hub: str
    trust: str | None = None
    offline: bool = False
    refresh: bool = False
    unsure: bool = False
    away: bool = False

    def listed(self, name: ModelName) -> list[Known]:
        """The releases of a name. Raises HubUnavailable, IntegrityError, TrustError."""
        key = index_key(name)
        where = f"{self.store.url}/{key}"

        def note(raw: bytes, old: Header | None) -> Mapping[str, Any]:
            found = parse_entries(raw, name, where)
            if policy.wanted(self.hub, self.trust) == "enforce":
                self._compare(found, old, where)  # before it takes the place of what is better
            return _noted(found, old)

        copy = self._take(key, note)
        if copy is None:
            return []
        raw = copy.raw if copy.counts(self.offline) else b""
        self._compare(parse_entries(raw, name, where), copy.header, where)
        listing = parse_index(raw, name, where)
        return [Known(line.release, copy.header.signers.get(line.release.path, ())) for line in listing]

    def alias(self, reference: str) -> Alias | None:
        """What a reference stands for here, or None. Raises as ``listed``."""
        key = alias_key(parse_reference(reference))

        def parsed(raw: bytes) -> Alias | None:
            return parse_alias(raw, reference, f"{self.store.url}/{key}")

        def note(raw: bytes, _: Header | None) -> Mapping[str, Any]:
            parsed(raw)
            return {}

        copy = self._take(key, note)
        return parsed(copy.raw) if copy and copy.counts(self.offline) else None

    def foreign(self, name: ModelName, folder: str) -> list[Known]:
        """The releases of a name in Spark NLP's own list, where that is all there is. Raises as ``listed``."""
        from wellread.registry.views.spark_nlp import metadata_key, parse_foreign  # few hubs are of that kind

        about = self._take(HUB, self._valid_info)
        if about and about.counts(self.offline):
            return []
        copy = self._take(metadata_key(folder), limit=MAX_SMALL)
        return [Known(release) for release in parse_foreign(copy.raw, name, folder)] if copy and copy.raw else []

    def mirrors(self) -> Iterator[Place]:
        """Its mirrors, as far as we know them; those that it may not send anybody to are left out."""
        for url in self._info().mirrors[:MOST_MIRRORS]:
            try:
                store = open_hub(url)
            except BadInput:
                continue  # the hub's mistake, and no reason not to read it
            if _may_mirror(store.url, self.store.url):
                yield replace(self, store=store, unsure=False, away=False)

    def acquaint(self) -> None:
        """Learn the hub's ttl and mirrors, if that was not done within its ttl: one short request, or none."""
        if self.hub == self.store.url:
            glimpse(self.store, HUB, ttl=self._ttl, note=self._valid_info)

    def forget(self) -> None:
        """Drop all that it and its mirrors ever said, the serials too. Raises WellreadError."""
        for url in [*(mirror.store.url for mirror in self.mirrors()), self.store.url]:
            forget(url)

    def _take(self, key: str, note: Note | None = None, limit: int = LARGEST) -> Copy | None:
        silent = self.offline or self.away
        copy = take(self.store, key, ttl=self._ttl, refresh=self.refresh, offline=silent, note=note, limit=limit)
        if copy is None or not copy.fresh:
            self.unsure = True
            self.away = self.away or not (self.offline or (copy and copy.young(self._ttl)))
        return copy

    def _compare(self, found: Sequence[Entry], old: Header | None, where: str) -> None:
        """Notice a line that is older than one that was seen, or that was seen and is not there. Raises TrustError."""
        serials, seen = _serials(found), old.serials if old else {}
        if older := [path for path, highest in seen.items() if serials.get(path, 0) < highest]:
            path, more = older[0], f" (and {len(older) - 1} more)" if older[1:] else ""
            now = f"has serial {serials[path]}, and had {seen[path]}" if path in serials else "was listed, and is not"
            policy.rolled_back(self.hub, f"{where}: {path} {now}{more}", self.trust)

    @cached_property
    def _ttl(self) -> float:
        """Seconds; of a folder nothing is believed unseen."""
        return 0 if is_local(self.store.url) else max(0, min(self._info().ttl, LONGEST_TTL))

    def _info(self) -> HubInfo:
        """What the hub says of itself, as far as we know it."""
        try:
            copy = take(self.store, HUB, ttl=0, offline=True, note=self._valid_info)
            return decode(copy.raw, HubInfo, HUB) if copy and copy.raw else HubInfo(name="")
        except IntegrityError:
            return HubInfo(name="")

    def _valid_info(self, raw: bytes, _: Header | None) -> Mapping[str, Any]:
        decode(raw, HubInfo, f"{self.store.url}/{HUB}")
        return {}


def _may_mirror(url: str, hub: str) -> bool:
    """Whether a hub may send its readers there: as a redirect, it leads neither into this machine nor into the open."""
    if is_local(url):
        return is_local(hub)
    return hub.startswith("http:") or not url.startswith("http:")


def _noted(found: Sequence[Entry], old: Header | None) -> Mapping[str, Any]:
    """Who signed each line, and the highest serial that was ever seen of it."""
    listing = [entry.listed for entry in found if entry.listed and entry.listed.signatures]
    signed = {line.release.path: signers(SIGNED, line.said, line.signatures) for line in listing}
    serials = dict(old.serials) if old else {}
    for path, serial in _serials(found).items():
        serials[path] = max(serial, serials.get(path, 0))
    return {"signers": signed, "serials": serials}


def _serials(found: Sequence[Entry]) -> Mapping[str, int]:
    """The serial of every release, those of a later format too, by its path."""
    return {"/".join(entry.version): entry.outline.serial for entry in found if not entry.barred}
