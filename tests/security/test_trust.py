"""Somebody else writes into the hub: signatures, the memory of keys and of serials notice it."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.command import Command
from tests.registry.samples import TIME
from tests.security.hostile import TINY, forge, found, line_file, make_hub, replant
from wellread.errors import TrustError
from wellread.registry.artifact.proof import proof_name, proof_signers
from wellread.registry.cache.entry import Entry
from wellread.registry.trust import policy
from wellread.registry.trust.keys import Key, new_key


@pytest.fixture
def key() -> Key:
    return new_key("owner")[0]


@pytest.fixture
def thief() -> Key:
    return new_key("thief")[0]


@pytest.fixture
def hub(tmp_path: Path, key: Key) -> Path:
    make_hub(tmp_path / "hub", [key])
    return tmp_path / "hub"


def _refused(hub: Path, said: str) -> None:
    """Enforced it is an error; by default a warning, where the right key was seen before."""
    with pytest.raises(TrustError, match=said):
        found(hub, trust="enforce")
    with pytest.warns(UserWarning, match=said):
        found(hub)


def test_a_forger_of_weights_hashes_and_proof_lacks_the_key(hub: Path, key: Key, tmp_path: Path) -> None:
    found(hub)
    make_hub(tmp_path / "forged", title="Forged")
    replant(hub, tmp_path / "forged")
    _refused(hub, "has no good signature")
    assert policy.trusted(str(hub)).known == (key.id,)


def test_a_forger_who_signs_with_another_key_is_noticed(hub: Path, thief: Key, tmp_path: Path) -> None:
    found(hub)
    make_hub(tmp_path / "forged", [thief], title="Forged")
    replant(hub, tmp_path / "forged")
    _refused(hub, f"is signed by {thief.id}")


@pytest.mark.parametrize("changes", [{"sha256": "1" * 64}, {"manifest": "1" * 64}, {"why": "new"}, {"md5": ""}])
def test_a_signature_fits_no_other_line(hub: Path, changes: dict[str, Any]) -> None:
    found(hub)
    forge(hub, **changes)
    with pytest.raises(TrustError, match="has no good signature"):
        found(hub, trust="enforce")


def test_a_signature_of_a_proof_is_none_of_a_line(hub: Path, key: Key) -> None:
    from wellread.registry.hub.index import parse_index
    from wellread.registry.trust.signing import sign, signers

    (line,) = parse_index(line_file(hub).read_bytes(), TINY, "here")
    swapped = sign("application/vnd.in-toto+json", line.said, [key])
    assert signers("application/vnd.wellread.release+json", line.said, line.signatures) == (key.id,)
    assert signers("application/vnd.wellread.release+json", line.said, swapped) == ()


def test_a_signed_line_that_is_copied_makes_nobody_trusted_elsewhere(
    hub: Path, key: Key, thief: Key, tmp_path: Path
) -> None:
    copied = tmp_path / "copied"
    make_hub(copied, [thief])
    found(copied)
    replant(copied, hub)
    _refused(copied, f"is signed by {key.id}")
    assert found(copied, trust="off") == found(hub, trust="off")


def test_unsigned_where_signing_is_enforced_is_refused_before_a_byte_is_fetched(tmp_path: Path, home: Path) -> None:
    _, release = make_hub(tmp_path / "hub")
    policy.set_policy(str(tmp_path / "hub"), "enforce")
    with pytest.raises(TrustError, match="no key is trusted"):
        found(tmp_path / "hub")
    assert not Entry(release.file.removesuffix(".zip"), release.manifest).path.exists()


def test_the_proof_in_the_hub_is_signed_by_the_same_key(hub: Path, key: Key) -> None:
    assert proof_signers((hub / proof_name(found(hub).path)).read_bytes()) == (key.id,)


def test_an_old_index_that_is_put_back_is_noticed(hub: Path, key: Key, tmp_path: Path) -> None:
    policy.trust_key(str(hub), key.id)
    old = line_file(hub).read_bytes()
    forge(hub, [key], state="deprecated", why="a hole", serial=2)
    with pytest.warns(UserWarning, match="a hole"):
        found(hub)
    line_file(hub).write_bytes(old)
    _refused(hub, "has serial 1, and had 2")


def test_a_release_that_vanishes_from_the_index_is_noticed(hub: Path, key: Key, tmp_path: Path) -> None:
    policy.trust_key(str(hub), key.id)
    found(hub)
    make_hub(tmp_path / "other", [key], time=TIME + 1)
    line_file(hub).write_bytes(line_file(tmp_path / "other").read_bytes())
    _refused(hub, "was listed, and is not")


def test_a_hub_that_was_begun_anew_is_taken_once_that_is_said(
    hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A developer deletes ``./hub`` and builds it again, without the key: what the warnings advise ends them."""
    found(hub)
    shutil.rmtree(hub)
    make_hub(hub, time=TIME + 1)
    with pytest.warns(UserWarning) as warned:
        found(hub)
    told = [str(one.message) for one in warned]
    assert ["was listed, and is not" in told[0], "has no good signature" in told[-1]] == [True, True]
    assert [message.endswith(f"wellread keys trust {hub} --forget") for message in told] == [True] * len(told)
    shown = Command(monkeypatch, capfd)("keys", "trust", hub, "--forget")
    assert shown.code == 0, shown.err
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found(hub)


def test_nobody_without_the_key_can_yank_the_latest_release(hub: Path, key: Key, tmp_path: Path) -> None:
    policy.trust_key(str(hub), key.id)
    latest = make_hub(tmp_path / "second", [key], time=TIME + 1)[1]
    both = line_file(hub).read_bytes() + line_file(tmp_path / "second").read_bytes()
    line_file(hub).write_bytes(both)
    assert found(hub) == latest
    line_file(hub).write_bytes(both[: both.rindex(b"ready")] + b"yanked" + both[both.rindex(b"ready") + 5 :])
    _refused(hub, "has no good signature")


def test_a_wrong_first_key_is_believed_no_longer_once_the_right_one_is_given(
    hub: Path, key: Key, thief: Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    make_hub(tmp_path / "forged", [thief], title="Forged")
    good = tmp_path / "good"
    shutil.copytree(hub, good)
    replant(hub, tmp_path / "forged")
    found(hub)
    shown = Command(monkeypatch, capfd)("keys", "trust", hub, key.id, "--policy", "enforce")
    assert f"no longer believed, known since first use: {thief.id}" in shown.out
    with pytest.raises(TrustError, match=f"is signed by {thief.id}"):
        found(hub)
    replant(hub, good)
    found(hub)


def test_a_key_that_was_seen_before_is_quiet(hub: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert found(hub) == found(hub, trust="enforce")
