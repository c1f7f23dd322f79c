"""Records survive the wire unchanged, as the same bytes; what is malformed or too new is refused by name."""

from __future__ import annotations

import json
from typing import Any, get_args, get_origin

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.registry.samples import make_manifest, released
from wellread.errors import IntegrityError
from wellread.registry import records
from wellread.registry.records import Record, decode, encode, encode_pretty

_KINDS: tuple[type[Record], ...] = (
    records.Manifest,
    records.Goldens,
    records.Proof,
    records.Release,
    records.Alias,
    records.CatalogEntry,
    records.HubInfo,
)


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
"""NaN and the infinities have no JSON."""
_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: _TEXTS,
    float: _NUMBERS,
    float | None: st.none() | _NUMBERS,
    int: st.integers(-(2**53), 2**53),
    int | str: st.integers(0, 2**53) | _TEXTS,
}


def _records(kind: type[Record]) -> st.SearchStrategy[Any]:
    """Any record of a kind."""
    return st.builds(kind, **{field.name: _field(field.type) for field in msgspec.structs.fields(kind)})


def _field(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a field's type."""
    kind = getattr(kind, "__supertype__", kind)
    if isinstance(kind, type) and issubclass(kind, Record):
        return _records(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple:
        return st.lists(_field(arguments[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(_field(arguments[0]), _field(arguments[1]), max_size=2)
    return _PLAIN.get(kind, st.from_type(kind))


@pytest.mark.parametrize("kind", _KINDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_record_comes_back_equal_and_as_the_same_bytes(kind: type[Record], data: st.DataObject) -> None:
    record = data.draw(_records(kind))
    if hasattr(record, "format"):
        record = msgspec.structs.replace(record, format=records.FORMAT)
    for raw in (encode(record), encode_pretty(record)):
        assert decode(raw, kind, "it") == record
    assert encode(decode(encode(record), kind, "it")) == encode(record)


def test_fields_are_written_in_the_order_they_are_declared() -> None:
    raw = json.loads(encode(make_manifest()))
    assert list(raw) == list(records.Manifest.__struct_fields__)


def test_unknown_fields_are_passed_over() -> None:
    raw = json.loads(encode(released())) | {"later": {"x": 1}}
    assert decode(json.dumps(raw).encode(), records.Release, "line") == released()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"size": "12"}, "size"),
        ({"size": 1.5}, "size"),
        ({"state": "lost"}, "state"),
        ({"forms": "onnx"}, "forms"),
    ],
)
def test_a_field_of_another_type_is_named(change: dict[str, Any], said: str) -> None:
    raw = json.loads(encode(released())) | change
    with pytest.raises(IntegrityError, match=rf"^the line is not a valid Release.*{said}"):
        decode(json.dumps(raw).encode(), records.Release, "the line")


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"name": "\xff"}', b"[" * 100_000])
def test_what_is_no_record_is_refused(raw: bytes) -> None:
    with pytest.raises(IntegrityError, match=r"^the line is not a valid Release"):
        decode(raw, records.Release, "the line")


def test_nesting_without_end_in_an_unknown_field_is_refused() -> None:
    raw = encode(released())[:-1] + b',"later":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with pytest.raises(IntegrityError, match=r"^the line is not a valid Release"):
        decode(raw, records.Release, "the line")


@pytest.mark.parametrize("kind", _KINDS)
def test_a_later_format_asks_for_an_upgrade_whatever_else_it_holds(kind: type[Record]) -> None:
    with pytest.raises(IntegrityError, match=r"it is of a later format than 1.*: upgrade it"):
        decode(b'{"format": 2}', kind, "it")


@pytest.mark.parametrize(("stated", "said"), [(2, "of a later format"), (0, "no format 0"), (-1, "no format -1")])
def test_a_format_that_is_not_read_is_refused_though_all_else_fits(stated: int, said: str) -> None:
    raw = json.loads(encode(released())) | {"format": stated}
    with pytest.raises(IntegrityError, match=said):
        decode(json.dumps(raw).encode(), records.Release, "it")


@pytest.mark.parametrize(
    ("measure", "figure", "met"),
    [
        ("max", 1.0, True),
        ("max", 1.1, False),
        ("max", float("nan"), False),
        ("min_cosine", 1.0, True),
        ("mean_cosine", 0.9, False),
        ("min_cosine", float("nan"), False),
    ],
)
def test_a_point_is_met_by_its_figures_and_not_by_its_flag(measure: Any, figure: float, met: bool) -> None:
    distance = records.Distance(
        **({"max": 0, "p99": 0, "mean": 0, "min_cosine": 1, "mean_cosine": 1} | {measure: figure})
    )
    point = records.Point(
        name="sequence", distance=distance, floor=0, limit=1.0, measure=measure, worst="", passed=True
    )
    assert point.met is met
    assert records.FormParity(form="onnx", points=(point,)).passed is met
