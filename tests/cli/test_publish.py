"""``wellread publish``: several artifacts, a dry run, deferred views, and exit codes that a build server reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fixtures.command import Command
from tests.fixtures.s3 import s3_server
from tests.registry.samples import TIME, Sample, flip, make_sample
from wellread.registry.hub.index import read_releases
from wellread.registry.names import ModelName
from wellread.registry.stores import open_store

pytestmark = pytest.mark.press

TINY = ModelName("tiny")


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return tmp_path / "hub"


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    return [make_sample(tmp_path / str(time), time=time) for time in (TIME, TIME + 1, TIME + 2)]


def _moments(hub: Path) -> list[int]:
    return [release.time - TIME for release in read_releases(open_store(hub), TINY)]


def _files(hub: Path) -> set[str]:
    return set(open_store(hub).list())


def test_several_artifacts_are_published_and_again_already_there(
    command: Command, hub: Path, samples: list[Sample]
) -> None:
    zips = [sample.zip for sample in samples]
    done = command("publish", *zips, "--hub", hub)
    assert (done.code, done.out.splitlines()) == (0, [f"{path.name}: published in {hub}" for path in zips]), done.err
    assert _moments(hub) == [0, 1, 2]
    again = command("publish", *zips, "--hub", hub, "--json")
    assert (again.code, [one["already_there"] for one in again.json]) == (0, [True] * 3)
    assert command("publish", zips[0], "--hub", hub).out.endswith(f"already there, the same bytes in {hub}\n")


def test_what_was_yanked_is_published_again_as_yanked(command: Command, hub: Path, samples: list[Sample]) -> None:
    command("publish", samples[0].zip, "--hub", hub)
    assert command("yank", "tiny", "--reason", "wrong vocabulary", "--hub", hub).code == 0
    assert "(yanked: wrong vocabulary)" in command("publish", samples[0].zip, "--hub", hub).out


def test_the_first_that_is_refused_ends_it_with_1_and_says_which(
    command: Command, hub: Path, samples: list[Sample]
) -> None:
    samples[1].proof.unlink()
    refused = command("publish", *(sample.zip for sample in samples), "--hub", hub, "--json")
    assert (refused.code, [one["release"]["time"] for one in refused.json]) == (1, [TIME])
    assert refused.err.startswith(f"wellread: {samples[1].zip}: ") and "writes a proof" in refused.err
    assert _moments(hub) == [0]
    assert command("publish", "none.zip", "--hub", hub).code == 2
    assert command("publish", "--hub", hub).code == 2


def test_a_dry_run_writes_nothing_and_says_what_it_would(
    command: Command, hub: Path, samples: list[Sample], empty_home: Path
) -> None:
    dry = command("publish", samples[0].zip, "--hub", hub, "--dry-run")
    assert (dry.code, hub.exists(), list(empty_home.iterdir())) == (0, False, [])
    told = dry.out.splitlines()
    assert told[0] == f"{samples[0].zip.name}: would be published in {hub}"
    assert command("publish", samples[0].zip, "--hub", hub, "--no-views").code == 0
    assert {line.removeprefix("  would write ") for line in told[1:]} == _files(hub)
    other = make_sample(hub.parent / "other", {"vocab.txt": b"other"})
    conflict = command("publish", other.zip, "--hub", hub, "--dry-run")
    assert (conflict.code, "They differ in vocab.txt" in conflict.err) == (1, True)


def test_views_wait_for_a_refresh_where_that_is_asked(command: Command, hub: Path, samples: list[Sample]) -> None:
    done = command("publish", samples[0].zip, "--hub", hub, "--no-views")
    assert "wellread hub refresh brings them up to date" in done.out
    assert "catalog.jsonl" not in _files(hub)
    assert command("hub", "refresh", "--hub", hub).code == 0
    assert "tiny" in command("list", "--hub", hub).out


def test_a_folder_of_the_hub_can_be_chosen(command: Command, hub: Path, samples: list[Sample]) -> None:
    assert command("publish", samples[0].zip, "--folder", "clinical/models", "--hub", hub).code == 0
    assert f"clinical/models/{samples[0].zip.name}" in _files(hub)
    wrong = command("publish", samples[0].zip, "--folder", "../x", "--hub", hub)
    assert (wrong.code, "not a folder of a hub" in wrong.err) == (1, True)


def test_with_a_key_it_is_signed_and_says_so(command: Command, hub: Path, samples: list[Sample]) -> None:
    assert command("keys", "new").code == 0
    assert "published, signed by 1 of your keys" in command("publish", samples[0].zip, "--hub", hub).out
    signed = command("publish", samples[0].zip, "--hub", hub, "--json").json["signed"]
    assert [len(key) for key in signed] == [64]


def test_what_was_done_is_told_apart(command: Command, hub: Path, samples: list[Sample]) -> None:
    def told(*more: str) -> list[str]:
        return [command("publish", samples[0].zip, "--hub", hub, *given).out for given in (("--dry-run",), more)]

    name = samples[0].zip.name
    command("publish", samples[0].zip, "--hub", hub)
    command("keys", "new")
    dry, done = told()
    assert dry.startswith(
        f"{name}: would be signed by 1 of your keys, the bytes already there, in {hub}\n  would write"
    )
    assert done == f"{name}: signed by 1 of your keys, the bytes already there, in {hub}\n"
    flip(hub / "public/models" / name, 50)
    dry, done = told()
    assert dry.startswith(f"{name}: would be mended, signed by 1 of your keys in {hub}\n  would write")
    assert done == f"{name}: mended, signed by 1 of your keys in {hub}\n"
    flip(hub / "public/models" / name, 50)
    assert [json.loads(each)["outcome"] for each in told("--json")[1:]] == ["mended"]
    assert [json.loads(each)["outcome"] for each in told("--json")[1:]] == ["already there"]


def test_a_hub_that_takes_no_uploads_is_refused_at_once(
    command: Command, hub: Path, samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    web = command("publish", samples[0].zip, "--hub", "https://models.example/hub")
    assert (web.code, "https://models.example/hub takes no uploads" in web.err) == (1, True)
    both = command("publish", samples[0].zip, "--hub", f"{hub},{hub}2")
    assert (both.code, "one hub is written at a time" in both.err) == (1, True)
    monkeypatch.setenv("WELLREAD_HUB", f"{hub},{hub}2")
    assert command("publish", samples[0].zip).err == both.err
    assert not hub.exists()


def test_a_bucket_takes_releases_and_one_that_is_not_there_is_known_before_anything_is_pressed(
    command: Command, samples: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wellread.cli.press.press", None)  # to call it is an error
    named = ("--name", "tiny", "--lang", "en", "--license", "MIT", "--time", str(TIME))
    with s3_server() as s3:
        s3.lead(monkeypatch)
        hub = f"{s3.bucket()}/models"
        for dry in (["--dry-run"], []):
            assert command("publish", samples[0].zip, "--hub", hub, *dry).code == 0
            assert ("tiny" in command("list", "--hub", hub).out) is (not dry)
        refused = command("build", tmp_path, *named, "--hub", "s3://nowhere")
    assert (refused.code, "s3://nowhere" in refused.err) == (1, True), refused.err
