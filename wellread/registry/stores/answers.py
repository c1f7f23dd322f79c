"""What a web server answered, taken at its word only where that can be true.

    200          the object                         206  the range asked for, by its Content-Range
    304          the version is the one known       416  past the end
    404 410      no such key                        401 403 407 511  who are you?
    408 425 429 5xx  not now; Retry-After says when

The etag is the ETag header; without one Last-Modified and the size; without both nothing, and then it is never "the
same". Anything that no hub would answer (a web page, a compressed body, another range) raises HubUnavailable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from wellread.errors import HubUnavailable, Interrupted
from wellread.registry.stores import Stat

Headers = Mapping[str, str]
"""Header fields, found whatever the case of their name."""

GONE = (404, 410)
_GOOD = (200, 206, 304, 416)
_AWAY = {408, 425, 429, *range(500, 600)} - {501, 505, 511}
_ADVICE = {
    401: "set WELLREAD_TOKENS={name}=TOKEN (sent over https only), or add the host to ~/.netrc",
    403: "set WELLREAD_TOKENS={name}=TOKEN (sent over https only), or add the host to ~/.netrc, or ask its owner",
    407: "the proxy wants a password: HTTPS_PROXY=http://user:password@host:port",
    511: "the network wants you to log in first",
}
_DATED = "modified "
_DATA = (".zip", ".json", ".jsonl")
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


def check_status(status: int, headers: Headers, where: str, name: str) -> None:
    """Raises Interrupted or HubUnavailable for a status without an answer in it; ``name`` is the hub's host."""
    if status in _AWAY:
        raise Interrupted(
            f"{where}: the server answered {status}: it is busy or away; try again later", after=_after(headers)
        )
    if status not in _GOOD:
        advice = _ADVICE.get(status, "is that the address of a hub?").format(name=name)
        raise HubUnavailable(f"{where}: the server answered {status}; {advice}")


def check_kind(headers: Headers, key: str, where: str) -> None:
    """Raises HubUnavailable for a web page in place of data, and for a body that something on the way compressed."""
    if key.endswith(_DATA) and headers.get("Content-Type", "").lower().startswith("text/html"):
        raise HubUnavailable(f"{where}: answered with a web page: a log-in page of the network? Open it in a browser")
    if (coding := headers.get("Content-Encoding", "").strip().lower()) not in ("", "identity"):
        raise HubUnavailable(
            f"{where}: answered in {coding!r} although the bytes as they are were asked for: "
            "a server or proxy on the way compresses; switch that off for this address"
        )


def stat_of(headers: Headers) -> Stat:
    """The stat of an object by the answer to a HEAD or a whole GET."""
    size = headers.get("Content-Length", "")
    return _stat(headers, int(size) if size.isdecimal() else -1)


def range_of(headers: Headers, start: int, stop: int | None, where: str) -> tuple[Stat, int]:
    """The stat of the object, and the position behind its last byte wanted, by an answer 206.

    ``stop`` is the position behind the last byte asked for; None means all there are. Raises HubUnavailable for
    another range than that, or one that contradicts itself. Fewer bytes than asked are allowed (RFC 9110, 15.3.7).
    """
    told = headers.get("Content-Range", "")
    found = _CONTENT_RANGE.fullmatch(told.strip())
    first, last = (int(found[1]), int(found[2])) if found else (-1, -1)
    total = int(found[3]) if found and found[3] != "*" else None
    length = headers.get("Content-Length", str(last + 1 - first))
    fits = (
        first == start <= last
        and (stop is None or last < stop)
        and (total is None or last < total)
        and length == str(last + 1 - first)
    )
    if not fits:
        raise HubUnavailable(
            f"{where}: asked for bytes {start}-{'' if stop is None else stop - 1}, the server answered "
            f"Content-Range {told!r} with {length} bytes: the server, or a cache on the way, is broken"
        )
    wanted = last + 1 if total is None else total if stop is None else min(stop, total)
    return _stat(headers, -1 if total is None else total), wanted


def condition(etag: str | None) -> dict[str, str]:
    """The header that asks for an object only where it is no more the one of that etag."""
    if not etag:
        return {}
    if etag.startswith(_DATED):
        return {"If-Modified-Since": etag.removeprefix(_DATED).rpartition(" ")[0]}
    return {"If-None-Match": etag}


def _stat(headers: Headers, size: int) -> Stat:
    etag, date = headers.get("ETag", "").strip(), headers.get("Last-Modified", "").strip()
    return Stat(size, etag or (f"{_DATED}{date} {size}" if date else ""))


def _after(headers: Headers) -> float | None:
    """Seconds to wait as Retry-After says, a number or a date (RFC 9110, 10.2.3)."""
    told = headers.get("Retry-After", "").strip()
    if told.isdecimal():
        return float(told[:9])
    try:
        moment = parsedate_to_datetime(told)
    except ValueError:
        return None
    return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())
