"""In a worker: a row's annotations turned into others by a rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from wellread.annotators.annotation import Annotation, Kind
from wellread.spark.columns.annotate import Annotate
from wellread.spark.columns.annotation_arrays import of_annotations
from wellread.spark.columns.annotation_rows import rows_of
from wellread.spark.columns.arrow_columns import Batch

Annotations = list[Annotation]
Rule = Callable[[Annotations], Annotations]


@dataclass(frozen=True)
class RuleRows(Annotate[Annotations]):
    """``rule`` on a row's annotations of ``kind``."""

    kind: Kind
    rule: Rule

    def rows(self, batch: Batch) -> Sequence[Annotations]:
        return [self.rule(row) for row in rows_of(self.kind, batch)]

    def array(self, results: Sequence[Annotations]) -> pa.Array:
        return of_annotations(results)

    def empty(self) -> Annotations:
        return []
