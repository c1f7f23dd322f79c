"""The program around the commands: exit statuses, help, and what it needs to have installed."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.conftest import BuildModule
from tests.fixtures.command import Command
from wellread.cli import COMMANDS, cli
from wellread.errors import BadInput

EXTRAS = (
    *("cramjam", "google_crc32c", "huggingface_hub", "jinja2", "kagglehub", "license_expression", "onnx", "pandas"),
    *("requests", "safetensors", "tensorflow", "tensorflow_hub", "torch", "transformers", "yaml"),
)
"""Modules that a plain ``pip install wellread`` does not bring."""


def program(*arguments: object, without: tuple[str, ...] = (), **options: object) -> subprocess.CompletedProcess[str]:
    """Run wellread in a process of its own, as if the modules in ``without`` were not installed."""
    script = f"import sys; sys.modules.update(dict.fromkeys({without!r})); from wellread.cli import main; main()"
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


def commands(group: click.Group = cli, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that name it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield (*path, name), command


EVERY = dict(commands())


# ---------------------------------------------------------------- help


def test_help_needs_no_command_to_be_imported() -> None:
    shown = program("--help", without=(*EXTRAS, "numpy", *{module for module, _ in COMMANDS.values()}))
    assert (shown.returncode, shown.stderr) == (0, "")
    for name, (_, line) in COMMANDS.items():
        assert any(text.split()[:3] == [name, *line.split()[:2]] for text in shown.stdout.splitlines()), name
    assert program("--version", without=EXTRAS).stdout.startswith("wellread")


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_every_command_has_a_worked_example_and_speaks_json(words: tuple[str, ...], command: Command) -> None:
    shown = command(*words, "--help")
    assert (shown.code, shown.err) == (0, "")
    examples = [line.split() for line in shown.out.splitlines() if line.strip().startswith("wellread ")]
    assert any(example[1 : len(words) + 1] == list(words) for example in examples)
    assert "--json" in shown.out


@pytest.mark.parametrize("words", [(), ("recipes",)])
def test_a_group_alone_shows_its_help_and_was_used_wrongly(words: tuple[str, ...], command: Command) -> None:
    alone, asked = command(*words), command(*words, "--help")
    assert (alone.code, asked.code) == (2, 0)
    assert alone.err.strip() == asked.out.strip()


@pytest.mark.parametrize(("typed", "meant"), [(("biuld",), "build"), (("recipes", "shwo"), "show")])
def test_an_unknown_command_names_its_near_miss(typed: tuple[str, ...], meant: str, command: Command) -> None:
    refused = command(*typed)
    assert (refused.code, refused.out) == (2, "")
    assert f"'{typed[-1]}'" in refused.err and f"Did you mean '{meant}'?" in refused.err


# ---------------------------------------------------------------- a plain install


@pytest.mark.press
def test_using_models_needs_no_extra(command: Command, module: BuildModule, home: Path, tmp_path: Path) -> None:
    named = ("--name", "tiny", "--lang", "en", "--license", "MIT", "--forms", "onnx", "--time", "1600000000000")
    made = command("build", module("huggingface"), *named, "--hub", tmp_path / "hub", "--out", tmp_path, "--json")
    hub, artifact = ("--hub", str(tmp_path / "hub")), made.json["artifact"]
    for words, said in {
        ("list", *hub): "tiny",
        ("info", "tiny", *hub): "MIT",
        ("fetch", "tiny", *hub): str(home),
        ("embed", "tiny", "hello", *hub): "(32,)",
        ("verify", "tiny", *hub): "met by onnx",
        ("verify", artifact): "met by onnx",
    }.items():
        done = program(*words, without=EXTRAS)
        assert (done.returncode, done.stderr) == (0, ""), words
        assert said in done.stdout


def test_what_needs_an_extra_says_which() -> None:
    for words in (("build", "small_bert_L8_512"), ("publish", "x.zip"), ("recipes", "list")):
        refused = program(*words, without=EXTRAS)
        assert refused.returncode == 1
        assert refused.stderr.startswith("wellread: ") and "pip install 'wellread[press]'" in refused.stderr


# ---------------------------------------------------------------- how it ends


def ends_with(error: BaseException, command: Command, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """The exit status and what is said when a command raises ``error``."""

    def fail() -> None:
        raise error

    monkeypatch.setattr("wellread.cli.inspect.list_command", click.Command("list", callback=fail))
    ended = command("list")
    assert ended.out == ""
    return ended.code, ended.err.strip()


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (BadInput("no such thing"), 1, "wellread: no such thing"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
        (OSError(28, "No space left on device", "/full/disk"), 1, "wellread: /full/disk: No space left on device"),
        (OSError(24, "Too many open files"), 1, "wellread: Too many open files"),
        (OSError("odd"), 1, "wellread: odd"),
        (click.exceptions.Exit(3), 3, ""),
    ],
    ids=repr,
)
def test_whatever_ends_a_command_is_a_status_and_a_line(
    error: BaseException, code: int, said: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ends_with(error, command, monkeypatch) == (code, said)


def test_a_defect_is_not_hidden(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        ends_with(ZeroDivisionError(), command, monkeypatch)


def test_a_reader_that_has_gone_ends_it_in_silence() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as gone:
        child = subprocess.run(
            [sys.executable, "-m", "wellread", "--help"], stdout=gone, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (child.returncode, child.stderr) == (1, "")


def test_a_terminal_that_lacks_a_character_gets_another() -> None:
    shown = program("build", "--help", env={**os.environ, "PYTHONIOENCODING": "latin-1"})
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "RECIPE?|SOURCE" in shown.stdout


def test_each_warning_is_one_line_once(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def warn() -> None:
        for text in ("a\n  long one", "another", "a\n  long one"):
            with warnings.catch_warnings():
                warnings.simplefilter("always")
                warnings.warn(text, stacklevel=1)

    monkeypatch.setattr("wellread.cli.inspect.list_command", click.Command("list", callback=warn))
    for _ in range(2):
        assert command("list").err == "wellread: a long one\nwellread: another\n"


def test_the_package_and_its_cli_are_programs(tmp_path: Path) -> None:
    for module in ("wellread", "wellread.cli"):
        shown = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True)
        assert shown.stdout.startswith("wellread, version ")
