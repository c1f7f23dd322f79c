"""What may change after a release was published: its state, and what a reference stands for.

    ready ──── deprecate ───▶ deprecated     chosen as before, with a warning that gives the reason
      │                            │
      └─────────── yank ───────────┴──▶ yanked     had by its full id only, with that warning

Each is undone, back to ready. A state stands in the release's own line, so it is signed with it and gets a new serial:
who saw the new line notices an old one that comes back. An alias is a small file of its own; nothing is ever deleted in
a hub, so one that was removed is an empty file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, get_args

from wellread.errors import BadInput, IntegrityError, NotFound, PublishError, near_misses
from wellread.registry.hub.entries import Entry, next_serial, revised
from wellread.registry.hub.index import (
    TRIES,
    alias_key,
    change_lines,
    index_key,
    parse_alias,
    read_releases,
    swap,
)
from wellread.registry.names import ArtifactName, Lang, ModelName, ReleaseId, parse_folder, parse_reference
from wellread.registry.records import Alias, Release, State, encode, is_later
from wellread.registry.stores import Store
from wellread.registry.trust.keys import Key
from wellread.registry.views.catalog import read_catalog

Act = Literal["yank", "deprecate"]
LONGEST = 500
"""Characters of a reason at most: it is printed wherever the release is chosen."""


class Move(NamedTuple):
    """Where an act leads, and the states that it may start from."""

    to: State
    of: tuple[State, ...]


MOVES: Mapping[tuple[Act, bool], Move] = {
    ("yank", False): Move("yanked", ("ready", "deprecated", "yanked")),
    ("yank", True): Move("ready", ("yanked",)),
    ("deprecate", False): Move("deprecated", ("ready", "deprecated")),
    ("deprecate", True): Move("ready", ("deprecated",)),
}
"""(act, whether it is undone) → what it does."""


# ---------------------------------------------------------------- states


def change_state(
    store: Store,
    act: Act,
    name: ModelName,
    lang: Lang,
    *,
    version: str | None,
    folder: str,
    reason: str = "",
    undo: bool = False,
    keys: Sequence[Key] = (),
) -> tuple[Release, ...]:
    """Yank or deprecate releases of a model, or undo that; returns them as they are then listed. Views are not touched.

    ``version`` is a release id, or a library version that only one release has; it may be None where there is one
    release, and to deprecate all of them. Raises BadInput, NotFound, PublishError.
    """
    why = "" if undo else _reason(reason)
    move = MOVES[act, undo]
    chosen = _chosen(store, act, name, lang, version, parse_folder(folder), move)
    return tuple(set_state(store, name, lang, identity, folder, move.to, why, keys, of=move.of) for identity in chosen)


def set_state(
    store: Store,
    name: ModelName,
    lang: Lang,
    version_id: str,
    folder: str,
    state: State,
    why: str,
    keys: Sequence[Key] = (),
    *,
    of: Sequence[State] = get_args(State),
) -> Release:
    """Put one release into a state, by compare-and-swap, and sign its line with each key.

    Nothing is written where it is in that state for that reason. Raises NotFound where it is not listed, PublishError
    where it is in a state that is none ``of`` these, or its line is signed and there is no key to sign it with.
    """
    file = str(ArtifactName(name, lang, ReleaseId.parse(version_id)))
    where = f"{store.url}/{index_key(name)}"

    def change(known: Sequence[Entry]) -> list[bytes]:
        entry = next((entry for entry in known if entry.version == (folder, file) and not entry.barred), None)
        if entry is None:
            raise NotFound(f"{where} lists no {folder}/{file}")
        return [_moved(entry, known) if other is entry else other.line for other in known]

    def _moved(entry: Entry, known: Sequence[Entry]) -> bytes:
        if entry.listed is None:
            raise PublishError(f"{where} lists {file} in a way that needs a later wellread: upgrade it")
        now = entry.listed.release
        if now.state not in of:
            raise PublishError(f"{file} is {now.state}, not {' or '.join(of)}: {_ADVICE[now.state]}")
        if (now.state, now.why) == (state, why):
            return entry.line
        if entry.listed.signatures and not keys:
            raise PublishError(
                f"{file} is signed, and would lose that: give the key (WELLREAD_KEY), or make one of your own with "
                "'wellread keys new'"
            )
        return revised(entry.listed, entry.line, keys, {"state": state, "why": why, "serial": next_serial(known)})

    after = change_lines(store, name, change)
    return next(entry.listed.release for entry in after if entry.listed and entry.version == (folder, file))


_ADVICE: Mapping[State, str] = {
    "ready": "there is nothing to undo",
    "deprecated": "undo that with 'wellread deprecate --undo'",
    "yanked": "undo that first with 'wellread yank --undo'",
}


def _reason(text: str) -> str:
    """A reason as one line. Raises BadInput."""
    reason = " ".join(text.split())
    if not reason or len(reason) > LONGEST or not reason.isprintable():
        raise BadInput(f"a reason is needed that a user can act on: one line of up to {LONGEST} characters (--reason)")
    return reason


def _chosen(
    store: Store, act: Act, name: ModelName, lang: Lang, version: str | None, folder: str, move: Move
) -> list[str]:
    """The ids of the releases that are meant."""
    known = [release for release in _known(store, name, lang) if (release.language, release.folder) == (lang, folder)]
    if not known:
        raise NotFound(f"{name} ({lang}) has no release in the folder {folder!r} of {store.url}")
    ids = [release.id for release in known]
    if version:
        meant = [r.id for r in known if r.id == version] or [r.id for r in known if r.library_version == version]
        if len(meant) != 1:
            found = "no release" if not meant else f"{len(meant)} releases"
            raise NotFound(
                f"{name} ({lang}) has {found} {version!r}. Available: {', '.join(ids)}." + near_misses(version, ids)
            )
        return meant
    if len(ids) > 1 and act == "yank":
        raise BadInput(f"{name} ({lang}) has {len(ids)} releases: say which with --version: {', '.join(ids)}")
    return [release.id for release in known if release.state in move.of] or ids


def _known(store: Store, name: ModelName, lang: Lang) -> tuple[Release, ...]:
    """The releases of a name. Raises NotFound, with near misses, where it has none in that language."""
    known = read_releases(store, name)
    languages = sorted({release.language for release in known})
    if lang in languages:
        return known
    if known:
        raise NotFound(f"{name} is not in {store.url} in {lang!r}. Available: {', '.join(languages)}")
    names = {entry.name for entry in read_catalog(store)}
    raise NotFound(
        f"{store.url} lists no {name}.{near_misses(name, names)} 'wellread list --hub {store.url}' shows what is there"
    )


# ---------------------------------------------------------------- aliases


def set_alias(store: Store, reference: str, name: ModelName, lang: Lang) -> Alias | None:
    """Let a reference stand for a model of the hub, whatever it stood for; returns what that was.

    Raises BadInput where the reference is a model's own name, NotFound where the hub has no such model.
    """
    if read_releases(store, ModelName(parse_reference(reference))):
        raise BadInput(f"{reference} is a model of {store.url}: as an alias it would never be read")
    _known(store, name, lang)
    alias = Alias(reference=reference, name=name, language=lang)
    return _swap_alias(store, reference, encode(alias) + b"\n")


def remove_alias(store: Store, reference: str) -> Alias:
    """Let a reference stand for nothing; returns what it stood for. Raises NotFound where that was nothing.

    The next release that claims it in its manifest takes it again.
    """
    was = _swap_alias(store, reference, b"")
    if was is None:
        raise NotFound(f"{reference} stands for nothing in {store.url}")
    return was


def _swap_alias(store: Store, reference: str, new: bytes) -> Alias | None:
    key = alias_key(parse_reference(reference))
    was: Alias | None = None

    def change(raw: bytes) -> bytes:
        nonlocal was
        was = _readable(raw, reference, f"{store.url}/{key}")
        return new

    if not swap(store, key, change, TRIES):
        raise PublishError(f"{store.url}/{key} changed {TRIES} times while it was being written; try again")
    return was


def _readable(raw: bytes, reference: str, where: str) -> Alias | None:
    """What the file of a reference says; what is broken says nothing. Raises IntegrityError for a later format."""
    try:
        return parse_alias(raw, reference, where)
    except IntegrityError:
        if is_later(raw):
            raise
        return None
