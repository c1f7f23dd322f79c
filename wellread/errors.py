"""Every error that wellread raises on purpose.

    WellreadError                     what went wrong, where, and what to do next
    ├── BadInput          ValueError      a name, version, recipe or argument is malformed
    ├── NotFound          LookupError     no such model, release, form or alias in any hub asked
    ├── NotYet            NotImplementedError   designed, not built yet
    ├── MissingExtra      ImportError     an optional dependency is not installed
    ├── SourceError       RuntimeError    a source cannot be pulled or read
    │   ├── SourceUnavailable             it could not be had; lists every place tried
    │   ├── UnsafeArchive                 an archive or path that tries to leave its folder, or is a bomb
    │   ├── CorruptSource                 bytes that contradict their own checksum or structure
    │   └── UnsupportedModel              readable, but not a model that we convert
    ├── ParityError       RuntimeError    a form is not equal to the source: nothing is written
    ├── SnippetError      RuntimeError    a snippet of the card does not run: nothing is written
    ├── IntegrityError    RuntimeError    bytes differ from what the index or the manifest say
    │   └── TrustError                    a line or proof that nobody trusted vouches for, or that was rolled back
    ├── HubUnavailable    RuntimeError    a hub cannot be reached, refuses, or does not answer as one
    │   └── Interrupted                   in a way that may pass by itself: worth trying again
    │       └── Unreachable               nobody answers there: an address that is wrong, or no network
    └── PublishError      RuntimeError    the hub refuses a release
        └── VersionConflict               the version is there already, with other bytes

A message has one to three lines. Each error pickles, and compares by nothing but identity.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class WellreadError(Exception):
    """Base of all errors above; the command line prints it without a traceback and exits 1."""


class BadInput(WellreadError, ValueError):
    """An argument, name, version or recipe that cannot be what was meant."""


class NotFound(WellreadError, LookupError):
    """Nothing under that name; the message lists near misses."""


class NotYet(WellreadError, NotImplementedError):
    """Part of the design that is not built yet; says which."""


class MissingExtra(WellreadError, ImportError):
    """An optional dependency is missing; gives the pip command that brings it."""


class SourceError(WellreadError, RuntimeError):
    """A model's source could not be pulled or read."""


class SourceUnavailable(SourceError):
    """Every place a source was sought failed; the message has a line for each."""


class UnsafeArchive(SourceError):
    """An archive member would land outside its folder, is a link, or outgrows the bounds."""


class CorruptSource(SourceError):
    """Bytes of a source contradict their checksum, their index or each other."""


class UnsupportedModel(SourceError):
    """The source is sound but holds something else than a model we convert."""


class ParityError(WellreadError, RuntimeError):
    """A form differs from its source by more than its gate allows."""


class SnippetError(WellreadError, RuntimeError):
    """A snippet of the card, run as it is printed, fails; the message gives its tab, its line and its error."""


class IntegrityError(WellreadError, RuntimeError):
    """Bytes differ from the digests in the index line or the manifest."""


class TrustError(IntegrityError):
    """Nobody who is trusted signed this, or an older state came back; raised where trust is enforced."""


class HubUnavailable(WellreadError, RuntimeError):
    """A hub cannot be reached, does not let us in, or answers what no hub would."""


class Interrupted(HubUnavailable):
    """As HubUnavailable, but it may pass: a broken connection, a busy server. ``after``: seconds that it asks for."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Unreachable(Interrupted):
    """There is no connection at all: the host is not found, refuses, or keeps silent."""


class PublishError(WellreadError, RuntimeError):
    """A release was refused; the hub is as it was."""


class VersionConflict(PublishError):
    """The hub holds this version with other bytes; a published version never changes."""


def near_misses(word: str, known: Iterable[str], lead: str = " Did you mean") -> str:
    """A clause such as `` Did you mean 'name' or 'names'?``, or the empty string."""
    close = difflib.get_close_matches(word, sorted(known), n=3, cutoff=0.6)
    return f"{lead} {' or '.join(repr(c) for c in close)}?" if close else ""


def missing_extra(module: str, extra: str) -> MissingExtra:
    """The error for an optional module that is not installed."""
    return MissingExtra(f"{module} is not installed: pip install 'wellread[{extra}]'")
