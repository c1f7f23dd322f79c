"""The consumer's door: from a name to a model that gives vectors.

    pretrained("small_bert_L8_512", "en")
        resolve   which hub has it, which release, who vouches for it      registry.resolve
        fetch     the form's members into the cache, each byte checked     registry.transfer
                  where that fails, from the next hub or mirror that has it
        prove     the release's goldens through the form, once             runtime.goldens
        open      a Model                                                  runtime.model

Nothing here needs TensorFlow, PyTorch or a compiler, and nothing is ever built.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from wellread.errors import BadInput, HubUnavailable, IntegrityError, NotFound, NotYet, Unreachable, WellreadError
from wellread.registry import pieces
from wellread.registry.artifact.manifest import MANIFEST, members_of, parse_manifest
from wellread.registry.names import DEFAULT_FOLDER
from wellread.registry.records import Manifest, Release
from wellread.registry.resolve import search as resolve
from wellread.registry.resolve.lockfile import check_locked
from wellread.registry.transfer import fetch as fetching
from wellread.request import Request, Verify, check_kinds, parse_form, parse_request
from wellread.runtime.device import Device, parse_device
from wellread.runtime.fastest import FASTEST, Choice, fastest, named
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
    threads: int | None = None,
) -> Model:
    """Load a published model, fetching what is not in the cache yet.

    ``name`` may be an alias. ``hub`` is a path, a URL or several with commas between (default: ``WELLREAD_HUB``, else
    the user's own hub); ``version`` a release id, a library version or a range. ``form="auto"`` is fp32 ``onnx`` on
    every machine; "fastest" is int8 where that is faster and proved on this one, and ``info()`` says why. ``lock`` is
    the path of a ``wellread.lock``: exactly what it says is loaded. ``offline=True`` needs no network, but what was
    fetched before. ``refresh=True`` asks the hub even within its ttl or about a release id,
    and gives a form that missed its goldens another try. ``verify="full"`` hashes what is in the cache again.
    ``trust="enforce"`` takes only what somebody signed whom you trust; "warn" and "off" are the other two.
    ``device="cuda"`` or "cuda:1" computes on a graphics card, where the goldens are replayed at every load;
    ``threads`` bounds the cores.

    Raises BadInput, NotFound, NotYet, HubUnavailable, IntegrityError and its TrustError, MissingExtra for a device.
    """
    machine = _machine(device, threads)
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
    hit, opened = _first(asked, partial(_to_run, machine))
    release = hit.release
    pinned: dict[str, Any] = {"hub": hit.hub, "version": release.id, "folder": release.folder}
    how = pretrained, (release.name, release.language), pinned | {"offline": offline, "trust": trust}
    return _model(opened, machine, hit.store.url if hit.store else "the cache", *how)


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

    Of a hub that has only Spark NLP's list it is the zip, checked. Arguments and errors as in ``pretrained``, but
    ``form="fastest"``, which is chosen where a model runs.
    """
    if form == FASTEST:
        raise BadInput(f"form={form!r} is chosen where a model runs: name the form to fetch, or 'all'")
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


def open(path: str | Path, form: str = "auto", *, device: str = "cpu", threads: int | None = None) -> Model:
    """A model from an artifact (unpacked into the cache, once) or from an unpacked folder; every byte is checked.

    ``form``, ``device`` and ``threads`` as in ``pretrained``. Raises BadInput where there is neither, NotFound for a
    form that it lacks, IntegrityError, MissingExtra for a device.
    """
    check_kinds(path=path, form=form)
    machine = _machine(device, threads)
    home = os.path.expanduser(path)  # noqa: PTH111  Path.expanduser raises where there is no such user
    place, form = Path(home).absolute(), parse_form(form)
    try:
        opened = (_opened_folder if place.is_dir() else _opened_zip)(place, form, machine)
    except OSError as error:
        raise BadInput(f"{place} cannot be read: {error.strerror}") from error
    return _model(opened, machine, str(place), open, (str(place),), {})


# ---------------------------------------------------------------- the steps


class _Machine(NamedTuple):
    """What a model shall run on; ``threads`` None for all cores."""

    device: Device
    threads: int | None


class _Opened(NamedTuple):
    """A form that is whole and proved in ``folder``, and why it is that one."""

    folder: Path
    manifest: Manifest
    choice: Choice


def _machine(device: str, threads: int | None) -> _Machine:
    """Raises BadInput, and MissingExtra before anything is fetched that could not run."""
    check_kinds(device=device, threads=threads)
    machine = _Machine(parse_device(device), threads)
    if machine.device.kind != "cpu":
        from wellread.runtime.session import require

        require(machine.device)
    return machine


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


def _to_run(machine: _Machine, hit: resolve.Hit, asked: Request) -> _Opened:
    """A form that runs here."""
    release = hit.release
    if release.foreign:
        raise NotYet(
            f"{_titled(release)} in {hit.hub} is in Spark NLP's format, which a later version of wellread opens.\n"
            f"'wellread fetch {release.name}' brings its zip, checked"
        )

    def bring(form: str) -> tuple[Path, Manifest]:
        check_runnable(form, release.forms, _titled(release))
        return _brought(hit, asked._replace(form=form))

    return _chosen(asked.form, release.forms, machine, bring)


def _chosen(
    form: str, forms: Collection[str], machine: _Machine, bring: Callable[[str], tuple[Path, Manifest]]
) -> _Opened:
    """What ``bring`` gives for a form, or for the fastest of those that there are."""
    if form == FASTEST:
        found, choice = fastest(forms, machine.device, bring)
    else:
        found, choice = bring(form), named(form)
    return _Opened(*found, choice)


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


def _prove(folder: Path, manifest: Manifest, form: str, device: str = "cpu") -> None:
    """Replay the goldens through a form, where it is one that this machine runs. Raises IntegrityError on a miss."""
    from wellread.runtime.goldens import replay

    replay(folder, manifest, form, device)


def _opened_zip(path: Path, form: str, machine: _Machine) -> _Opened:
    from wellread.registry.artifact.package import open_artifact  # zip and DEFLATE: a load out of the cache needs none

    package = open_artifact(path)

    def bring(form: str) -> tuple[Path, Manifest]:
        check_runnable(form, package.manifest.forms, _titled(package.manifest))
        return fetching.install(package, form, prove=_prove, refresh=True)  # to try again costs no download

    return _chosen(form, package.manifest.forms, machine, bring)


def _opened_folder(path: Path, form: str, machine: _Machine) -> _Opened:
    """Nothing vouches for the manifest of a folder but its goldens, so they are replayed every time."""
    file = path / MANIFEST
    if not file.is_file():
        raise BadInput(f"{path} holds no {MANIFEST}: it is not an unpacked artifact")
    manifest = parse_manifest(file.read_bytes(), str(path))

    def bring(form: str) -> tuple[Path, Manifest]:
        check_runnable(form, manifest.forms, _titled(manifest))
        _check_members(path, manifest, form)
        _prove(path, manifest, form)
        return path, manifest

    return _chosen(form, manifest.forms, machine, bring)


def _check_members(path: Path, manifest: Manifest, form: str) -> None:
    for member in members_of(manifest, form):
        if not pieces.matches(member, path / member.name):
            raise IntegrityError(f"{path}: {member.name} is missing or differs from the {MANIFEST}. Unpack it again")


def _titled(found: Release | Manifest) -> str:
    return f"{found.name} ({found.language})"


def _model(
    opened: _Opened,
    machine: _Machine,
    place: str,
    /,
    reopen: Callable[..., Model],
    arguments: tuple[Any, ...],
    options: Mapping[str, Any],
) -> Model:
    """The model, which pickles as the form that was chosen and not as the choice."""
    from wellread.runtime.model import Model, Origin  # numpy, onnxruntime, tokenizers: once there is something to run

    folder, manifest, choice = opened
    device, threads = str(machine.device), machine.threads
    if machine.device.kind != "cpu":
        _prove(folder, manifest, choice.form, device)
    how = {**options, "form": choice.form, "device": device, "threads": threads}
    return Model(folder, manifest, choice.form, Origin((reopen, arguments, how), place, choice.why), threads, device)


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
