"""What every stage is: a transformer of pyspark.ml that adds one column of annotations.

    check     the input columns by their metadata, before anything runs
    compute   the column, out of the needed fields of its input columns alone: in Python, or by Spark itself
    label     the column with what it holds

A row on which a stage fails gets no annotations and is counted (``badRows``).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic

from pyspark.ml import Transformer
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql.types import DataType

from wellread.spark.cluster.counters import BadRows
from wellread.spark.cluster.session import prepare
from wellread.spark.columns.annotate import Annotate, Result, work_of
from wellread.spark.columns.annotation_columns import ANNOTATIONS, check_output, inputs_by_kind, labelled
from wellread.spark.columns.arrow_columns import computed
from wellread.spark.stages.params import HasInputCols, HasLazyAnnotator, HasOutputCol


class Stage(Transformer, HasOutputCol, HasLazyAnnotator, DefaultParamsReadable[Any], DefaultParamsWritable):
    """A stage that adds the annotations of ``gives``, a kind of them, as ``outputCol``."""

    gives: ClassVar[str]

    def __init__(self, **defaults: Any) -> None:
        super().__init__()
        self._setDefault(lazyAnnotator=False, **defaults)
        self._bad: dict[str, BadRows] = {}

    @abstractmethod
    def column(self, dataset: DataFrame) -> Column:
        """The annotations, computed of ``dataset``'s columns."""

    def facts(self, dataset: DataFrame) -> Mapping[str, Any]:
        """What the metadata of the column that is computed of ``dataset`` says besides its kind."""
        return {}

    def badRows(self) -> int:
        """Rows that got no annotations because the stage failed on them, in the jobs that have ended so far."""
        return sum(bad.count for bad in self._bad.values())

    def _transform(self, dataset: DataFrame) -> DataFrame:
        name = str(self.getOrDefault("outputCol"))
        check_output(dataset, name, type(self).__name__)
        return dataset.withColumn(name, labelled(self.column(dataset), name, self.gives, **self.facts(dataset)))

    def _bad_rows(self, session: SparkSession) -> BadRows:
        application = session.sparkContext.applicationId
        if application not in self._bad:
            self._bad[application] = BadRows(session, type(self).__name__)
        return self._bad[application]


class Annotator(Stage, HasInputCols, Generic[Result]):
    """A stage that reads columns of the kinds ``needs``, and computes a ``Result`` a row in Python."""

    needs: ClassVar[tuple[str, ...]]

    @abstractmethod
    def reads(self, columns: Mapping[str, str]) -> tuple[Sequence[Column], Sequence[DataType]]:
        """What goes to Python of the columns, which are given by their kinds, and the types of that."""

    @abstractmethod
    def opened(self, session: SparkSession) -> Callable[[], Annotate[Result]]:
        """On the driver: what a worker calls once to have what computes rows."""

    def inputs(self, dataset: DataFrame) -> dict[str, str]:
        """The input column of each kind. Raises BadInput where one is missing."""
        return inputs_by_kind(dataset, self.getOrDefault("inputCols"), self.needs, type(self).__name__)

    def column(self, dataset: DataFrame) -> Column:
        session = dataset.sparkSession
        inputs, kinds = self.reads(self.inputs(dataset))
        prepare(session)
        return computed(work_of(self.opened(session), self._bad_rows(session)), inputs, kinds, ANNOTATIONS)
