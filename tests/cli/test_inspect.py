"""``wellread info`` and ``verify``."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.conftest import BuildModule
from tests.fixtures.command import Command
from tests.model_cards.site.hubs import add
from tests.registry.listening import DAY, age, listening
from tests.registry.samples import flip, make_sample
from wellread.registry.artifact.proof import read_proof, signed_proof, write_proof
from wellread.registry.hub.index import add_release
from wellread.registry.hub.publish import release_line
from wellread.registry.stores import open_store
from wellread.registry.trust.keys import new_key

pytestmark = pytest.mark.press

RELEASE = "2.6.0_2.4_1598344705269"
STEM = f"tiny_en_{RELEASE}"


@pytest.fixture
def artifact(published: Path) -> Path:
    return published.parent / "dist" / f"{STEM}.zip"


def test_info_says_what_a_release_is(command: Command, published: Path) -> None:
    shown = command("info", "tiny", "--hub", published).out
    facts = command("info", "tiny", "--hub", published, "--json").json
    md5 = facts["release"]["md5"]
    for word in (
        "2020-08-25T08:38:25.269Z",
        "L-2 H-32 A-4",
        "mean",
        "Apache-2.0",
        "ready",
        "nobody",
        md5,
        str(published),
    ):
        assert word in shown
    forms = [line.split()[:2] for line in shown.splitlines() if line.startswith(("torch", "onnx"))]
    assert forms == [["torch", "fp32"], ["onnx", "fp32"], ["onnx-int8", "int8"]]
    assert (facts["release"]["id"], facts["manifest"]["dimension"], facts["signers"]) == (RELEASE, 32, [])


@pytest.mark.filterwarnings("default")
def test_info_shows_what_was_yanked(command: Command, tmp_path: Path) -> None:
    hub = ("--hub", tmp_path / "hub")
    add(tmp_path / "hub")
    assert command("yank", "tiny", "--reason", "wrong vocabulary", *hub).code == 0
    shown = command("info", "tiny", *hub)
    assert shown.code == 0 and "yanked: wrong vocabulary" in shown.out
    assert command("info", "tiny", *hub, "--json").json["release"]["state"] == "yanked"
    refused = command("info", "tiny", *hub, "--version", "2.6.0")
    assert refused.code == 1 and "was yanked" in refused.err
    nowhere = command("info", "nothing", *hub)
    assert nowhere.code == 1 and nowhere.err.endswith("Give another --hub.\n")


def test_info_of_what_a_client_can_open(command: Command, tmp_path: Path) -> None:
    for number, versions in enumerate(
        [("2.6.0", "2.4", "onnx"), ("5.0.0", "3.4", "onnx"), ("4.0.0", "3.0", "tensorflow")]
    ):
        library, spark, engine = versions
        sample = make_sample(tmp_path / str(number), library_version=library, spark_version=spark, engine=engine)
        store = open_store(tmp_path / "hub")
        store.put_new(f"public/models/{sample.zip.name}", sample.zip)
        add_release(store, release_line(sample.manifest, sample.packed, "public/models"))

    def taken(*words: str) -> str:
        told: str = command("info", "tiny", "--hub", tmp_path / "hub", "--json", *words).json["release"][
            "library_version"
        ]
        return told

    assert taken() == taken("--spark", "3.4.1", "--library", "5.1.0") == "5.0.0"
    assert taken("--spark", "3.3", "--library", "5.1.0") == "4.0.0"
    assert taken("--engine", "onnx,tensorflow", "--spark", "3.3") == "2.6.0"
    assert taken("--engine", "tensorflow,onnx") == "4.0.0"
    for words in (("--spark", "1.0"), ("--annotator", "Nobody"), ("--engine", "openvino"), ("--library", "new")):
        refused = command("info", "tiny", "--hub", tmp_path / "hub", *words)
        assert (refused.code, refused.out) == (1, "")
        assert refused.err.startswith("wellread: ")


def test_of_spark_nlps_own_releases_what_is_known_is_told(command: Command, tmp_path: Path) -> None:
    data = b"PK of Spark NLP"
    row = {
        "name": "tiny", "language": "en", "libVersion": {"parts": [2, 6, 0]}, "sparkVersion": {"parts": [2, 4]},
        "readyToUse": True, "time": "2020-08-25T08:38:25.269Z", "isZipped": True, "category": "ml",
        "checksum": hashlib.md5(data).hexdigest().upper(), "annotator": "BertEmbeddings",
    }  # fmt: skip
    models = tmp_path / "hub/public/models"
    models.mkdir(parents=True)
    (models / "metadata.json").write_text(json.dumps(row) + "\n")
    (models / f"{STEM}.zip").write_bytes(data)
    shown = command("info", "tiny", "--hub", tmp_path / "hub")
    assert shown.code == 0, shown.err
    for word in ("2020-08-25T08:38:25.269Z", "nobody", row["checksum"], "BertEmbeddings", "a zip for Spark NLP"):
        assert str(word) in shown.out
    assert command("info", "tiny", "--hub", tmp_path / "hub", "--json").json["manifest"] is None
    checked = command("verify", "tiny", "--hub", tmp_path / "hub", "--json")
    assert checked.code == 0, checked.err
    assert Path(checked.json["path"]).read_bytes() == data
    (models / f"{STEM}.zip").write_bytes(b"PK of somebody..")
    shutil.rmtree(tmp_path / "home/cache")
    refused = command("verify", "tiny", "--hub", tmp_path / "hub")
    assert (refused.code, refused.out) == (1, "")


def test_info_of_what_is_not_there(command: Command, published: Path) -> None:
    for words in (("tiny2",), ("tiny", "--lang", "de"), ("tiny", "--version", "3.0"), ("a/b",)):
        refused = command("info", *words, "--hub", published)
        assert (refused.code, refused.out) == (1, "")
        assert refused.err.startswith("wellread: ")


def test_verify_hashes_an_artifact_holds_it_against_its_proof_and_replays_it(command: Command, artifact: Path) -> None:
    sound = command("verify", artifact, "--json")
    assert sound.code == 0, sound.err
    assert list(sound.json) == ["hashes", "sha256", "weights", "proof", "signed by", "goldens"]
    assert (sound.json["proof"], sound.json["goldens"], sound.json["weights"], sound.json["signed by"]) == (
        "of these bytes: parity passed for torch, onnx, onnx-int8",
        "met by onnx, onnx-int8",
        "those of its source",
        "nobody",
    )
    assert sound.json["sha256"] in command("verify", artifact).out


def test_verify_without_a_proof_says_so(command: Command, artifact: Path) -> None:
    artifact.with_name(f"{STEM}.proof.json").unlink()
    alone = command("verify", artifact, "--json")
    assert (alone.code, alone.json["proof"]) == (0, f"none ({artifact.with_name(STEM)}.proof.json is not there)")
    assert command("verify", artifact, "--trust", "enforce").code == 1


def test_verify_refuses_a_proof_that_says_no_whatever_its_flags_say(command: Command, artifact: Path) -> None:
    place = artifact.with_name(f"{STEM}.proof.json")
    proof = read_proof(place)
    first, *others = proof.parity.forms
    far = replace(first.points[0], distance=replace(first.points[0].distance, max=9.0), passed=True)
    forms = (replace(first, points=(far, *first.points[1:])), *others)
    write_proof(place, replace(proof, parity=replace(proof.parity, forms=forms)))
    refused = command("verify", artifact)
    assert (refused.code, refused.out) == (1, "")
    assert f"parity failed for {first.form}" in refused.err


def test_verify_refuses_the_proof_of_other_bytes_before_it_runs_anything(
    command: Command, artifact: Path, module: BuildModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = ("--name", "tiny", "--lang", "en", "--license", "MIT", "--time", "1598344705269")
    other = command("build", module("huggingface"), *named, "--out", tmp_path / "other", "--json").json["artifact"]
    shutil.copy(other, artifact)
    monkeypatch.setattr("wellread.cli.inspect._replay", lambda *_: pytest.fail("was run"))
    refused = command("verify", artifact)
    assert (refused.code, refused.out) == (1, "")
    assert "is about other bytes" in refused.err


def test_verify_finds_a_flipped_bit(command: Command, artifact: Path) -> None:
    flip(artifact, artifact.stat().st_size // 2)
    refused = command("verify", artifact)
    assert (refused.code, refused.out) == (1, "")
    assert str(artifact) in refused.err


def test_verify_of_a_model_fetches_all_of_it_and_checks_it(command: Command, published: Path) -> None:
    sound = command("verify", "tiny", "--hub", published, "--json")
    assert sound.code == 0, sound.err
    assert sound.json["goldens"] == "met by onnx, onnx-int8"
    assert (sound.json["weights"], sound.json["hub"]) == ("those of its source", str(published))
    assert sound.json["proof"] == "of these bytes: parity passed for torch, onnx, onnx-int8"
    assert (sound.json["index line"], sound.json["signed by"]) == ("unsigned", "nobody")
    assert Path(sound.json["path"], "model.safetensors").is_file()


def test_offline_the_bytes_in_the_cache_are_verified_and_no_hub_is_asked(
    command: Command, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(published) as server:
        assert command("verify", "tiny", "--hub", server.url).code == 0
        server.taken()
        age(DAY)
        monkeypatch.setenv("WELLREAD_OFFLINE", "1")
        told = command("verify", "tiny", "--hub", server.url, "--json").json
        assert (told["hub"], told["proof"]) == (server.url, "not asked for: offline")
        assert told["goldens"] == "met by onnx, onnx-int8"
        for words in ((), ("--spark", "3.4")):
            assert "L-2 H-32 A-4" in command("info", "tiny", "--hub", server.url, *words).out
        shutil.rmtree(told["path"])
        refused = command("info", "tiny", "--hub", server.url)
        assert (refused.code, refused.out) == (1, "")
        assert "WELLREAD_OFFLINE is set" in refused.err
        assert server.taken() == []


def test_info_of_what_the_cache_holds_needs_no_hub(
    command: Command, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wellread.registry.retry._FIRST", 0.0)
    with listening(published) as server:
        path = Path(command("fetch", "tiny", "--hub", server.url, "--json").json["path"])
        told = command("info", "tiny", "--hub", server.url).out
        assert "L-2 H-32 A-4" in told
    shown = command("info", "tiny", "--hub", server.url)
    assert (shown.code, shown.out) == (0, told), shown.err
    (path / "manifest.json").write_bytes(b"{}")
    refused = command("info", "tiny", "--hub", server.url)
    assert (refused.code, refused.out) == (1, "")
    assert "refused" in refused.err and "WELLREAD_OFFLINE" not in refused.err


def test_verify_of_what_is_not_there(command: Command, published: Path, tmp_path: Path) -> None:
    for target in (tmp_path / "none.zip", "tiny2"):
        refused = command("verify", target, "--hub", published)
        assert (refused.code, refused.out) == (1, "")
        assert refused.err.startswith("wellread: ")


# ---------------------------------------------------------------- signatures


@pytest.fixture
def key(command: Command, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a key that was made before anything was published."""
    monkeypatch.delenv("WELLREAD_KEY", raising=False)
    made: str = command("keys", "new", "--json").json["id"]
    return made


@pytest.fixture
def signed(key: str, request: pytest.FixtureRequest) -> Path:
    """The hub of ``published``, signed."""
    hub: Path = request.getfixturevalue("published")
    return hub


def test_who_signed_is_told_and_whether_one_trusts_them(
    command: Command, key: str, signed: Path, request: pytest.FixtureRequest
) -> None:
    artifact = request.getfixturevalue("artifact")
    assert command("verify", artifact, "--json").json["signed by"] == f"{key} (trusted)"
    assert command("verify", artifact, "--trust", "enforce").code == 0
    refused = command("verify", "tiny", "--hub", signed, "--trust", "enforce")
    assert (refused.code, refused.out) == (1, "")
    assert f"wellread keys trust {signed} {key}" in refused.err
    known = f"{key} (known since first use)"
    told = command("verify", "tiny", "--hub", signed, "--trust", "warn", "--json").json
    assert (told["index line"], told["signed by"]) == (f"signed by {known}", known)
    assert f"signed by   {known}" in command("info", "tiny", "--hub", signed).out
    command("keys", "trust", signed, key, "--policy", "enforce")
    told = command("verify", "tiny", "--hub", signed, "--json").json
    assert (told["index line"], told["signed by"]) == (f"signed by {key} (trusted)", f"{key} (trusted)")
    assert f"signed by   {key} (trusted)" in command("info", "tiny", "--hub", signed).out
    assert command("info", "tiny", "--hub", signed, "--json").json["signers"] == [key]


def test_enforced_an_unsigned_proof_fails_though_the_line_is_signed(command: Command, key: str, signed: Path) -> None:
    command("keys", "trust", signed, key)
    (place,) = signed.glob("public/models/*.proof.json")
    write_proof(place, read_proof(place))
    refused = command("verify", "tiny", "--hub", signed, "--trust", "enforce")
    assert (refused.code, refused.out) == (1, "")
    assert "the proof of tiny_en" in refused.err and "no good signature" in refused.err
    place.unlink()
    assert command("verify", "tiny", "--hub", signed, "--trust", "enforce").code == 1
    told = command("verify", "tiny", "--hub", signed, "--trust", "off", "--json").json
    assert told["proof"] == f"none ({place} is not there)"


def test_the_proof_in_the_hub_must_be_about_these_bytes(command: Command, published: Path) -> None:
    (place,) = published.glob("public/models/*.proof.json")
    write_proof(place, replace(read_proof(place), manifest="1" * 64))
    refused = command("verify", "tiny", "--hub", published)
    assert (refused.code, refused.out) == (1, "")
    assert "is about other bytes" in refused.err


def test_an_artifact_of_a_stranger_is_refused_where_it_is_enforced(
    command: Command, artifact: Path, home: Path
) -> None:
    refused = command("verify", artifact, "--trust", "enforce")
    assert (refused.code, refused.out) == (1, "")
    assert "nobody whom you trust signed its proof" in refused.err
    theirs, _ = new_key("theirs")
    place = artifact.with_name(f"{STEM}.proof.json")
    place.write_bytes(signed_proof(place.read_bytes(), [theirs]))
    (home / "keys/theirs.pem").unlink()
    assert theirs.id in command("verify", artifact, "--trust", "enforce").err
    command("keys", "trust", "https://models.example.org", theirs.id)
    assert command("verify", artifact, "--trust", "enforce").code == 0
    assert command("verify", artifact, "--trust", "enforce", "--hub", "https://other.example.org").code == 1
    assert command("verify", artifact, "--trust", "never").code == 2
