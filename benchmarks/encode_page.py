"""The page of ``benchmarks.encode``: what a run measured, as tables and plots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks import cold, pages
from benchmarks.charts import Bar, bars
from benchmarks.encode_contenders import CONTENDERS
from benchmarks.encode_run import BASE, JUDGED, Measured, shuffled
from benchmarks.models import Material
from benchmarks.sentences import TOLD

FP32, INT8 = "wellread, fp32", "wellread, int8"


def publish(out: Path, made: str, found: list[Measured], absent: dict[str, str], rounds: int) -> Path:
    """Cold starts, then the page and the plots of everything."""
    of = found[0].work.of
    starts = cold.cold_starts(of, rounds, shuffled)
    took = starts.medians()
    parts = [made, _METHOD.format(rounds=rounds), aims(found, took), *map(told_model, found), told_cold(of, starts)]
    plots = {_plot_name(one): speed_plot(one) for one in found} | {"encode-cold": cold_plot(took)}
    if absent:
        parts.append(blanks(absent))
    return pages.write(out, "encode", "Sentence vectors, beside the peers", parts, plots)


def told_model(found: Measured) -> str:
    """The section of a model: a table, its plot and what is missing."""
    work = found.work
    head = ("", "× plain onnxruntime", "tokens/s", "of the peak", "one sentence", "peak memory", "cosine", "error")
    rows = [_row(found, name) for name in sorted(found.playing(), key=lambda name: -found.speed(name))]
    absent = {name: result.absent for name, result in found.results.items() if result.absent}
    fp32, int8 = (median(peak[precision] for peak in found.peaks) / 1e9 for precision in ("fp32", "int8"))
    intro = (
        f"{len(work.texts):,} {TOLD}: {sum(work.lengths):,} pieces, {np.mean(work.lengths):.1f} a text, the longest of "
        f"{max(work.lengths)}. The machine's best products in the same run: {fp32:.0f} Gflop/s in fp32, {int8:.0f} "
        "Gop/s in int8."
    )
    title = f"Tokens a second: {work.of.title}"
    drawn = pages.plot(title, _plot_name(found))
    return pages.section(work.of.title, intro, pages.table(head, rows), drawn, blanks(absent))


def _row(found: Measured, name: str) -> tuple[str, ...]:
    result = found.results[name]
    ratio = found.ratio(name)
    return (
        name,
        f"{ratio:.2f}" if ratio else "",
        f"{found.speed(name):,.0f}",
        f"{found.share(name, 'int8' if 'int8' in name else 'fp32'):.2f}",
        f"{median(result.one) * 1000:.1f} ms",
        f"{result.memory:,.0f} MB",
        _cosine(result.cosine),
        f"{result.error:.0e}",
    )


def _cosine(value: float) -> str:
    return f"{value:.4f}" if 1 - value > 1e-5 else f"1 − {max(0.0, 1 - value):.0e}"


def _plot_name(found: Measured) -> str:
    return f"encode-{found.work.of.name}"


def speed_plot(found: Measured) -> str:
    names = sorted(found.playing(), key=lambda name: -found.speed(name))
    drawn = [
        Bar(name, found.speed(name), f"{found.speed(name):,.0f}, ×{found.ratio(name) or 0:.2f}", CONTENDERS[name].kind)
        for name in names
    ]
    return bars(f"Tokens a second: {found.work.of.title}", drawn)


def told_cold(of: Material, found: cold.ColdStarts) -> str:
    seconds = found.medians()
    rows = [(name, _times(took, seconds.get(cold.BAREST)), f"{took:.2f} s") for name, took in seconds.items()]
    told = f"From the start of a process to its first vector, {of.title}, everything cached."
    drawn = pages.table(("", f"× {cold.BAREST}", "to the first vector"), rows)
    return pages.section("Cold start", told, drawn, pages.plot(_COLD, "encode-cold"), blanks(found.absent))


def _times(took: float, base: float | None) -> str:
    return f"{took / base:.2f}" if base else ""


def blanks(absent: Mapping[str, str]) -> str:
    return "\n".join(f"- {name}: not run. {reason}" for name, reason in absent.items())


_COLD = "Seconds to the first vector of a new process"


def cold_plot(seconds: dict[str, float]) -> str:
    drawn = [Bar(_short(name), took, f"{took:.2f} s", _kind(name)) for name, took in seconds.items()]
    return bars(_COLD, drawn)


def _short(name: str) -> str:
    return name.replace("barest script: ", "")


def _kind(name: str) -> str:
    return "base" if name == cold.BAREST else "ours" if name.startswith("wellread") else "peer"


def aims(found: list[Measured], starts: dict[str, float]) -> str:
    """What was wanted beside what came out."""
    aimed = [aim for one in found for aim in _model_aims(one)]
    for name in (FP32, INT8):
        ratio = starts[name] / starts[cold.BAREST] if {name, cold.BAREST} <= starts.keys() else None
        aimed.append(pages.Aim(f"cold start, {name}", ratio, "≤", 1.5, "barest"))
    return pages.section(pages.AIMS, pages.aims(aimed))


def _model_aims(found: Measured) -> Iterator[pages.Aim]:
    title = found.work.of.title.partition(",")[0]
    playing = set(found.playing())
    for name, wanted in ((FP32, 1.15), (INT8, 2.2)):
        yield pages.Aim(f"{title}: {name}", found.ratio(name) if name in playing else None, "≥", wanted, BASE)
    if FP32 in playing:
        yield pages.Aim(f"{title}: {FP32}", found.share(FP32, "fp32"), "≥", 0.7, "the fp32 peak")
    memory = {name: found.results[name].memory for name in playing}
    peers = [used for name, used in memory.items() if CONTENDERS[name].kind != "ours" and "int8" not in name]
    if FP32 in playing and peers:
        yield pages.Aim(f"{title}: memory, {FP32}", memory[FP32] / min(peers), "≤", 1, "the best fp32 peer")


_METHOD = (
    "Medians of {rounds} rounds in which the contenders take turns in a random order; the ratios are taken within a "
    f"round. Batches are of 32 where a contender leaves that to its user. *{BASE}* sorts the texts by length and pads "
    "to the longest of a batch; *as they come* does not sort; *int8* of plain onnxruntime runs wellread's int8 file, "
    "which is also what form fastest takes where the processor has VNNI. A speed counts real pieces, padding not. *Of "
    "the peak* is the share of the best matrix product, of the same precision, that the machine did in the same round. "
    "*One sentence* is a warm process reading one of middling length. *Cosine* is the smallest and *error* the largest "
    "of any number, against a BERT in float64 that shares no code with any contender, over some "
    f"{JUDGED} of the texts. fastembed and the ONNX backend of sentence-transformers run the same ONNX file."
)
