"""Whose signatures are believed: the table of wellread/registry/trust/policy.py, row by row."""

from __future__ import annotations

import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.registry.samples import released
from wellread.errors import BadInput, TrustError, WellreadError
from wellread.registry.disk import refused
from wellread.registry.trust import policy

HUB = "https://models.example.org"
A, B, C = "a" * 64, "b" * 64, "c" * 64


def _check(*signers: str, asked: str | None = None, hub: str = HUB) -> None:
    policy.check(hub, released(), signers, asked)


# ---------------------------------------------------------------- which policy


def test_the_users_own_hub_is_off_and_any_other_warns(home: Path, tmp_path: Path) -> None:
    assert policy.wanted(str(home / "hub")) == "off"
    assert policy.wanted(home / "hub") == "off"
    assert (policy.wanted(HUB), policy.wanted(str(tmp_path / "hub"))) == ("warn", "warn")


def test_what_is_set_for_a_hub_counts_and_what_is_asked_for_counts_more(home: Path) -> None:
    for hub in (HUB, str(home / "hub")):
        policy.set_policy(hub, "enforce")
        assert policy.wanted(hub) == "enforce"
        assert policy.wanted(hub, "off") == "off"
    with pytest.raises(BadInput, match="one of off, warn, enforce"):
        policy.wanted(HUB, "never")
    with pytest.raises(BadInput, match="one of off, warn, enforce"):
        _check(asked="Off")


@pytest.mark.parametrize(
    "spelling",
    [
        "https://models.example.org/",
        "HTTPS://Models.Example.ORG",
        "https://models.example.org:443",
        "https://anna:secret@models.example.org",
    ],
)
def test_a_hub_has_one_name_without_secrets(home: Path, spelling: str) -> None:
    policy.trust_key(spelling, A)
    assert policy.trusted(HUB).keys == (A,)
    assert "secret" not in (home / "trust.json").read_text()


def test_other_places_are_other_hubs(tmp_path: Path) -> None:
    others = ["http://models.example.org", "https://models.example.org:8443", f"{HUB}/a", "s3://models.example.org"]
    names = {policy.hub_key(hub) for hub in [HUB, *others]}
    assert len(names) == 1 + len(others)
    assert policy.hub_key("http://[::1]:8080/hub/") == "http://[::1]:8080/hub"
    assert policy.hub_key(f"file://{tmp_path}/hub") == policy.hub_key(tmp_path / "hub") == str(tmp_path / "hub")
    for bad in ("https://host:port/", "http://[::1", "ftp://x", f"{HUB}/?sig=secret"):
        with pytest.raises(BadInput):
            policy.trust_key(bad, A)


# ---------------------------------------------------------------- off


def test_off_takes_anything_and_remembers_nobody(home: Path) -> None:
    policy.trust_key(HUB, A)
    before = (home / "trust.json").read_bytes()
    for signers in ((), (B,)):
        _check(*signers, asked="off")
        _check(*signers, hub=str(home / "hub"))
    policy.rolled_back(HUB, "line 3 came back", "off")
    assert (home / "trust.json").read_bytes() == before


# ---------------------------------------------------------------- warn


def test_a_hub_that_never_signed_is_quiet(home: Path) -> None:
    _check()
    assert not home.exists()


def test_the_first_key_is_remembered_quietly_and_written_once(home: Path) -> None:
    _check(A)
    assert policy.trusted(HUB) == policy.HubTrust(first=(A,))
    stamp = (home / "trust.json").stat()
    _check(A)
    _check(B, A)
    after = (home / "trust.json").stat()
    assert (stamp.st_ino, stamp.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_whoever_was_remembered_meanwhile_stays(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _check(A)
    stamp = (home / "trust.json").stat()
    with monkeypatch.context() as stale:
        stale.setattr(policy, "trusted", lambda hub: policy.HubTrust())
        _check(B)
    after = (home / "trust.json").stat()
    assert policy.trusted(HUB).known == (A,)
    assert (stamp.st_ino, stamp.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_another_key_or_none_is_a_loud_warning_that_changes_nothing(home: Path) -> None:
    _check(A)
    for signers, said in (((B,), f"signed by {B}"), ((), "no good signature")):
        with pytest.warns(UserWarning, match=said) as caught:
            _check(*signers)
        message = str(caught[0].message)
        assert A in message and HUB in message and released().file in message
        assert f"wellread keys trust {HUB}" in message
        assert message.count("\n") < 3
    assert policy.trusted(HUB).known == (A,)


def test_what_one_hub_signed_with_says_nothing_of_another() -> None:
    _check(A)
    _check(B, hub=f"{HUB}/other")
    with pytest.warns(UserWarning, match="signed by"):
        _check(A, hub=f"{HUB}/other")


@pytest.mark.parametrize("wanted", [None, "off", "warn", "enforce"])
def test_a_key_that_is_trusted_by_hand_takes_the_place_of_whoever_came_first(wanted: policy.Trust | None) -> None:
    _check(A)
    assert policy.trust_key(HUB, B, wanted) == policy.HubTrust(keys=(B,), policy=wanted)
    _check(B, asked="enforce")
    with pytest.raises(TrustError, match=f"is signed by {A}; this hub's key is {B}"):
        _check(A, asked="enforce")
    with pytest.warns(UserWarning, match=f"is signed by {A}"):
        _check(A, asked="warn")


def test_keys_that_are_trusted_by_hand_stand_beside_each_other() -> None:
    _check(A)
    for key in (A, B):
        policy.trust_key(HUB, key)
    assert policy.trusted(HUB) == policy.HubTrust(keys=(A, B))
    _check(A)
    _check(B)


def test_where_nothing_can_be_written_each_use_is_a_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(path: Path, _: bytes) -> None:
        raise refused(path, PermissionError(13, "Permission denied"))

    monkeypatch.setattr("wellread.registry.disk.write", closed)
    _check(A)
    _check(B)
    assert policy.hubs() == {}
    with pytest.raises(WellreadError, match="cannot write"):
        policy.trust_key(HUB, A)


def test_a_rollback_is_a_warning() -> None:
    with pytest.warns(UserWarning, match="serial 3 after 5.*old index"):
        policy.rolled_back(HUB, "its index came back with serial 3 after 5")


# ---------------------------------------------------------------- enforce


@pytest.mark.parametrize("signers", [(), (B,), (B, C)])
def test_enforced_nothing_but_a_known_key_will_do(signers: tuple[str, ...]) -> None:
    policy.trust_key(HUB, A, "enforce")
    with pytest.raises(TrustError, match=f"wellread keys trust {HUB}"):
        _check(*signers)
    _check(A)
    _check(B, A)


def test_enforced_there_is_no_first_use(home: Path) -> None:
    for signers in ((), (A,)):
        with pytest.raises(TrustError, match="no key is trusted for this hub yet"):
            _check(*signers, asked="enforce")
    assert not home.exists()


def test_a_key_that_was_remembered_counts_when_it_is_enforced() -> None:
    _check(A)
    _check(A, asked="enforce")


def test_enforced_a_rollback_is_an_error() -> None:
    with pytest.raises(TrustError, match="serial 3 after 5"):
        policy.rolled_back(HUB, "its index came back with serial 3 after 5", "enforce")


# ---------------------------------------------------------------- the file


def test_forgetting_one_key_or_all() -> None:
    _check(A)
    assert policy.forget(HUB, A) == policy.HubTrust()
    policy.trust_key(HUB, A)
    policy.trust_key(HUB, B, "enforce")
    policy.trust_key(f"{HUB}/other", C)
    assert policy.forget(HUB, A) == policy.HubTrust(keys=(B,), policy="enforce")
    assert policy.forget(HUB) == policy.HubTrust()
    assert list(policy.hubs()) == [f"{HUB}/other"]


def test_a_key_id_that_cannot_be_is_refused(home: Path) -> None:
    with pytest.raises(BadInput, match="is not a key id"):
        policy.trust_key(HUB, A.upper())
    assert not home.exists()


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b'{"hubs": []}', b'{"hubs": {"x": {"keys": "a"}}}', b'{"format": 2}', b"[" * 100_000]
)
def test_a_damaged_file_is_an_error_and_never_empty(home: Path, raw: bytes) -> None:
    home.mkdir()
    (home / "trust.json").write_bytes(raw)
    for use in (lambda: _check(A), lambda: policy.trust_key(HUB, A), lambda: policy.wanted(str(home / "hub"))):
        with pytest.raises(TrustError, match=r"trust\.json") as caught:
            use()
        assert str(caught.value).count("\n") < 3
    assert (home / "trust.json").read_bytes() == raw


def test_the_file_is_for_people_too(home: Path) -> None:
    policy.trust_key(HUB, A, "enforce")
    told = json.loads((home / "trust.json").read_text())
    assert told == {"format": 1, "hubs": {HUB: {"policy": "enforce", "keys": [A], "first": []}}}


def test_no_writer_undoes_what_another_trusts(home: Path) -> None:
    """By threads, which is faster than processes: each holds the lock by a handle of its own, so it is the same."""
    keys = [f"{number:02}" * 32 for number in range(24)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda key: policy.trust_key(HUB, key), keys))
    assert set(policy.trusted(HUB).keys) == set(keys)


def test_judging_is_silent_about_nothing(home: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _check()
        _check(A)
        _check(A)
