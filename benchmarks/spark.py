"""Many rows on one machine: the Spark pipeline beside one process of wellread.

    python -m benchmarks.spark [--rows 6000] [--rounds 3] [--models …] [--quick] [--out FOLDER]

Every contender (see ``spark_contenders``) is a process of its own; they take turns in another order each round. The
yardstick is one process with one thread, times the cores of the machine: what would be reached if nothing got in the
way of anything. Spark and that process have run once before they are measured, so workers and models are there, as in
any job that is worth its cluster; what a job costs before its first row is measured on a single row. ``wellread embed``
is measured as it is run, its start included.

Writes docs/benchmarks/spark.md, its plots, and docs/benchmarks.md. ``--quick`` shows that all of it works, on few rows,
and writes under build/ unless told otherwise: its figures mean nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks import pages
from benchmarks.charts import Bar, bars
from benchmarks.models import BENCH, Material, material
from benchmarks.players import Absent, Player
from benchmarks.sentences import TOLD, repeated

MODELS = {"all_minilm_L6_v2": 1, "small_bert_L2_128_bleurt": 10}
"""Model → how many times the rows: the small one is that much faster."""
LEVELS = ("sentence", "token")
PARTS_A_CORE = 2
TOOLS = ("pyspark", "pyarrow", "pandas", "onnxruntime", "tokenizers")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Way:
    """A contender: which one of ``spark_contenders``, what it is to do, and how its rows a second are scaled."""

    contender: str
    levels: tuple[str, ...] = LEVELS
    alone: bool = False
    """One thread, a share of the rows, and what it does counts once for each core."""
    kind: str = "peer"
    warm: bool = True


CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
BASE, WHOLE, SPARK = "Model.encode, one thread × cores", "Model.encode, all cores", f"Spark pipeline, local[{CORES}]"
STAGES = "the annotators alone, one thread × cores"
WAYS = {
    SPARK: Way("spark", kind="ours"),
    BASE: Way("encode", alone=True, kind="base"),
    STAGES: Way("stages", ("token",), alone=True),
    WHOLE: Way("encode"),
    "wellread embed --engine local": Way("embed local", ("sentence",), kind="ours", warm=False),
    "wellread embed --engine spark": Way("embed spark", ("sentence",), kind="ours", warm=False),
}


@dataclass
class Measured:
    """A model's run: rows a second, a list of rounds for each way and level."""

    of: Material
    rows: int
    speeds: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    start: dict[str, float] = field(default_factory=dict)
    """Level → seconds of a Spark job of one row."""

    def ratio(self, way: str, level: str, base: str = BASE) -> float | None:
        """How many times the speed of ``base``: the median over rounds. None if one of them did not run."""
        pairs = zip(self.speeds.get((way, level), ()), self.speeds.get((base, level), ()), strict=False)
        found = [own / other for own, other in pairs]
        return median(found) if found else None

    def speed(self, way: str, level: str) -> float:
        return median(self.speeds[way, level])

    def ways(self, level: str) -> list[str]:
        """Those that ran, the fastest first."""
        found = [way for way, of in self.speeds if of == level]
        return sorted(found, key=lambda way: -self.speed(way, level))


# ---------------------------------------------------------------- measuring


def write_rows(folder: Path, count: int) -> None:
    """Parquet files, some for each core, of a column ``text``."""
    import pyarrow as pa
    import pyarrow.parquet

    folder.mkdir(parents=True)
    texts, parts = repeated(count), CORES * PARTS_A_CORE
    for part in range(parts):
        table = pa.table({"text": texts[part::parts]})
        pyarrow.parquet.write_table(table, folder / f"{part}.parquet")


def measure(of: Material, count: int, rounds: int, scratch: Path) -> Measured:
    """All ways, interleaved."""
    found = Measured(of, count)
    rows = scratch / "rows"
    write_rows(rows, count)
    with ExitStack() as stack:
        players = dict(_present(stack, found, rows, scratch))
        turns = [(way, level) for way in players for level in WAYS[way].levels]
        for number in range(rounds):
            for way, level in random.Random(number).sample(turns, len(turns)):
                _turn(found, players, way, level)
            print(f"{of.name}: round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        if SPARK in players:
            found.start = {level: players[SPARK].ask("run", level=level, count=1) for level in LEVELS}
    shutil.rmtree(rows)
    return found


def _present(stack: ExitStack, found: Measured, rows: Path, scratch: Path) -> Iterator[tuple[str, Player]]:
    """Those that get ready, each having run once where that is meant."""
    told = scratch / "material.json"
    told.write_text(json.dumps(found.of.as_json()), encoding="utf-8")
    for number, (way, how) in enumerate(WAYS.items()):
        command = [sys.executable, "-m", "benchmarks.spark_contenders", how.contender, str(told), str(rows)]
        try:
            player = Player(command, scratch / f"{number}.log", ONE_THREAD if how.alone else None)
            stack.callback(player.close)
            for level in how.levels if how.warm else ():
                player.ask("run", level=level, count=max(2, found.rows // 10))
        except Absent as reason:
            found.absent[way] = str(reason)
            print(f"{found.of.name}: {way} does not run: {reason}", file=sys.stderr, flush=True)
            continue
        yield way, player


def _turn(found: Measured, players: dict[str, Player], way: str, level: str) -> None:
    if way in found.absent:
        return
    times = CORES if WAYS[way].alone else 1
    count = found.rows // times
    try:
        seconds = players[way].ask("run", level=level, count=count)
    except Absent as reason:
        found.absent[way] = str(reason)
        return
    found.speeds.setdefault((way, level), []).append(count * times / seconds)


# ---------------------------------------------------------------- telling


def told_model(found: Measured) -> str:
    blanks = "\n".join(f"- {way}: not run. {reason}" for way, reason in found.absent.items())
    parts = [part for level in LEVELS if found.ways(level) for part in _told_level(found, level)]
    return pages.section(found.of.title, f"{found.rows:,} rows.", *parts, blanks)


def _told_level(found: Measured, level: str) -> Iterable[str]:
    start = f" A job of one row takes {found.start[level]:.2f} s." if level in found.start else ""
    rows = [(way, _number(found.ratio(way, level)), f"{found.speed(way, level):,.0f}") for way in found.ways(level)]
    title = _title(found, level)
    return (
        f"**{_LEVELS[level]}.**{start}",
        pages.table(("", f"× {BASE}", "rows/s"), rows),
        pages.plot(title, _plot_name(found, level)),
    )


_LEVELS = {
    "sentence": "Sentence vectors: DocumentAssembler, BertSentenceEmbeddings",
    "token": "Word vectors, as on the card: DocumentAssembler, SentenceDetector, Tokenizer, BertEmbeddings",
}


def _title(found: Measured, level: str) -> str:
    return f"Rows a second, {level} level: {found.of.title}"


def _plot_name(found: Measured, level: str) -> str:
    return f"spark-{found.of.name}-{level}"


def _number(ratio: float | None) -> str:
    return f"{ratio:.2f}" if ratio else ""


def plots(found: Measured) -> dict[str, str]:
    return {_plot_name(found, level): _plot(found, level) for level in LEVELS if found.ways(level)}


def _plot(found: Measured, level: str) -> str:
    drawn = [
        Bar(way, found.speed(way, level), f"{found.speed(way, level):,.0f}", WAYS[way].kind)
        for way in found.ways(level)
    ]
    return bars(_title(found, level), drawn)


def aims(found: list[Measured]) -> str:
    aimed = [
        pages.Aim(f"{one.of.title.partition(',')[0]}: {SPARK}, {level} level", one.ratio(SPARK, level), "≥", 0.85, BASE)
        for one in found
        for level in LEVELS
    ]
    return pages.section(pages.AIMS, pages.aims(aimed))


_METHOD = (
    "Medians of {rounds} rounds in which the contenders take turns in a random order; the ratios are taken within a "
    f"round. The rows are {TOLD}, repeated with a number in front, in {PARTS_A_CORE} Parquet files a core. *{BASE}* is "
    "a process that may use one core, and its rows a second times {cores}. Spark reads the files, runs the pipeline "
    "and drops the result; `wellread embed` reads the files and writes Parquet, and its time is that of the whole "
    "process, the start of Python, and of Spark, included. At token level `Model.encode` makes its own words, and the "
    "pipeline splits sentences and tokens as Spark NLP does, which is more work: how much, the annotators alone show, "
    "without Spark."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=6000, help="of MiniLM; the small model gets ten times as many")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    if asked.quick:
        asked.rows, asked.rounds = 40, 2
    out = asked.out or (BENCH / "docs" if asked.quick else pages.DOCS)
    made = pages.made("benchmarks.spark", *TOOLS)
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        for name in asked.models:
            try:
                of = material(name)
            except Absent as reason:
                print(f"{name}: not run. {reason}", file=sys.stderr)
                continue
            found.append(measure(of, asked.rows * MODELS[name], asked.rounds, Path(scratch)))
    drawn = {name: svg for one in found for name, svg in plots(one).items()}
    parts = [made, _METHOD.format(rounds=asked.rounds, cores=CORES), aims(found), *map(told_model, found)]
    page = pages.write(out, "spark", "Rows on Spark, beside one process", parts, drawn)
    print(page.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
