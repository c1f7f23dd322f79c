"""Bar charts as SVG, a panel of their own colour so that they can be read on a light page and on a dark one.

    title
    label of a row  ▆▆▆▆▆▆▆▆▆▆▆▆▆▆  what its figure says
    label of a row  ▆▆▆▆  …

SVG is text, and a bar is a rectangle: no drawing library is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LABELS, TOLD, ROW, TOP, EDGE = 860, 265, 130, 26, 52, 18
_STYLE = (
    "text{fill:#24292f;font:13px system-ui,sans-serif}.title{font-size:15px;font-weight:600}.label{text-anchor:end}"
    ".panel{fill:#fff;stroke:#d0d7de}.peer{fill:#9aa7b4}.base{fill:#57606a}.ours{fill:#0a6ebd}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.panel{fill:#161b22;stroke:#30363d}.peer{fill:#6e7a87}"
    ".base{fill:#aeb9c4}.ours{fill:#58a6ff}}"
)


@dataclass(frozen=True)
class Bar:
    """``value`` gives the length, ``told`` stands behind it; ``kind`` is ours, peer or base (what ratios are of)."""

    label: str
    value: float
    told: str
    kind: str = "peer"


def bars(title: str, rows: Sequence[Bar]) -> str:
    """An SVG document. The longest bar fills the width; values are positive."""
    longest = max((row.value for row in rows), default=0.0) or 1.0
    height = TOP + ROW * len(rows) + EDGE
    drawn = "\n".join(_row(at, row, row.value / longest) for at, row in enumerate(rows))
    said = escape(f"{title}: " + ", ".join(f"{row.label} {row.told}" for row in rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{said}">\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect class="panel" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>\n'
        f'<text class="title" x="{EDGE}" y="30">{escape(title)}</text>\n{drawn}\n</svg>\n'
    )


def _row(at: int, row: Bar, share: float) -> str:
    y = TOP + ROW * at
    begin = EDGE + LABELS
    length = max(1.0, share * (WIDTH - begin - TOLD - EDGE))
    return (
        f'<text class="label" x="{begin - 8}" y="{y + 14}">{escape(row.label)}</text>'
        f'<rect class="{row.kind}" x="{begin}" y="{y}" width="{length:.1f}" height="{ROW - 7}" rx="2"/>'
        f'<text x="{begin + length + 8:.1f}" y="{y + 14}">{escape(row.told)}</text>'
    )
