"""A row that cannot be embedded gets an empty result and is counted; a model that is damaged fails the job."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import pytest

from wellread.errors import IntegrityError
from wellread.spark.cluster.carrying import carried
from wellread.spark.cluster.counters import REASONS, BadRows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def lengths(rows: Sequence[str]) -> list[int]:
    """Stands for a model that fails on some texts, as one that is computed in company does: for all of them."""
    for row in rows:
        if row.startswith("bad"):
            raise ValueError(f"cannot read {row!r}")
    return [len(row) for row in rows]


def counting(bad: BadRows, call: Callable[[Sequence[str]], Sequence[int]]) -> Callable[[Iterator[str]], Iterator[int]]:
    def count(rows: Iterator[str]) -> Iterator[int]:
        yield from bad.spare(call, list(rows), lambda: -1)

    return count


def test_a_bad_row_is_counted_and_the_others_stand(spark: SparkSession) -> None:
    bad = BadRows(spark, "BertEmbeddings")
    rows = ["a", "bad one", "bcd", "", "bad two", "ef", "bad one", "g"]
    found = spark.sparkContext.parallelize(rows, 2).mapPartitions(carried(counting(bad, lengths))).collect()
    assert found == [1, -1, 3, 0, -1, 2, -1, 1]
    assert bad.count == 3
    assert sorted(bad.reasons) == ["ValueError: cannot read 'bad one'", "ValueError: cannot read 'bad two'"]


def test_rows_without_fault_are_computed_together(spark: SparkSession) -> None:
    calls: list[int] = []

    def call(rows: Sequence[str]) -> list[int]:
        calls.append(len(rows))
        return lengths(rows)

    bad = BadRows(spark, "BertEmbeddings")
    assert bad.spare(call, ["a"] * 64, int) == [1] * 64
    assert bad.spare(call, [], int) == []
    assert calls == [64, 0]
    assert bad.spare(call, ["a"] * 63 + ["bad"], lambda: -1) == [1] * 63 + [-1]
    assert len(calls) < 16, "found by halving"


def test_a_damaged_model_is_no_bad_row(spark: SparkSession) -> None:
    def call(rows: Sequence[str]) -> list[int]:
        raise IntegrityError("the model has changed")

    bad = BadRows(spark, "BertEmbeddings")
    with pytest.raises(IntegrityError):
        bad.spare(call, ["a", "b"], int)
    assert bad.count == 0


def test_reasons_are_few_and_told_once(spark: SparkSession, caplog: pytest.LogCaptureFixture) -> None:
    bad = BadRows(spark, "Tokenizer of this test")
    with caplog.at_level(logging.WARNING, "wellread.spark"):
        bad.spare(lengths, [f"bad {number % 9}" for number in range(50)], int)
    assert bad.count == 50
    assert len(bad.reasons) == REASONS
    assert len(caplog.records) == 9
    assert "Tokenizer of this test: a row could not be embedded" in caplog.text
