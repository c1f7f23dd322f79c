"""``hub.json``: what a hub says of itself.

    {"format": 1, "name": "models of the house", "ttl": 86400, "keys": ["6b1f…"], "mirrors": ["https://…"], "site": "",
     "notebooks": ""}

``ttl`` is in seconds: for so long readers believe their copy of an index file. ``keys`` are the ids of the keys that
sign here, for people to compare; who is believed is each reader's own business (see ``trust.policy``). ``mirrors`` are
asked where this hub is away. ``site`` is where its pages are, ``notebooks`` the folder on GitHub out of which Colab
opens the models' notebooks, ``owner/repository/branch[/folder]``. Everybody reads it, so no address in it may carry a
secret. Fields that only a later wellread knows are kept when it is changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from wellread.errors import BadInput, PublishError
from wellread.registry.hub.index import HUB, TRIES, swap
from wellread.registry.records import HubInfo, decode
from wellread.registry.stores import LARGEST, Store, read

MIRRORS = ("http", "https", "s3", "gs", "az")
"""Schemes a mirror may have: a folder is none, for another machine has another one there."""
SITES = ("http", "https")
LONGEST = 365 * 24 * 3600
"""Seconds of the longest ttl."""
_NOTEBOOKS = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}(/[A-Za-z0-9_.-]{1,100}){2,20}")


def read_info(store: Store) -> HubInfo | None:
    """What a hub says of itself, or None where it says nothing. Raises IntegrityError."""
    found = read(store, HUB, LARGEST)
    return decode(found[0], HubInfo, f"{store.url}/{HUB}") if found else None


def describe_hub(
    store: Store,
    *,
    name: str | None = None,
    ttl: float | None = None,
    mirrors: Sequence[str] | None = None,
    site: str | None = None,
    notebooks: str | None = None,
    keys: Iterable[str] = (),
) -> HubInfo:
    """Write ``hub.json``, or change the fields that are given; returns what it then says.

    ``ttl`` in seconds; ``mirrors`` replace those that were there, ``keys`` join them. What is said already is not
    written again. Raises BadInput, IntegrityError for a file that cannot be read, PublishError.
    """
    given = {
        "name": None if name is None else parse_title(name),
        "ttl": None if ttl is None else parse_ttl(ttl),
        "mirrors": None if mirrors is None else tuple(dict.fromkeys(parse_address(url, MIRRORS) for url in mirrors)),
        "site": None if site is None else site and parse_address(site, SITES),
        "notebooks": None if notebooks is None else notebooks and parse_notebooks(notebooks),
    }
    asked = {field: value for field, value in given.items() if value is not None}
    after = HubInfo(name="")

    def change(raw: bytes) -> bytes:
        nonlocal after
        before = decode(raw, HubInfo, f"{store.url}/{HUB}") if raw else HubInfo(name=_named_after(store.url))
        fields = asked | {"keys": tuple(dict.fromkeys([*before.keys, *keys]))}
        after = msgspec.structs.replace(before, **fields)
        return raw if raw and after == before else _encoded(raw, after, fields)

    if not swap(store, HUB, change, TRIES):
        raise PublishError(f"{store.url}/{HUB} changed {TRIES} times while it was being written; try again")
    return after


def introduce(store: Store, keys: Iterable[str] = ()) -> None:
    """Write ``hub.json`` with the defaults and these keys where there is none; one that is there stays as it is.

    Only its owner changes it (``describe_hub``). Raises PublishError.
    """
    if store.head(HUB) is None:
        describe_hub(store, keys=keys)


def _named_after(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2] or "hub"


def _encoded(raw: bytes, info: HubInfo, fields: Mapping[str, Any]) -> bytes:
    """The file with other values of some fields, those that we do not know kept."""
    known = msgspec.json.decode(raw, type=dict[str, msgspec.Raw]) | dict(fields) if raw else info
    return msgspec.json.format(msgspec.json.encode(known), indent=1) + b"\n"


# ---------------------------------------------------------------- what it may say


def parse_title(text: str) -> str:
    """A hub's name for people: one line, up to 100 characters. Raises BadInput."""
    title = text.strip()
    if not title or len(title) > 100 or not title.isprintable():
        raise BadInput(f"{text[:100]!r} is not a name for a hub: one line of up to 100 characters (--name)")
    return title


def parse_ttl(seconds: float) -> int:
    """A ttl in whole seconds. Raises BadInput."""
    if not 0 <= seconds <= LONGEST:
        raise BadInput(f"{seconds:.0f} seconds are no ttl: none, an hour or a day are, up to a year (--ttl, in hours)")
    return round(seconds)


def parse_notebooks(text: str) -> str:
    """A folder on GitHub, ``owner/repository/branch[/folder]``, the branch of one word. Raises BadInput."""
    folder = text.rstrip("/")
    if not _NOTEBOOKS.fullmatch(folder) or {".", ".."} & set(folder.split("/")):
        raise BadInput(
            f"{_shown(text)} is not a folder on GitHub: OWNER/REPOSITORY/BRANCH or OWNER/REPOSITORY/BRANCH/FOLDER is "
            "needed, the branch without a slash in it (--notebooks)"
        )
    return folder


def parse_address(url: str, schemes: Sequence[str], where: str = HUB) -> str:
    """An address that everybody may read, without a slash at its end; ``where`` is the file that it is for.

    Raises BadInput, which repeats no secret.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    if not host or parts.scheme not in schemes or not re.fullmatch(r"[!-~]+", url):
        raise BadInput(
            f"{_shown(url)} is not an address for {where}: one of {', '.join(f'{s}://' for s in schemes)} is needed"
        )
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise BadInput(
            f"the address at {host} carries a user, a token or a question, and everybody reads {where}: leave them "
            "out; readers bring their own (netrc, WELLREAD_TOKENS, AWS_*)"
        )
    return url.rstrip("/")


def _shown(text: str) -> str:
    """What was typed, unless a secret may be in it."""
    return "it" if set("@?#") & set(text) else repr(text[:200])
