"""``wellread hub``, ``yank``, ``deprecate``, ``alias``: what they say, and when they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fixtures.command import Command
from tests.registry.samples import TIME, released
from wellread.registry.hub.index import add_release, read_alias, read_releases
from wellread.registry.names import ModelName
from wellread.registry.stores import open_store
from wellread.registry.views.update import update_views

TINY = ModelName("tiny")
FILE = f"tiny_en_2.6.0_2.4_{TIME}.zip"


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """A hub that lists two releases of ``tiny``, whose artifacts nobody asks for."""
    store = open_store(tmp_path / "hub")
    for time in (TIME, TIME + 1):
        add_release(store, released(time=time))
    update_views(store, [TINY])
    return tmp_path / "hub"


def _states(hub: Path) -> list[str]:
    return [release.state for release in read_releases(open_store(hub), TINY)]


def _latest(hub: Path) -> list[str]:
    return [json.loads(line)["latest"] for line in (hub / "catalog.jsonl").read_bytes().splitlines()]


# ---------------------------------------------------------------- hub init, hub refresh


def test_a_hub_is_set_up_and_changed(command: Command, tmp_path: Path) -> None:
    made = command("hub", "init", tmp_path / "models", "--name", "The house", "--ttl", "1.5")
    assert (made.code, made.err) == (0, "")
    assert "The house" in made.out and "1.5 hours" in made.out and "wellread keys new" in made.out
    changed = command("hub", "init", tmp_path / "models", "--mirror", "https://a.example", "--json")
    assert changed.json == {
        "format": 1, "name": "The house", "ttl": 5400, "keys": [], "mirrors": ["https://a.example"], "site": "",
        "notebooks": "",
    }  # fmt: skip
    assert json.loads((tmp_path / "models/hub.json").read_bytes()) == changed.json
    assert command("hub", "init", tmp_path / "models", "--no-mirrors", "--json").json["mirrors"] == []
    shown = command("hub", "init", tmp_path / "models", "--notebooks", "house/models/main/notebooks/")
    assert (shown.code, "notebooks  house/models/main/notebooks\n" in shown.out) == (0, True)


def test_the_keys_that_sign_are_told_to_everybody(command: Command, tmp_path: Path) -> None:
    assert command("keys", "new").code == 0
    told = command("hub", "init", tmp_path / "models", "--json").json["keys"]
    assert [len(key) for key in told] == [64]
    assert told[0] in command("hub", "init", tmp_path / "models").out


def test_a_hub_is_not_set_up_with_what_it_cannot_say(command: Command, tmp_path: Path) -> None:
    for arguments, code, said in (
        (("--mirror", "https://me:s3cret@a.example"), 1, "carries a user, a token"),
        (("--mirror", "https://a.example", "--no-mirrors"), 2, "contradict"),
        (("--ttl", "-1"), 1, "ttl"),
        (("--notebooks", "https://github.example/house/models"), 1, "OWNER/REPOSITORY/BRANCH"),
        (("--ttl", "soon"), 2, "--ttl"),
    ):
        refused = command("hub", "init", tmp_path / "models", *arguments)
        assert (refused.code, said in refused.err, "s3cret" in refused.err) == (code, True, False), refused.err
    web = command("hub", "init", "http://127.0.0.1:9/hub")
    assert (web.code, "takes no uploads" in web.err) == (1, True)
    assert not (tmp_path / "models").exists()


def test_views_are_brought_up_to_date(command: Command, hub: Path) -> None:
    (hub / "catalog.jsonl").unlink()
    done = command("hub", "refresh", "--hub", hub)
    assert (done.code, done.out) == (0, f"{hub}: the views of 1 name are up to date\n")
    assert _latest(hub) == [f"2.6.0_2.4_{TIME + 1}"]
    assert command("hub", "refresh", "--hub", hub, "--json").json == {"hub": str(hub), "names": 1}


# ---------------------------------------------------------------- yank, deprecate


def test_a_release_is_yanked_and_the_catalogue_follows(command: Command, hub: Path) -> None:
    last = f"2.6.0_2.4_{TIME + 1}"
    done = command("yank", "tiny", "--version", last, "--reason", "wrong vocabulary", "--hub", hub)
    assert (done.code, done.out) == (0, f"tiny_en_{last}.zip: yanked: wrong vocabulary\n"), done.err
    assert (_states(hub), _latest(hub)) == (["ready", "yanked"], [f"2.6.0_2.4_{TIME}"])
    undone = command("yank", "tiny", "--version", last, "--undo", "--no-views", "--hub", hub, "--json")
    assert [release["state"] for release in undone.json["releases"]] == ["ready"]
    assert (_states(hub), _latest(hub)) == (["ready", "ready"], [f"2.6.0_2.4_{TIME}"])


def test_what_is_so_already_is_said_to_be(command: Command, hub: Path) -> None:
    asked = ("yank", "tiny", "--version", f"2.6.0_2.4_{TIME}", "--hub", hub)
    said = [command(*asked, "--reason", reason).out for reason in ("wrong", "wrong", "very wrong")]
    assert said == [
        f"{FILE}: yanked: wrong\n",
        f"{FILE}: already yanked: wrong\n",
        f"{FILE}: yanked: very wrong\n",
    ]


def test_a_name_that_is_not_there_is_said_with_what_is_like_it(command: Command, hub: Path) -> None:
    refused = command("yank", "tinny", "--reason", "wrong", "--hub", hub)
    assert refused.code == 1
    assert f"Did you mean 'tiny'? 'wellread list --hub {hub}' shows what is there" in refused.err


def test_to_yank_one_of_several_says_which(command: Command, hub: Path) -> None:
    refused = command("yank", "tiny", "--reason", "wrong", "--hub", hub)
    assert (refused.code, f"--version: 2.6.0_2.4_{TIME}" in refused.err) == (1, True)
    assert _states(hub) == ["ready", "ready"]


def test_a_model_is_deprecated_as_a_whole(command: Command, hub: Path) -> None:
    done = command("deprecate", "tiny", "--reason", "use another", "--hub", hub)
    assert (done.code, done.out.splitlines()[0]) == (0, f"{FILE}: deprecated: use another")
    assert _states(hub) == ["deprecated", "deprecated"]
    assert command("deprecate", "tiny", "--undo", "--hub", hub).code == 0
    assert _states(hub) == ["ready", "ready"]


@pytest.mark.parametrize("act", ["yank", "deprecate"])
def test_without_a_reason_nothing_is_taken_back(command: Command, hub: Path, act: str) -> None:
    for arguments in ((), ("--reason", " "), ("--undo", "--reason", "wrong")):
        refused = command(act, "tiny", *arguments, "--hub", hub)
        assert (refused.code, "--reason" in refused.err) == (2, True)
    assert _states(hub) == ["ready", "ready"]


# ---------------------------------------------------------------- alias


def test_an_alias_says_what_it_was(command: Command, hub: Path) -> None:
    said = [
        command("alias", "en.tiny", "tiny", "--hub", hub),
        command("alias", "en.tiny", "tiny", "--hub", hub),
        command("alias", "en.tiny", "--remove", "--hub", hub),
    ]
    assert [each.out for each in said] == [
        "en.tiny: tiny (en) (was nothing)\n",
        "en.tiny: tiny (en) (was tiny (en))\n",
        "en.tiny: nothing (was tiny (en))\n",
    ]
    assert read_alias(open_store(hub), "en.tiny") is None
    made = command("alias", "en.tiny", "tiny", "--hub", hub, "--json").json
    assert made == {"hub": str(hub), "reference": "en.tiny", "now": {"name": "tiny", "language": "en"}, "was": None}


def test_an_alias_of_nothing_is_refused(command: Command, hub: Path) -> None:
    missing = command("alias", "en.tiny", "tinny", "--hub", hub)
    assert (missing.code, "Did you mean 'tiny'?" in missing.err) == (1, True)
    assert command("alias", "en.tiny", "--hub", hub).code == 2
    assert command("alias", "en.tiny", "tiny", "--remove", "--hub", hub).code == 2


# ---------------------------------------------------------------- one hub at a time


@pytest.mark.parametrize(
    "arguments",
    [
        ("yank", "tiny", "--reason", "wrong"),
        ("deprecate", "tiny", "--reason", "wrong"),
        ("alias", "en.tiny", "tiny"),
        ("hub", "refresh"),
    ],
)
def test_one_hub_is_written_at_a_time(
    command: Command, hub: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    both = f"{hub},{hub.parent / 'other'}"
    by_hand = command(*arguments, "--hub", both)
    assert (by_hand.code, "one hub is written at a time" in by_hand.err) == (1, True)
    monkeypatch.setenv("WELLREAD_HUB", both)
    assert command(*arguments).err == by_hand.err
    assert (_states(hub), (hub / "aliases").exists()) == (["ready", "ready"], False)
