"""One run of the contenders on one model, interleaved, and what comes out of it.

Every contender is a process that stays alive (see ``players``). First each gives its vectors, which warms it up and
shows its error; then come the rounds, in another order each, and before each round the machine shows what it can.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import peaks
from benchmarks.encode_contenders import CONTENDERS
from benchmarks.models import Material
from benchmarks.peers import python
from benchmarks.players import Absent, Player
from benchmarks.sentences import sentences

BASE = "onnxruntime by length"
"""What speeds are compared with."""
LIMIT = 256
"""Pieces: MiniLM takes no more, and a text that is cut off would be less work for whoever cuts."""
REST = 0.1
"""Seconds before a turn, in which the threads of the one before stop waiting for more."""
ALONE = 20
"""Single sentences a turn."""
JUDGED = 96
"""Texts of which the error is measured: float64 takes its time."""


@dataclass
class Workload:
    """The texts of one model and what they cost, nothing padded."""

    of: Material
    texts: list[str]
    lengths: list[int]
    operations: float
    judged: list[int]
    truth: Any
    """(judged, hidden) float64: the vectors by the reference."""


@dataclass
class Result:
    """What one contender did, a number a round: ``seconds``, ``one`` for a single sentence; or why it is ``absent``."""

    seconds: list[float] = field(default_factory=list)
    one: list[float] = field(default_factory=list)
    memory: float = 0.0
    cosine: float = 0.0
    error: float = 0.0
    absent: str = ""


@dataclass
class Measured:
    """A model's run."""

    work: Workload
    results: dict[str, Result]
    peaks: list[dict[str, float]]

    def ratio(self, name: str, base: str = BASE) -> float | None:
        """How many times the speed of ``base``: the median over rounds. None if one of them did not run."""
        pairs = zip(self.results[name].seconds, self.results.get(base, Result()).seconds, strict=False)
        found = [base_seconds / own for own, base_seconds in pairs]
        return median(found) if found else None

    def share(self, name: str, precision: str) -> float:
        """Of the machine's peak in that precision."""
        rounds = zip(self.results[name].seconds, self.peaks, strict=False)
        return median(self.work.operations / seconds / peak[precision] for seconds, peak in rounds)

    def speed(self, name: str) -> float:
        """Tokens a second."""
        return sum(self.work.lengths) / median(self.results[name].seconds)

    def playing(self) -> list[str]:
        return [name for name, result in self.results.items() if result.seconds]


def workload(of: Material, count: int) -> Workload:
    """``count`` sentences that no model cuts off, and the truth about some of them."""
    from wellread.converters.weights import read_weights
    from wellread.runtime.folder import open_tokeniser

    folder = Path(of.folder)
    some = sentences(count + count // 10 + 10)
    read = zip(some, open_tokeniser(folder)(some), strict=True)
    fitting = [(text, one.ids) for text, one in read if len(one.ids) <= LIMIT][:count]
    texts, ids = [text for text, _ in fitting], [one for _, one in fitting]
    lengths = [len(one) for one in ids]
    weights = read_weights(folder)
    shape = weights.architecture
    cost = sum(peaks.operations(shape.layers, shape.hidden, shape.intermediate, length) for length in lengths)
    judged = list(range(0, count, max(1, count // JUDGED)))
    return Workload(of, texts, lengths, cost, judged, _truth(weights, [ids[i] for i in judged]))


def _truth(weights: Any, rows: list[Any]) -> Any:
    from wellread.converters.parity.probes import single
    from wellread.converters.parity.reference import Reference

    reference = Reference(weights)
    return np.stack([reference.run(single("text", row))["sequence"][0].mean(0) for row in rows])


def measure(work: Workload, names: Iterable[str], rounds: int, scratch: Path) -> Measured:
    """All contenders, interleaved."""
    results = {name: Result() for name in names}
    with ExitStack() as stack:
        players = dict(_present(stack, work, results, scratch))
        peak = stack.enter_context(_player([sys.executable, "-m", "benchmarks.peaks"], scratch / "peaks.log"))
        tops = []
        for number in range(rounds):
            tops.append(peak.ask("run"))
            for name in shuffled(list(players), number):
                _turn(players, name, results[name])
            _say(f"{work.of.name}: round {number + 1} of {rounds}")
        for name, player in players.items():
            results[name].memory = player.ask("memory")
    return Measured(work, results, tops)


def _turn(players: dict[str, Player], name: str, result: Result) -> None:
    """One run, then single sentences; whoever fails is out, with all that it did."""
    time.sleep(REST)
    try:
        result.seconds.append(players[name].ask("run"))
        result.one.append(players[name].ask("one", times=ALONE))
    except Absent as reason:
        del players[name]
        result.seconds, result.absent = [], str(reason)


def _present(
    stack: ExitStack, work: Workload, results: dict[str, Result], scratch: Path
) -> Iterator[tuple[str, Player]]:
    """Those that get ready and give vectors once, which warms them up; the others' results say why not."""
    files = scratch / "material.json", scratch / "texts.json"
    for file, content in zip(files, (work.of.as_json(), work.texts), strict=True):
        file.write_text(json.dumps(content), encoding="utf-8")
    for name, result in results.items():
        vectors = scratch / "vectors.npy"
        try:
            program = python(CONTENDERS[name].peer) if CONTENDERS[name].peer else sys.executable
            command = [program, "-m", "benchmarks.encode_contenders", name, *map(str, files)]
            player = stack.enter_context(_player(command, scratch / f"{name}.log"))
            player.ask("vectors", path=str(vectors))
        except Absent as reason:
            result.absent = str(reason)
            _say(f"{work.of.name}: {name} does not run: {reason}")
            continue
        result.cosine, result.error = judged(np.load(vectors)[work.judged], work.truth)
        yield name, player


@contextmanager
def _player(command: list[str], log: Path) -> Iterator[Player]:
    player = Player(command, log)
    try:
        yield player
    finally:
        player.close()


def judged(found: Any, truth: Any) -> tuple[float, float]:
    """The smallest cosine with the truth, and the largest difference of a number."""
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(truth, axis=1)
    cosines = (found.astype(np.float64) * truth).sum(1) / lengths
    return float(cosines.min()), float(np.abs(found - truth).max())


def shuffled(names: list[str], seed: int) -> list[str]:
    return random.Random(seed).sample(names, len(names))


def _say(told: str) -> None:
    print(told, file=sys.stderr, flush=True)
