"""What the consumer's functions may be given, checked here and nowhere else.

Whatever comes in is either of a kind that it can be, or refused by its own name, with what to give instead.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from wellread.errors import BadInput
from wellread.registry.artifact.manifest import is_form_name
from wellread.registry.names import DEFAULT_FOLDER, Lang, ModelName, parse_lang, parse_name
from wellread.registry.resolve.lockfile import Locked, entry_for, read_lock
from wellread.registry.resolve.search import is_offline
from wellread.registry.stores import is_local
from wellread.registry.trust.policy import Trust, parse_trust

Verify = Literal["stat", "full"]

_KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "path": ((str, Path), "the path of an artifact, or of a folder that one was unpacked into"),
    "name": ((str,), "the name of a model, such as 'small_bert_L8_512'; wellread.open takes a path"),
    "lang": ((str,), "a language code, such as 'en'"),
    "hub": ((str, Path, type(None)), "a path or a URL, several with commas between, or None"),
    "form": ((str,), "the name of a form, such as 'onnx', or 'auto' or 'fastest'"),
    "version": ((str, type(None)), "a str such as '2.6.0_2.4_1598344705269', '2.6.0' or '>=2.6,<3', or None"),
    "folder": ((str,), "a folder of the hub, such as 'public/models'"),
    "offline": ((bool, type(None)), "True, False, or None for what WELLREAD_OFFLINE says"),
    "refresh": ((bool,), "True or False"),
    "verify": ((str,), "'stat' (size, time and inode) or 'full' (every byte)"),
    "lock": ((str, Path, type(None)), "the path of a lock file, such as 'wellread.lock', or None"),
    "device": ((str,), "'cpu', 'cuda' or 'cuda:1'"),
    "threads": ((int, type(None)), "a number of cores, or None for all"),
    "trust": ((str, type(None)), "'off', 'warn', 'enforce', or None for what is set for the hub"),
}
"""Of which types an argument can be, and how that is said."""


class Request(NamedTuple):
    """What a call asks for, parsed. With ``locked`` it is that release; hub, version and folder are the lock's."""

    name: ModelName
    lang: Lang
    hub: str | Path | None
    form: str
    version: str | None
    folder: str
    offline: bool
    refresh: bool
    verify: Verify
    trust: Trust | None
    locked: Locked | None


def parse_request(
    name: str,
    lang: str,
    *,
    hub: str | Path | None,
    form: str,
    version: str | None,
    folder: str,
    lock: str | Path | None,
    offline: bool | None,
    refresh: bool,
    verify: Verify,
    trust: str | None,
) -> Request:
    """The arguments of ``pretrained`` and ``fetch``. Raises BadInput, NotFound for what is not locked."""
    check_kinds(name=name, lang=lang, hub=hub, form=form, version=version, folder=folder, lock=lock)
    check_kinds(offline=offline, refresh=refresh, verify=verify, trust=trust)
    if verify not in get_args(Verify):
        raise BadInput(f"verify={verify!r}: give {_KINDS['verify'][1]}")
    asked = Request(
        name=parse_name(name),
        lang=parse_lang(lang),
        hub=hub,
        form=parse_form(form),
        version=version,
        folder=folder,
        offline=is_offline() if offline is None else offline,
        refresh=refresh,
        verify=verify,
        trust=parse_trust(trust) if trust is not None else None,
        locked=None,
    )
    return asked if lock is None else _locked(asked, lock)


def _locked(asked: Request, lock: str | Path) -> Request:
    """The request for what the lock says. Raises BadInput where the call says otherwise, NotFound."""
    entry = entry_for(read_lock(lock), asked.name, asked.lang, lock)
    if asked.version not in (None, entry.release) or asked.folder not in (DEFAULT_FOLDER, entry.folder):
        raise BadInput(
            f"{lock} has {entry.release} of {entry.name} in {entry.folder}: leave version and folder out, or lock anew"
        )
    return asked._replace(
        name=entry.name,
        lang=entry.language,
        hub=asked.hub or _hub_of(entry),
        version=entry.release,
        folder=entry.folder,
        locked=entry,
    )


def _hub_of(entry: Locked) -> str | Path:
    """A folder as a path, for a comma in it parts nothing."""
    return Path(entry.hub) if is_local(entry.hub) else entry.hub


def parse_form(form: str) -> str:
    """The form that a caller means; ``auto`` is the same on every machine. Raises BadInput."""
    if form not in ("auto", "all", "fastest") and not is_form_name(form):
        raise BadInput(f"form={form!r} is not a form's name: 'onnx', 'onnx-int8', 'torch' are some, 'all' is all")
    return "onnx" if form == "auto" else form


def check_kinds(**arguments: object) -> None:
    """Raises BadInput for the first argument that is of another kind than it can be."""
    for name, value in arguments.items():
        kinds, wanted = _KINDS[name]
        if not isinstance(value, kinds):
            raise BadInput(f"{name}={value!r} is of type {type(value).__name__}: give {wanted}")
        if isinstance(value, str | Path) and not _is_text(str(value)):
            raise BadInput(f"{name}={str(value)!r} holds what no name and no path can hold: give {wanted}")


def _is_text(value: str) -> bool:
    """Whether the system can take a text: without NUL and lone surrogates, but those that stand for odd file names."""
    try:
        return b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:
        return False
