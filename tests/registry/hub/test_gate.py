"""What a hub takes: refused by what records say, with every reason at once, before anything is written."""

from __future__ import annotations

import base64
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.registry.samples import FILES, FORMS, Sample, as_weights, flip, make_proof, make_sample
from wellread.errors import BadInput, IntegrityError, PublishError
from wellread.registry.artifact import package as artifact
from wellread.registry.artifact.proof import read_proof, write_proof
from wellread.registry.hub.publish import publish
from wellread.registry.records import FormParity, Manifest, Proof, SourceUsed, Trial

pytestmark = pytest.mark.press  # a licence is checked by license-expression


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return tmp_path / "hub"


def _reprove(sample: Sample, change: Callable[[Proof], Proof]) -> None:
    write_proof(sample.proof, change(read_proof(sample.proof)))


def _failed(sample: Sample) -> None:
    write_proof(sample.proof, make_proof(sample.manifest, sample.packed, passed=False))


def _replaced(**fields: Any) -> Callable[[Sample], None]:
    return lambda sample: _reprove(sample, lambda proof: msgspec.structs.replace(proof, **fields))


def _parity(change: Callable[[tuple[FormParity, ...]], tuple[FormParity, ...]]) -> Callable[[Sample], None]:
    def spoil(sample: Sample) -> None:
        proof = read_proof(sample.proof)
        forms = change(proof.parity.forms)
        write_proof(
            sample.proof, msgspec.structs.replace(proof, parity=msgspec.structs.replace(proof.parity, forms=forms))
        )

    return spoil


def _figures(parity: FormParity, **figures: float) -> FormParity:
    point = parity.points[0]
    distance = msgspec.structs.replace(point.distance, **figures)
    return msgspec.structs.replace(parity, points=(msgspec.structs.replace(point, distance=distance),))


_UNPROVED: dict[str, tuple[Callable[[Sample], None], str]] = {
    "failed parity": (_failed, "form 'onnx' failed parity"),
    "no form compared": (_parity(lambda forms: ()), "compares no form with the source"),
    "a form left out": (_parity(lambda forms: forms[:1]), "form 'torch' was never compared"),
    "a form without points": (
        _parity(lambda forms: (*forms[:-1], FormParity(form=forms[-1].form, points=()))),
        "form 'torch' failed parity",
    ),
    "figures that miss their limit under a flag that says otherwise": (
        _parity(lambda forms: (*forms[:-1], _figures(forms[-1], max=9.0))),
        "form 'torch' failed parity",
    ),
    "a form that passes once and fails once": (
        _parity(lambda forms: (*forms, _figures(forms[0], max=9.0))),
        "compares a form twice",
    ),
    "a snippet that failed": (
        _replaced(
            trials=(Trial(tab="Python", outcome="passed"), Trial(tab="Spark", outcome="failed", why="line 3: x"))
        ),
        "its card's Spark snippet failed when it was run: line 3: x",
    ),
    "our own snippet that failed": (
        _replaced(trials=(Trial(tab="Python", outcome="failed", why="line 1: y"),)),
        "its card's Python snippet failed when it was run: line 1: y",
    ),
    "one trial that passed and one that failed": (
        _replaced(trials=tuple(Trial(tab="Python", outcome=outcome) for outcome in ("passed", "failed"))),
        "its card's Python snippet failed",
    ),
    "nothing tried": (_replaced(trials=()), "does not say that its card's Python snippet was run: build it again"),
    "our own snippet not run": (
        _replaced(trials=(Trial(tab="Python", outcome="not run"), Trial(tab="Transformers", outcome="passed"))),
        "does not say that its card's Python snippet was run: build it again",
    ),
    "another source": (_replaced(source="1" * 64), "about another source"),
    "other bytes": (_replaced(sha256="1" * 64), "its proof is about other bytes"),
    "another artifact": (_replaced(artifact="x_en_2.6.0_2.4_1.zip"), "its proof is about x_en"),
    "another manifest": (_replaced(manifest="1" * 64), "about another manifest"),
}


@pytest.mark.parametrize(("spoil", "said"), _UNPROVED.values(), ids=_UNPROVED.keys())
def test_nothing_without_proof(tmp_path: Path, hub: Path, spoil: Callable[[Sample], None], said: str) -> None:
    sample = make_sample(tmp_path)
    spoil(sample)
    with pytest.raises(PublishError) as caught:
        publish(sample.zip, sample.proof, hub)
    assert said in str(caught.value)
    assert not hub.exists()


def test_the_engines_of_others_may_have_been_absent(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path)
    absent = Trial(tab="Transformers", outcome="not run", why="transformers is not installed")
    _reprove(sample, lambda proof: msgspec.structs.replace(proof, trials=(*proof.trials, absent)))
    assert publish(sample.zip, sample.proof, hub).outcome == "new"


def test_a_model_that_wellread_does_not_run_has_no_snippet_of_ours(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path, forms={"torch": FORMS["torch"]})
    _reprove(sample, lambda proof: msgspec.structs.replace(proof, trials=()))
    assert publish(sample.zip, sample.proof, hub).outcome == "new"


def test_a_missing_proof_is_refused(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path)
    sample.proof.unlink()
    with pytest.raises(BadInput, match="writes a proof beside each artifact"):
        publish(sample.zip, sample.proof, hub)
    assert not hub.exists()


def test_a_proof_whose_statement_was_tampered_with_is_refused(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path)
    envelope = json.loads(sample.proof.read_bytes())
    payload = base64.b64decode(envelope["payload"]).replace(sample.packed.sha256.encode(), b"2" * 64, 1)
    sample.proof.write_text(json.dumps(envelope | {"payload": base64.b64encode(payload).decode()}))
    with pytest.raises(IntegrityError, match="speaks of one artifact and measures another"):
        publish(sample.zip, sample.proof, hub)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"license": "Apache 2"}, "its licence 'Apache 2' is not an SPDX expression"),
        ({"license": ""}, "leaves 'license' empty"),
        (
            {"source": SourceUsed(kind="folder", location="x", format="huggingface", tensors="0", override=True)},
            "build it under another --name",
        ),
        ({"title": "", "description": ""}, "leaves 'description' empty"),
    ],
)
def test_unfit_manifests_are_refused(tmp_path: Path, hub: Path, fields: dict[str, Any], said: str) -> None:
    sample = make_sample(tmp_path, **fields)
    with pytest.raises(PublishError) as caught:
        publish(sample.zip, sample.proof, hub)
    assert said in str(caught.value)
    assert not hub.exists()


def test_every_reason_is_given_at_once(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path, title="", license="nonsense")
    _failed(sample)
    with pytest.raises(PublishError, match=r"(?s)failed parity.*'title' empty.*nonsense"):
        publish(sample.zip, sample.proof, hub)


def test_a_renamed_artifact_is_refused(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path)
    renamed = sample.zip.rename(tmp_path / "other_en_2.6.0_2.4_1.zip")
    with pytest.raises(PublishError, match="its name must be tiny_en_"):
        publish(renamed, sample.proof, hub)


def test_weights_that_are_not_the_sources_are_refused_though_hashes_and_proof_fit(tmp_path: Path, hub: Path) -> None:
    honest = make_sample(tmp_path / "honest")
    forged, _ = as_weights(FILES["model.safetensors"] + b"more")
    sample = make_sample(tmp_path / "forged", {"model.safetensors": forged}, source=honest.manifest.source)
    with pytest.raises(PublishError, match=r"its model\.safetensors holds other tensors"):
        publish(sample.zip, sample.proof, hub)
    assert not hub.exists()


def test_a_damaged_artifact_is_refused(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path)
    flip(sample.zip, sample.packed.size // 2)
    with pytest.raises(IntegrityError):
        publish(sample.zip, sample.proof, hub)
    assert not hub.exists()


def test_an_artifact_with_a_member_that_its_manifest_does_not_list_is_refused(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path)
    with zipfile.ZipFile(sample.zip, "a") as archive:
        archive.writestr("extra.json", "{}")
    with pytest.raises(IntegrityError, match=r"Not in the manifest: 'extra\.json'"):
        publish(sample.zip, sample.proof, hub)
    assert not hub.exists()


def test_an_artifact_with_a_member_of_another_kind_is_refused(
    tmp_path: Path, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(artifact, "is_member_name", lambda name: True)
        patch.setattr(artifact, "_check_packable", lambda *_: None)
        sample = make_sample(tmp_path, {"run.py": b"import os"})
    with pytest.raises(IntegrityError, match=r"'run\.py' may not be a member"):
        publish(sample.zip, sample.proof, hub)
    assert not hub.exists()


def test_an_artifact_whose_manifest_lacks_a_field_is_refused(
    tmp_path: Path, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_licence(manifest: Manifest) -> bytes:
        return json.dumps({k: v for k, v in msgspec.to_builtins(manifest).items() if k != "license"}).encode()

    with monkeypatch.context() as patch:
        patch.setattr(artifact, "encode_pretty", without_licence)
        patch.setattr(artifact, "_check_packable", lambda *_: None)
        sample = make_sample(tmp_path)
    with pytest.raises(IntegrityError, match="missing required field `license`"):
        publish(sample.zip, sample.proof, hub)
    assert not hub.exists()


@pytest.mark.parametrize("lacking", ["README.md", "golden.json"])
def test_an_artifact_without_card_or_goldens_is_refused(tmp_path: Path, hub: Path, lacking: str) -> None:
    sample = make_sample(tmp_path / "whole")
    (sample.folder / lacking).unlink()
    manifest = msgspec.structs.replace(sample.manifest, files=artifact.describe(sample.folder))
    packed = artifact.pack(sample.folder, manifest, tmp_path / sample.zip.name)
    write_proof(sample.proof, make_proof(manifest, packed))
    with pytest.raises(PublishError, match=f"it has no {lacking}"):
        publish(packed.path, sample.proof, hub)
    assert lacking in FILES and not hub.exists()
