"""``wellread keys``: making keys, and saying whose are believed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fixtures.command import Command
from tests.fixtures.web_server import Answer, serving
from wellread.registry.trust.policy import judge

A, B = "a" * 64, "b" * 64


@pytest.fixture(autouse=True)
def _no_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WELLREAD_KEY", raising=False)


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """A hub that states two keys."""
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub/hub.json").write_text(json.dumps({"format": 1, "name": "hub", "keys": [A, B]}))
    return tmp_path / "hub"


def test_new_tells_the_id_and_the_place_and_never_the_secret(command: Command, home: Path) -> None:
    made = command("keys", "new", "anna", "--json")
    assert made.code == 0, made.err
    assert made.json == {"name": "anna", "id": made.json["id"], "path": str(home / "keys/anna.pem")}
    shown = command("keys", "new").out
    assert str(home / "keys/default.pem") in shown
    for name in ("anna", "default"):
        secret = (home / f"keys/{name}.pem").read_text().splitlines()[1]
        assert secret not in made.out + shown + command("keys", "list").out


def test_new_refuses_to_overwrite(command: Command, home: Path) -> None:
    command("keys", "new")
    before = (home / "keys/default.pem").read_bytes()
    refused = command("keys", "new")
    assert (refused.code, refused.out) == (1, "")
    assert "never overwritten" in refused.err
    assert (home / "keys/default.pem").read_bytes() == before


def test_list_has_ones_own_keys_and_each_hubs(command: Command, hub: Path) -> None:
    assert "wellread keys new" in command("keys", "list").out
    key = command("keys", "new", "--json").json["id"]
    command("keys", "trust", "https://models.example.org", A, "--policy", "enforce")
    command("keys", "trust", hub, "--policy", "off")
    rows = [line.split() for line in command("keys", "list").out.splitlines()]
    assert rows[1] == ["default", key]
    assert rows[4:] == [[str(hub), "off", "none"], ["https://models.example.org", "enforce", A, "by", "hand"]]
    told = command("keys", "list", "--json").json
    assert told["own"] == [{"name": "default", "id": key}]
    assert told["hubs"]["https://models.example.org"] == {"policy": "enforce", "keys": [A], "first": []}


def test_without_a_key_those_are_trusted_that_the_hub_states(command: Command, hub: Path) -> None:
    shown = command("keys", "trust", hub)
    assert shown.code == 0, shown.err
    assert shown.out.splitlines() == [f"{hub}  warn", f"  {A}", f"  {B}"]


def test_a_hub_on_the_web_is_asked_and_named_without_its_secret(command: Command) -> None:
    with serving({"/hub/hub.json": Answer(json.dumps({"name": "hub", "keys": [A]}).encode())}) as server:
        address = server.url.replace("http://", "http://anna:secret@")
        shown = command("keys", "trust", f"{address}/hub/", "--json")
    assert shown.code == 0, shown.err
    assert shown.json == {f"{server.url}/hub": {"policy": None, "keys": [A], "first": []}}


def test_a_key_that_came_first_and_is_not_confirmed_is_told(command: Command, hub: Path) -> None:
    judge(str(hub), "the line", [A])
    assert command("keys", "trust", hub, "--policy", "warn").out.splitlines() == [f"{hub}  warn", f"  {A}"]
    told = [
        f"  no longer believed, known since first use: {A}",
        f"    to believe it again: wellread keys trust {hub} {A}",
    ]
    assert command("keys", "trust", hub, B).out.splitlines() == [f"{hub}  warn", f"  {B}", *told]
    assert command("keys", "trust", hub, B).out.splitlines() == [f"{hub}  warn", f"  {B}"]


def test_a_key_that_came_first_and_is_confirmed_stays(command: Command, hub: Path) -> None:
    judge(str(hub), "the line", [A])
    assert command("keys", "trust", hub, A, B).out.splitlines() == [f"{hub}  warn", f"  {A}", f"  {B}"]
    assert command("keys", "list", "--json").json["hubs"][str(hub)]["first"] == []


def test_a_policy_alone_changes_no_key_and_asks_no_hub(command: Command) -> None:
    shown = command("keys", "trust", "https://models.example.org", "--policy", "enforce")
    assert shown.code == 0, shown.err
    assert "no key is trusted: nothing of it will load" in shown.out


def test_a_key_is_forgotten_alone_or_with_all_about_its_hub(command: Command, hub: Path) -> None:
    command("keys", "trust", hub, A, B, "--policy", "enforce")
    assert command("keys", "trust", hub, A, "--forget").out.splitlines() == [f"{hub}  enforce", f"  {B}"]
    assert command("keys", "trust", hub, "--forget").out.splitlines() == [f"{hub}  warn", "  no key is trusted"]
    assert command("keys", "list", "--json").json["hubs"] == {}


def test_what_a_hub_states_instead_of_keys_is_not_trusted(command: Command, hub: Path, tmp_path: Path) -> None:
    stated: object
    for stated in ({"name": "hub"}, {"name": "hub", "keys": ["no key"]}, {"name": "hub", "keys": A}, []):
        (hub / "hub.json").write_text(json.dumps(stated))
        refused = command("keys", "trust", hub)
        assert (refused.code, refused.out) == (1, "")
    without = command("keys", "trust", tmp_path / "empty").err
    assert "states no keys" in without
    assert "the owner states it with: wellread hub init HUB" in without
    assert command("keys", "list", "--json").json["hubs"] == {}


@pytest.mark.parametrize(
    ("words", "code"),
    [(("x", "no-key"), 1), (("x", "--policy", "never"), 2), (("x", "--policy", "off", "--forget"), 2), ((), 2)],
)
def test_used_wrongly_it_says_so(command: Command, words: tuple[str, ...], code: int) -> None:
    refused = command("keys", "trust", *words)
    assert (refused.code, refused.out) == (code, "")
    assert "Traceback" not in refused.err


def test_a_damaged_trust_file_is_said_and_left_alone(command: Command, home: Path) -> None:
    (home / "trust.json").write_text("{")
    for words in (("list",), ("trust", "https://models.example.org", A)):
        refused = command("keys", *words)
        assert (refused.code, refused.out) == (1, "")
        assert "trust.json" in refused.err
    assert (home / "trust.json").read_text() == "{"
