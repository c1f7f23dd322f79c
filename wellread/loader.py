"""The consumer's door: from a name to a model that gives vectors.

    pretrained("small_bert_L8_512", "en")
        resolve   which hub has it, and which release                      registry.resolve
        fetch     the form's members into the cache, each byte checked     registry.fetch
        prove     the release's goldens through the form, once             runtime.goldens
        open      a Model                                                  runtime.model

Nothing here needs TensorFlow, PyTorch or a compiler, and nothing is ever built.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wellread.errors import BadInput, IntegrityError, NotFound
from wellread.registry import fetch as fetching
from wellread.registry import pieces, resolve
from wellread.registry.artifact import open_artifact
from wellread.registry.index import read_alias
from wellread.registry.manifest import MANIFEST, members_of, parse_manifest
from wellread.registry.names import DEFAULT_FOLDER
from wellread.registry.records import Alias, Manifest, Release
from wellread.registry.stores import Store, is_local, open_store
from wellread.request import Request, Verify, check_kinds, parse_form, parse_request, refuse_later
from wellread.runtime.forms import check_runnable

if TYPE_CHECKING:
    from wellread.runtime.model import Model

RECIPES = Path(__file__).with_name("recipes")


def pretrained(
    name: str,
    lang: str = "en",
    *,
    hub: str | Path | None = None,
    form: str = "auto",
    version: str | None = None,
    folder: str = DEFAULT_FOLDER,
    lock: str | Path | None = None,
    offline: bool | None = None,
    refresh: bool = False,
    verify: Verify = "stat",
    trust: str | None = None,
    device: str = "cpu",
) -> Model:
    """Load a published model, fetching what is not in the cache yet.

    ``name`` may be an alias. ``hub`` is a path, a URL or several with commas between (default: ``WELLREAD_HUB``, else
    the user's own hub); ``version`` a release id, a library version or a range. ``form="auto"`` is fp32 ``onnx`` on
    every machine. ``verify="full"`` hashes what is in the cache again. ``refresh=True`` asks the hub even about a
    release id that is in the cache, and gives a form that missed its goldens another try.

    Raises BadInput, NotFound, NotYet, IntegrityError.
    """
    refuse_later(lock=lock, trust=trust, device=None if device == "cpu" else device)
    asked = parse_request(name, lang, hub, form, version, folder, offline, refresh, verify)
    store, release = _resolved(asked)
    check_runnable(asked.form, release.forms, _titled(release))
    path, manifest = _brought(store, release, asked)
    pinned: dict[str, Any] = {"hub": store.url if store else None, "form": asked.form, "version": release.id}
    pinned |= {"folder": folder, "offline": offline}
    how = pretrained, (release.name, release.language), pinned
    return _model(path, manifest, asked.form, store.url if store else "the cache", *how)


def fetch(
    name: str,
    lang: str = "en",
    *,
    hub: str | Path | None = None,
    form: str = "auto",
    version: str | None = None,
    folder: str = DEFAULT_FOLDER,
    lock: str | Path | None = None,
    offline: bool | None = None,
    refresh: bool = False,
    verify: Verify = "stat",
    trust: str | None = None,
) -> Path:
    """The folder in the cache that holds a form of a model, for transformers and others; ``form="all"`` for all.

    Arguments and errors as in ``pretrained``.
    """
    refuse_later(lock=lock, trust=trust)
    asked = parse_request(name, lang, hub, form, version, folder, offline, refresh, verify)
    return _brought(*_resolved(asked), asked)[0]


def open(path: str | Path, form: str = "auto") -> Model:
    """A model from an artifact (unpacked into the cache, once) or from an unpacked folder; every byte is checked.

    Raises BadInput where there is neither, NotFound for a form that it lacks, IntegrityError.
    """
    check_kinds(path=path, form=form)
    home = os.path.expanduser(path)  # noqa: PTH111  Path.expanduser raises where there is no such user
    place, form = Path(home).absolute(), parse_form(form)
    try:
        folder, manifest = _opened_folder(place, form) if place.is_dir() else _opened_zip(place, form)
    except OSError as error:
        raise BadInput(f"{place} cannot be read: {error.strerror}") from error
    return _model(folder, manifest, form, str(place), open, (str(place), form), {})


# ---------------------------------------------------------------- the steps


def _resolved(asked: Request) -> tuple[Store | None, Release]:
    """The release that is meant, by its name or by an alias of it, and the hub that has it."""
    find = partial(
        resolve.find,
        hub=asked.hub,
        version=asked.version,
        folder=asked.folder,
        offline=asked.offline,
        refresh=asked.refresh,
        suggest=not _is_recipe(asked),
    )
    try:
        return find(asked.name, asked.lang)
    except NotFound as error:
        alias = _alias(asked)
        if alias is None:
            told = str(error)
            raise NotFound(f"{told}{'' if told.endswith(('.', '?')) else '.'}{_advice(asked)}") from None
    return find(alias.name, alias.language)


def _alias(asked: Request) -> Alias | None:
    """What the first hub that knows the name as an alias says of it."""
    urls = (url for url in resolve.hubs(asked.hub) if is_local(url) or not asked.offline)
    return next(filter(None, (read_alias(open_store(url), asked.name) for url in urls)), None)


def _brought(store: Store | None, release: Release, asked: Request) -> tuple[Path, Manifest]:
    """The form in the cache, every byte checked and the form proved."""
    full = asked.verify == "full"
    return fetching.bring(store, release, asked.form, prove=_prove, full=full, refresh=asked.refresh)


def _prove(folder: Path, manifest: Manifest, form: str) -> None:
    """Replay the goldens through a form, where it is one that this machine runs. Raises IntegrityError on a miss."""
    from wellread.runtime.goldens import replay

    replay(folder, manifest, form)


def _opened_zip(path: Path, form: str) -> tuple[Path, Manifest]:
    package = open_artifact(path)
    check_runnable(form, package.manifest.forms, _titled(package.manifest))
    return fetching.install(package, form, prove=_prove, refresh=True)  # to try again costs no download


def _opened_folder(path: Path, form: str) -> tuple[Path, Manifest]:
    """Nothing vouches for the manifest of a folder but its goldens, so they are replayed every time."""
    file = path / MANIFEST
    if not file.is_file():
        raise BadInput(f"{path} holds no {MANIFEST}: it is not an unpacked artifact")
    manifest = parse_manifest(file.read_bytes(), str(path))
    check_runnable(form, manifest.forms, _titled(manifest))
    for member in members_of(manifest, form):
        if not pieces.matches(member, path / member.name):
            raise IntegrityError(f"{path}: {member.name} is missing or differs from the {MANIFEST}. Unpack it again")
    _prove(path, manifest, form)
    return path, manifest


def _titled(found: Release | Manifest) -> str:
    return f"{found.name} ({found.language})"


def _model(
    folder: Path, manifest: Manifest, form: str, place: str, /, reopen: Callable[..., Model], *how: Any
) -> Model:
    from wellread.runtime.model import Model, Origin  # numpy, onnxruntime, tokenizers: once there is something to run

    return Model(folder, manifest, form, Origin((reopen, *how), place))


# ---------------------------------------------------------------- a name that is nowhere


def _is_recipe(asked: Request) -> bool:
    return (RECIPES / asked.lang / f"{asked.name}.yaml").is_file()


def _advice(asked: Request) -> str:
    """What to do about a name that is nowhere."""
    if asked.offline:
        return (
            f" Fetch it where there is a network (wellread fetch {asked.name}) "
            "or set WELLREAD_HUB to a folder that has it."
        )
    if _is_recipe(asked):
        return (
            f" It is a built-in recipe: wellread build {asked.name} (needs pip install 'wellread[press]'), "
            "or set WELLREAD_HUB to a hub that has it."
        )
    return " Set WELLREAD_HUB to a hub that has it."
