"""What strangers wrote is shown as text: no escape reaches the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fixtures.command import Command
from tests.security.hostile import forge, line_file, make_hub
from wellread.cli.plain import plain

ESCAPE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\r\x08\x00"


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capfd)


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    text = f"Tiny{ESCAPE}"
    make_hub(tmp_path / "hub", title=text, license=text, aliases=())
    forge(tmp_path / "hub", why=text, state="deprecated", md5=text)
    entry = {"name": "tiny", "language": "en", "folder": "public/models", "title": text, "annotator": text}
    lines = json.dumps(entry | {"latest": "2.6.0_2.4_1598344705269", "releases": 1, "format": 1})
    (tmp_path / "hub/catalog.jsonl").write_text(lines + "\n")
    return tmp_path / "hub"


def _is_plain(text: str) -> bool:
    return all(char.isprintable() or char == "\n" for char in text)


def test_what_cannot_be_printed_is_an_escape() -> None:
    assert plain(f"a{ESCAPE}b\nc é 漢 \u200d") == (
        "a\\x1b]0;owned\\x07\\x1b[2J\\x9b31m\\u202egnp.exe\\r\\x08\\x00b\nc é 漢 \\u200d"
    )
    assert plain("\ud800") == "\\ud800"


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("words", [("info", "tiny"), ("list",), ("search", "tiny"), ("info", "tiny", "--version", "9")])
def test_no_command_prints_what_a_hub_would_have_the_terminal_do(
    command: Command, hub: Path, words: tuple[str, ...]
) -> None:
    shown = command(*words, "--hub", hub)
    assert _is_plain(shown.out)
    assert _is_plain(shown.err)
    assert "owned" in shown.out + shown.err or shown.code == 1


def test_an_error_about_a_hostile_file_is_plain(command: Command, hub: Path) -> None:
    line_file(hub).write_bytes(
        b'{"release":{"format":1,"state":"ready","folder":' + json.dumps(ESCAPE).encode() + b"}}"
    )
    shown = command("info", "tiny", "--hub", hub)
    assert shown.code == 1
    assert _is_plain(shown.err)
