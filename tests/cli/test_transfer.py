"""``wellread copy``, ``bundle`` and ``push``, with a model that runs."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import wellread
from tests.conftest import BuildModule
from tests.fixtures.command import Command
from tests.fixtures.huggingface_server import huggingface_hub
from tests.registry.samples import flip
from wellread.registry.hub.index import index_key
from wellread.registry.names import ModelName

pytestmark = pytest.mark.press
FILE = "tiny_en_2.6.0_2.4_1598344705269.zip"


def test_a_release_is_promoted_once(command: Command, published: Path, tmp_path: Path) -> None:
    goal = tmp_path / "production"
    dry = command("copy", "tiny", "--from", published, "--to", goal, "--dry-run")
    assert (dry.code, dry.err, goal.exists()) == (0, "", False)
    assert dry.out.startswith(f"{FILE}: would be copied (")
    done = command("copy", "tiny", "--from", published, "--to", goal)
    assert (done.code, done.out, done.err) == (0, f"{FILE}: copied to {goal}\n", "")
    again = command("copy", "tiny", "--from", published, "--to", goal, "--json")
    assert (again.code, [row["already_there"] for row in again.json]) == (0, [True])
    assert wellread.pretrained("tiny", hub=goal).encode("hello").shape == (32,)


def test_a_damaged_copy_is_mended(command: Command, published: Path, tmp_path: Path) -> None:
    where = ("--from", published, "--to", tmp_path / "production")
    assert command("copy", "tiny", *where, "--json").json[0]["outcome"] == "new"
    flip(tmp_path / "production/public/models" / FILE, 500)
    dry = command("copy", "tiny", *where, "--dry-run")
    assert re.fullmatch(rf"{FILE}: would be mended \(\d+\.\d MB\) in {tmp_path / 'production'}\n", dry.out)
    assert command("copy", "tiny", *where).out == f"{FILE}: mended in {tmp_path / 'production'}\n"
    assert "already there, the same bytes" in command("copy", "tiny", *where).out


def test_a_hub_that_is_not_there_is_said_to_be_missing(command: Command, tmp_path: Path) -> None:
    refused = command("copy", "tiny", "--from", tmp_path / "nosuch", "--to", tmp_path / "production")
    assert (refused.code, refused.err.startswith(f"wellread: there is no folder {tmp_path / 'nosuch'}")) == (1, True)


@pytest.mark.filterwarnings("always:.* was yanked")
def test_a_release_that_was_yanked_is_copied_when_it_is_named_only(
    command: Command, published: Path, tmp_path: Path
) -> None:
    assert command("yank", "tiny", "--reason", "wrong vocabulary", "--hub", published).code == 0
    where = ("--from", published, "--to", tmp_path / "production")
    for which in ((), ("--all-versions",)):
        refused = command("copy", "tiny", *where, *which)
        assert (refused.code, "wrong vocabulary" in refused.err) == (1, True)
    done = command("copy", "tiny", *where, "--version", "2.6.0_2.4_1598344705269")
    assert (done.code, "was yanked: wrong vocabulary" in done.err) == (0, True)
    again = command("copy", "tiny", *where, "--version", "2.6.0_2.4_1598344705269")
    assert f"{FILE}: already there, the same bytes (yanked: wrong vocabulary), in" in again.out


def test_a_failure_says_what_was_done_before_it(command: Command, published: Path, tmp_path: Path) -> None:
    failed = command("copy", "tiny", "none", "--from", published, "--to", tmp_path / "production", "--json")
    assert (failed.code, [row["release"]["name"] for row in failed.json]) == (1, ["tiny"])
    assert failed.err.startswith("wellread: none (en): not in ")


def test_copies_used_wrongly(command: Command, published: Path, tmp_path: Path) -> None:
    where = ("--from", published, "--to", tmp_path / "production")
    assert command("copy", "tiny", "--from", published).code == 2
    assert command("copy", "tiny", *where, "--version", "2.6.0", "--all-versions").code == 2
    several = command("copy", "tiny", "--from", f"{published},own", "--to", tmp_path / "production")
    assert (several.code, "one hub" in several.err) == (1, True)
    web = command("copy", "tiny", "--from", published, "--to", "https://models.example", "--dry-run")
    assert (web.code, web.err.startswith("wellread: https://models.example takes no uploads")) == (1, True)
    assert not (tmp_path / "production").exists()


def test_a_bundle_is_loaded_offline_with_nothing_set_up(
    command: Command, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = wellread.pretrained("tiny", hub=published).encode(["I love NLP", "hello"])
    exported = command("bundle", "export", "tiny", tmp_path / "b.zip", "--hub", f"{tmp_path / 'none'},{published}")
    assert exported.code == 0, exported.err
    assert exported.out.splitlines()[0] == FILE and "wellread bundle import b.zip" in exported.out
    published.rename(tmp_path / "gone")
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "far"))
    monkeypatch.setenv("WELLREAD_OFFLINE", "1")
    imported = command("bundle", "import", tmp_path / "b.zip")
    assert (imported.code, imported.out) == (0, f"{FILE}: copied to {tmp_path / 'far/hub'}\n"), imported.err
    np.testing.assert_array_equal(wellread.pretrained("tiny").encode(["I love NLP", "hello"]), expected)
    again = command("bundle", "import", tmp_path / "b.zip", "--json").json
    assert [row["already_there"] for row in again] == [True]


def test_signatures_travel(command: Command, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who enforces them on the far side needs nothing but the id of the key."""
    assert command("keys", "new", "house").code == 0
    key = command("keys", "list", "--json").json
    assert command("publish", tmp_path / "dist" / FILE, "--hub", published).code == 0
    assert command("bundle", "export", "tiny", tmp_path / "b.zip", "--hub", published).code == 0
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "far"))
    assert command("bundle", "import", tmp_path / "b.zip", "--hub", tmp_path / "hall").code == 0
    keyid = next(found for found in json.dumps(key).split('"') if len(found) == 64)
    line = (tmp_path / "hall" / index_key(ModelName("tiny"))).read_text()
    assert keyid in line
    refused = command("fetch", "tiny", "--hub", tmp_path / "hall", "--trust", "enforce")
    assert (refused.code, "wellread keys trust" in refused.err) == (1, True)
    assert command("keys", "trust", tmp_path / "hall", keyid).code == 0
    assert command("fetch", "tiny", "--hub", tmp_path / "hall", "--trust", "enforce").code == 0


def test_an_export_of_what_is_nowhere(command: Command, published: Path, tmp_path: Path) -> None:
    refused = command("bundle", "export", "tiny", "none", tmp_path / "b.zip", "--hub", published)
    assert (refused.code, (tmp_path / "b.zip").exists()) == (1, False)
    assert refused.err.startswith("wellread: none (en): not in ")
    assert command("bundle", "export", "tiny").code == 2
    assert command("bundle", "import", tmp_path / "b.zip").code == 2


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # huggingface_hub's business with its transport
def test_a_model_is_pushed_with_its_card_and_opens_from_there(
    command: Command, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with huggingface_hub(monkeypatch) as hub:
        dry = command("push", "tiny", "hf:me/tiny", "--hub", published, "--dry-run")
        assert (dry.code, hub.repositories) == (0, {}), dry.err
        assert "would send model.safetensors\n" in dry.out and dry.out.endswith(" files to send\n")
        pushed = command("push", "tiny", "hf:me/tiny", "--hub", published, "--message", "first")
        assert (pushed.code, hub.commits) == (0, ["first"]), pushed.err
        assert pushed.out.startswith(f"{hub.url}/me/tiny: ") and pushed.err == ""
        again = command("push", "tiny", "hf:me/tiny", "--hub", published, "--json").json
    assert (again["uploaded"], again["commit"], len(hub.commits)) == ([], "", 1)
    files = hub.repositories["me/tiny"]
    assert files["README.md"].startswith(b"---\n")
    for path, data in files.items():
        (tmp_path / "repository" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "repository" / path).write_bytes(data)
    assert wellread.open(tmp_path / "repository").encode("hello").shape == (32,)


def test_a_push_to_what_is_no_repository_fetches_nothing(command: Command, published: Path, home: Path) -> None:
    refused = command("push", "tiny", "me/tiny", "--hub", published)
    assert (refused.code, "hf:org/name" in refused.err) == (1, True)
    assert not (home / "cache").exists()


# ---------------------------------------------------------------- docs/publishing.md


PAGE = Path(__file__).parents[2] / "docs/publishing.md"


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
def test_the_page_about_publishing_says_what_works(
    command: Command, module: BuildModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every line of its shell blocks, in order, with folders for the buckets."""
    monkeypatch.chdir(tmp_path)
    for name in ("STAGING", "PRODUCTION"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    lines = [
        line for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL) for line in block.splitlines()
    ]
    lines = [line.replace("./my_bert", str(module("huggingface"))) for line in lines]
    commands = [words for words in (shlex.split(os.path.expandvars(line), comments=True) for line in lines) if words]
    assert len(commands) > 15
    with huggingface_hub(monkeypatch) as hub:
        for program, *words in commands:
            if program == "wellread":
                given = [
                    str(found) for word in words for found in (sorted(tmp_path.glob(word)) if "*" in word else [word])
                ]
                done = command(*given)
                assert done.code == 0, f"{shlex.join(words)}: {done.err}"
    assert "model.safetensors" in hub.repositories["my-org/my_bert"]
    monkeypatch.setenv("WELLREAD_OFFLINE", "1")
    assert wellread.pretrained("my_bert").encode("hello").shape == (32,)
