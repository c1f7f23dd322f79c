"""The consumer's door: from a name to a model that gives vectors.

    pretrained("small_bert_L8_512", "en")
        resolve   which hub has it, which release, who vouches for it      registry.resolve
        fetch     the form's members into the cache, each byte checked     registry.fetch
                  where that fails, from the next hub or mirror that has it
        prove     the release's goldens through the form, once             runtime.goldens
        open      a Model                                                  runtime.model

Nothing here needs TensorFlow, PyTorch or a compiler, and nothing is ever built.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from wellread.errors import BadInput, HubUnavailable, IntegrityError, NotFound, NotYet, Unreachable, WellreadError
from wellread.registry import pieces
from wellread.registry.artifact.manifest import MANIFEST, members_of, parse_manifest
from wellread.registry.artifact.package import open_artifact
from wellread.registry.names import DEFAULT_FOLDER
from wellread.registry.records import Manifest, Release
from wellread.registry.resolve import search as resolve
from wellread.registry.resolve.lockfile import check_locked
from wellread.registry.transfer import fetch as fetching
from wellread.request import Request, Verify, check_kinds, parse_form, parse_request, refuse_later
from wellread.runtime.forms import check_runnable

if TYPE_CHECKING:
    from wellread.runtime.model import Model

RECIPES = Path(__file__).with_name("recipes")

T = TypeVar("T")


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
    every machine. ``lock`` is the path of a ``wellread.lock``: exactly what it says is loaded. ``offline=True`` needs
    no network, but what was fetched before. ``refresh=True`` asks the hub even within its ttl or about a release id,
    and gives a form that missed its goldens another try. ``verify="full"`` hashes what is in the cache again.
    ``trust="enforce"`` takes only what somebody signed whom you trust; "warn" and "off" are the other two.

    Raises BadInput, NotFound, NotYet, HubUnavailable, IntegrityError and its TrustError.
    """
    refuse_later(device=None if device == "cpu" else device)
    asked = parse_request(
        name,
        lang,
        hub=hub,
        form=form,
        version=version,
        folder=folder,
        lock=lock,
        offline=offline,
        refresh=refresh,
        verify=verify,
        trust=trust,
    )
    hit, (path, manifest) = _first(asked, _to_run)
    release = hit.release
    pinned: dict[str, Any] = {"hub": hit.hub, "form": asked.form, "version": release.id, "folder": release.folder}
    how = pretrained, (release.name, release.language), pinned | {"offline": offline, "trust": trust}
    return _model(path, manifest, asked.form, hit.store.url if hit.store else "the cache", *how)


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

    Of a hub that has only Spark NLP's list it is the zip, checked. Arguments and errors as in ``pretrained``.
    """
    asked = parse_request(
        name,
        lang,
        hub=hub,
        form=form,
        version=version,
        folder=folder,
        lock=lock,
        offline=offline,
        refresh=refresh,
        verify=verify,
        trust=trust,
    )
    return _first(asked, _to_keep)[1]


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


def _first(asked: Request, bring: Callable[[resolve.Hit, Request], T]) -> tuple[resolve.Hit, T]:
    """The first release that fits and can be brought, and what was brought."""
    search = resolve.Search(
        asked.name,
        asked.lang,
        hub=asked.hub,
        version=asked.version,
        folder=asked.folder,
        offline=asked.offline,
        refresh=asked.refresh,
        suggest=not _is_recipe(asked),
        trust=asked.trust,
    )
    for hit in search.hits():
        try:
            if asked.locked:
                check_locked(asked.locked, hit.release, hit.store.url if hit.store else "the cache")
            return hit, bring(hit, asked)
        except (HubUnavailable, IntegrityError, NotYet) as error:
            search.failed(hit, error)
    raise _advised(search, asked)


def _to_run(hit: resolve.Hit, asked: Request) -> tuple[Path, Manifest]:
    """A form that runs here."""
    release = hit.release
    if release.foreign:
        raise NotYet(
            f"{_titled(release)} in {hit.hub} is in Spark NLP's format, which a later version of wellread opens.\n"
            f"'wellread fetch {release.name}' brings its zip, checked"
        )
    check_runnable(asked.form, release.forms, _titled(release))
    return _brought(hit, asked)


def _to_keep(hit: resolve.Hit, asked: Request) -> Path:
    """A form, or the zip of Spark NLP's hub."""
    if hit.release.foreign:
        from wellread.registry.views.spark_nlp import fetch_zip

        return fetch_zip(hit.store, hit.release, hit.hub)
    return _brought(hit, asked)[0]


def _brought(hit: resolve.Hit, asked: Request) -> tuple[Path, Manifest]:
    """The form in the cache, every byte checked and the form proved."""
    resolve.acquaint(hit)
    full = asked.verify == "full"
    return fetching.bring(hit.store, hit.release, asked.form, prove=_prove, full=full, refresh=asked.refresh)


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


# ---------------------------------------------------------------- what to do where nothing works


def _is_recipe(asked: Request) -> bool:
    return (RECIPES / asked.lang / f"{asked.name}.yaml").is_file()


def _advised(search: resolve.Search, asked: Request) -> WellreadError:
    """Why nothing works, with what to do where a name is nowhere or nobody answers."""
    error = search.error()
    if isinstance(error, resolve.Unknown):
        told = str(error)
        return NotFound(f"{told}{'' if told.endswith(('.', '?')) else '.'} {_advice(asked)}")
    if isinstance(error, HubUnavailable) and any(isinstance(one, Unreachable) for one in search.outcomes.values()):
        error.args = (f"{error}\nWELLREAD_OFFLINE=1 takes what is in the cache",)  # the same error keeps its cause
    return error


def _advice(asked: Request) -> str:
    """What to do about a name that is nowhere."""
    kind = "folder" if asked.offline else "hub"
    other = "give another hub" if asked.hub else f"set WELLREAD_HUB to a {kind} that has it"
    if asked.offline:
        return f"Fetch it where there is a network (wellread fetch {asked.name}) or {other}."
    if _is_recipe(asked):
        build = f"wellread build {asked.name} (needs pip install 'wellread[press]')"
        return f"It is a built-in recipe: {build}, or {other}."
    return f"{other[0].upper()}{other[1:]}."
