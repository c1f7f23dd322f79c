"""A signature is of exact bytes of one kind, and broken ones count for nothing."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.registry.samples import noise
from wellread.errors import BadInput
from wellread.registry.records import Signature
from wellread.registry.trust.keys import Key
from wellread.registry.trust.signing import MOST, framed, parse_keyid, sign, signers

KIND = "application/vnd.wellread.release+json"
# RFC 8032, 7.1, test 2
PUBLIC = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"


def test_the_frame_is_that_of_the_dsse_specification() -> None:
    # The example of protocol.md
    told = framed("http://example.com/HelloWorld", b"hello world")
    assert told == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert framed("é", b"\0\xff") == b"DSSEv1 2 \xc3\xa9 2 \0\xff"
    assert framed("", b"") == b"DSSEv1 0  0 "


@given(st.tuples(st.text(), st.binary()), st.tuples(st.text(), st.binary()))
def test_two_things_never_share_a_frame(one: tuple[str, bytes], another: tuple[str, bytes]) -> None:
    assert (framed(*one) == framed(*another)) == (one == another)


def test_who_signed_is_told_in_order_and_once(key: Key, other: Key) -> None:
    signatures = sign(KIND, b"said", (key, other, key))
    assert [signature.keyid for signature in signatures] == [key.id, other.id, key.id]
    assert signers(KIND, b"said", signatures) == (key.id, other.id)
    assert sign(KIND, b"said", (key,)) == sign(KIND, b"said", (key,))
    assert signers(KIND, b"said", ()) == ()


def test_a_signature_is_ed25519_over_the_frame(key: Key) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    (signature,) = sign(KIND, b"said", (key,))
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature.keyid))
    public.verify(base64.b64decode(signature.sig), b"DSSEv1 37 application/vnd.wellread.release+json 4 said")


def test_other_bytes_another_kind_and_another_key_are_no_signature(key: Key, other: Key) -> None:
    (signature,) = sign(KIND, b"said", (key,))
    assert signers(KIND, b"Said", (signature,)) == ()
    assert signers("application/vnd.in-toto+json", b"said", (signature,)) == ()
    assert signers(KIND, b"said", (replace(signature, keyid=other.id),)) == ()


@pytest.mark.parametrize(
    "broken",
    [
        Signature(keyid="", sig=""),
        Signature(keyid=PUBLIC, sig=""),
        Signature(keyid=PUBLIC, sig="not base64!"),
        Signature(keyid=PUBLIC, sig=base64.b64encode(noise(64)).decode()),
        Signature(keyid=PUBLIC, sig="é" * 88),
        Signature(keyid=PUBLIC.upper(), sig=base64.b64encode(noise(64)).decode()),
        Signature(keyid="f" * 64, sig=base64.b64encode(noise(64)).decode()),
        Signature(keyid="\x1b[2J" * 16, sig=base64.b64encode(noise(64)).decode()),
    ],
)
def test_what_is_broken_is_left_out_and_hides_no_good_one(key: Key, broken: Signature) -> None:
    assert signers(KIND, b"said", (broken, *sign(KIND, b"said", (key,)))) == (key.id,)


def test_a_key_in_other_letters_is_not_the_same_key(key: Key) -> None:
    (signature,) = sign(KIND, b"said", (key,))
    assert signers(KIND, b"said", (replace(signature, keyid=key.id.upper()),)) == ()


def test_no_more_signatures_are_looked_at_than_a_hub_needs(key: Key) -> None:
    broken = [Signature(keyid=PUBLIC, sig="")] * MOST
    assert signers(KIND, b"said", [*broken, *sign(KIND, b"said", (key,))]) == ()
    assert signers(KIND, b"said", [*broken[1:], *sign(KIND, b"said", (key,))]) == (key.id,)


@pytest.mark.parametrize("text", ["", "f" * 63, "F" * 64, "g" * 64, "f" * 64 + "\n", "../" + "f" * 61])
def test_what_is_no_key_id_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is not a key id"):
        parse_keyid(text)
    assert parse_keyid(PUBLIC) == PUBLIC
