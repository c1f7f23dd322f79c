"""Where a model can come from, one module per kind.

    ./folder                                       folder
    ./file.tar.gz   https://host/file.zip          archive
    tfhub:https://tfhub.dev/publisher/model/1      tfhub         tensorflow_hub, its cache
    kaggle:owner/model/framework/variation/1       kaggle        kagglehub, its cache
    pypi:NAME==VERSION/FOLDER                      pypi          pip, with the user's own index settings
    hf:organisation/model@revision                 huggingface   huggingface_hub, its cache

The pages of TF-Hub, Kaggle and Hugging Face are understood as addresses too. A source may pin what it must give: the
sha256 of the archive or wheel, and that of each file.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, cast

import msgspec

from wellread.converters.archive import SUFFIXES
from wellread.errors import BadInput, near_misses

Kind = Literal["folder", "archive", "tfhub", "kaggle", "pypi", "hf"]
Progress = Callable[[str], None]
"""Takes one short line about what is being done, for instance ``downloading model.zip: 12 of 154 MB``."""
Fetch = Callable[["Source", Path, Progress], Path]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A place and what it must give: ``sha256`` pins the archive or wheel, ``files`` each file by its path."""

    kind: Kind
    location: str
    sha256: str = ""
    files: Mapping[str, str] = {}

    @property
    def typed(self) -> str:
        """As it was typed: ``parse_source(source.typed)`` has the same kind and location."""
        return _prefixed(self.kind, self.location)

    def __str__(self) -> str:
        """As it was typed, but for what may be secret in an address: fit for messages, not for finding it again."""
        return _prefixed(self.kind, without_secrets(self.location))

    @property
    def told(self) -> str:
        """Where it was, for anyone: of a path on this machine only the name, for the rest differs on every other."""
        local = self.kind == "folder" or (self.kind == "archive" and not is_web(self.location))
        return Path(self.location).absolute().name if local else without_secrets(self.location)


MODULES: dict[Kind, str] = {
    "folder": "wellread.converters.sources.folder",
    "archive": "wellread.converters.sources.packed",
    "tfhub": "wellread.converters.sources.tfhub",
    "kaggle": "wellread.converters.sources.kaggle",
    "pypi": "wellread.converters.sources.pypi",
    "hf": "wellread.converters.sources.huggingface",
}
"""Kind → the module whose ``fetch`` brings it. A module is imported when its kind is first used."""

_SHAPES: dict[Kind, tuple[str, str]] = {
    "tfhub": (r"https?://[^\s/]+/\S+", "tfhub:https://tfhub.dev/PUBLISHER/MODEL/VERSION"),
    "kaggle": (r"[\w.-]+/[\w.-]+/[\w.-]+/[\w.-]+/[1-9]\d*", "kaggle:OWNER/MODEL/FRAMEWORK/VARIATION/VERSION"),
    "pypi": (r"[A-Za-z0-9][\w.-]*==[A-Za-z0-9][\w.+!-]*(/[^/\s]+)*", "pypi:NAME==VERSION/FOLDER"),
    "hf": (r"[\w.-]+/[\w.-]+(@[\w./-]+)?", "hf:ORGANISATION/MODEL@REVISION"),
}
_PAGES: tuple[tuple[str, Kind, str], ...] = (
    (r"https://tfhub\.dev/.+", "tfhub", r"\g<0>"),
    (
        r"https://(?:www\.)?kaggle\.com/models/([^/]+/[^/]+)/(?:frameworks/)?([^/]+)/(?:variations/)?([^/]+)"
        r"/(?:versions/)?(\d+)/?",
        "kaggle",
        r"\1/\2/\3/\4",
    ),
    (r"https://huggingface\.co/([^/]+/[^/]+)/?", "hf", r"\1"),
    (r"https://huggingface\.co/([^/]+/[^/]+)/tree/([^/]+)/?", "hf", r"\1@\2"),
)
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)([^/?#]*@)?([^?#]*).*", re.DOTALL)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.+)", re.DOTALL)


def parse_source(text: str) -> Source:
    """A source as it is typed: path, address or ``scheme:handle``. Not fetched yet. Raises BadInput."""
    for pattern, kind, handle in _PAGES:
        if found := re.fullmatch(pattern, text):
            return _handle(kind, found.expand(handle))
    scheme = _SCHEME.fullmatch(text)
    if not scheme:
        return _local(text)
    if scheme[1] in ("http", "https"):
        return Source(kind="archive", location=text)
    if scheme[1] not in _SHAPES:
        known = [*_SHAPES, "http", "https"]
        raise BadInput(
            f"{without_secrets(text)!r} has the unknown scheme {scheme[1]!r}.{near_misses(scheme[1], known)} "
            f"Known are {', '.join(known)}, and paths"
        )
    return _handle(cast(Kind, scheme[1]), scheme[2])


def _handle(kind: Kind, handle: str) -> Source:
    pattern, shape = _SHAPES[kind]
    if not re.fullmatch(pattern, handle) or ".." in handle.split("/"):
        raise BadInput(f"'{kind}:{without_secrets(handle)}' is not of the form {shape}")
    return Source(kind=kind, location=handle)


def _local(text: str) -> Source:
    if not text.strip() or not text.isprintable():
        raise BadInput(f"{text!r} is not a source: give a folder, an archive, an address or {_SHAPES['tfhub'][1]}")
    packed = text.lower().endswith(SUFFIXES) and not Path(text).expanduser().is_dir()
    return Source(kind="archive" if packed else "folder", location=text)


def fetcher(kind: Kind) -> Fetch:
    """The function that brings sources of that kind: ``fetch(source, work, progress) -> folder``."""
    return cast(Fetch, importlib.import_module(MODULES[kind]).fetch)


def _prefixed(kind: Kind, location: str) -> str:
    return location if kind in ("folder", "archive") else f"{kind}:{location}"


def without_secrets(location: str) -> str:
    """An address without user, password, query and fragment, any of which may hold a key; the rest as it is."""
    return _ADDRESS.sub(r"\1\3", location)


def is_web(location: str) -> bool:
    return location.startswith(("http://", "https://"))
