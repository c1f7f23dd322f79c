"""Where the commands about cards take them from: files, folders of posts, artifacts, models of a hub."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from wellread.cli.meant import hit_of
from wellread.errors import BadInput, HubUnavailable, IntegrityError, NotFound, NotYet, WellreadError
from wellread.model_cards.card import Card
from wellread.model_cards.facts import card_of
from wellread.model_cards.lint.checked import MOST_LINKS
from wellread.model_cards.migration import posts_in
from wellread.model_cards.site.hub.listings import site_of
from wellread.registry import disk
from wellread.registry.artifact import package as artifact
from wellread.registry.artifact.package import Package
from wellread.registry.artifact.proof import parse_proof, proof_name
from wellread.registry.hub.index import read_alias
from wellread.registry.names import ArtifactName, parse_lang, parse_name
from wellread.registry.records import Manifest, Proof
from wellread.registry.resolve.search import Hit, Search
from wellread.registry.stores import LARGEST, Store, read
from wellread.registry.transfer.fetch import open_release
from wellread.registry.transfer.progress import bytes_bar

CARD = "README.md"
"""The member of an artifact that is its card."""
_RECIPES = (".yaml", ".yml")
_LARGEST = 8 * 1024 * 1024
"""Bytes of a file that is looked into: no card has so many."""


@dataclass(frozen=True)
class Written:
    """A card as somebody wrote it: what its file is called, and the manifest beside it if there is one.

    ``problem`` is why it could not be had at all, or empty.
    """

    where: str
    raw: bytes
    manifest: Manifest | None = None
    problem: str = ""

    def text(self) -> str:
        """Raises BadInput for what is no text."""
        if self.problem:
            raise BadInput(self.problem)
        if len(self.raw) > _LARGEST:
            raise BadInput(f"{self.where} has more than {_LARGEST} bytes: this is no card")
        try:
            return self.raw.decode("utf-8")
        except UnicodeDecodeError as error:
            line = 1 + self.raw[: error.start].count(b"\n")
            raise BadInput(f"{self.where}:{line}: this is not UTF-8: save the file in that encoding") from error


def written_cards(target: str, *, lang: str, version: str | None, hub: str | None) -> Iterator[Written]:
    """The cards that a command's argument means: a file, those of a folder, that of an artifact or of a model.

    Raises BadInput for a folder without any and for a recipe, WellreadError for one that cannot be read, and as the
    hub does.
    """
    path = Path(target)
    if path.is_dir():
        files, zips = posts_in(path), sorted(path.glob("*.zip"))
        if not files and not zips:
            raise BadInput(f"{path} holds no *.md and no *.zip: give the folder of the posts or artifacts, or a file")
        yield from map(_file, files)
        yield from map(_packed, zips)
    elif target.endswith(".zip"):
        yield _member(artifact.open_artifact(path), target)
    elif path.is_file() and path.suffix in _RECIPES:
        raise BadInput(f"{path} is a recipe: wellread recipes check {path}")
    elif path.is_file():
        yield _file(path)
    elif path.suffix == ".md" or len(path.parts) > 1:
        raise BadInput(f"{path} is not there: give a file, a folder, an artifact (.zip) or a model's name")
    else:
        store, package = _package(_hit(target, lang, version, hub))
        yield _member(package, f"{store.url}/{package.manifest.artifact}")


def card_of_target(target: str, *, lang: str, version: str | None, hub: str | None) -> Card:
    """The card of an artifact in a file with the proof beside it, or of a model with all that its hub says.

    Raises BadInput, NotFound, IntegrityError and as the hub does.
    """
    if target.endswith(".zip"):
        package, beside = artifact.open_artifact(Path(target)), Path(target).with_name(proof_name(Path(target).name))
        raw = beside.read_bytes() if beside.is_file() else None
        return card_of(package.manifest, proof=_proof(raw, package, str(beside)))
    hit = _hit(target, lang, version, hub)
    store, package = _package(hit)
    found = read(store, proof_name(hit.release.path), LARGEST)
    proof = _proof(found[0] if found else None, package, f"{store.url}/{proof_name(hit.release.path)}")
    known = [each for each in package.manifest.aliases if _means(store, each, package.manifest)]
    return card_of(package.manifest, proof=proof, release=hit.release, site=site_of(store), aliases=known)


def artifact_of(target: str, scratch: Path, *, lang: str, version: str | None, hub: str | None) -> Path:
    """The artifact in a file; that of a model is brought into ``scratch``, as it was published.

    Raises NotFound, NotYet for a zip of Spark NLP's, IntegrityError, and as the hub does.
    """
    if target.endswith(".zip"):
        return Path(target)
    hit = _hit(target, lang, version, hub)
    _, package = _package(hit)
    path = scratch / hit.release.file
    with disk.replacing(path) as file, bytes_bar(package.size, hit.release.file) as bar:
        for chunk in package.stretch(0, package.size):
            bar.update(file.write(chunk))
    if artifact.open_artifact(path).digest != hit.release.manifest:
        raise IntegrityError(f"{package.where} changed while it was read: run this again")
    return path


@dataclass(frozen=True)
class Shelf:
    """The artifacts of a hub as links in cards name them; each is asked for once."""

    hub: str
    known: dict[ArtifactName, Hit | None] = field(default_factory=dict)

    def lists(self, name: ArtifactName) -> bool:
        """Whether the hub has it. Raises HubUnavailable, IntegrityError."""
        return self._hit(name) is not None

    def manifest(self, card: Card) -> Manifest | None:
        """The manifest of the artifact that a card links to, if the hub has that and it has one."""
        hit = next(filter(None, map(self._hit, islice(_linked(card), MOST_LINKS))), None)
        return _package(hit)[1].manifest if hit and not hit.release.foreign else None

    def _hit(self, name: ArtifactName) -> Hit | None:
        if name not in self.known:
            search = Search(name.name, name.language, hub=self.hub, version=str(name.release), suggest=False)
            self.known[name] = next(search.hits(), None)
            if self.known[name] is None and not isinstance(error := search.error(), NotFound):
                raise error
        return self.known[name]


def _linked(card: Card) -> Iterator[ArtifactName]:
    for button in card.buttons:
        try:
            yield ArtifactName.parse(button.address.rpartition("/")[2])
        except BadInput:
            continue  # a demo, a notebook


# ---------------------------------------------------------------- reading


def _file(path: Path) -> Written:
    with path.open("rb") as file:
        return Written(str(path), file.read(_LARGEST + 1))


def _packed(path: Path) -> Written:
    """The card within one of many artifacts: one that cannot be read stops no other."""
    try:
        return _member(artifact.open_artifact(path), str(path))
    except WellreadError as error:
        return Written(str(path), b"", problem=str(error))


def _member(package: Package, where: str) -> Written:
    """The card within an artifact. Raises NotFound where it has none."""
    member = next((each for each in package.manifest.files if each.name == CARD), None)
    if member is None:
        raise NotFound(f"{where} holds no {CARD}: it has no card")
    return Written(f"{where}/{CARD}", b"".join(package.read(member)), package.manifest)


def _hit(name: str, lang: str, version: str | None, hub: str | None) -> Hit:
    return hit_of(parse_name(name), parse_lang(lang), hub=hub, version=version)


def _package(hit: Hit) -> tuple[Store, Package]:
    """A release where it lies. Raises NotYet, HubUnavailable, IntegrityError."""
    if hit.release.foreign:
        raise _foreign(hit.release.name)
    if hit.store is None:
        raise HubUnavailable(f"{hit.release.name} in {hit.hub}: that needs a network, and WELLREAD_OFFLINE is set")
    return hit.store, open_release(hit.store, hit.release)


def _means(store: Store, reference: str, manifest: Manifest) -> bool:
    """Whether a hub explains a reference as that model; one that cannot be read explains nothing."""
    try:
        alias = read_alias(store, reference)
    except IntegrityError as error:
        warnings.warn(str(error), stacklevel=2)
        return False
    return alias is not None and (alias.name, alias.language) == (manifest.name, manifest.language)


def _foreign(name: str) -> NotYet:
    return NotYet(f"{name} is a zip for Spark NLP, which holds no manifest: wellread makes no card of it yet")


def _proof(raw: bytes | None, package: Package, where: str) -> Proof | None:
    """A proof if it is about these bytes: the digest of the manifest pins all of them. Raises IntegrityError."""
    found = parse_proof(raw, where) if raw is not None else None
    return found if found and found.manifest == package.digest else None
