"""Publishing: done once, said what was done, signed with the keys there are, and never changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from tests.registry.samples import TIME, flip, make_sample
from wellread.errors import BadInput, PublishError, VersionConflict
from wellread.registry.artifact.proof import proof_signers, read_proof, write_proof
from wellread.registry.hub import entries, index
from wellread.registry.hub.info import read_info
from wellread.registry.hub.publish import publish
from wellread.registry.names import ModelName
from wellread.registry.records import Alias, HubInfo
from wellread.registry.stores import open_store
from wellread.registry.transfer.fetch import open_release
from wellread.registry.trust.keys import Key, new_key
from wellread.registry.trust.signing import signers
from wellread.registry.views.catalog import read_catalog
from wellread.registry.views.update import refresh

pytestmark = pytest.mark.press  # a licence is checked by license-expression
TINY = ModelName("tiny")


def _files(hub: Path) -> set[str]:
    return set(open_store(hub).list())


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return tmp_path / "hub"


def test_a_published_release_is_all_there(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path, aliases=("en.embed.tiny",))
    published = publish(sample.zip, sample.proof, hub)
    assert (published.outcome, published.already_there) == ("new", False)
    store, release = open_store(hub), published.release
    assert index.read_releases(store, TINY) == (release,)
    assert (release.sha256, release.md5, release.size) == (sample.packed.sha256, sample.packed.md5, sample.packed.size)
    assert (release.forms, release.serial, release.state) == (("onnx", "onnx-int8", "torch"), 1, "ready")
    assert (hub / release.path).read_bytes() == sample.zip.read_bytes()
    assert (hub / "public/models" / sample.proof.name).read_bytes() == sample.proof.read_bytes()
    assert [(entry.name, entry.latest) for entry in read_catalog(store)] == [("tiny", release.id)]
    assert index.read_alias(store, "en.embed.tiny") == Alias(
        reference="en.embed.tiny", name=TINY, language=release.language
    )
    assert open_release(store, release).manifest == sample.manifest


def test_the_same_bytes_again_are_already_there_and_change_nothing(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path)
    publish(sample.zip, sample.proof, hub)
    before = {key: (hub / key).stat().st_mtime_ns for key in _files(hub)}
    assert publish(sample.zip, sample.proof, hub).already_there
    assert {key: (hub / key).stat().st_mtime_ns for key in _files(hub)} == before


def test_other_bytes_under_the_same_version_name_the_member(tmp_path: Path, hub: Path) -> None:
    first = make_sample(tmp_path / "a")
    other = make_sample(tmp_path / "b", {"onnx/model.onnx": b"different"})
    publish(first.zip, first.proof, hub)
    with pytest.raises(VersionConflict, match=r"They differ in onnx/model\.onnx$"):
        publish(other.zip, other.proof, hub)
    retitled = make_sample(tmp_path / "c", title="Another")
    with pytest.raises(VersionConflict, match=r"They differ in manifest\.json \(title\)$"):
        publish(retitled.zip, retitled.proof, hub)
    assert (hub / "public/models" / first.zip.name).read_bytes() == first.zip.read_bytes()


def test_the_catalogue_shows_the_latest_whatever_the_order_of_publishing(tmp_path: Path, hub: Path) -> None:
    for time in (TIME, TIME + 2, TIME + 1):
        sample = make_sample(tmp_path / str(time), time=time)
        publish(sample.zip, sample.proof, hub)
    assert [entry.latest for entry in read_catalog(open_store(hub))] == [f"2.6.0_2.4_{TIME + 2}"]
    assert [line.serial for line in index.read_releases(open_store(hub), TINY)] == [1, 2, 3]


def test_a_yanked_release_published_again_stays_yanked(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path)
    release = publish(sample.zip, sample.proof, hub).release
    yanked = msgspec.structs.replace(release, state="yanked", why="wrong")
    (hub / index.index_key(TINY)).write_bytes(index.encode_line(yanked) + b"\n")
    assert publish(sample.zip, sample.proof, hub).release == yanked


def test_publishing_again_repairs_a_damaged_hub(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path)
    release = publish(sample.zip, sample.proof, hub).release
    flip(hub / release.path, 50)
    (hub / "public/models" / sample.proof.name).unlink()
    assert publish(sample.zip, sample.proof, hub, dry_run=True).outcome == "mended"
    assert publish(sample.zip, sample.proof, hub).outcome == "mended"
    assert (hub / release.path).read_bytes() == sample.zip.read_bytes()
    assert (hub / "public/models" / sample.proof.name).exists()
    assert publish(sample.zip, sample.proof, hub).already_there


@pytest.mark.parametrize("broken", [b"{}", b"another"])
def test_a_proof_that_is_not_of_this_artifact_is_replaced(tmp_path: Path, hub: Path, broken: bytes) -> None:
    sample, rival = make_sample(tmp_path / "a"), make_sample(tmp_path / "b", {"vocab.txt": b"rival"})
    publish(sample.zip, sample.proof, hub)
    lying = hub / "public/models" / sample.proof.name
    lying.write_bytes(rival.proof.read_bytes() if broken == b"another" else broken)
    assert publish(sample.zip, sample.proof, hub).outcome == "mended"
    assert lying.read_bytes() == sample.proof.read_bytes()


def test_another_proof_of_the_same_bytes_stays(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path)
    publish(sample.zip, sample.proof, hub)
    published = (hub / "public/models" / sample.proof.name).read_bytes()
    write_proof(sample.proof, msgspec.structs.replace(read_proof(sample.proof), machine={"cpu": "another"}))
    assert publish(sample.zip, sample.proof, hub).already_there
    assert (hub / "public/models" / sample.proof.name).read_bytes() == published


def test_a_hub_moves_as_a_folder(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path)
    publish(sample.zip, sample.proof, hub)
    shutil.copytree(hub, tmp_path / "copy")
    assert publish(sample.zip, sample.proof, tmp_path / "copy").already_there


# ---------------------------------------------------------------- a dry run, views, signatures


def test_a_dry_run_says_what_would_be_written_and_writes_nothing(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path)
    dry = publish(sample.zip, sample.proof, hub, dry_run=True)
    assert not hub.exists()
    assert (dry.dry_run, dry.already_there, dry.hub) == (True, False, str(hub))
    wet = publish(sample.zip, sample.proof, hub)
    assert set(dry.wrote) == set(wet.wrote) < _files(hub)
    assert dry.release == wet.release
    before = {key: (hub / key).read_bytes() for key in _files(hub)}
    assert publish(sample.zip, sample.proof, hub, dry_run=True).already_there
    other = make_sample(tmp_path / "b", {"onnx/model.onnx": b"different"})
    with pytest.raises(VersionConflict, match=r"They differ in onnx/model\.onnx$"):
        publish(other.zip, other.proof, hub, dry_run=True)
    flip(hub / wet.release.path, 50)
    assert publish(sample.zip, sample.proof, hub, dry_run=True).wrote == (wet.release.path,)
    flip(hub / wet.release.path, 50)
    assert {key: (hub / key).read_bytes() for key in _files(hub)} == before


def test_views_can_be_left_to_a_refresh(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path)
    published = publish(sample.zip, sample.proof, hub, views=False)
    assert not published.views
    assert _files(hub) == set(published.wrote)
    assert index.read_releases(open_store(hub), TINY) == (published.release,)
    assert refresh(open_store(hub)) == 1
    assert _files(hub) - set(published.wrote) == {"hub.json", "catalog.jsonl", "public/models/metadata.json"}
    assert [entry.name for entry in read_catalog(open_store(hub))] == ["tiny"]


def test_line_and_proof_are_signed_with_the_keys_there_are(tmp_path: Path, hub: Path, key: Key) -> None:
    sample = make_sample(tmp_path)
    published = publish(sample.zip, sample.proof, hub)
    assert published.signed == (key.id,)
    assert _line_signers(hub) == (key.id,)
    assert proof_signers((hub / "public/models" / sample.proof.name).read_bytes()) == (key.id,)
    assert publish(sample.zip, sample.proof, hub).already_there


def test_what_was_published_unsigned_is_signed_when_published_again(
    tmp_path: Path, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "home"))
    sample = make_sample(tmp_path)
    first = publish(sample.zip, sample.proof, hub)
    assert (first.signed, _line_signers(hub)) == ((), ())
    made, _ = new_key()
    again = publish(sample.zip, sample.proof, hub)
    assert set(again.wrote) == {index.index_key(TINY), f"public/models/{sample.proof.name}"}
    assert (again.release, again.outcome) == (first.release, "signed")
    assert _line_signers(hub) == (made.id,)
    assert proof_signers((hub / "public/models" / sample.proof.name).read_bytes()) == (made.id,)
    assert publish(sample.zip, sample.proof, hub).already_there


def test_what_is_damaged_and_unsigned_is_mended_and_signed(
    tmp_path: Path, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "home"))
    sample = make_sample(tmp_path)
    flip(hub / publish(sample.zip, sample.proof, hub).release.path, 50)
    made, _ = new_key()
    again = publish(sample.zip, sample.proof, hub)
    assert (again.outcome, again.signed, _line_signers(hub)) == ("mended", (made.id,), (made.id,))


def test_a_new_hub_states_the_key_that_signs_and_a_later_key_is_left_to_its_owner(
    tmp_path: Path, hub: Path, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, later = make_sample(tmp_path / "a"), make_sample(tmp_path / "b", time=TIME + 1)
    publish(first.zip, first.proof, hub)
    assert read_info(open_store(hub)) == HubInfo(name="hub", keys=(key.id,))
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "another"))
    assert new_key()[0].id != key.id
    publish(later.zip, later.proof, hub)
    assert read_info(open_store(hub)) == HubInfo(name="hub", keys=(key.id,))


def test_a_line_that_says_more_than_we_know_is_not_signed_by_us(tmp_path: Path, hub: Path, key: Key) -> None:
    sample = make_sample(tmp_path)
    publish(sample.zip, sample.proof, hub)
    path = hub / index.index_key(TINY)
    line = path.read_bytes().replace(b'"why":', b'"md4":"?","why":')
    path.write_bytes(line[: line.index(b'"signatures"')] + b'"signatures":[]}\n')
    before = path.read_bytes()
    assert publish(sample.zip, sample.proof, hub).already_there
    assert path.read_bytes() == before


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Key:
    """A key of the user's."""
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "home"))
    return new_key()[0]


def _line_signers(hub: Path) -> tuple[str, ...]:
    raw = (hub / index.index_key(TINY)).read_bytes()
    (listed,) = entries.parse_index(raw, TINY, "the index")
    return signers(entries.SIGNED, listed.said, listed.signatures)


def test_a_hub_that_takes_no_uploads_says_so(tmp_path: Path) -> None:
    sample = make_sample(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="is not a folder"):
        publish(sample.zip, sample.proof, tmp_path / "file")
    with pytest.raises(PublishError, match="cannot write"):
        publish(sample.zip, sample.proof, tmp_path / "file/hub")
