"""A driver's program, as somebody would submit it: embeds numbered texts on a cluster and writes what came back.

    python -m tests.spark.cluster.job '{"master": "spark://…", "hub": "…", "rows": 24, "out": "…", …}'

In each partition, after its first batch or part, a worker says in ``pause/<partition>-<attempt>`` which process it is,
and goes on when there is ``pause/go``. So a test knows what it kills, and that it does so in the middle.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sql
from pyspark.sql.pandas.functions import pandas_udf

import wellread
from wellread.bulk.plan import Options, Unit
from wellread.bulk.run import Summary, embed_files
from wellread.bulk.work import Done
from wellread.spark import BertSentenceEmbeddings, DocumentAssembler, PipelineModel, bulk
from wellread.spark.cluster.carrying import carried
from wellread.spark.cluster.session import start
from wellread.spark.cluster.shipping import Shipped, ship
from wellread.spark.cluster.worker import model_in_worker

PARTITIONS = 4
BATCH = 2
RESULT = "vector array<float>, path string, threads int, pid int"

Embed = Callable[[Iterator[pd.Series]], Iterator[pd.DataFrame]]


def embedding(shipped: Shipped, pause: str) -> Embed:
    """What the workers run."""

    def embed(batches: Iterator[pd.Series]) -> Iterator[pd.DataFrame]:
        model = model_in_worker(shipped)
        threads = model.info()["threads"]
        for number, texts in enumerate(batches):
            if number == 1 and pause:
                rest(Path(pause))
            vectors = list(model.encode(list(texts)))
            yield pd.DataFrame({"vector": vectors, "path": str(model.path), "threads": threads, "pid": os.getpid()})

    return embed


def rest(pause: Path) -> None:
    """Say who is here, and wait for leave to go on."""
    from pyspark import TaskContext

    task = TaskContext.get()
    assert task is not None
    (pause / f"{task.partitionId()}-{task.attemptNumber()}").write_text(str(os.getpid()), "utf-8")
    while not (pause / "go").exists():
        time.sleep(0.05)


def main(told: dict[str, Any]) -> None:
    session = start(
        told["master"],
        params={
            "spark.ui.enabled": False,
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.executor.memory": "512m",
            "spark.sql.execution.arrow.maxRecordsPerBatch": BATCH,
            **told.get("conf", {}),
        },
    )
    Path(told["out"]).write_text(json.dumps(_done(session, told)), "utf-8")
    session.stop()


def _done(session: SparkSession, told: dict[str, Any]) -> Any:
    """What the job was told to do."""
    if "inputs" in told:
        return msgspec.to_builtins(filed(session, told))
    texts = session.range(0, told["rows"], 1, PARTITIONS).withColumn("text", sql.concat(sql.lit("text "), "id"))
    found = staged(texts, told["hub"]) if told.get("stages") else embedded(texts, told)
    return [row.asDict() for row in found.collect()]


def embedded(texts: DataFrame, told: dict[str, Any]) -> DataFrame:
    """The vectors by a function that can be told to wait, with who computed them."""
    model = wellread.pretrained("tiny", "en", hub=told["hub"])
    shipped = ship(model, texts.sparkSession)
    assert ship(model, texts.sparkSession) == shipped
    if damage := told.get("damage"):
        spoil(shipped, damage)
    make: Any = pandas_udf  # its overloads know no function that somebody else has typed
    embed = make(carried(embedding(shipped, told.get("pause", ""))), RESULT)
    return texts.withColumn("found", embed("text")).select("id", "found.*")


def staged(texts: DataFrame, hub: str) -> DataFrame:
    """The vectors by the stages that a card prints."""
    stages = [
        DocumentAssembler().setInputCol("text").setOutputCol("document"),
        BertSentenceEmbeddings.pretrained("tiny", "en", hub=hub).setInputCols("document").setOutputCol("found"),
    ]
    return PipelineModel(stages).transform(texts).selectExpr("id", "found.embeddings[0] as vector")


def filed(session: SparkSession, told: dict[str, Any]) -> Summary:
    """The vectors of files, in parts of one row, by wellread's own tasks: each rests when it has made its first."""
    if pause := told.get("pause"):
        vars(bulk)["_Task"] = resting(Path(pause))
    model = wellread.pretrained("tiny", "en", hub=told["hub"])
    return embed_files(model, told["inputs"], told["output"], Options(rows=1), bulk.engine(session))


def resting(pause: Path) -> type[bulk._Task]:
    """The engine's task, which travels to the workers as what it is here: a class of this program's."""

    class Resting(bulk._Task):
        def _done(self, units: Iterable[Unit]) -> Iterator[Done]:
            done = super()._done(units)
            yield next(done)
            rest(pause)
            yield from done

    return Resting


def spoil(shipped: Shipped, at: int) -> None:
    """Flip a bit of what Spark is going to hand out."""
    from pyspark import SparkFiles

    from tests.registry.samples import flip

    flip(Path(SparkFiles.getRootDirectory(), "wellread", shipped.file), at)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
