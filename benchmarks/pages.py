"""The pages of the benchmarks, and the overview of them all.

    docs/benchmarks.md             what each page is about, the aims with what was measured, the plots
    docs/benchmarks/PAGE.md        a run: how it was made, tables
    docs/benchmarks/PLOT.svg       what the tables say, drawn

The overview says nothing of its own: it takes the first paragraph, the section "Against the aims" and the plots out of
the pages that are there. So it can be made anew after any run, and a page of an old run keeps its own date.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import ROOT

DOCS, FOLDER, OVERVIEW = ROOT / "docs", "benchmarks", "benchmarks.md"
AIMS = "Against the aims"
_LEADING = ("encode", "spark")
"""Pages that come first; all others follow by name."""
_TITLE = re.compile(r"\A# (.+)\n")
_PLOT = re.compile(r"^!\[([^\]]*)\]\(([^)/]+\.svg)\)$", re.MULTILINE)


def table(head: Sequence[object], rows: Iterable[Sequence[object]], numbers: bool = True) -> str:
    """A Markdown table; ``numbers`` says that columns after the first stand on the right."""
    lines = [head, ["---", *["---:" if numbers else "---"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


class Aim(NamedTuple):
    """``measured`` (None: it did not run) is to be ``at`` (≥ or ≤) so many times ``base``."""

    of: str
    measured: float | None
    at: str
    wanted: float
    base: str

    def met(self) -> str:
        if self.measured is None:
            return ""
        reached = self.measured >= self.wanted if self.at == "≥" else self.measured <= self.wanted
        return "yes" if reached else "no"


def aims(aimed: Iterable[Aim]) -> str:
    """A table of what was wanted and what came out."""
    rows = []
    for aim in aimed:
        measured = "not run" if aim.measured is None else f"{aim.measured:.2f}"
        rows.append((aim.of, f"{aim.at} {aim.wanted:g} × {aim.base}", measured, aim.met()))
    return table(("", "aim", "measured", "met"), rows)


def section(title: str, *paragraphs: str) -> str:
    return "\n\n".join([f"## {title}", *filter(None, paragraphs)])


def plot(title: str, name: str) -> str:
    """The line that shows a plot lying beside the page."""
    return f"![{title}]({name}.svg)"


def made(module: str, *tools: str) -> str:
    """How, when and on what a page was made. Told once a run, at its beginning, for the load is that of others."""
    command = shlex.join(["python", "-m", module, *sys.argv[1:]])
    versions = ", ".join(f"{tool} {found}" for tool in tools if (found := _version(tool)))
    return (
        f"Made by `{command}` on {datetime.now(UTC):%Y-%m-%d}: {cpu()}, {os.cpu_count()} cores, {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}, {versions}. "
        f"The load was {os.getloadavg()[0]:.1f} when it began."
    )


def cpu() -> str:
    """The processor's name and what it has for products of small numbers, as Linux tells it."""
    known = Path("/proc/cpuinfo")
    if not known.is_file():
        return platform.processor() or platform.machine()
    told = dict(line.split(":", 1) for line in known.read_text().splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in told.items()}
    flags = fields.get("flags", fields.get("Features", "")).split()
    vector = [
        flag for flag in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "asimddp") if flag in flags
    ]
    return f"{fields.get('model name', platform.machine())} ({', '.join(vector) or 'no vector units told'})"


def write(out: Path, name: str, title: str, parts: Sequence[str], plots: dict[str, str]) -> Path:
    """A page with its plots (name → SVG), and the overview anew. Returns the page."""
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for plotted, drawn in plots.items():
        (folder / f"{plotted}.svg").write_text(drawn, encoding="utf-8")
    page = folder / f"{name}.md"
    page.write_text("\n\n".join([f"# {title}", *parts]) + "\n", encoding="utf-8")
    write_overview(out)
    return page


def write_overview(out: Path) -> None:
    """``benchmarks.md`` out of the pages that lie in ``benchmarks/``."""
    pages = sorted((out / FOLDER).glob("*.md"), key=_place)
    parts = [
        "# Benchmarks",
        "Written by the commands that the pages name, which `make bench` runs. Contenders that are compared take turns "
        "in one run, so that a noisy machine is noisy for all; ratios are what to look at, and absolute figures are "
        "this machine's.",
        table(
            ("page", "what it measures"), [(f"[{one.stem}]({FOLDER}/{one.name})", _title(one)) for one in pages], False
        ),
        *(_summary(path) for path in pages if path.stem in _LEADING),
    ]
    (out / OVERVIEW).write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _place(path: Path) -> tuple[int, str]:
    return (_LEADING.index(path.stem) if path.stem in _LEADING else len(_LEADING)), path.stem


def _title(path: Path) -> str:
    found = _TITLE.match(path.read_text(encoding="utf-8"))
    return found[1] if found else path.stem


def _summary(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    plots = [f"![{alt}]({FOLDER}/{name})" for alt, name in _PLOT.findall(text)]
    return section(_title(path), text.split("\n\n")[1], _lifted(text, AIMS), *plots)


def _lifted(text: str, title: str) -> str:
    """What stands in a section of a page, without its heading."""
    _, _, after = text.partition(f"\n## {title}\n")
    return after.partition("\n## ")[0].strip()


def _version(tool: str) -> str:
    try:
        return version(tool)
    except PackageNotFoundError:
        return ""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write docs/benchmarks.md anew out of the pages that are there.")
    parser.add_argument("--out", type=Path, default=DOCS)
    write_overview(parser.parse_args().out)
