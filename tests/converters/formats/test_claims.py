"""Who is believed when the files of a source speak of its model."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from wellread.converters.formats.claims import FIELDS, Claim, Rank, Value, settle
from wellread.errors import BadInput, CorruptSource, UnsupportedModel
from wellread.registry.records import Architecture

SIZES: dict[str, Value] = {
    "layers": 2,
    "hidden": 32,
    "heads": 4,
    "intermediate": 80,
    "vocabulary": 181,
    "positions": 64,
    "types": 2,
}
WHOLE = SIZES | {"norm_eps": 1e-12, "activation": "gelu_tanh", "cased": False}


def claims(rank: Rank, **values: Value) -> list[Claim]:
    return [Claim(field, value, rank.name.lower(), rank) for field, value in values.items()]


def proven(**changes: Value | None) -> list[Claim]:
    return claims(Rank.PROVEN, **{field: v for field, v in (WHOLE | changes).items() if v is not None})


def test_every_field_of_an_architecture_is_found_out() -> None:
    assert set(FIELDS) == set(Architecture.__struct_fields__) - {"kind"}
    assert settle(proven(), {}, "here") == Architecture(**WHOLE)  # type: ignore[arg-type]


@pytest.mark.parametrize(("field", "value"), [("activation", "gelu_erf"), ("norm_eps", 1e-5), ("cased", True)])
def test_the_graph_outranks_a_file_in_behaviour(field: str, value: Value) -> None:
    stated = claims(Rank.STATED, **{field: value})
    assert settle([*stated, *proven()], {}, "here") == settle(proven(), {}, "here")


@pytest.mark.parametrize("field", list(SIZES))
def test_a_size_that_contradicts_is_an_error_that_names_both(field: str) -> None:
    with pytest.raises(CorruptSource, match=f"{field} is {SIZES[field]} in proven, but 1 in stated"):
        settle([*proven(), *claims(Rank.STATED, **{field: 1})], {}, "here")


def test_every_contradiction_is_told_at_once() -> None:
    with pytest.raises(CorruptSource, match=r"heads is 4 .*; positions is 64"):
        settle([*proven(), *claims(Rank.STATED, heads=8, positions=512)], {}, "here")


def test_files_of_the_same_rank_must_agree() -> None:
    rivals = [*claims(Rank.STATED, cased=True), *claims(Rank.STATED, cased=False)]
    with pytest.raises(CorruptSource, match="cased is True in stated, but False in stated"):
        settle([*proven(cased=None), *rivals], {}, "here")
    assert settle([*proven(cased=None), *rivals], {"cased": True}, "here").cased


def test_what_is_given_outranks_what_is_stated_or_guessed() -> None:
    weaker = [*claims(Rank.GUESSED, cased=False), *claims(Rank.STATED, activation="gelu_erf")]
    found = settle([*proven(cased=None, activation=None), *weaker], {"cased": True, "activation": "gelu_tanh"}, "here")
    assert (found.cased, found.activation) == (True, "gelu_tanh")


@pytest.mark.parametrize(("field", "value"), [("heads", 8), ("activation", "gelu_erf"), ("norm_eps", 1e-6)])
def test_what_is_given_cannot_contradict_what_is_proven(field: str, value: object) -> None:
    with pytest.raises(BadInput, match=f"{field} is .* in proven, but {value} in the value given"):
        settle(proven(), {field: value}, "here")


def test_what_nobody_knows_is_asked_for_by_name() -> None:
    with pytest.raises(BadInput, match=r"heads and activation .* Give heads=N, activation='gelu_tanh' or 'gelu_erf'"):
        settle(proven(heads=None, activation=None), {}, "here")


@pytest.mark.parametrize(
    "given",
    [
        {"head": 4},
        {"heads": "4"},
        {"heads": True},
        {"heads": 0},
        {"norm_eps": -1.0},
        {"activation": "gelu"},
        {"cased": 1},
    ],
)
def test_what_cannot_be_given_is_refused(given: Mapping[str, object]) -> None:
    with pytest.raises(BadInput, match=next(iter(given))):
        settle(proven(heads=None), given, "here")


def test_heads_must_divide_the_hidden_size() -> None:
    with pytest.raises(UnsupportedModel, match="5 heads do not divide hidden size 32"):
        settle(proven(heads=5), {}, "here")
