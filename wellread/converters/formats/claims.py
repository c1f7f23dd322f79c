"""What the files of a source say about its model, who says it, and what follows.

A source may speak of one thing in several places: the head count stands in a kernel's shape, in the graph and in
``bert_config.json``. Each is a claim. Of the claims about a field those of the highest rank decide:

    proven    the tensors' shapes, the graph that runs
    given     the caller
    stated    a configuration file
    guessed   the vocabulary

They must agree among themselves. Sizes must agree across all ranks, and what is given must not contradict what is
proven. What nobody claims is asked for by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import get_args, get_type_hints

from wellread.errors import BadInput, CorruptSource, UnsupportedModel, WellreadError, near_misses
from wellread.registry.records import Architecture

Value = int | float | str | bool

SIZES = ("layers", "hidden", "heads", "intermediate", "vocabulary", "positions", "types")
FIELDS: Mapping[str, type | tuple[str, ...]] = {
    **dict.fromkeys(SIZES, int),
    "norm_eps": float,
    "activation": get_args(get_type_hints(Architecture)["activation"]),
    "cased": bool,
}
"""Every field of an architecture that is found out → its type, or the words that it can be."""


class Rank(IntEnum):
    """How far a claim is to be trusted; the smaller wins."""

    PROVEN = 0
    GIVEN = 1
    STATED = 2
    GUESSED = 3


@dataclass(frozen=True, slots=True)
class Claim:
    """That ``field`` is ``value``, and where that is written."""

    field: str
    value: Value
    where: str
    rank: Rank


def settle(claims: Iterable[Claim], given: Mapping[str, object], source: str) -> Architecture:
    """The architecture that the claims amount to; ``source`` names it in errors.

    Raises BadInput if ``given`` is malformed or contradicted, or if something is known by nobody; CorruptSource if
    the source contradicts itself; UnsupportedModel if the heads do not divide the hidden size.
    """
    everything = [*claims, *(_given(field, value) for field, value in given.items())]
    chosen = {field: _decisive(field, everything) for field in FIELDS}
    _check_agreement(chosen, source)
    unknown = [field for field, decisive in chosen.items() if not decisive]
    if unknown:
        wanted = ", ".join(f"{field}={_wanted(field)}" for field in unknown)
        raise BadInput(f"{source} does not say the {' and '.join(unknown)} of its model. Give {wanted}")
    values = {field: min(decisive, key=lambda claim: claim.rank).value for field, decisive in chosen.items()}
    architecture = Architecture(**values)  # type: ignore[arg-type]
    if architecture.heads < 1 or architecture.hidden % architecture.heads:
        raise UnsupportedModel(f"{source}: {architecture.heads} heads do not divide hidden size {architecture.hidden}")
    return architecture


def _given(field: str, value: object) -> Claim:
    if field not in FIELDS:
        raise BadInput(f"{field!r} is nothing that can be given about a model.{near_misses(field, FIELDS)}")
    kind = FIELDS[field]
    number = float(value) if kind is float and type(value) in (int, float) else value  # type: ignore[arg-type]
    fits = number in kind if isinstance(kind, tuple) else type(number) is kind
    if not fits or not isinstance(number, Value) or (kind in (int, float) and number <= 0):  # type: ignore[operator]
        raise BadInput(f"{field}={value!r} cannot be: give {_wanted(field)}")
    return Claim(field, number, "the value given", Rank.GIVEN)


def _wanted(field: str) -> str:
    kind = FIELDS[field]
    return (
        " or ".join(map(repr, kind))
        if isinstance(kind, tuple)
        else {int: "N", float: "1e-12"}.get(kind, "True or False")
    )


def _decisive(field: str, claims: Iterable[Claim]) -> list[Claim]:
    """The claims about a field that have to agree."""
    about = [claim for claim in claims if claim.field == field]
    highest = min((claim.rank for claim in about), default=Rank.PROVEN)
    return [c for c in about if field in SIZES or c.rank == highest or (highest, c.rank) == (Rank.PROVEN, Rank.GIVEN)]


def _check_agreement(chosen: Mapping[str, list[Claim]], source: str) -> None:
    wrong = [claims for claims in chosen.values() if len({claim.value for claim in claims}) > 1]
    if not wrong:
        return
    told = "; ".join(
        f"{claims[0].field} is " + ", but ".join(f"{claim.value} in {claim.where}" for claim in claims)
        for claims in wrong
    )
    by_caller = all(any(claim.rank == Rank.GIVEN for claim in claims) for claims in wrong)
    kind: type[WellreadError] = BadInput if by_caller else CorruptSource
    raise kind(f"{source} contradicts {'what was given' if by_caller else 'itself'}: {told}")
