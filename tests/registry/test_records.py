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
    if getattr(record, "format", 1) > records.FORMAT:
        record = msgspec.structs.replace(record, format=records.FORMAT)
    for raw in (encode(record), encode_pretty(record)):
        assert decode(raw, kind, "it") == record
    assert encode(decode(encode(record), kind, "it")) == encode(record)


def test_fields_are_written_in_the_order_they_are_declared() -> None:
    raw = json.loads(encode(make_manifest()))
    assert list(raw) == list(records.Manifest.__struct_fields__)


def test_a_line_without_trouble_says_nothing_about_its_state() -> None:
    assert not {"state", "why", "signatures"} & set(json.loads(encode(released())))


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


def test_a_later_format_asks_for_an_upgrade() -> None:
    raw = encode(make_manifest(format=records.FORMAT + 1))
    with pytest.raises(IntegrityError, match="reads up to 1: upgrade"):
        decode(raw, records.Manifest, "manifest.json")
