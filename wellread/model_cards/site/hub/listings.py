"""What a site says of its hub, read from there: of the hub itself, and of a name with all its releases.

    hub.json                      title, keys, mirrors, notebooks
    index/…/<name>.jsonl          the releases, and who signed them (see ``survey``)
    <artifact>.zip, .proof.json   the manifest and the proof of each; of Spark NLP's zips only the list is read

A release that cannot be read is shown all the same, with the reason in the place of what it would say.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from wellread.errors import BadInput, IntegrityError, Interrupted, WellreadError
from wellread.model_cards.site.hub.addresses import place_of
from wellread.model_cards.site.hub.models import Model, Published
from wellread.model_cards.site.hub.state import Known
from wellread.model_cards.site.hub.survey import Listing, stamp_of
from wellread.model_cards.site.places import Site
from wellread.registry.artifact.proof import parse_proof, proof_name
from wellread.registry.hub.entries import SIGNED, Listed, parse_index
from wellread.registry.hub.index import index_key
from wellread.registry.hub.info import SITES, parse_address, parse_notebooks, parse_title, read_info
from wellread.registry.names import DEFAULT_FOLDER, Lang, ReleaseId
from wellread.registry.records import HubInfo, Manifest, Proof, Release, decode
from wellread.registry.stores import LARGEST, Store, is_local, read
from wellread.registry.transfer.fetch import open_release
from wellread.registry.trust.signing import signers
from wellread.registry.views.spark_nlp import METADATA

_THEIRS = "This is a zip of Spark NLP's: the page says what its hub's list says, and only Spark NLP opens it."


class Reading(NamedTuple):
    """What was read of a name: its models by their language, and what they were made of."""

    models: tuple[Model, ...]
    known: Known


# ---------------------------------------------------------------- the hub itself


def site_of(store: Store, address: str = "", *, beside: bool = False) -> Site:
    """What the pages say of a hub. ``address`` is where the site will be, if not where ``hub.json`` says; ``beside``
    the hub, at one address with it, whatever that is.

    Raises BadInput for what is no address, IntegrityError for a ``hub.json`` that cannot be read.
    """
    info = read_info(store) or HubInfo(name="")
    address = parse_address(address, SITES) if address else _stated(info.site, _address)
    download, uri = place_of(store.url, info.mirrors)
    return Site(
        title=_stated(info.name, parse_title) or store.url.rpartition("/")[2] or "hub",
        address=address,
        download="" if beside else download,
        uri=uri or address,
        keys=info.keys,
        notebooks=_stated(info.notebooks, parse_notebooks),
    )


_address = partial(parse_address, schemes=SITES)


def _stated(text: str, parse: Callable[[str], str]) -> str:
    """What ``hub.json`` says, for anybody may have written it; what is strange, and no page repeats, is nothing."""
    try:
        return parse(text) if text else ""
    except BadInput as error:
        warnings.warn(f"hub.json: {error}", stacklevel=3)
        return ""


# ---------------------------------------------------------------- a name


def read_name(store: Store, listing: Listing) -> Reading:
    """The models of a name with all that the hub has about them.

    What cannot be read is a warning, and said in ``Published.problem``. Raises Interrupted where the hub is away.
    """
    if listing.foreign:
        return Reading(tuple(_models(listing, map(_theirs, listing.raw.splitlines()))), listing.known)
    where = f"{store.url}/{index_key(listing.name)}"
    try:
        found = parse_index(listing.raw, listing.name, where)
    except IntegrityError as error:
        warnings.warn(f"{error}. {listing.name} is left out of the site", stacklevel=2)
        return Reading((), replace(listing.known, settled=False))
    stamps = dict(listing.known.stamps)
    models = tuple(_models(listing, (_published(store, line, stamps) for line in found)))
    settled = not any(published.problem for model in models for published in model.releases)
    return Reading(models, replace(listing.known, stamps=stamps, settled=settled))


def _models(listing: Listing, releases: Iterable[Published]) -> Iterator[Model]:
    """A model for each language; of two releases with the same file the later listed counts."""
    different = {published.release.path: published for published in releases}.values()
    by_language = sorted(different, key=lambda published: published.release.language)
    for language, group in groupby(by_language, key=lambda published: published.release.language):
        yield _model(listing, language, tuple(group))


def _theirs(line: bytes) -> Published:
    """A release of which Spark NLP's list is all that we can read."""
    return Published(decode(line, Release, METADATA), problem=_THEIRS)


def _model(listing: Listing, language: Lang, releases: tuple[Published, ...]) -> Model:
    latest = max(releases, key=_rank)
    others = sorted((one for one in releases if one is not latest), key=_age, reverse=True)
    model = Model(listing.name, language, (latest, *others))
    if listing.aliases is None:
        return model
    here = sorted(alias.reference for alias in listing.aliases if alias.language == language)
    first = latest.manifest.aliases if latest.manifest else ()
    ordered = (*(reference for reference in first if reference in here), *here)
    return Model(listing.name, language, model.releases, tuple(dict.fromkeys(ordered)))


def _rank(published: Published) -> tuple[object, ...]:
    """The greatest is taken by default: ``pretrained`` looks into the default folder, and takes no yanked one."""
    release = published.release
    return release.state != "yanked", release.folder == DEFAULT_FOLDER, ReleaseId.parse(release.id).order, release.path


def _age(published: Published) -> tuple[object, ...]:
    return published.release.time, ReleaseId.parse(published.release.id).order, published.release.path


def _published(store: Store, line: Listed, stamps: dict[str, str]) -> Published:
    """A release with its manifest and its proof, whose stamp is noted."""
    release, signed = line.release, signers(SIGNED, line.said, line.signatures)
    manifest, proof, problem = None, None, ""
    try:
        manifest = open_release(store, release).manifest
        proof = _proof(store, release, manifest, stamps)
    except Interrupted:
        raise
    except WellreadError as error:
        warnings.warn(f"{error}", stacklevel=2)
        problem = _public(store, error)
    return Published(release, signed, manifest, proof, problem)


def _proof(store: Store, release: Release, manifest: Manifest, stamps: dict[str, str]) -> Proof | None:
    """The proof beside a release, if it is about its bytes. Raises IntegrityError."""
    key = f"{release.folder}/{proof_name(release.file)}"
    if is_local(store.url):
        stamps[key] = stamp_of(store, key)
    found = read(store, key, LARGEST)
    if found is None:
        return None
    proof = parse_proof(found[0], f"{store.url}/{key}")
    return proof if (proof.artifact, proof.sha256) == (str(manifest.artifact), release.sha256) else None


def _public(store: Store, error: WellreadError) -> str:
    """What went wrong, without the place on the builder's machine that it went wrong at."""
    text = str(error).partition("\n")[0]
    for place in (f"{store.url}/", store.url, *_spellings(store.url)):
        text = text.replace(place, "")
    return text


def _spellings(url: str) -> tuple[str, ...]:
    return (str(Path(url).resolve()),) if is_local(url) else ()
