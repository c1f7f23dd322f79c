"""The program around the commands: exit statuses, help, and what it needs to have installed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

from tests.conftest import BuildModule
from tests.fixtures.command import Command
from tests.registry.samples import make_sample, noise
from tests.registry.transfer.throttled import throttled
from tests.registry.watched import far_apart, list_in
from wellread.cli import COMMANDS, ENVIRONMENT, SECTIONS, cli
from wellread.errors import BadInput
from wellread.registry.names import DEFAULT_FOLDER

EXTRAS = (
    *("cramjam", "google_crc32c", "huggingface_hub", "jinja2", "kagglehub", "license_expression", "onnx"),
    *(
        "pandas",
        "pyarrow",
        "sentencex",
        "pyspark",
        "safetensors",
        "tensorflow",
        "tensorflow_hub",
        "torch",
        "transformers",
    ),
    "yaml",
)
"""Modules that a plain ``pip install wellread`` does not bring."""


def program(*arguments: object, without: tuple[str, ...] = (), **options: Any) -> subprocess.CompletedProcess[str]:
    """Run wellread in a process of its own, as if the modules in ``without`` were not installed."""
    script = f"import sys; sys.modules.update(dict.fromkeys({without!r})); from wellread.cli import main; main()"
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def commands(group: click.Group = cli, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command and group, with the words that name it."""
    yield path, group
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield (*path, name), command


GROUPS = [words for words, command in commands() if isinstance(command, click.Group)]
EVERY = [words for words, _ in commands() if words not in GROUPS]


# ---------------------------------------------------------------- help


def test_help_needs_no_command_to_be_imported() -> None:
    shown = program("--help", without=(*EXTRAS, "numpy", *{module for module, _ in COMMANDS.values()}))
    assert (shown.returncode, shown.stderr) == (0, "")
    for name, (_, line) in COMMANDS.items():
        assert any(text.split()[:3] == [name, *line.split()[:2]] for text in shown.stdout.splitlines()), name
    assert program("--version", without=EXTRAS).stdout.startswith("wellread")


def test_help_names_every_job_and_every_variable(command: Command) -> None:
    shown = command("--help").out
    assert sum(map(len, SECTIONS.values())) == len(COMMANDS)
    places = [shown.index(f"\n{job}:\n") for job in SECTIONS]
    assert places == sorted(places)
    package = Path(cli.__module__.replace(".", "/")).parent
    source = "".join(path.read_text() for path in (Path(__file__).parents[2] / package).rglob("*.py"))
    read = set(re.findall(r"\bWELLREAD_[A-Z_]+", source)) - {"WELLREAD_COMPLETE"}
    assert read <= set(ENVIRONMENT) and {"WELLREAD_HUB", "WELLREAD_HOME"} <= read
    assert all(f"\n  {name} " in shown for name in ENVIRONMENT)


def test_completion_needs_no_extra() -> None:
    for typed, offered in {"": list(COMMANDS), "pu": ["publish", "push"], "--v": ["--version"]}.items():
        asked = {"_WELLREAD_COMPLETE": "bash_complete", "COMP_CWORD": "1", "COMP_WORDS": f"wellread {typed}"}
        done = program(without=EXTRAS, env={**os.environ, **asked})
        assert (done.stdout.split(), done.stderr) == ([f"plain,{name}" for name in offered], "")


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_every_command_has_a_worked_example_and_speaks_json(words: tuple[str, ...], command: Command) -> None:
    shown = command(*words, "--help")
    assert (shown.code, shown.err) == (0, "")
    examples = [line.split() for line in shown.out.splitlines() if line.strip().startswith("wellread ")]
    assert any(example[1 : len(words) + 1] == list(words) for example in examples)
    assert "--json" in shown.out


@pytest.mark.parametrize("words", [*EVERY, *GROUPS], ids=" ".join)
def test_what_no_command_takes_is_used_wrongly(words: tuple[str, ...], command: Command) -> None:
    refused = command(*words, "--odd")
    assert (refused.code, refused.out) == (2, "")
    assert "No such option" in refused.err and f"wellread {' '.join(words)}".strip() in refused.err


@pytest.mark.parametrize("words", GROUPS, ids=" ".join)
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


def test_what_needs_an_extra_says_which(tmp_path: Path) -> None:
    built = make_sample(tmp_path).zip
    for words in (("build", "small_bert_L8_512"), ("publish", built, "--hub", tmp_path / "hub"), ("recipes", "list")):
        refused = program(*words, without=EXTRAS)
        assert refused.returncode == 1
        assert refused.stderr.startswith("wellread: ") and "pip install 'wellread[press]'" in refused.stderr
    assert not (tmp_path / "hub").exists()
    shown = (("cards", "show", built), ("cards", "check", built), ("site", "--hub", tmp_path))
    for asked in shown:
        refused = program(*asked, without=(*EXTRAS, "markupsafe"))
        assert refused.stderr == "wellread: jinja2 is not installed: pip install 'wellread[site]'\n"


# ---------------------------------------------------------------- how it ends


def ends_with(error: BaseException, command: Command, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """The exit status and what is said when a command raises ``error``."""

    def fail() -> None:
        raise error

    monkeypatch.setattr("wellread.cli.catalog.list_command", click.Command("list", callback=fail))
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


def test_the_first_line_of_a_long_list_is_all_that_is_said(tmp_path: Path) -> None:
    facts = {"language": "en", "folder": DEFAULT_FOLDER, "title": "T", "annotator": "A", "latest": "1", "releases": 1}
    entries = [{"format": 1, "name": f"m{number:05}", **facts} for number in range(20_000)]
    (tmp_path / "catalog.jsonl").write_bytes(msgspec.json.Encoder().encode_lines(entries))
    command = [sys.executable, "-m", "wellread", "list", "--hub", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as listing:
        assert listing.stdout and listing.stderr
        assert listing.stdout.readline().split() == ["name", "lang", "latest", "title"]
        listing.stdout.close()
        assert listing.stderr.read() == ""
    assert listing.returncode == 1


def test_ctrl_c_in_a_download_is_one_word(home: Path, tmp_path: Path) -> None:
    list_in(make_sample(tmp_path, far_apart(**{"onnx/model.onnx": noise(2**24)})), tmp_path / "hub")
    with throttled(tmp_path / "hub", rate=2e6) as server:
        command = [sys.executable, "-m", "wellread", "fetch", "tiny", "--hub", server.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as fetching:
            while server.sent < 200_000 and fetching.poll() is None:
                time.sleep(0.01)
            fetching.send_signal(signal.SIGINT)
            out, err = fetching.communicate()
    assert (fetching.returncode, out, err.strip()) == (130, "", "interrupted")


def test_a_terminal_that_lacks_a_character_gets_another() -> None:
    shown = program("build", "--help", env={**os.environ, "PYTHONIOENCODING": "latin-1"})
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "RECIPE?|SOURCE" in shown.stdout


def test_each_warning_is_said_once_its_lines_kept(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def warn() -> None:
        for text in ("a\n  long one", "another", "a\n  long one"):
            with warnings.catch_warnings():
                warnings.simplefilter("always")
                warnings.warn(text, stacklevel=1)

    monkeypatch.setattr("wellread.cli.catalog.list_command", click.Command("list", callback=warn))
    for _ in range(2):
        assert command("list").err == "wellread: a\nlong one\nwellread: another\n"


def test_the_package_and_its_cli_are_programs(tmp_path: Path) -> None:
    for module in ("wellread", "wellread.cli"):
        shown = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True)
        assert shown.stdout.startswith("wellread, version ")
