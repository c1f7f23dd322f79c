"""Annotations to Arrow arrays and back, without Spark."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed")

import pyarrow as pa

from wellread.annotators.annotation import Annotation
from wellread.spark.columns.annotation_arrays import TYPE, empty, of_annotations, of_vectors
from wellread.spark.columns.annotation_rows import lists, rows_of, with_vectors
from wellread.spark.columns.arrow_columns import by_weight

ONE = np.arange(3, dtype=np.float32)


def test_rows_of_annotations_become_lists_of_structs() -> None:
    word = Annotation("token", 2, 5, "love", {"sentence": "0"}, ONE)
    plain = Annotation("token", 7, 7, "🎉")
    array = of_annotations([[word], [], [plain, word]])
    assert array.type == TYPE
    assert array.to_pylist()[1] == []
    assert array.to_pylist()[2] == [
        {"annotatorType": "token", "begin": 7, "end": 7, "result": "🎉", "metadata": [], "embeddings": []},
        {
            "annotatorType": "token",
            "begin": 2,
            "end": 5,
            "result": "love",
            "metadata": [("sentence", "0")],
            "embeddings": [0, 1, 2],
        },
    ]


def test_vectors_are_laid_out_as_annotations_are() -> None:
    vectors = np.arange(6, dtype=np.float32).reshape(3, 2)
    texts = pa.array(["a", "b", "c"])
    metadata = {"sentence": pa.array(["0", "0", "1"]), "token": texts}
    array = of_vectors("word_embeddings", [2, 0, 1], [0, 2, 4], [0, 2, 4], texts, metadata, vectors)
    rows = [
        [Annotation("word_embeddings", 2 * i, 2 * i, text, {"sentence": s, "token": text}, vectors[i])]
        for i, (text, s) in enumerate(zip("abc", "001", strict=True))
    ]
    assert array.equals(of_annotations([rows[0] + rows[1], [], rows[2]]))


def test_no_annotations_are_empty_lists() -> None:
    none = pa.array([], pa.string())
    array = of_vectors("word_embeddings", [0, 0], [], [], none, {"token": none}, np.empty((0, 2), np.float32))
    assert array.equals(empty(2))
    assert array.to_pylist() == [[], []]


def test_lists_come_back_row_by_row_from_a_slice_too() -> None:
    array = pa.array([["a"], None, [], ["b", "c"]], pa.list_(pa.string()))
    assert lists(array) == [["a"], [], [], ["b", "c"]]
    assert lists(array.slice(1, 3)) == [[], [], ["b", "c"]]


def test_fields_become_annotations_with_their_vectors() -> None:
    numbers = pa.array([[0, 2], []], pa.list_(pa.int32()))
    texts, sentences = (pa.array([row, []], pa.list_(pa.string())) for row in (["a", "b"], ["0", None]))
    rows = rows_of("word_embeddings", [numbers, numbers, texts, sentences])
    assert [(one.begin, one.result, one.metadata) for one in rows[0]] == [
        (0, "a", {"sentence": "0"}),
        (2, "b", {"sentence": "0"}),
    ]
    vectors = pa.array([[[1, 2], [3, 4]], []], pa.list_(pa.list_(pa.float32())))
    assert [one.embeddings.tolist() for one in with_vectors(rows, vectors)[0]] == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("sizes", "parts"),
    [([], []), ([9], [1]), ([2, 2, 1, 3], [2, 2]), ([9, 1, 1], [1, 2]), ([0, 0, 4, 1], [3, 1]), ([0, 0], [2])],
)
def test_rows_are_taken_together_up_to_a_weight(sizes: list[int], parts: list[int]) -> None:
    array = pa.array([[0] * size for size in sizes], pa.list_(pa.int32()))
    found = list(by_weight(array, 4))
    assert [len(part) for part in found] == parts
    assert [number for part in found for number in part] == list(range(len(sizes)))
