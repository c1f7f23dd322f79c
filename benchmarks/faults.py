"""The same faults against wellread, huggingface_hub and pooch, in one run.

    python -m benchmarks.faults [--only wellread] [--fault flip]

    fault_server       a web server that breaks what it sends, and counts
    fault_contenders   who downloads, and how that is judged
    fault_situations   what goes wrong: a table

Writes docs/faults.md, when nothing was left out. Every cell is measured in the run.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import re
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import fault_server as faults
from benchmarks.fault_contenders import CONTENDERS, ERROR, Bench
from benchmarks.fault_server import Served, Server, serving
from benchmarks.fault_situations import SITUATIONS, SIZE

ROOT = Path(__file__).resolve().parent.parent


def _files(scratch: Path) -> tuple[dict[str, Served], str]:
    """What the server holds: one model for all contenders, the hub of a release with it, and its sha256."""
    from tests.registry.samples import make_sample
    from tests.registry.watched import list_in
    from wellread.registry.artifact import layout

    sample = make_sample(scratch / "sample", {"model.safetensors": hashlib.shake_128(b"model").digest(SIZE)})
    list_in(sample, scratch / "hub")
    at = layout.offsets(sample.manifest, sample.packed.manifest_size)["model.safetensors"]
    files = [path for path in (scratch / "hub").rglob("*") if path.is_file()]
    model = (sample.folder / "model.safetensors").read_bytes()
    sha256 = hashlib.sha256(model).hexdigest()
    linked = {"X-Repo-Commit": "a" * 40, "X-Linked-Etag": f'"{sha256}"', "X-Linked-Size": str(len(model))}
    plain = Served(model, {"ETag": f'"{sha256}"', "Accept-Ranges": "bytes"})
    repository = plain._replace(headers={**plain.headers, **linked})
    return {
        **{f"/hub/{path.relative_to(scratch / 'hub').as_posix()}": _served(path.read_bytes(), at) for path in files},
        "/files/model.safetensors": plain,
        **{f"/org/tiny/resolve/{name}/model.safetensors": repository for name in ("main", "a" * 40)},
    }, sha256


def _served(body: bytes, model: int) -> Served:
    etag = hashlib.sha256(body).hexdigest()
    return Served(body, {"ETag": f'"{etag}"', "Accept-Ranges": "bytes"}, model if len(body) > SIZE else 0)


def _cell(text: str, server: Server, cache: Path) -> str:
    return text.replace(server.url, "http://…").replace(str(cache), "…").replace("|", "/")


def measure(server: Server, sha256: str, contenders: list[str], situations: list[str]) -> list[list[str]]:
    rows = []
    for name in situations:
        title, situation = SITUATIONS[name]
        row = [title]
        for contender in contenders:
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as cache:
                bench = Bench(CONTENDERS[contender], server, Path(cache), sha256)
                row.append(_cell(situation(bench), server, bench.cache))
                server.reset(faults.none())
            print(f"{title} · {contender}: {row[-1]}", flush=True)
        rows.append(row)
    return rows


_ABOUT = f"""\
The same server, the same {SIZE / 1e6:.0f} MB of payload, a process and an empty cache of its own for each. A cell says
what came of it, measured in that run: the file that was returned is compared with the one that was meant, and the
server counts requests and bytes. pooch is given the sha256; huggingface_hub is told it by the server (its Xet transfer,
which needs a server of another kind, is off); wellread has it from index line and manifest. wellread takes a file in
its cache for unchanged while size, time and inode are; `verify="full"` hashes it, and so does pooch at every use.
"""


def _text(contenders: list[str], rows: list[list[str]]) -> str:
    day = datetime.now(UTC).date().isoformat()
    versions = ", ".join(f"{name} {version(name)}" for name in contenders)
    notes: dict[str, int] = {}

    def numbered(error: re.Match[str]) -> str:
        return f"error [{notes.setdefault(error[1], len(notes) + 1)}]"

    cells = [[re.sub(ERROR.format("(.*?)"), numbered, cell) for cell in row] for row in rows]
    lines = [
        "# What each does when things go wrong",
        "",
        f"Made by `python -m benchmarks.faults` on {day}: {versions}, Python {platform.python_version()}.",
        _ABOUT,
        f"| fault | {' | '.join(contenders)} |",
        f"|---|{'---|' * len(contenders)}",
        *(f"| {' | '.join(row)} |" for row in cells),
        "",
        "What the errors said:",
        "",
        *(f"{number}. {told}" for told, number in notes.items()),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(CONTENDERS), action="append")
    parser.add_argument("--fault", choices=list(SITUATIONS), action="append")
    asked = parser.parse_args()
    contenders, situations = asked.only or list(CONTENDERS), asked.fault or list(SITUATIONS)
    with tempfile.TemporaryDirectory() as scratch, serving() as server:
        server.files, sha256 = _files(Path(scratch))
        rows = measure(server, sha256, contenders, situations)
    if not (asked.only or asked.fault):
        (ROOT / "docs/faults.md").write_text(_text(contenders, rows), encoding="utf-8")


if __name__ == "__main__":
    main()
