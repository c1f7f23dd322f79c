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
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from wellread.errors import BadInput, IntegrityError, NotFound, NotYet
from wellread.registry import fetch as fetching
from wellread.registry import pieces, resolve
from wellread.registry.artifact import open_artifact
from wellread.registry.manifest import MANIFEST, members_of, parse_manifest
from wellread.registry.names import DEFAULT_FOLDER, Lang, ModelName, parse_lang, parse_name
from wellread.registry.records import Manifest, Release

if TYPE_CHECKING:
    from wellread.runtime.model import Model

Verify = Literal["stat", "full"]

RECIPES = Path(__file__).with_name("recipes")
RUNNABLE = "onnx"
"""What the names of forms that ``Model`` runs begin with."""


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

    ``hub`` is a path, a URL or several with commas between (default: ``WELLREAD_HUB``, else the user's own hub);
    ``version`` a release id, a library version or a range; ``verify="full"`` hashes what is in the cache again.
    ``form="auto"`` is fp32 ``onnx`` on every machine. Raises BadInput, NotFound, NotYet, IntegrityError.
    """
    _not_yet(lock=lock, trust=trust, device=None if device == "cpu" else device)
    form = _runnable(form)
    found = _fetched(name, lang, form, hub=hub, version=version, folder=folder, offline=offline, verify=verify)
    pinned = {"hub": found.hub, "form": form, "version": found.release.id, "folder": folder, "offline": offline}
    return _model(found.path, found.manifest, form, found.hub or "the cache", pretrained, (name, lang), pinned)


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
    _not_yet(lock=lock, trust=trust)
    form = _named(form)
    return _fetched(name, lang, form, hub=hub, version=version, folder=folder, offline=offline, verify=verify).path


def open(path: str | Path, form: str = "auto") -> Model:
    """A model from an artifact (unpacked into the cache, once) or from an unpacked folder; every byte is checked.

    Raises BadInput where there is neither, NotFound for a form that it lacks, IntegrityError.
    """
    path, form = Path(path).expanduser(), _runnable(form)
    folder, manifest = _opened_folder(path, form) if path.is_dir() else _opened_zip(path, form)
    place = str(path.absolute())
    return _model(folder, manifest, form, place, open, (place, form), {})


# ---------------------------------------------------------------- the steps


class _Found(NamedTuple):
    """A release in the cache; ``hub`` is None where only the cache has it."""

    path: Path
    manifest: Manifest
    release: Release
    hub: str | None


def _fetched(
    name: str,
    lang: str,
    form: str,
    *,
    hub: str | Path | None,
    version: str | None,
    folder: str,
    offline: bool | None,
    verify: Verify,
) -> _Found:
    """Resolve, fetch and prove."""
    if verify not in ("stat", "full"):
        raise BadInput(f"verify={verify!r}: use 'stat' (size, time and inode) or 'full' (every byte)")
    model, language, offline = parse_name(name), parse_lang(lang), _offline(offline)
    try:
        store, release = resolve.find(model, language, hub=hub, version=version, folder=folder, offline=offline)
    except NotFound as error:
        raise NotFound(f"{error}{_advice(model, language, offline)}") from None
    path, manifest = fetching.bring(store, release, form, prove=_prove, full=verify == "full")
    return _Found(path, manifest, release, store.url if store else None)


def _prove(folder: Path, manifest: Manifest, form: str) -> None:
    """Replay the goldens through a form, where it is one that this machine runs. Raises IntegrityError on a miss."""
    from wellread.runtime.goldens import replay

    replay(folder, manifest, form)


def _opened_zip(path: Path, form: str) -> tuple[Path, Manifest]:
    return fetching.install(open_artifact(path), form, prove=_prove)


def _opened_folder(path: Path, form: str) -> tuple[Path, Manifest]:
    file = path / MANIFEST
    if not file.is_file():
        raise BadInput(f"{path} holds no {MANIFEST}: it is not an unpacked artifact")
    manifest = parse_manifest(file.read_bytes(), str(path))
    for member in members_of(manifest, form):
        if not pieces.matches(member, path / member.name):
            raise IntegrityError(f"{path}: {member.name} is missing or differs from the {MANIFEST}. Unpack it again")
    return path, manifest


def _model(
    folder: Path, manifest: Manifest, form: str, place: str, /, reopen: Callable[..., Model], *how: Any
) -> Model:
    from wellread.runtime.model import Model, Origin  # numpy, onnxruntime, tokenizers: once there is something to run

    return Model(folder, manifest, form, Origin((reopen, *how), place))


# ---------------------------------------------------------------- the arguments


def _named(form: str) -> str:
    """The form that a caller means; ``auto`` is the same on every machine."""
    if form == "fastest":
        raise NotYet("form='fastest' comes in a later version; form='onnx-int8' can be asked for by name")
    return "onnx" if form == "auto" else form


def _runnable(form: str) -> str:
    form = _named(form)
    if not form.startswith(RUNNABLE):
        raise BadInput(f"form {form!r} is not run by wellread: wellread.fetch(…, form={form!r}) gives its folder")
    return form


def _not_yet(**arguments: object) -> None:
    for name, value in arguments.items():
        if value is not None:
            raise NotYet(f"{name}={value!r} comes in a later version of wellread; leave it out for now")


def _offline(given: bool | None) -> bool:
    return os.environ.get("WELLREAD_OFFLINE", "").lower() in ("1", "true", "yes", "on") if given is None else given


def _advice(name: ModelName, lang: Lang, offline: bool) -> str:
    """What to do about a name that is nowhere."""
    if offline:
        return (
            f" Fetch it where there is a network (wellread fetch {name}) or set WELLREAD_HUB to a folder that has it."
        )
    if (RECIPES / lang / f"{name}.yaml").is_file():
        return (
            f" It is a built-in recipe: wellread build {name} (needs pip install 'wellread[press]'), "
            "or set WELLREAD_HUB to a hub that has it."
        )
    return " Set WELLREAD_HUB to a hub that has it."
