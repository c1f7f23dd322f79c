"""The registry at scale: a hub of 100,000 models, and one large file. One run, one page of tables.

    python -m benchmarks.registry [--models 100000] [--megabytes 400] [--rounds 5] [--only resolve publish …]

Hubs are generated; a server on the loopback (nginx, else ``wellread serve``) stands between where HTTP is meant.
What is compared takes turns, so that a noisy machine is noisy for all, and medians are given. Writes
docs/benchmarks/registry.md; with ``--only`` it prints those tables and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.downloads import compare
from benchmarks.generated_hub import name_of, write_hub
from benchmarks.local_server import Served, serving
from benchmarks.processes import run
from tests.registry.samples import Sample, make_sample
from tests.registry.watched import unproved
from wellread.loader import fetch
from wellread.registry.hub.publish import publish
from wellread.registry.names import parse_lang, parse_name
from wellread.registry.resolve.search import find
from wellread.registry.transfer.fetch import bring

ROOT = Path(__file__).resolve().parent.parent


Row = tuple[object, ...]


class Bench:
    """What all parts share: a folder to work in, and how much to do."""

    def __init__(self, scratch: Path, models: int, megabytes: int, rounds: int) -> None:
        self.scratch, self.models, self.megabytes, self.rounds = scratch, models, megabytes, rounds
        self.hub = cache(self._hub)
        self.homes = 0

    def _hub(self, models: int) -> Path:
        return write_hub(self.scratch / f"hub-{models}", models)

    def new_home(self) -> None:
        """From now on the cache is empty."""
        self.homes += 1
        os.environ["WELLREAD_HOME"] = str(self.scratch / f"home-{self.homes}")

    def median(self, operation: Callable[[], object], rounds: int | None = None) -> float:
        """Seconds."""
        return statistics.median(_timed(operation) for _ in range(rounds or self.rounds))


def _timed(operation: Callable[[], object]) -> float:
    started = time.perf_counter()
    operation()
    return time.perf_counter() - started


# ---------------------------------------------------------------- resolve


def resolve(bench: Bench) -> str:
    """One name out of many over HTTP: its index file, against the whole list as one file."""
    import requests

    hub = bench.hub(bench.models)
    release = json.loads((hub / "public/models/metadata.json").read_bytes().splitlines()[bench.models // 2])
    name, language = parse_name(release["name"]), parse_lang(release["language"])
    with serving(hub) as server:

        def ours() -> None:
            bench.new_home()
            find(name, language, hub=server.url)

        def whole() -> None:
            listed = requests.get(f"{server.url}/public/models/metadata.json", timeout=60).content
            assert any(row["name"] == name for row in [json.loads(line) for line in listed.splitlines()])

        for operation in (ours, whole):
            operation()  # what is imported on the way
        (took_1, requests_1, bytes_1), (took_2, requests_2, bytes_2) = (
            _counted(bench, server, operation) for operation in (ours, whole)
        )
    rows: list[Row] = [
        (f"bytes, of {bench.models:,} models", _ratio(bytes_2, bytes_1), f"{bytes_1:,.0f}", f"{bytes_2:,.0f}"),
        ("time", _ratio(took_2, took_1), _ms(took_1), _ms(took_2)),
        ("requests", "", f"{requests_1:g}", f"{requests_2:g}"),
    ]
    told = f"A name that was never asked for, by {server.kind} over HTTP, with an empty cache and a new connection "
    told += "each time; the one file is downloaded and its rows are parsed. The aim is under 1/20 of both."
    return _section("Resolving one name", told, ("", "ratio", "wellread", "one metadata.json"), rows)


def _counted(bench: Bench, server: Served, operation: Callable[[], None]) -> tuple[float, float, float]:
    """Median seconds, and requests and bytes for each run."""
    before = server.sent()
    seconds = bench.median(operation)
    after = server.sent()
    requests, sent = (after[at] - before[at] for at in (0, 1)) if before and after else (0, 0)
    return seconds, requests / bench.rounds, sent / bench.rounds


# ---------------------------------------------------------------- publish


def publishing(bench: Bench) -> str:
    """What a release costs in hubs of three sizes."""
    sizes = (0, bench.models // 100, bench.models)
    took: dict[tuple[int, bool], list[float]] = {(size, shown): [] for size in sizes for shown in (False, True)}
    bench.new_home()
    first = _sample(bench, "first")
    publish(first.zip, first.proof, bench.scratch / "warming")
    for number in range(bench.rounds):
        for (size, shown), seconds in took.items():
            sample = _sample(bench, f"new_{number}_{size}_{shown}".lower())
            hub = bench.hub(size)
            seconds.append(_timed(partial(publish, sample.zip, sample.proof, hub, views=shown)))
    middle = {key: statistics.median(seconds) for key, seconds in took.items()}
    rows: list[Row] = [
        (
            f"{size:,} models",
            f"{middle[size, False] / middle[0, False]:.2f}",
            _ms(middle[size, False]),
            f"{middle[size, True] / middle[0, True]:.2f}",
            _ms(middle[size, True]),
        )
        for size in sizes
    ]
    told = "A release of a new name into a folder, synced to disk. With views, the catalogue and Spark NLP's list are "
    told += "rewritten each time; deferred, `wellread hub refresh` does that once for all."
    header = ("hub of", "ratio", "views deferred", "ratio", "with views")
    return _section("Publishing", told, header, rows)


def _sample(bench: Bench, name: str) -> Sample:
    return make_sample(bench.scratch / "samples" / name, name=parse_name(name))


# ---------------------------------------------------------------- list, search, refresh: processes of their own


def listing(bench: Bench) -> str:
    """Commands as a user runs them."""
    bench.new_home()
    hub, small = bench.hub(bench.models), bench.hub(bench.models // 100)
    word = name_of(bench.models // 2)
    commands = {"list": ("list",), "list --json": ("list", "--json"), f"search {word}": ("search", word)}
    rows: list[Row] = []
    for shown, words in commands.items():
        few, many = (_command(bench, *words, "--hub", str(place)) for place in (small, hub))
        rows.append(
            (shown, f"{many['peak'] / few['peak']:.2f}", _s(many["first"]), _s(many["total"]), f"{many['peak']:.0f} MB")
        )
    told = f"Of {bench.models:,} models in a folder, Python's start ({_s(_command(bench, '--version')['total'])}) "
    told += f"included. The ratio is peak memory against the same of {bench.models // 100:,} models."
    return _section("List and search", told, ("wellread …", "ratio", "first line", "total", "peak"), rows)


def refreshing(bench: Bench) -> str:
    """``refresh`` in hubs of three sizes."""
    sizes = (bench.models // 10, bench.models // 2, bench.models)
    found = {size: _refreshed(bench.hub(size)) for size in sizes}
    first = found[sizes[0]]
    rows: list[Row] = [
        (
            f"{size:,} models",
            f"{ran['processor'] / size / (first['processor'] / sizes[0]):.2f}",
            f"{ran['peak'] / first['peak']:.2f}",
            f"{ran['processor'] / size * 1000:.2f} ms",
            _s(ran["total"]),
            f"{ran['peak']:.0f} MB",
        )
        for size, ran in found.items()
    ]
    told = "Catalogue and Spark NLP's list from the index of a folder, in a process of its own. What grows with the "
    told += "number of names is the processor's time, and that in step: a ratio of 1 is linear."
    header = ("hub of", "processor time a name, ratio", "peak, ratio", "a name", "wall time of all", "peak")
    return _section("Refreshing the views", told, header, rows)


def _refreshed(hub: Path) -> dict[str, float]:
    script = (
        "import sys; from wellread.registry.views.update import refresh; from wellread.registry.retry import open_hub"
    )
    return run([sys.executable, "-c", f"{script}; print(refresh(open_hub(sys.argv[1])))", str(hub)])


def _command(bench: Bench, *words: str) -> dict[str, float]:
    """The medians of a command's time to its first line and to its end, in seconds, and its peak, in MB."""
    runs = [run([sys.executable, "-m", "wellread", *words]) for _ in range(bench.rounds)]
    return {key: statistics.median(run[key] for run in runs) for key in ("first", "total", "peak")}


# ---------------------------------------------------------------- download, warm load


def downloading(bench: Bench) -> str:
    """A large file beside its peers."""
    seconds, failures = compare(bench.scratch / "download", bench.megabytes, bench.rounds)
    curl = seconds["curl -o"]
    rows: list[Row] = [
        (name, f"{curl / taken:.2f}", f"{seconds['curl -o, then sync'] / taken:.2f}", _s(taken))
        for name, taken in seconds.items()
    ]
    rows += [(name, "", "", why) for name, why in failures.items()]
    told = (
        f"{bench.megabytes} MB from one server on the loopback to one disk, a warm page cache at the server, medians "
    )
    told += f"of {bench.rounds} turns. Above 1 is faster. The aim is 0.9 of curl, which checks nothing."
    return _section("Downloading", told, ("", "of curl", "of curl + sync", "time"), rows)


def warm(bench: Bench) -> str:
    """What ``fetch`` takes where nothing is to be done."""
    bench.new_home()
    hub = bench.scratch / "warm"
    sample = make_sample(bench.scratch / "samples/warm", name=parse_name("warm"))
    release = publish(sample.zip, sample.proof, hub).release
    with serving(hub) as server:
        bring(*find(parse_name("warm"), parse_lang("en"), hub=server.url), "onnx", prove=unproved)
        fetch("warm", hub=server.url)
        before = server.sent()
        rows: list[Row] = [
            ("by name, within the ttl", _ms(bench.median(lambda: fetch("warm", hub=server.url), 50))),
            ("pinned", _ms(bench.median(lambda: fetch("warm", hub=server.url, version=release.id), 50))),
        ]
        asked = "nobody counts them" if before is None else (server.sent() or before)[0] - before[0]
    rows += [
        ("by name, of a folder", _ms(bench.median(lambda: fetch("warm", hub=hub), 50))),
        ("requests in 100 loads over HTTP", asked),
    ]
    return _section("Warm load", "`wellread.fetch` of a form in the cache. The aim is under 10 ms.", ("", ""), rows)


# ---------------------------------------------------------------- the page

PARTS: dict[str, Callable[[Bench], str]] = {
    "resolve": resolve,
    "publish": publishing,
    "list": listing,
    "refresh": refreshing,
    "download": downloading,
    "warm": warm,
}


def _section(title: str, told: str, header: Row, rows: list[Row]) -> str:
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in (header, ("---",) * len(header), *rows)]
    return "\n".join([f"## {title}", "", told, "", *lines, ""])


def _ratio(more: float, less: float) -> str:
    return f"1 / {more / less:,.0f}" if less else "unknown"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _s(seconds: float) -> str:
    return f"{seconds:.2f} s"


def _head(asked: argparse.Namespace) -> str:
    load = os.getloadavg()[0]
    tools = ", ".join(f"{tool} {version(tool)}" for tool in ("requests", "pooch", "huggingface_hub", "msgspec"))
    return (
        f"# The registry at scale\n\nMade by `python -m benchmarks.registry --models {asked.models} --megabytes "
        f"{asked.megabytes} --rounds {asked.rounds}` on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores, "
        f"{platform.machine()}, Python {platform.python_version()}, {tools}. Medians of {asked.rounds}. "
        f"Ratios first: the load was {load:.0f} when it began, and with it the figures move.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=100_000)
    parser.add_argument("--megabytes", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--scratch", help="where to work: the disk that is measured")
    asked: Any = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.scratch, prefix="wellread-bench-") as scratch:
        bench = Bench(Path(scratch), asked.models, asked.megabytes, asked.rounds)
        page = [_head(asked)]
        for part in asked.only:
            page.append(PARTS[part](bench))
            print(page[-1], flush=True)
    if asked.only == list(PARTS):
        target = ROOT / "docs/benchmarks/registry.md"
        target.write_text("\n".join(page), encoding="utf-8")


if __name__ == "__main__":
    main()
