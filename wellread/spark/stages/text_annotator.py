"""Stages that make annotations of annotations without a model: the rules are those of ``wellread.annotators``."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import ClassVar

from pyspark.sql import Column, SparkSession
from pyspark.sql.types import DataType

from wellread.annotators.annotation import Kind
from wellread.spark.columns.annotate import Annotate
from wellread.spark.columns.annotation_rows import FIELDS, fields
from wellread.spark.columns.rule_rows import Annotations, Rule, RuleRows
from wellread.spark.stages.stage import Annotator


class TextAnnotator(Annotator[Annotations]):
    """A stage that turns a row's annotations of the kind ``reads_kind`` into others, by a rule."""

    reads_kind: ClassVar[Kind] = "document"

    @abstractmethod
    def rule(self) -> Rule:
        """What makes a row's annotations; it travels to the workers."""

    def reads(self, columns: Mapping[str, str]) -> tuple[Sequence[Column], Sequence[DataType]]:
        return fields(columns[self.reads_kind]), FIELDS

    def opened(self, session: SparkSession) -> Callable[[], Annotate[Annotations]]:
        return partial(RuleRows, self.reads_kind, self.rule())
