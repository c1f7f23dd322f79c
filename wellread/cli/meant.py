"""The release that a command's NAME, with ``--lang``, ``--version`` and ``--hub``, means."""

from __future__ import annotations

from typing import Unpack

from wellread.errors import NotFound, WellreadError
from wellread.registry.names import Lang, ModelName
from wellread.registry.resolve.search import Asked, Hit, Search, Unknown


def hit_of(name: ModelName, lang: Lang, **asked: Unpack[Asked]) -> Hit:
    """The release that is meant. Raises NotFound with what to do next, and what asking raises."""
    search = Search(name, lang, **asked)
    if hit := next(search.hits(), None):
        return hit
    raise _advised(search.error(), named=bool(asked.get("hub")))


def _advised(error: WellreadError, *, named: bool) -> WellreadError:
    """A name that is nowhere may be in another hub; where one that is near is known, that is advice enough."""
    told = str(error)
    if not isinstance(error, Unknown) or (named and told.endswith("?")):
        return error
    advice = "Give another --hub." if named else "Give --hub, or set WELLREAD_HUB to a hub that has it."
    return NotFound(f"{told}{'' if told.endswith(('.', '?')) else '.'} {advice}")
