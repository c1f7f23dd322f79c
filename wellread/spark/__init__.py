"""The annotation pipeline on Apache Spark: Spark NLP's stages, by their names and with their setters.

    from wellread.spark import *

    spark = start()
    document_assembler = DocumentAssembler().setInputCol("text").setOutputCol("document")
    ...

Importing this imports no pyspark: the names are looked up when they are first used, by the ``*`` above at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from wellread.errors import missing_extra

if TYPE_CHECKING:
    from pyspark.ml import Pipeline, PipelineModel

    from wellread.spark.cluster.session import start
    from wellread.spark.stages.bert_embeddings import BertEmbeddings
    from wellread.spark.stages.bert_sentence_embeddings import BertSentenceEmbeddings
    from wellread.spark.stages.chunk_embeddings import ChunkEmbeddings
    from wellread.spark.stages.document_assembler import DocumentAssembler
    from wellread.spark.stages.finishers import EmbeddingsFinisher, Finisher
    from wellread.spark.stages.sentence_detector import SentenceDetector
    from wellread.spark.stages.tokenizer import Tokenizer

__all__ = [
    "BertEmbeddings",
    "BertSentenceEmbeddings",
    "ChunkEmbeddings",
    "DocumentAssembler",
    "EmbeddingsFinisher",
    "Finisher",
    "Pipeline",
    "PipelineModel",
    "SentenceDetector",
    "Tokenizer",
    "start",
]

_HOMES = {
    "BertEmbeddings": "wellread.spark.stages.bert_embeddings",
    "BertSentenceEmbeddings": "wellread.spark.stages.bert_sentence_embeddings",
    "ChunkEmbeddings": "wellread.spark.stages.chunk_embeddings",
    "DocumentAssembler": "wellread.spark.stages.document_assembler",
    "EmbeddingsFinisher": "wellread.spark.stages.finishers",
    "Finisher": "wellread.spark.stages.finishers",
    "Pipeline": "pyspark.ml",
    "PipelineModel": "pyspark.ml",
    "SentenceDetector": "wellread.spark.stages.sentence_detector",
    "Tokenizer": "wellread.spark.stages.tokenizer",
    "start": "wellread.spark.cluster.session",
}
_OF_THE_EXTRA = ("pyspark", "pyarrow", "pandas", "sentencex")


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'wellread.spark' has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(home), name)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _OF_THE_EXTRA:
            raise
        raise missing_extra(missing, "spark") from error


def __dir__() -> list[str]:
    return sorted(__all__)
