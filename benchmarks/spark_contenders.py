"""Ways of embedding many rows on one machine, each in a process of its own.

    python -m benchmarks.spark_contenders NAME MATERIAL.json ROWS.parquet

``encode`` calls ``Model.encode`` on all rows at once. ``stages`` runs the same annotators as the Spark pipeline does,
without Spark. ``spark`` reads the rows from the file, runs the pipeline and drops what comes out (Spark's ``noop``), on
as many cores as there are. How many threads a process takes, its parent says in OMP_NUM_THREADS.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.players import Absent, play
from benchmarks.processes import ROOT

Material = dict[str, Any]
Run = Callable[[str, int], object]
"""A level (sentence, token) and a number of rows → whatever; done when it returns."""


def _model(of: Material) -> Any:
    import wellread

    return wellread.pretrained(of["name"], "en", hub=of["hub"])


def _texts(rows: Path) -> list[str]:
    import pyarrow.parquet

    found: list[str] = pyarrow.parquet.read_table(rows)["text"].to_pylist()
    return found


def _encode(of: Material, rows: Path) -> Run:
    model, texts = _model(of), _texts(rows)
    return lambda level, count: model.encode(texts[:count], output_level=level, progress=False)


def _stages(of: Material, rows: Path) -> Run:
    from wellread.annotators.documents import document
    from wellread.annotators.sentence_vectors import SentenceEmbedder
    from wellread.annotators.sentences import SentenceSplitter
    from wellread.annotators.tokens import Splitter
    from wellread.annotators.words import WordEmbedder, sentences_of

    model, texts = _model(of), _texts(rows)
    words, vectors = WordEmbedder(model), SentenceEmbedder(model)
    splitter, tokenizer = SentenceSplitter(), Splitter()

    def run(level: str, count: int) -> None:
        documents = [document(text) for text in texts[:count]]
        if level == "sentence":
            vectors(documents)
            return
        sentences = [splitter(one) for one in documents]
        tokens = [sentences_of(own, tokenizer(own)) for own in sentences]
        words.embed([sentence for row in tokens for sentence in row])

    return run


def _spark(of: Material, rows: Path) -> Run:
    import wellread.spark as stages

    session = stages.start(
        params={"spark.ui.enabled": False, "spark.driver.host": "127.0.0.1", "spark.ui.showConsoleProgress": False}
    )
    session.sparkContext.setLogLevel("ERROR")
    texts = session.read.parquet(str(rows))
    assembler = stages.DocumentAssembler().setInputCol("text").setOutputCol("document")
    splitter = stages.SentenceDetector().setInputCols(["document"]).setOutputCol("sentence")
    tokenizer = stages.Tokenizer().setInputCols(["sentence"]).setOutputCol("token")
    words = stages.BertEmbeddings.pretrained(of["name"], "en", hub=of["hub"])
    words = words.setInputCols(["sentence", "token"]).setOutputCol("embeddings")
    vectors = stages.BertSentenceEmbeddings.pretrained(of["name"], "en", hub=of["hub"])
    vectors = vectors.setInputCols(["document"]).setOutputCol("embeddings")
    levels = {"token": [assembler, splitter, tokenizer, words], "sentence": [assembler, vectors]}
    fitted = {level: stages.Pipeline(stages=used).fit(texts) for level, used in levels.items()}

    total = texts.count()

    def run(level: str, count: int) -> None:
        fitted[level].transform(_some(texts, count, total)).write.format("noop").mode("overwrite").save()

    return run


def _some(texts: Any, count: int, total: int) -> Any:
    """One row, or a share of each partition, or all as they are."""
    if count == 1:
        return texts.limit(1)
    return texts if count >= total else texts.sample(count / total, seed=0)


def _commands(of: Material, rows: Path, engine: str) -> Run:
    """``wellread embed`` over the folder of files: whole processes, their start and all."""
    out = rows.with_name(f"embedded-{engine}")
    where = ["--input", str(rows), "--output", str(out), "--column", "text", "--hub", of["hub"]]
    command = [sys.executable, "-m", "wellread", "embed", of["name"], *where, "--engine", engine]

    def run(level: str, count: int) -> None:
        shutil.rmtree(out, ignore_errors=True)
        asked = [*command, "--output-level", level]
        done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Absent((done.stderr.strip().splitlines() or ["it said nothing"])[-1])

    return run


CONTENDERS: dict[str, Callable[[Material, Path], Run]] = {
    "encode": _encode,
    "stages": _stages,
    "spark": _spark,
    "embed local": partial(_commands, engine="local"),
    "embed spark": partial(_commands, engine="spark"),
}


def prepare(name: str, of: Material, rows: Path) -> dict[str, Callable[..., object]]:
    os.environ["WELLREAD_HOME"] = of["home"]
    work = CONTENDERS[name](of, rows)

    def run(level: str, count: int) -> float:
        started = time.perf_counter()
        work(level, count)
        return time.perf_counter() - started

    return {"run": run}


if __name__ == "__main__":
    play(lambda: prepare(sys.argv[1], json.loads(Path(sys.argv[2]).read_bytes()), Path(sys.argv[3])))
