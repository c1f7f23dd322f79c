"""Which builder made a site: another one builds all pages anew.

Its fingerprint is over all that pages depend on beside the hub: the modules and templates of this package and of the
registry below it, the versions of the libraries that render, and what every page says of the site.
"""

from __future__ import annotations

import hashlib
from dataclasses import astuple
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from wellread.model_cards.site.pages.assets import digest
from wellread.model_cards.site.places import Site

PACKAGE = Path(__file__).parents[3]
_PARTS = ("model_cards", "registry")
_CODE = (".py", ".jinja")
_LIBRARIES = ("jinja2", "markupsafe", "markdown-it-py", "nh3", "msgspec", "pyyaml")


def fingerprint(site: Site) -> str:
    """The sha256 of the builder of a site."""
    return hashlib.sha256(repr((_code(), _versions(), astuple(site))).encode()).hexdigest()


@cache
def _code() -> str:
    files = (file for part in _PARTS for file in (PACKAGE / part).rglob("*") if file.suffix in _CODE)
    return digest({file.relative_to(PACKAGE).as_posix(): file for file in files})


def _versions() -> tuple[str, ...]:
    return tuple(map(_version, _LIBRARIES))


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""
