"""Where snippets run: a process that only imports their engines, and forks once for each snippet.

    stdin     a ``Scene`` a line, as JSON
    stdout    for each a line: what was ``Played``

Engines take ten seconds to import, a snippet a fraction of one. So the stage stays for as long as the process that
started it, and a build of many models pays once; a snippet still has its own process, which begins without a name and
ends with all that it held. Where a fork of what has imported frameworks is not safe (macOS) or unknown (Windows) the
stage runs the snippet itself.
"""

from __future__ import annotations

import atexit
import os
import re
import runpy
import select
import shutil
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from wellread.errors import MissingExtra
from wellread.registry.records import Record, decode, encode

COMPONENTS = 4
DECIMALS = 6
_LONGEST = 300
"""Characters of an error that are told: some libraries' errors are essays."""
_OWNERS = ("WELLREAD_", "SPARK_", "PYSPARK_")
"""How variables begin by which the owner says what hubs to ask, and which Spark to run and where."""
PROGRAMS = {"java": "Debian and Ubuntu have it as openjdk-17-jre-headless; JAVA_HOME names one that is elsewhere"}
"""Engines that are no modules, and where they are to be had."""
_FOLDERS = re.compile(r"(?<![\w/.:])(?:[A-Za-z]:)?[\\/](?:[^\s\\/,;:]+[\\/])*")
"""What leads to a file of this machine; its name alone stays."""
_FORKS = sys.platform == "linux"


class Scene(Record, frozen=True, kw_only=True):
    """A snippet in the file ``script``, to be run in the empty ``folder`` with more variables in its environment.

    ``engines`` are the modules that it will import, and the ``PROGRAMS`` that it will start; ``keep`` names the
    variable, ``TokenVectors``, to be told; ``limit`` is in seconds.
    """

    script: str
    folder: str
    environment: dict[str, str]
    engines: tuple[str, ...] = ()
    keep: str = ""
    limit: int = 600  # no model needs them, on the slowest machine


class Played(Record, frozen=True, kw_only=True):
    """What became of a snippet: an ``error`` and the ``line`` that it came from (0: none), or nothing of the kind.

    It was not run, or not to its end, where ``absent`` says what this machine lacks for it: that is not the snippet's
    fault.
    ``words`` and ``vectors`` (words, ``COMPONENTS``), rounded to ``DECIMALS``, are those of the variable it kept.
    """

    absent: str = ""
    error: str = ""
    line: int = 0
    words: tuple[str, ...] = ()
    vectors: tuple[tuple[float, ...], ...] = ()


class Stage:
    """The stage as its owner sees it; started when it is first used, and again after it broke down."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    def play(self, scene: Scene) -> Played:
        """Run one snippet. Raises nothing for a snippet that fails, whichever way."""
        with self._lock:
            process = self._process = self._process or _start()
            said = b""
            try:
                said = _ask(process, encode(scene))
            finally:
                if not said:  # nor may an answer that came too late be taken for the next one's
                    self._end()
        return decode(said, Played, "the stage's answer") if said else Played(error="its process broke down")

    def close(self) -> None:
        """End the process; the next snippet starts another."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process:
            process.kill()
            with suppress(OSError), process:  # closes its streams and waits
                pass


def _ask(process: subprocess.Popen[bytes], scene: bytes) -> bytes:
    """The answer, without bytes where there is none."""
    assert process.stdin and process.stdout
    try:
        process.stdin.write(scene + b"\n")
        process.stdin.flush()
        return process.stdout.readline()
    except OSError:
        return b""


def _start() -> subprocess.Popen[bytes]:
    """A stage that asks no network and nothing that its owner has set up."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(_OWNERS)}
    here = Path.cwd()
    paths = [*(path for path in sys.path if path and Path(path).resolve() != here), str(Path(__file__).parents[2])]
    told = {
        "PYTHONPATH": os.pathsep.join(paths),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "ORT_DISABLE_TELEMETRY": "1",  # its thread does not live through a fork
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    command = [sys.executable, "-P", "-m", __name__]
    return subprocess.Popen(
        command, env=ours | told, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


# ---------------------------------------------------------------- in the process


def _main() -> None:
    scenes, answers = _privately(0, "rb"), _privately(1, "wb")
    for line in scenes:
        scene = decode(line, Scene, "a scene")
        absent = _absent(scene.engines)
        answers.write(encode(absent or (_apart(scene, scenes) if _FORKS else _play(scene))) + b"\n")
        answers.flush()


def _privately(number: int, mode: str) -> Any:
    """A standard stream under another number; what the snippets have under its own is /dev/null."""
    ours = os.fdopen(os.dup(number), mode)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, number)
    os.close(nothing)
    return ours


def _absent(engines: Sequence[str]) -> Played | None:
    """Why a snippet with these engines cannot be run here; modules are imported now, once for all snippets."""
    for program in (engine for engine in engines if engine in PROGRAMS):  # quick to find
        if not _program(program):
            return Played(absent=f"{program} is not installed: {PROGRAMS[program]}")
    for engine in (engine for engine in engines if engine not in PROGRAMS):
        try:
            import_module(engine)
        except Exception as error:  # an engine may break in any way; its words may name folders of this machine
            if isinstance(error, ModuleNotFoundError) and error.name == engine:
                return Played(absent=f"{engine} is not installed: pip install {engine.replace('_', '-')}")
            return Played(absent=f"{engine} is broken: python -c 'import {engine}' ends with {type(error).__name__}")
    return None


def _program(name: str) -> str | None:
    """Where a program is: below its home, ``JAVA_HOME``, if there is that variable, else on the path."""
    home = os.environ.get(f"{name.upper()}_HOME")
    return shutil.which(name, path=str(Path(home, "bin"))) if home else shutil.which(name)


def _apart(scene: Scene, owner: IO[bytes]) -> Played:
    """Play it in a fork, and end with it where the ``owner`` of the scenes is killed meanwhile."""
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(scene.limit)
        try:
            with os.fdopen(tell, "wb") as answer:
                answer.write(encode(_play(scene)))
        finally:
            os._exit(0)
    os.close(tell)
    waiting = select.poll()
    waiting.register(told, select.POLLIN)
    waiting.register(owner, 0)  # its end is told all the same
    if any(number == owner.fileno() for number, _ in waiting.poll()):
        os.kill(child, signal.SIGKILL)
        os._exit(0)
    with os.fdopen(told, "rb") as answer:
        said = answer.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return decode(said, Played, "a fork's answer") if said else Played(error=_ending(status, scene.limit))


def _ending(status: int, limit: int) -> str:
    if status == -signal.SIGALRM:
        return f"it did not end within {limit} s"
    return f"its process was killed by {signal.Signals(-status).name}" if status < 0 else "its process ended early"


def _play(scene: Scene) -> Played:
    os.environ.update(scene.environment)
    os.chdir(scene.folder)
    try:
        names = runpy.run_path(scene.script, run_name="__main__")
        return _kept(names[scene.keep]) if scene.keep else Played()
    except MissingExtra as error:
        return Played(absent=_FOLDERS.sub("", _told(error).partition(": ")[2]))
    except BaseException as error:  # a snippet that leaves by sys.exit has failed too
        return Played(error=_told(error), line=_line(error, scene.script))


def _kept(found: Any) -> Played:
    vectors = tuple(tuple(_rounded(number) for number in row[:COMPONENTS]) for row in found.vectors)
    return Played(words=found.words, vectors=vectors)


def _rounded(number: Any) -> float:
    # Adding zero turns -0.0 into 0.0, whose sign is a matter of the machine.
    return round(float(number), DECIMALS) + 0.0


def _told(error: BaseException) -> str:
    """An error on one line; of bad syntax without the line itself, which its place tells."""
    parts = traceback.format_exception_only(error)
    return " ".join(parts[-1 if isinstance(error, SyntaxError) else 0].split())[:_LONGEST]


def _line(error: BaseException, script: str) -> int:
    """The last line of the script that an error passed through."""
    if isinstance(error, SyntaxError) and error.filename == script:
        return error.lineno or 0
    passed = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == script]
    return (passed[-1] or 0) if passed else 0


if __name__ == "__main__":
    _main()
