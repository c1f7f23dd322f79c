"""Whose signatures are believed, hub by hub.

    $WELLREAD_HOME/trust.json
      {"format": 1, "hubs": {"https://models.example.org": {"policy": "enforce", "keys": ["8f…"], "first": ["8f…"]}}}

    policy   off | warn | enforce; without it off for the user's own hub, warn for any other
    keys     trusted by hand: wellread keys trust HUB KEYID
    first    remembered by itself: who signed the first signed line that came from this hub, under warn;
             dropped as soon as a key is trusted by hand, for the first may have been a wrong one

              never signed       signed, nobody known yet       by somebody known       unsigned or by another
    off       -                  -                              -                       -
    warn      -                  remembered                     -                       a loud warning
    enforce   TrustError         TrustError                     -                       TrustError

A hub goes by the address by which its store names itself, so that all spellings are one hub. Nothing here reads the
network or checks a signature: whose are good was found out when a line came. A trust file that cannot be read is an
error, for taking it as empty would forget every key. Where it cannot be written, nobody is remembered: each use is a
first use.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, cast, get_args

from msgspec import field
from msgspec.structs import replace

from wellread.errors import BadInput, IntegrityError, TrustError, WellreadError
from wellread.registry import disk
from wellread.registry.home import home
from wellread.registry.records import Document, Record, Release, decode, encode_pretty
from wellread.registry.stores import open_store

Trust = Literal["off", "warn", "enforce"]

_WAIT = 30.0
"""Seconds to wait for another process that writes the trust file."""


class HubTrust(Record, frozen=True, kw_only=True):
    """What is believed of a hub; see the module."""

    policy: Trust | None = None
    keys: tuple[str, ...] = ()
    first: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """Every key whose signature counts, each once."""
        return tuple(dict.fromkeys((*self.keys, *self.first)))


class TrustFile(Document, frozen=True, kw_only=True):
    """``trust.json``."""

    hubs: dict[str, HubTrust] = field(default_factory=dict)


# ---------------------------------------------------------------- asking


def wanted(hub: str | Path, asked: str | None = None) -> Trust:
    """The policy for a hub: the one asked for, else the one set for it, else off for the user's own and warn.

    Raises BadInput for what is no policy, TrustError where the trust file cannot be read.
    """
    return parse_trust(asked) if asked is not None else _policy(hub_key(hub), trusted(hub))


def _policy(key: str, trust: HubTrust) -> Trust:
    return trust.policy or ("off" if key == str(home() / "hub") else "warn")


def parse_trust(text: str) -> Trust:
    """One of the three policies. Raises BadInput."""
    if text not in get_args(Trust):
        raise BadInput(f"trust={text!r}: one of {', '.join(get_args(Trust))} is expected")
    return cast(Trust, text)


def trusted(hub: str | Path) -> HubTrust:
    """What is believed of a hub. Raises TrustError where the trust file cannot be read."""
    return hubs().get(hub_key(hub), HubTrust())


def hubs() -> Mapping[str, HubTrust]:
    """Every hub of the trust file, by its address. Raises TrustError where that cannot be read."""
    path = _place()
    try:
        return decode(path.read_bytes(), TrustFile, str(path)).hubs
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise TrustError(f"{path} cannot be read: {error.strerror or error}. It says whose keys you trust") from error
    except IntegrityError as error:
        advice = "Mend it; deleting it forgets whose keys you trust"
        raise TrustError(f"{error}. {advice}") from error


def hub_key(hub: str | Path) -> str:
    """How a hub is named in the trust file: as its store names itself, without secrets. Raises BadInput."""
    return open_store(hub).url


# ---------------------------------------------------------------- judging


def check(hub: str, release: Release, signers: Sequence[str], asked: str | None = None) -> None:
    """Judge the line of a release by the keys whose signatures of it are good. Raises TrustError, or warns.

    Under warn the signers of a hub's first signed line are remembered; that alone writes.
    """
    judge(hub, f"the index line of {release.file}", signers, asked)


def judge(hub: str, what: str, signers: Sequence[str], asked: str | None = None) -> None:
    """``check`` for anything that a hub says; ``what`` names it."""
    if asked is not None and parse_trust(asked) == "off":
        return
    key, trust = hub_key(hub), trusted(hub)
    policy = asked or _policy(key, trust)
    if policy == "off" or set(signers) & set(trust.known):
        return
    if policy == "enforce":
        raise TrustError(_distrust(key, what, signers, trust.known, "KEYID"))
    if trust.known:
        warnings.warn(_distrust(key, what, signers, trust.known, "--forget"), stacklevel=5)
    elif signers:
        with suppress(OSError, WellreadError):  # a closed home is no reason not to read
            _remember(hub, signers)


def rolled_back(hub: str, what: str, asked: str | None = None) -> None:
    """Judge an older state that came back; ``what`` says which. Raises TrustError under enforce, warns under warn."""
    policy = wanted(hub, asked)
    message = (
        f"{what}. Either an old index was put back or the hub was begun anew: ask its owner.\n"
        f"If it was begun anew, forget what it said: wellread keys trust {hub_key(hub)} --forget"
    )
    if policy == "enforce":
        raise TrustError(message)
    if policy == "warn":
        warnings.warn(message, stacklevel=4)


def _distrust(hub: str, what: str, signers: Sequence[str], known: Sequence[str], unsigned: str) -> str:
    """Why something is not believed, and what to do about it; ``unsigned`` is what to give where nobody signed."""
    by = f"is signed by {', '.join(signers)}" if signers else "has no good signature"
    but = f"this hub's key is {', '.join(known)}" if known else "no key is trusted for this hub yet"
    first = "Either the hub has changed its key or somebody else wrote this" if known else "Nobody is vouched for"
    then = signers[0] if signers else unsigned
    return f"{hub}: {what} {by}; {but}.\n{first}: ask its owner, then: wellread keys trust {hub} {then}"


# ---------------------------------------------------------------- changing


def trust_key(hub: str | Path, keyid: str, policy: Trust | None = None) -> HubTrust:
    """Trust a key for a hub in place of what was remembered at first use, and set its policy if one is given.

    Raises BadInput, TrustError, WellreadError.
    """
    from wellread.registry.trust.signing import parse_keyid

    key = parse_keyid(keyid)

    def change(old: HubTrust) -> HubTrust:
        return HubTrust(keys=tuple(dict.fromkeys((*old.keys, key))), policy=policy or old.policy)

    return _changed(hub, change)


def set_policy(hub: str | Path, policy: Trust) -> HubTrust:
    """Set the policy of a hub. Raises BadInput, TrustError, WellreadError."""
    return _changed(hub, lambda old: replace(old, policy=parse_trust(policy)))


def forget(hub: str | Path, keyid: str | None = None) -> HubTrust:
    """Trust a key no longer, or forget all that is known of a hub. Raises BadInput, TrustError, WellreadError."""

    def without(old: HubTrust) -> HubTrust:
        keys, first = (tuple(key for key in group if key != keyid) for group in (old.keys, old.first))
        return replace(old, keys=keys, first=first)

    return _changed(hub, without if keyid else lambda _: HubTrust())


def _remember(hub: str, signers: Iterable[str]) -> None:
    """Keep the first signers of a hub, unless another process was faster."""
    _changed(hub, lambda old: old if old.known else replace(old, first=tuple(signers)))


def _changed(hub: str | Path, change: Callable[[HubTrust], HubTrust]) -> HubTrust:
    """Change what is believed of a hub, in one step and alone; the file is written only if that makes a difference."""
    key = hub_key(hub)
    with _alone():
        all_hubs = hubs()
        old = all_hubs.get(key, HubTrust())
        new = change(old)
        if new != old:
            kept = {name: trust for name, trust in {**all_hubs, key: new}.items() if trust != HubTrust()}
            disk.write(_place(), encode_pretty(TrustFile(hubs=dict(sorted(kept.items())))))
    return new


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the trust file's lock. Raises WellreadError."""
    import filelock  # who only reads needs none

    path = _place()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(path.with_name(".trust.lock"), timeout=_WAIT)
        lock.acquire()
    except filelock.Timeout as error:
        raise WellreadError(f"{path} is locked by another process for {_WAIT:.0f} s; try again") from error
    except (OSError, NotImplementedError) as error:
        raise WellreadError(f"{path} cannot be locked: {error}. Set WELLREAD_HOME to a folder of yours") from error
    try:
        yield
    finally:
        lock.release()


def _place() -> Path:
    return home() / "trust.json"
