"""Publishing: refused for a reason, done once, finished after any crash, and never changed."""

from __future__ import annotations

import base64
import json
import multiprocessing
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.registry.processes import start
from tests.registry.samples import TIME, Sample, flip, make_proof, make_sample, noise
from wellread.errors import BadInput, IntegrityError, PublishError, VersionConflict
from wellread.registry import index
from wellread.registry import publish as publishing
from wellread.registry.artifact import Package, verify
from wellread.registry.fetch import open_release
from wellread.registry.names import ModelName
from wellread.registry.proof import read_proof, write_proof
from wellread.registry.publish import publish
from wellread.registry.records import Alias, FormParity, Proof, Release, SourceUsed
from wellread.registry.stores import Store, open_store

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
    assert not published.already_there
    store, release = open_store(hub), published.release
    assert index.read_releases(store, TINY) == (release,)
    assert (release.sha256, release.md5, release.size) == (sample.packed.sha256, sample.packed.md5, sample.packed.size)
    assert (release.forms, release.serial, release.state) == (("onnx", "onnx-int8", "torch"), 1, "ready")
    assert (hub / release.path).read_bytes() == sample.zip.read_bytes()
    assert (hub / "public/models" / sample.proof.name).read_bytes() == sample.proof.read_bytes()
    assert [(entry.name, entry.latest) for entry in index.read_catalog(store)] == [("tiny", release.id)]
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
    assert [entry.latest for entry in index.read_catalog(open_store(hub))] == [f"2.6.0_2.4_{TIME + 2}"]
    assert [line.serial for line in index.read_releases(open_store(hub), TINY)] == [1, 2, 3]


def test_a_yanked_release_published_again_stays_yanked(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path)
    release = publish(sample.zip, sample.proof, hub).release
    yanked = msgspec.structs.replace(release, state="yanked", why="wrong")
    (hub / index.index_key(TINY)).write_bytes(index.encode_line(yanked) + b"\n")
    assert publish(sample.zip, sample.proof, hub).release == yanked


# ---------------------------------------------------------------- refusals


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


def test_a_damaged_artifact_is_refused(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path)
    flip(sample.zip, sample.packed.size // 2)
    with pytest.raises(IntegrityError):
        publish(sample.zip, sample.proof, hub)
    assert not hub.exists()


# ---------------------------------------------------------------- crashes and rivals


def test_what_a_dead_publisher_left_is_replaced(tmp_path: Path, hub: Path) -> None:
    orphan = make_sample(tmp_path / "a", {"vocab.txt": b"old"})
    store = open_store(hub)
    store.put_new(f"public/models/{orphan.zip.name}", orphan.zip)
    store.put_new(f"public/models/{orphan.proof.name}", orphan.proof)
    sample = make_sample(tmp_path / "b")
    assert not publish(sample.zip, sample.proof, hub).already_there
    assert (hub / "public/models" / sample.zip.name).read_bytes() == sample.zip.read_bytes()
    assert (hub / "public/models" / sample.proof.name).read_bytes() == sample.proof.read_bytes()


def test_publishing_again_repairs_a_damaged_hub(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path)
    release = publish(sample.zip, sample.proof, hub).release
    flip(hub / release.path, 50)
    (hub / "public/models" / sample.proof.name).unlink()
    assert not publish(sample.zip, sample.proof, hub).already_there
    assert (hub / release.path).read_bytes() == sample.zip.read_bytes()
    assert (hub / "public/models" / sample.proof.name).exists()
    assert publish(sample.zip, sample.proof, hub).already_there


_STEPS = """
import os, sys
from pathlib import Path
from wellread.registry.publish import publish
from wellread.registry.stores.folder import FolderStore
artifact, proof, hub, left = sys.argv[1:]
left = int(left)
def counted(operation):
    def run(self, *arguments):
        global left
        if left == 0:
            os.kill(os.getpid(), 9)
        left -= 1
        return operation(self, *arguments)
    return run
FolderStore.put_new = counted(FolderStore.put_new)
FolderStore.put_if = counted(FolderStore.put_if)
publish(Path(artifact), Path(proof), hub)
"""


def test_killed_before_any_write_a_reader_sees_a_whole_release_or_none_and_the_next_run_finishes(
    tmp_path: Path,
) -> None:
    sample = make_sample(tmp_path, aliases=("en.embed.tiny",))
    died = 0
    for step in range(40):
        hub = tmp_path / f"hub{step}"
        with start(_STEPS, sample.zip, sample.proof, hub, str(step)) as child:
            output = child.communicate()[0]
        for release in index.read_releases(open_store(hub), TINY):
            package = open_release(open_store(hub), release)
            assert all(b"".join(package.read(member)) is not None for member in package.manifest.files)
        if child.returncode == 0:
            break
        assert child.returncode == -signal.SIGKILL, output
        died += 1
        publish(sample.zip, sample.proof, hub)
        assert _files(hub) == _files_of_a_whole_hub(tmp_path, sample)
        assert publish(sample.zip, sample.proof, hub).already_there
    assert died >= 5


def _files_of_a_whole_hub(tmp_path: Path, sample: Sample) -> set[str]:
    hub = tmp_path / "whole"
    publish(sample.zip, sample.proof, hub)
    return _files(hub)


def _publish(artifact: Path, proof: Path, hub: Path, barrier: Any, results: Any) -> None:
    barrier.wait()
    try:
        results.put(f"already there: {publish(artifact, proof, hub).already_there}")
    except VersionConflict:
        results.put("conflict")


def _race(samples: list[Sample], hub: Path) -> list[str]:
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(len(samples)), context.Queue()
    rivals = [context.Process(target=_publish, args=(s.zip, s.proof, hub, barrier, results)) for s in samples]
    for rival in rivals:
        rival.start()
    said = sorted(results.get() for _ in rivals)
    for rival in rivals:
        rival.join()
    return said


def test_two_publishers_of_one_name_both_end_up_listed(tmp_path: Path, hub: Path) -> None:
    samples = [make_sample(tmp_path / str(time), time=time) for time in range(TIME, TIME + 3)]
    assert _race(samples, hub) == ["already there: False"] * 3
    store = open_store(hub)
    lines = index.read_releases(store, TINY)
    assert sorted(line.time for line in lines) == [TIME, TIME + 1, TIME + 2]
    for line in lines:
        assert open_release(store, line).manifest.time == line.time


def test_two_publishers_of_one_version_with_other_bytes_do_not_both_win(tmp_path: Path, hub: Path) -> None:
    samples = [make_sample(tmp_path / str(seed), {"vocab.txt": noise(50, str(seed))}) for seed in range(2)]
    assert "conflict" in _race(samples, hub)
    line = index.read_releases(open_store(hub), TINY)[0]
    assert line.sha256 in {sample.packed.sha256 for sample in samples}


def test_a_rival_whose_line_came_first_keeps_its_artifact(
    tmp_path: Path, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rival = make_sample(tmp_path / "rival", {"vocab.txt": b"rival"})
    sample = make_sample(tmp_path / "ours")

    def overtaken(store: Store, release: Release, package: Package) -> None:
        monkeypatch.undo()
        publish(rival.zip, rival.proof, hub)

    monkeypatch.setattr(publishing, "_listed", overtaken)
    with pytest.raises(VersionConflict):
        publish(sample.zip, sample.proof, hub)
    release = index.read_releases(open_store(hub), TINY)[0]
    assert release.sha256 == rival.packed.sha256
    assert verify(hub / release.path).manifest == rival.manifest


def test_an_artifact_that_a_rival_replaced_before_our_line_is_put_back(
    tmp_path: Path, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rival = make_sample(tmp_path / "rival", {"vocab.txt": b"rival"})
    sample = make_sample(tmp_path / "ours")

    def overtaken(store: Store, release: Release) -> Release:
        stat = store.head(release.path)
        assert stat and store.put_if(release.path, rival.zip, stat.etag)
        return index.add_release(store, release)

    monkeypatch.setattr(publishing, "add_release", overtaken)
    release = publish(sample.zip, sample.proof, hub).release
    assert (hub / release.path).read_bytes() == sample.zip.read_bytes()


@pytest.mark.parametrize("broken", [b"{}", b"another"])
def test_a_proof_that_is_not_of_this_artifact_is_replaced(tmp_path: Path, hub: Path, broken: bytes) -> None:
    sample, rival = make_sample(tmp_path / "a"), make_sample(tmp_path / "b", {"vocab.txt": b"rival"})
    publish(sample.zip, sample.proof, hub)
    lying = hub / "public/models" / sample.proof.name
    lying.write_bytes(rival.proof.read_bytes() if broken == b"another" else broken)
    assert not publish(sample.zip, sample.proof, hub).already_there
    assert lying.read_bytes() == sample.proof.read_bytes()


def test_a_proof_that_a_rival_replaced_before_our_line_is_put_back(
    tmp_path: Path, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rival = make_sample(tmp_path / "rival", {"vocab.txt": b"rival"})
    sample = make_sample(tmp_path / "ours")

    def overtaken(store: Store, release: Release) -> Release:
        (hub / "public/models" / sample.proof.name).write_bytes(rival.proof.read_bytes())
        return index.add_release(store, release)

    monkeypatch.setattr(publishing, "add_release", overtaken)
    publish(sample.zip, sample.proof, hub)
    assert (hub / "public/models" / sample.proof.name).read_bytes() == sample.proof.read_bytes()


def test_another_proof_of_the_same_bytes_stays(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path)
    publish(sample.zip, sample.proof, hub)
    published = (hub / "public/models" / sample.proof.name).read_bytes()
    _reprove(sample, lambda proof: msgspec.structs.replace(proof, machine={"cpu": "another"}))
    assert publish(sample.zip, sample.proof, hub).already_there
    assert (hub / "public/models" / sample.proof.name).read_bytes() == published


def test_a_hub_moves_as_a_folder(tmp_path: Path, hub: Path) -> None:
    sample = make_sample(tmp_path)
    publish(sample.zip, sample.proof, hub)
    shutil.copytree(hub, tmp_path / "copy")
    assert publish(sample.zip, sample.proof, tmp_path / "copy").already_there
