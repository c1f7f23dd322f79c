"""A site of many models: how long it takes to build, how much memory, what a visitor loads, how fast the search is.

    python -m benchmarks.site [--models 20000] [--scratch FOLDER] [--print]

The hub is generated (see ``generated_releases``): real, small artifacts, proofs of 12 layers. Builds are ``wellread
site`` as a user runs it. A visitor is Chromium, where it and playwright are installed, with an empty cache. Writes
docs/benchmarks/site.md; with ``--print`` it prints that and writes nothing.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from benchmarks.generated_hub import language_of, name_of
from benchmarks.generated_releases import moment, publish_again, write_releases
from benchmarks.processes import ROOT
from wellread.registry.distribution.server import HubServer
from wellread.registry.hub import states
from wellread.registry.names import DEFAULT_FOLDER
from wellread.registry.stores import open_store

Row = tuple[object, ...]
_TICK = 0.25
"""Seconds between two looks at the memory."""


class Ran(NamedTuple):
    """A build: wall seconds, those that its processes computed, the peak of their memory in MB, and what it printed as
    JSON."""

    seconds: float
    computed: float
    peak: float
    told: dict[str, Any]


def build(hub: Path, out: Path, *options: str) -> Ran:
    """Run ``wellread site`` and watch it. What its processes share counts once (PSS)."""
    command = [sys.executable, "-m", "wellread", "site", "--hub", str(hub), "--out", str(out), "--json", *options]
    started, before = time.perf_counter(), _computed()
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    peak, ended = 0.0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(_TICK):
            peak = max(peak, sum(map(_memory, _family(running.pid))))

    watching = threading.Thread(target=watch)
    watching.start()
    said, _ = running.communicate()
    seconds = time.perf_counter() - started
    ended.set()
    watching.join()
    if running.returncode:
        raise RuntimeError(f"{' '.join(command)} failed")
    return Ran(seconds, _computed() - before, peak, json.loads(said))


def _computed() -> float:
    """Seconds that the processors worked for all processes that we started and that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _family(process: int) -> Iterator[int]:
    """A process and all that it started."""
    yield process
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text()
    except OSError:
        return
    for child in children.split():
        yield from _family(int(child))


def _memory(process: int) -> float:
    """MB of a process, its part of what it shares."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


# ---------------------------------------------------------------- building


def building(hub: Path, out: Path, models: int) -> str:
    """A full build, then what is left to do after each kind of change."""
    changes: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
        "everything": (lambda _: None, ()),
        "nothing": (lambda _: None, ()),
        "one release published": (lambda place: publish_again(place, 7, models), ()),
        "an old release yanked": (_yank, ()),
        "nothing, but `--all`": (lambda _: None, ("--all",)),
    }
    rows: list[Row] = []
    for what, (change, options) in changes.items():
        change(hub)
        ran = build(hub, out, *options)
        told = ran.told
        times = f"{ran.seconds:.1f} s", f"{ran.computed:.1f} s"
        rows.append((what, *times, f"{ran.peak:.0f} MB", f"{told['written']:,}", f"{told['files']:,}"))
        print(rows[-1], flush=True)
    said = "`wellread site` with a hub in a folder, Python's start included. The memory is the most that all its "
    said += (
        "processes had at one time; what they computed is told apart, for the time moves with what else the machine "
    )
    said += "does. After a change only what changed is read and written."
    header = ("what is new", "time", "computed", "memory", "pages written", "files written")
    return _section("Building", said, header, rows)


def _yank(hub: Path) -> None:
    """The older release of a model that has two."""
    named = name_of(10), language_of(10)
    release = f"2.6.0_2.4_{moment(10, 0)}"
    states.change_state(open_store(hub), "yank", *named, version=release, folder=DEFAULT_FOLDER, reason="wrong words")


# ---------------------------------------------------------------- weight


def weighing(out: Path) -> str:
    """How large files are, as they lie there and as a server with gzip sends them."""
    groups = {
        "a model's page": sorted(out.glob("models/*/*.html"))[::97],
        "the same for machines": sorted(out.glob("models/*/*.json"))[::97],
        "a notebook": sorted(out.glob("models/*/*.ipynb"))[::97],
        "the home page": [out / "index.html"],
        "a page of a language": sorted(out.glob("languages/*.html")),
        "a page of the changelog": sorted(out.glob("changelog.*.html")),
        "scripts and styles, all, without the demo's": [*out.glob("assets/*/*.css"), *out.glob("assets/*/*.js")],
        "search data, all": sorted(out.glob("search/*")),
        "models.json": [out / "models.json"],
    }
    rows: list[Row] = []
    for what, files in ((what, files) for what, files in groups.items() if files):
        sizes = [(file.stat().st_size, len(gzip.compress(file.read_bytes(), 6))) for file in files]
        whole = "all" in what
        raw, packed = ((sum if whole else statistics.median)(size[at] for size in sizes) for at in (0, 1))
        rows.append((what, _kb(raw), _kb(packed), _kb(max(size[0] for size in sizes))))
    total = sum(1 for path in out.rglob("*") if path.is_file())
    said = f"Medians, and sums where it says all. The site has {total:,} files."
    return _section("Weight", said, ("", "bytes", "with gzip", "largest"), rows)


# ---------------------------------------------------------------- a visitor


_ASK = """async (text) => {
  const field = document.getElementById("search"), status = document.getElementById("status");
  field.value = text;
  const started = performance.now();
  field.dispatchEvent(new Event("input", { bubbles: true }));
  const took = performance.now() - started;
  await new Promise(requestAnimationFrame);
  return [took, status.textContent, document.querySelector("#results a")?.textContent ?? ""];
}"""


def visiting(out: Path, models: int) -> str:
    """What a first visit loads, and how long the search takes, in Chromium."""
    try:
        from tests.fixtures.browser import chromium, watched
    except ImportError:
        return "## A visitor\n\nNot measured: playwright is not installed.\n"

    name = name_of(models // 2)
    queries = (
        str(name),
        " ".join(str(name).split("_")[:3]),
        str(name).replace("L", "LL", 1),
        "small bert l2",
        "medical",
    )
    with HubServer(open_store(out), log=lambda _: None) as server, chromium() as browser:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with watched(browser) as seen:
            seen.page.goto(server.url, wait_until="networkidle")
            visit = list(seen.requests)
            seen.page.fill("#search", "small")
            seen.page.wait_for_load_state("networkidle")
            seen.page.wait_for_timeout(1000)
            asked = seen.requests[len(visit) :]
            rows: list[Row] = []
            for query in queries:
                answers = [seen.page.evaluate(_ASK, query) for _ in range(5)]
                took = statistics.median(answer[0] for answer in answers)
                rows.append((f"`{query}`", f"{took:.1f} ms", answers[-1][1], answers[-1][2].strip()))
        server.shutdown()
    loads: list[Row] = [
        (what, len(urls), *map(_kb, _loaded(out, urls)))
        for what, urls in {"the home page": visit, "the first letter in the search": asked}.items()
    ]
    said = "Chromium with an empty cache; bytes as the files lie there, and as a server with gzip sends them."
    told = "Chromium, all search data loaded: from the key to the drawn answer, without the painting. Medians of 5."
    return "\n".join(
        [
            _section("First visit", said, ("", "requests", "bytes", "with gzip"), loads),
            _section("Search", told, ("asked", "time", "found", "first"), rows),
        ]
    )


def _loaded(out: Path, urls: Iterable[str]) -> tuple[int, int]:
    paths = [out / (urlsplit(url).path.lstrip("/") or "index.html") for url in dict.fromkeys(urls)]
    files = [path.read_bytes() for path in paths if path.is_file()]
    return sum(map(len, files)), sum(len(gzip.compress(data, 6)) for data in files)


# ---------------------------------------------------------------- the page


def _section(title: str, told: str, header: Row, rows: list[Row]) -> str:
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in (header, ("---",) * len(header), *rows)]
    return "\n".join([f"## {title}", "", told, "", *lines, ""])


def _kb(size: float) -> str:
    return f"{size / 1000:,.1f} kB"


def _head(models: int) -> str:
    load = os.getloadavg()[0]
    tools = ", ".join(f"{tool} {version(tool)}" for tool in ("jinja2", "markdown-it-py", "nh3", "msgspec"))
    return (
        f"# A site of {models:,} models\n\nMade by `python -m benchmarks.site --models {models}` on "
        f"{datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores, {platform.machine()}, Python "
        f"{platform.python_version()}, {tools}. The load was {load:.0f} when it began, and with it times move.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=20_000)
    parser.add_argument("--scratch", help="where to work: the disk that is measured")
    parser.add_argument("--print", action="store_true", help="print the page, and write nothing")
    asked: Any = parser.parse_args()
    page = [_head(asked.models)]
    with tempfile.TemporaryDirectory(dir=asked.scratch, prefix="wellread-bench-") as scratch:
        hub, out = write_releases(Path(scratch) / "hub", asked.models), Path(scratch) / "site"
        parts: tuple[Callable[[], str], ...] = (
            partial(building, hub, out, asked.models), partial(weighing, out), partial(visiting, out, asked.models),
        )  # fmt: skip
        for part in parts:
            page.append(part())
            print(page[-1], flush=True)
    if not asked.print:
        (ROOT / "docs/benchmarks/site.md").write_text("\n".join(page), encoding="utf-8")


if __name__ == "__main__":
    main()
