"""The models of a hub as a site shows them: whole for a page of their own, in a row for everything that lists them."""

from __future__ import annotations

from dataclasses import dataclass

from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Manifest, Proof, Record, Release, State


@dataclass(frozen=True)
class Published:
    """A release and what was read of it.

    ``signers`` are the ids of the keys whose signature of the index line is good. Without ``manifest`` it is a zip of
    Spark NLP's, or cannot be read: ``problem`` says why, and its page says only what the index line says, in which a
    size of 0 or an empty digest are not known. ``proof`` is
    None where the hub has none that is about these bytes.
    """

    release: Release
    signers: tuple[str, ...] = ()
    manifest: Manifest | None = None
    proof: Proof | None = None
    problem: str = ""


@dataclass(frozen=True)
class Model:
    """A name in one language with its releases, the one that is taken by default first, then the newest first.

    ``aliases`` are the references that stand for it in its hub, those of its manifest first; None where that was not
    asked, for a web server does not list them.
    """

    name: ModelName
    language: Lang
    releases: tuple[Published, ...]
    aliases: tuple[str, ...] | None = None

    @property
    def latest(self) -> Published:
        return self.releases[0]


class Step(Record, frozen=True, kw_only=True):
    """A release in the hub's changelog. ``time`` in milliseconds."""

    id: str
    time: int
    state: State
    why: str = ""


class Row(Record, frozen=True, kw_only=True):
    """A model in lists, facets, search and feeds: what its latest release says. Sizes in bytes, time in milliseconds.

    ``forms`` maps each form to the bytes of the members it needs; ``path`` is the artifact's key in the hub;
    ``summary`` is the description's first sentence; ``aliases`` begin with the NLU reference; ``steps`` are all
    releases, the newest first.
    """

    name: ModelName
    language: Lang
    title: str
    summary: str
    tasks: tuple[str, ...]
    edition: str
    annotator: str
    license: str
    author: str
    tags: tuple[str, ...]
    engine: str
    forms: dict[str, int]
    size: int
    dimension: int
    supported: bool
    recommended: bool
    state: State
    why: str
    release: str
    time: int
    path: str
    sha256: str
    signed: bool
    aliases: tuple[str, ...]
    steps: tuple[Step, ...]
