"""The proof is an in-toto statement in a DSSE envelope, and says one thing only."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.registry.samples import make_proof, make_sample
from wellread.errors import BadInput, IntegrityError
from wellread.registry.artifact.proof import (
    parse_proof,
    proof_name,
    proof_signers,
    read_proof,
    signed_proof,
    write_proof,
)
from wellread.registry.trust.keys import Key, new_key


def _parts(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    envelope = json.loads(path.read_bytes())
    return envelope, json.loads(base64.b64decode(envelope["payload"]))


def _joined(envelope: dict[str, Any], statement: dict[str, Any]) -> bytes:
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    return json.dumps(envelope | {"payload": payload}).encode()


def test_a_proof_is_read_as_it_was_written(tmp_path: Path) -> None:
    sample = make_sample(tmp_path)
    assert read_proof(sample.proof) == make_proof(sample.manifest, sample.packed)
    assert sample.proof.name == "tiny_en_2.6.0_2.4_1598344705269.proof.json"
    assert proof_name("public/models/a.zip") == "public/models/a.proof.json"


def test_others_tools_find_what_they_look_for(tmp_path: Path) -> None:
    sample = make_sample(tmp_path)
    envelope, statement = _parts(sample.proof)
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    assert envelope["signatures"] == []
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "urn:wellread:proof:1"
    assert statement["subject"] == [{"name": sample.zip.name, "digest": {"sha256": sample.packed.sha256}}]


@pytest.mark.parametrize(
    "change",
    [
        {"predicateType": "urn:wellread:proof:2"},
        {"_type": "https://example.org/Statement"},
        {"subject": []},
        {"subject": [{"name": "other.zip", "digest": {"sha256": "0" * 64}}]},
        {"predicate": {}},
    ],
)
def test_a_statement_about_something_else_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    envelope, statement = _parts(make_sample(tmp_path).proof)
    with pytest.raises(IntegrityError, match=r"p\.json"):
        parse_proof(_joined(envelope, statement | change), "p.json")


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"payload": "*"}', b'{"payload": "e30="}'])
def test_what_is_no_proof_is_refused(raw: bytes) -> None:
    with pytest.raises(IntegrityError, match=r"p\.json"):
        parse_proof(raw, "p.json")


def test_no_proof_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="writes a proof beside each artifact"):
        read_proof(tmp_path / "absent.proof.json")


# ---------------------------------------------------------------- signatures


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Key, Key]:
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "home"))
    return new_key("anna")[0], new_key("ben")[0]


def test_a_signed_proof_says_who_signed_and_the_same_as_before(tmp_path: Path, keys: tuple[Key, Key]) -> None:
    sample = make_sample(tmp_path)
    unsigned = sample.proof.read_bytes()
    write_proof(sample.proof, make_proof(sample.manifest, sample.packed), keys)
    assert proof_signers(sample.proof.read_bytes()) == (keys[0].id, keys[1].id)
    assert proof_signers(unsigned) == ()
    assert read_proof(sample.proof) == parse_proof(unsigned, "p.json")


def test_another_may_sign_a_proof_later_and_once(tmp_path: Path, keys: tuple[Key, Key]) -> None:
    unsigned = make_sample(tmp_path).proof.read_bytes()
    first = signed_proof(unsigned, keys[:1])
    both = signed_proof(first, keys)
    assert (proof_signers(first), proof_signers(both)) == ((keys[0].id,), (keys[0].id, keys[1].id))
    assert signed_proof(both, keys) == both
    assert signed_proof(unsigned, ()) == unsigned


def test_a_changed_statement_loses_its_signatures(tmp_path: Path, keys: tuple[Key, Key]) -> None:
    raw = signed_proof(make_sample(tmp_path).proof.read_bytes(), keys)
    (tmp_path / "signed.json").write_bytes(raw)
    envelope, statement = _parts(tmp_path / "signed.json")
    statement["predicate"]["created"] += 1
    assert proof_signers(_joined(envelope, statement)) == ()
    parse_proof(_joined(envelope, statement), "p.json")


def test_what_a_signature_covers_is_what_signing_tools_check(tmp_path: Path, keys: tuple[Key, Key]) -> None:
    path = tmp_path / "signed.json"
    path.write_bytes(signed_proof(make_sample(tmp_path).proof.read_bytes(), keys[:1]))
    envelope, _ = _parts(path)
    payload, signature = base64.b64decode(envelope["payload"]), base64.b64decode(envelope["signatures"][0]["sig"])
    frame = b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(payload), payload)
    keys[0].private.public_key().verify(signature, frame)


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"payload": "*"}', b'{"payloadType": "text/plain", "payload": ""}'])
def test_what_is_no_envelope_has_no_signers(raw: bytes) -> None:
    for use in (proof_signers, lambda raw: signed_proof(raw, ())):
        with pytest.raises(IntegrityError, match="the proof"):
            use(raw)
