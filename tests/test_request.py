"""What a call may say is settled once, before anything is asked or fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.registry.samples import TIME, released
from wellread.errors import BadInput, NotFound
from wellread.registry.resolve.lockfile import Lock, add, lock_release, write_lock
from wellread.request import Request, parse_form, parse_request

DEFAULTS: dict[str, Any] = {
    "hub": None, "form": "auto", "version": None, "folder": "public/models", "lock": None, "offline": None,
    "refresh": False, "verify": "stat", "trust": None,
}  # fmt: skip


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WELLREAD_OFFLINE", raising=False)


def _request(name: str = "tiny", lang: str = "en", **asked: Any) -> Request:
    return parse_request(name, lang, **(DEFAULTS | asked))


def test_auto_is_the_same_form_everywhere() -> None:
    assert (_request().form, parse_form("onnx-int8"), parse_form("all")) == ("onnx", "onnx-int8", "all")
    assert _request(form="fastest").form == "fastest", "which one it is shows when the release is known"


@pytest.mark.parametrize(("said", "meant"), [("", False), ("0", False), ("1", True), ("Yes", True), ("true", True)])
def test_offline_is_what_the_call_says_else_the_environment(
    monkeypatch: pytest.MonkeyPatch, said: str, meant: bool
) -> None:
    monkeypatch.setenv("WELLREAD_OFFLINE", said)
    assert [_request(offline=offline).offline for offline in (None, True, False)] == [meant, True, False]


def test_trust_is_one_of_the_policies_or_what_is_set() -> None:
    assert [_request(trust=trust).trust for trust in (None, "off", "warn", "enforce")] == [
        None, "off", "warn", "enforce",
    ]  # fmt: skip
    with pytest.raises(BadInput, match="one of off, warn, enforce"):
        _request(trust="always")


def test_a_lock_says_hub_version_and_folder(tmp_path: Path) -> None:
    path = tmp_path / "wellread.lock"
    write_lock(path, add(Lock(), [lock_release(released(folder="clinical/models"), "https://example.org", asked="t")]))
    for name in ("tiny", "t"):
        asked = _request(name, lock=path)
        assert asked.locked and (asked.name, asked.hub, asked.folder) == (
            "tiny",
            "https://example.org",
            "clinical/models",
        )
        assert asked.version == f"2.6.0_2.4_{TIME}"
    assert _request(lock=str(path), hub="./mine").hub == "./mine"
    with pytest.raises(BadInput, match="leave version and folder out"):
        _request(lock=path, version="2.6.0")
    with pytest.raises(NotFound, match="wellread lock other --lang en"):
        _request("other", lock=path)


def test_a_locked_folder_is_one_hub_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "wellread.lock"
    write_lock(path, add(Lock(), [lock_release(released(), "/srv/a,b")]))
    assert _request(lock=path).hub == Path("/srv/a,b")
