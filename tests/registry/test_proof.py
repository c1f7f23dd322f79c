"""The proof is an in-toto statement in a DSSE envelope, and says one thing only."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.registry.samples import make_proof, make_sample
from wellread.errors import BadInput, IntegrityError
from wellread.registry.proof import parse_proof, proof_name, read_proof


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
