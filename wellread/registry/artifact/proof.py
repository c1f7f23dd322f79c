"""The proof beside an artifact: what was measured about it, in the form that signing tools expect.

    <artifact>.proof.json       DSSE envelope, payload type application/vnd.in-toto+json
      payload (base64)          in-toto Statement v1
        subject                 the artifact's file name and sha256
        predicateType           urn:wellread:proof:1
        predicate               a ``Proof`` record
      signatures                over the payload's bytes, by the publisher's keys; empty where there is none

Format: https://github.com/secure-systems-lab/dsse and https://github.com/in-toto/attestation (v1).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from pathlib import Path

import msgspec

from wellread.errors import BadInput, IntegrityError
from wellread.registry import disk
from wellread.registry.records import FORMAT, Proof, Record, Signature, decode, encode, encode_pretty
from wellread.registry.trust.keys import Key
from wellread.registry.trust.signing import sign, signers

PAYLOAD = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = f"urn:wellread:proof:{FORMAT}"


class Digests(Record, frozen=True, kw_only=True):
    """The digest set of a subject."""

    sha256: str


class Subject(Record, frozen=True, kw_only=True):
    """What the statement is about."""

    name: str
    digest: Digests


class Statement(Record, frozen=True, kw_only=True):
    """An in-toto statement with our predicate."""

    type: str = msgspec.field(default=STATEMENT, name="_type")
    subject: tuple[Subject, ...]
    predicate_type: str = msgspec.field(default=PREDICATE, name="predicateType")
    predicate: Proof


class Envelope(Record, frozen=True, kw_only=True):
    """A DSSE envelope; what a signature covers is the payload's bytes as they are."""

    payload_type: str = msgspec.field(default=PAYLOAD, name="payloadType")
    payload: str
    signatures: tuple[Signature, ...] = ()


def proof_name(artifact: str) -> str:
    """The file name of an artifact's proof."""
    return f"{artifact.removesuffix('.zip')}.proof.json"


def write_proof(path: Path, proof: Proof, keys: Iterable[Key] = ()) -> None:
    """Write a proof, signed by each key, in one step."""
    subject = Subject(name=proof.artifact, digest=Digests(sha256=proof.sha256))
    statement = encode(Statement(subject=(subject,), predicate=proof))
    envelope = Envelope(payload=base64.b64encode(statement).decode(), signatures=sign(PAYLOAD, statement, keys))
    disk.write(path, encode_pretty(envelope))


def signed_proof(raw: bytes, keys: Iterable[Key], where: str = "the proof") -> bytes:
    """An envelope with the signatures of these keys added; the same bytes where they have signed it already.

    Raises IntegrityError for what is no envelope.
    """
    envelope, payload = _opened(raw, where)
    done = signers(PAYLOAD, payload, envelope.signatures)
    added = sign(PAYLOAD, payload, (key for key in keys if key.id not in done))
    if not added:
        return raw
    return encode_pretty(msgspec.structs.replace(envelope, signatures=(*envelope.signatures, *added)))


def proof_signers(raw: bytes, where: str = "the proof") -> tuple[str, ...]:
    """The ids of the keys whose signature of an envelope is good. Raises IntegrityError for what is none."""
    envelope, payload = _opened(raw, where)
    return signers(PAYLOAD, payload, envelope.signatures)


def read_proof(path: Path) -> Proof:
    """The proof in a file. Raises BadInput where there is none, IntegrityError where it contradicts itself."""
    if not path.is_file():
        raise BadInput(f"{path} is not there: 'wellread build' writes a proof beside each artifact")
    return parse_proof(path.read_bytes(), str(path))


def parse_proof(raw: bytes, where: str) -> Proof:
    """The proof in an envelope. Raises IntegrityError."""
    _, payload = _opened(raw, where)
    statement = decode(payload, Statement, f"the statement in {where}")
    if (statement.type, statement.predicate_type) != (STATEMENT, PREDICATE):
        raise _unknown(where)
    proof = statement.predicate
    if statement.subject != (Subject(name=proof.artifact, digest=Digests(sha256=proof.sha256)),):
        raise IntegrityError(f"{where} speaks of one artifact and measures another")
    return proof


def _opened(raw: bytes, where: str) -> tuple[Envelope, bytes]:
    """An envelope and its payload. Raises IntegrityError."""
    envelope = decode(raw, Envelope, where)
    if envelope.payload_type != PAYLOAD:
        raise _unknown(where)
    try:
        return envelope, base64.b64decode(envelope.payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise IntegrityError(f"{where}: its payload is not base64") from error


def _unknown(where: str) -> IntegrityError:
    return IntegrityError(f"{where} is not a proof of a kind that this wellread knows ({PREDICATE})")
