"""Promoting a release: the same line, artifact and proof in another hub, and nothing that publishing would refuse."""

from __future__ import annotations

import hashlib
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tests.fixtures.servers import serving_folder
from tests.registry.processes import start
from tests.registry.samples import TIME, Sample, flip, make_proof, make_sample, noise
from wellread.errors import IntegrityError, NotFound, NotYet, PublishError, TrustError, VersionConflict, WellreadError
from wellread.registry.artifact.proof import signed_proof, write_proof
from wellread.registry.distribution.copying import chosen, copy
from wellread.registry.hub import index
from wellread.registry.hub.entries import Line, Listed, encode_line, parse_index
from wellread.registry.hub.info import read_info
from wellread.registry.hub.publish import publish
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Alias, Signature, encode
from wellread.registry.retry import open_hub
from wellread.registry.stores import Body, Store, open_store
from wellread.registry.trust import policy
from wellread.registry.trust.keys import new_key

pytestmark = pytest.mark.press  # a licence is checked by license-expression
TINY, EN = ModelName("tiny"), Lang("en")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub with one release; published once, for many tests."""
    place = tmp_path_factory.mktemp("staging")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("WELLREAD_HOME", str(place / "home"))
        sample = make_sample(place / "sample", {"model.safetensors": noise(3_000_000)}, aliases=("en.embed.tiny",))
        publish(sample.zip, sample.proof, place / "hub")
    return place / "hub"


@pytest.fixture
def staging(made: Path, tmp_path: Path) -> Store:
    """A hub of this test's own, whose line somebody signed."""
    store = open_store(shutil.copytree(made, tmp_path / "staging"))
    signatures = (Signature(keyid="a" * 64, sig="Zm9v"),)
    _rewrite(store, lambda line: Line(release=msgspec.Raw(line.said), signatures=signatures))
    return store


def _rewrite(store: Store, change: Callable[[Listed], Line]) -> None:
    """Put another line in the place of the only one."""
    path = Path(store.url, index.index_key(TINY))
    (line,) = parse_index(path.read_bytes(), TINY, "the test")
    path.write_bytes(encode(change(line)) + b"\n")


def _only(store: Store, **asked: object) -> Listed:
    (line,) = chosen(store, TINY, EN, **asked)  # type: ignore[arg-type]
    return line


def _raw(hub: str | Path, key: str) -> bytes:
    return Path(hub, key).read_bytes()


def test_a_release_is_the_same_in_both_hubs(staging: Store, tmp_path: Path, home: Path) -> None:
    line, hub = _only(staging), tmp_path / "production"
    copied = copy(staging, line, hub)
    assert (copied.release, copied.already_there) == (line.release, False)
    release, key = copied.release, index.index_key(TINY)
    for each in (release.path, release.path.replace(".zip", ".proof.json"), key):
        assert _raw(hub, each) == _raw(staging.url, each)
    assert line.signatures and b"Zm9v" in _raw(hub, key), "the signatures come along"
    assert index.read_alias(open_store(hub), "en.embed.tiny") == Alias(
        reference="en.embed.tiny", name=TINY, language=EN
    )
    assert b'"tiny"' in _raw(hub, "catalog.jsonl")
    assert not [path for path in (home / "work").rglob("*") if path.is_file() and path.name != "lock"]


def test_from_a_web_server_into_a_bucket_and_back(staging: Store, tmp_path: Path, bucket: str) -> None:
    line = _only(staging)
    with serving_folder("serve", Path(staging.url)) as url:
        web = open_hub(url)
        assert chosen(web, TINY, EN) == (line,)
        assert not copy(web, line, bucket).already_there
        assert copy(web, line, bucket).already_there
    copy(open_hub(bucket), line, tmp_path / "back")
    for key in (line.release.path, line.release.path.replace(".zip", ".proof.json"), index.index_key(TINY)):
        assert _raw(tmp_path / "back", key) == _raw(staging.url, key)


def test_again_it_is_already_there_and_nothing_moves(staging: Store, tmp_path: Path) -> None:
    line, hub = _only(staging), tmp_path / "production"
    copy(staging, line, hub)
    before = {path: path.stat().st_mtime_ns for path in hub.rglob("*") if path.is_file()}
    Path(staging.url, line.release.path).unlink()
    assert copy(staging, line, hub).already_there
    assert {path: path.stat().st_mtime_ns for path in hub.rglob("*") if path.is_file()} == before


def test_a_dry_run_moves_nothing_and_sees_a_conflict(staging: Store, tmp_path: Path) -> None:
    line, hub = _only(staging), tmp_path / "production"
    assert not copy(staging, line, hub, dry_run=True).already_there
    assert not hub.exists()
    other = make_sample(tmp_path / "other")
    publish(other.zip, other.proof, hub)
    for dry_run in (True, False):
        with pytest.raises(VersionConflict, match="published with other bytes"):
            copy(staging, line, hub, dry_run=dry_run)


def test_what_a_dead_publisher_left_is_replaced(staging: Store, tmp_path: Path) -> None:
    line, hub = _only(staging), tmp_path / "production"
    open_store(hub).put_new(line.release.path, b"half of something")
    open_store(hub).put_new(line.release.path.replace(".zip", ".proof.json"), b"no proof")
    copy(staging, line, hub)
    barred = [entry.outline.sha256 for entry in index.read_lines(open_store(hub), TINY) if entry.barred]
    assert barred == [hashlib.sha256(b"half of something").hexdigest()], "should it live, it cannot list them any more"
    assert _raw(hub, line.release.path) == _raw(staging.url, line.release.path)
    assert index.read_releases(open_store(hub), TINY) == (line.release,)


@pytest.mark.parametrize("kind", [".zip", ".proof.json"])
@pytest.mark.parametrize("damage", [flip, lambda path, _: path.unlink()], ids=["a bit", "lost"])
def test_what_is_damaged_in_the_target_is_mended(
    staging: Store, tmp_path: Path, kind: str, damage: Callable[[Path, int], None]
) -> None:
    line, hub = _only(staging), tmp_path / "production"
    assert copy(staging, line, hub).outcome == "new"
    key = line.release.path.replace(".zip", kind)
    damage(hub / key, 150)
    assert copy(staging, line, hub, dry_run=True).outcome == "mended"
    assert copy(staging, line, hub).outcome == "mended"
    assert _raw(hub, key) == _raw(staging.url, key)
    assert copy(staging, line, hub).already_there


def test_a_proof_about_other_bytes_is_mended(staging: Store, tmp_path: Path) -> None:
    line, hub = _only(staging), tmp_path / "production"
    copy(staging, line, hub)
    key = line.release.path.replace(".zip", ".proof.json")
    (hub / key).write_bytes(make_sample(tmp_path / "other").proof.read_bytes())
    assert copy(staging, line, hub).outcome == "mended"
    assert _raw(hub, key) == _raw(staging.url, key)


def test_a_proof_that_was_signed_in_the_target_too_stays(staging: Store, tmp_path: Path) -> None:
    line, hub = _only(staging), tmp_path / "production"
    copy(staging, line, hub)
    key = line.release.path.replace(".zip", ".proof.json")
    signed = signed_proof(_raw(hub, key), [new_key()[0]])
    (hub / key).write_bytes(signed)
    assert copy(staging, line, hub).already_there
    assert _raw(hub, key) == signed


def test_a_new_hub_states_the_keys_whose_signatures_came(staging: Store, tmp_path: Path) -> None:
    key, _ = new_key()
    _rewrite(staging, lambda line: msgspec.json.decode(encode_line(line.release, [key]), type=Line))
    copy(staging, _only(staging), tmp_path / "production")
    info = read_info(open_store(tmp_path / "production"))
    assert info and info.keys == (key.id,)


# ---------------------------------------------------------------- what is refused


def _flipped(staging: Store, line: Listed) -> None:
    flip(Path(staging.url, line.release.path), 500_000)


def _without_proof(staging: Store, line: Listed) -> None:
    Path(staging.url, line.release.path.replace(".zip", ".proof.json")).unlink()


def _without_artifact(staging: Store, line: Listed) -> None:
    Path(staging.url, line.release.path).unlink()


def _cut(staging: Store, line: Listed) -> None:
    path = Path(staging.url, line.release.path)
    path.write_bytes(path.read_bytes()[:-1])


_SPOILED: dict[str, tuple[Callable[[Store, Listed], None], type[WellreadError], str]] = {
    "a bit": (_flipped, IntegrityError, "differs from its index line, brought twice"),
    "its end": (_cut, IntegrityError, "differs from its index line, brought twice"),
    "no proof": (_without_proof, PublishError, "not copied without its proof"),
    "no artifact": (_without_artifact, IntegrityError, "listed in the index but not there"),
}


@pytest.mark.parametrize("spoiled", _SPOILED)
def test_a_release_that_is_not_sound_is_not_copied(staging: Store, tmp_path: Path, spoiled: str) -> None:
    spoil, error, message = _SPOILED[spoiled]
    line = _only(staging)
    spoil(staging, line)
    with pytest.raises(error, match=message):
        copy(staging, line, tmp_path / "production")
    assert not list(open_store(tmp_path / "production").list())


def test_a_proof_that_says_no_is_refused_by_the_checks_of_publishing(staging: Store, tmp_path: Path) -> None:
    line = _only(staging)
    sample = _sample_of(staging, line, tmp_path)
    write_proof(
        Path(staging.url, line.release.path.replace(".zip", ".proof.json")),
        make_proof(sample.manifest, sample.packed, passed=False),
    )
    with pytest.raises(PublishError, match="failed parity"):
        copy(staging, line, tmp_path / "production")
    assert not list(open_store(tmp_path / "production").list())


def _sample_of(staging: Store, line: Listed, tmp_path: Path) -> Sample:
    again = make_sample(tmp_path / "again", {"model.safetensors": noise(3_000_000)}, aliases=("en.embed.tiny",))
    assert again.packed.sha256 == line.release.sha256
    return again


@pytest.mark.parametrize("field", ["md5", "annotator", "forms", "engine"])
def test_a_line_that_its_artifact_contradicts_is_not_carried_on(staging: Store, tmp_path: Path, field: str) -> None:
    wrong = {"md5": "F" * 32, "annotator": "Other", "forms": ("onnx",), "engine": "tensorflow"}[field]
    _rewrite(staging, lambda line: msgspec.json.decode(
        encode_line(msgspec.structs.replace(line.release, **{field: wrong})), type=Line))  # fmt: skip
    with pytest.raises(IntegrityError, match=f"differ in {field}|differs from its index line"):
        copy(staging, _only(staging), tmp_path / "production")
    assert not list(open_store(tmp_path / "production").list())


def test_a_full_disk_is_said_before_a_byte_is_asked_for(
    staging: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = _only(staging)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1_000_000}))
    monkeypatch.setattr(staging, "get_range", _refusing(staging, line.release.path))
    with pytest.raises(WellreadError, match=r"3 MB are missing, 1 MB are free.*free some space"):
        copy(staging, line, tmp_path / "production")


def _refusing(store: Store, key: str) -> Callable[..., Body | None]:
    plain = store.get_range

    def get_range(asked: str, start: int = 0, length: int | None = None, *, unless: str | None = None) -> Body | None:
        assert asked != key
        return plain(asked, start, length, unless=unless)

    return get_range


# ---------------------------------------------------------------- resuming


def test_what_came_before_a_connection_broke_is_not_asked_for_again(
    staging: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, asked, plain = _only(staging), list[int](), staging.get_range

    def breaking(key: str, start: int = 0, length: int | None = None, *, unless: str | None = None) -> Body | None:
        body = plain(key, start, length, unless=unless)
        if key != line.release.path or body is None:
            return body
        asked.append(start)
        return body._replace(chunks=_broken(body.chunks)) if len(asked) == 1 else body

    monkeypatch.setattr(staging, "get_range", breaking)
    with pytest.raises(PublishError, match="the cable"):
        copy(staging, line, tmp_path / "production")
    copy(staging, line, tmp_path / "production")
    assert asked == [0, 1024 * 1024]


def _broken(chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield next(chunks)
    raise PublishError("the cable")


_KILLED = """
import sys
from wellread.registry.distribution import copying
from wellread.registry.hub import publish
from wellread.registry.stores import open_store
from wellread.registry.names import Lang, ModelName

step = sys.argv[3]
def stop(*_, **__):
    print("there", flush=True)
    while True: pass
setattr(copying if step == "publish" else publish, step, stop)
source = open_store(sys.argv[1])
copying.copy(source, *copying.chosen(source, ModelName("tiny"), Lang("en")), sys.argv[2])
"""


@pytest.mark.parametrize("step", ["publish", "add_line", "update_views"])
def test_killed_at_any_step_it_is_done_again(staging: Store, tmp_path: Path, step: str) -> None:
    hub, line = tmp_path / "production", _only(staging)
    process = start(_KILLED, staging.url, hub, step, WELLREAD_HOME=tmp_path / "home")
    assert process.stdout and process.stdout.readline() == "there\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert (index.read_releases(open_store(hub), TINY) == (line.release,)) is (step == "update_views")
    copy(staging, line, hub)
    assert index.read_releases(open_store(hub), TINY) == (line.release,)
    assert _raw(hub, line.release.path) == _raw(staging.url, line.release.path)
    assert b'"tiny"' in _raw(hub, "catalog.jsonl")
    assert index.read_alias(open_store(hub), "en.embed.tiny")


# ---------------------------------------------------------------- which releases


def test_the_default_is_the_latest_and_all_are_all_that_were_not_yanked(tmp_path: Path) -> None:
    hub = tmp_path / "staging"
    for time in (TIME, TIME + 1, TIME + 2):
        sample = make_sample(tmp_path / str(time), time=time)
        publish(sample.zip, sample.proof, hub)
    store, key = open_store(hub), index.index_key(TINY)
    lines = parse_index(_raw(hub, key), TINY, "the test")
    yanked = msgspec.structs.replace(lines[2].release, state="yanked", why="wrong")
    (hub / key).write_bytes(index.joined([*(line.line for line in lines[:2]), encode_line(yanked)]))
    assert _only(store).release == lines[1].release
    assert [line.release for line in chosen(store, TINY, EN, every=True)] == [line.release for line in lines[:2]]
    assert _only(store, version=lines[0].release.id).release == lines[0].release
    with pytest.warns(UserWarning, match="was yanked: wrong"):
        assert _only(store, version=yanked.id).release == yanked


def test_a_name_that_is_nowhere_and_one_of_spark_nlp(staging: Store) -> None:
    with pytest.raises(NotFound, match=r"big \(en\): not in .*wellread list --hub"):
        chosen(staging, ModelName("big"), EN)
    with pytest.raises(NotFound, match="not in language 'de'"):
        chosen(staging, TINY, Lang("de"))
    row = {
        "name": "theirs", "language": "en", "libVersion": {"parts": [2, 6, 0]}, "sparkVersion": {"parts": [2, 4]},
        "readyToUse": True, "time": "2020-08-25T08:38:25.269Z", "isZipped": True, "category": "ner",
        "checksum": "0" * 32, "annotator": "BertEmbeddings", "engine": "tensorflow",
    }  # fmt: skip
    Path(staging.url, "public/models/metadata.json").write_bytes(msgspec.json.encode(row) + b"\n")
    with pytest.raises(NotYet, match="as Spark NLP's metadata"):
        chosen(staging, ModelName("theirs"), EN)


def test_a_folder_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=f"there is no folder {tmp_path}/nosuch"):
        chosen(open_store(tmp_path / "nosuch"), TINY, EN)


def test_an_alias_stands_for_its_model_and_a_circle_for_nothing(staging: Store) -> None:
    assert chosen(staging, ModelName("en.embed.tiny"), EN) == chosen(staging, TINY, EN)
    circle = Alias(reference="round", name=ModelName("round"), language=EN)
    staging.put_new(index.alias_key("round"), encode(circle))
    with pytest.raises(NotFound, match=r"round \(en\): not in"):
        chosen(staging, ModelName("round"), EN)


def test_a_source_whose_signatures_are_enforced_is_held_to_them(staging: Store) -> None:
    policy.set_policy(staging.url, "enforce")
    with pytest.raises(TrustError, match="no good signature"):
        chosen(staging, TINY, EN)
