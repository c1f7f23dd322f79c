"""Every block of the README, run as it stands, in order, in one folder.

In a console block `$` starts a command and what follows is its output, where `…` stands for anything; a floating-point
number may differ in its last digits between machines. `make run` is run as the commands that the Makefile gives it. A
pycon block is a doctest, in which `...` stands for anything. What a Python block on Spark shows stands below it in
comments.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import BuildModule

pytestmark = pytest.mark.press

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


class Block(NamedTuple):
    kind: str
    text: str


BLOCKS = [Block(*found) for found in re.findall(r"^```(\w+)\n(.*?)^```$", README, re.M | re.S)]


def on_spark(block: Block) -> bool:
    return block.kind == "python" and "wellread.spark" in block.text


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """Each command of a console block with its output."""
    for part in re.split(r"^\$ ", block.text, flags=re.M)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, module: BuildModule) -> Path:
    """Where a reader stands: ``./hub`` will be made here, and ``my_module`` is a module of theirs."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(module("tf2-dict"), folder / "my_module")
    return folder


def shell(command: str, place: Path) -> str:
    environment = {**os.environ, "WELLREAD_HOME": str(place / "home"), "PATH": f"{BIN}:{os.environ['PATH']}"}
    environment.pop("WELLREAD_HUB", None)
    done = subprocess.run(command, shell=True, cwd=place, env=environment, capture_output=True, text=True, check=False)
    if "pip: " in done.stderr:
        pytest.skip(f"the package registry cannot be reached: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_python(place: Path, *arguments: str) -> str:
    """What it prints."""
    environment = {**os.environ, "WELLREAD_HOME": str(place / "home")}
    command = [sys.executable, "-W", "ignore", *arguments]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def recipe_of(target: str) -> str:
    """The commands behind a make target, set-up left out."""
    printed = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = [line.replace(".venv/bin/", "") for line in printed.splitlines()]
    return " && ".join(line for line in lines if line.startswith("wellread "))


def pattern(output: str) -> str:
    """A regular expression for an output: ``…`` is anything, spaces are spaces, numbers are near enough."""
    return "".join(map(_expected, re.findall(r"…|\s+|-?\d\.\d+(?:e-\d+)?|.", output.strip())))


def _expected(token: str) -> str:
    if token == "…":
        return r"[\s\S]*?"
    if token.isspace():
        return r"\s+"
    if "e-0" in token:
        return r"\d\.\de-0\d"
    decimals = len(token) > 7 and "." in token
    return re.escape(token[:-2]) + r"\d\d" if decimals else re.escape(token)


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.kind == "console"], ids=lambda block: block.text[:30]
)
def test_a_console_block_prints_what_it_shows(block: Block, place: Path) -> None:
    for command, output in commands(block):
        if command == "make test":  # which is running now
            continue
        printed = shell(recipe_of(command.removeprefix("make ")) if command.startswith("make ") else command, place)
        assert re.fullmatch(pattern(output), printed.strip()), printed


def test_the_python_blocks_run_and_what_their_comments_promise_is_so(place: Path) -> None:
    """A line that ends in a comment evaluates to what the comment says before its colon."""
    script = "\n".join(block.text for block in BLOCKS if block.kind == "python" and not on_spark(block))
    promises = re.findall(r"^(?! )(?!import|from)([^#\n=]+?)\s+# (\([^:\n]*\)|\('.*\))(?::|$)", script, re.M)
    assert len(promises) >= 4
    checks = "\n".join(f"assert ({line}) == ({said}), {line!r}" for line, said in promises)
    run_python(place, "-c", f"{script}\n{checks}")


@pytest.mark.usefixtures("with_java")
@pytest.mark.parametrize("block", [block for block in BLOCKS if on_spark(block)], ids=["pipeline"])
def test_a_block_on_spark_shows_what_stands_below_it(block: Block, place: Path) -> None:
    shown = "\n".join(re.findall(r"^# (.*)$", block.text, re.M))
    printed = run_python(place, "-c", block.text)
    assert re.fullmatch(pattern(shown), printed.strip()), printed


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.kind == "pycon"], ids=lambda block: block.text[:30]
)
def test_an_interactive_block_shows_what_python_says(block: Block, place: Path) -> None:
    (place / "said.txt").write_text(block.text, encoding="utf-8")
    run_python(place, "-m", "doctest", "-o", "ELLIPSIS", "-o", "NORMALIZE_WHITESPACE", "said.txt")


def test_no_block_is_of_a_kind_that_nobody_runs() -> None:
    assert {block.kind for block in BLOCKS} == {"console", "pycon", "python"}


def test_both_commands_and_real_output_are_on_the_first_screen() -> None:
    screen = "\n".join(README.splitlines()[:40])
    assert "make run" in screen and "make test" in screen
    assert "(128,)" in screen


def test_every_command_is_in_the_readme_or_its_help() -> None:
    from wellread.cli import COMMANDS, cli

    for name in COMMANDS:
        command = cli.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        assert f"wellread {name}" in (command.help or "") or f"wellread {name}" in README, f"{name} shows no example"


def test_every_link_of_the_readme_and_the_docs_leads_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} → {target}"
