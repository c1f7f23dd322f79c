"""Sentence vectors: wellread beside its peers, in one run.

    python -m benchmarks.encode [--texts 600] [--rounds 5] [--models …] [--only CONTENDER …] [--quick] [--out FOLDER]

Every contender (see ``encode_contenders``) is a process of its own that stays alive; in each round they take turns in
another order, and one more process measures what the machine can multiply at best. Reported are medians over the
rounds, and medians of the ratios within a round. A contender that cannot run is a blank with its reason.

Writes docs/benchmarks/encode.md, its plots, and docs/benchmarks.md. ``--quick`` shows that all of it works, on few
texts, and writes under build/ unless told otherwise: its figures mean nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import pages
from benchmarks.encode_contenders import CONTENDERS
from benchmarks.encode_page import blanks, publish
from benchmarks.encode_run import measure, workload
from benchmarks.models import BENCH, material
from benchmarks.players import Absent

MODELS = {"all_minilm_L6_v2": 1.0, "shape_L8_H512": 0.4}
"""Model → its share of the texts: the larger one takes as long over fewer."""
TOOLS = ("onnxruntime", "torch", "transformers", "sentence-transformers", "tensorflow", "tokenizers", "numpy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=600, help="of MiniLM; the larger model reads two fifths of them")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), metavar="CONTENDER")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    if asked.quick:
        asked.texts, asked.rounds = 48, 2
    out = asked.out or (BENCH / "docs" if asked.quick else pages.DOCS)
    made = pages.made("benchmarks.encode", *TOOLS)
    found, absent = [], {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in asked.models:
            try:
                work = workload(material(name), round(asked.texts * MODELS[name]))
            except Absent as reason:
                absent[name] = str(reason)
                continue
            found.append(measure(work, asked.only, asked.rounds, Path(scratch)))
    if not found:
        sys.exit(blanks(absent))
    page = publish(out, made, found, absent, asked.rounds)
    print(page.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
