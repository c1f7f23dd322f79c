"""Signatures: Ed25519 over exact bytes, framed so that a signature of one kind of thing is none of another.

    DSSEv1 SP <length of the type> SP <type> SP <length of the body> SP <body>

What is signed is this frame: DSSE's pre-authentication encoding. The type tells a line of an index from a proof, the
lengths leave no second way to cut the bytes. A key's id is its raw public key in lower-case hexadecimal, so a signature
is checked with nothing else at hand; whether its key is believed is another question (see ``policy``).

Format: https://github.com/secure-systems-lab/dsse, protocol.md (v1); Ed25519 is RFC 8032.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from itertools import islice

from wellread.errors import BadInput
from wellread.registry.records import Signature
from wellread.registry.trust.keys import Key

MOST = 16
"""Signatures of one thing that are looked at: more is not a hub's way of signing but of keeping us busy."""

_KEYID = re.compile(r"[0-9a-f]{64}")


def parse_keyid(text: str) -> str:
    """A key id: 64 lower-case hexadecimal digits. Raises BadInput."""
    if not _KEYID.fullmatch(text):
        raise BadInput(f"{text!r} is not a key id: 64 lower-case hexadecimal digits, as 'wellread keys list' prints it")
    return text


def framed(kind: str, payload: bytes) -> bytes:
    """The bytes that are signed for a payload of a kind."""
    name = kind.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def sign(kind: str, payload: bytes, keys: Iterable[Key]) -> tuple[Signature, ...]:
    """A signature by each key; the same key and bytes give the same signature."""
    frame = framed(kind, payload)
    return tuple(Signature(keyid=key.id, sig=base64.b64encode(key.private.sign(frame)).decode()) for key in keys)


def signers(kind: str, payload: bytes, signatures: Iterable[Signature]) -> tuple[str, ...]:
    """The ids of the keys that signed, each once, in the order of the signatures; broken ones are left out."""
    frame = framed(kind, payload)
    good = (signature.keyid for signature in islice(signatures, MOST) if _is_good(signature, frame))
    return tuple(dict.fromkeys(good))


def _is_good(signature: Signature, frame: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature  # only what is signed needs it
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if not _KEYID.fullmatch(signature.keyid):
        return False
    try:
        raw = base64.b64decode(signature.sig, validate=True)
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature.keyid)).verify(raw, frame)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
