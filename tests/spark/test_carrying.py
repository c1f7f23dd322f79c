"""What is carried to the workers: the same function there, and one whose Python has no wellread says so."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import pytest

import wellread
from wellread.spark.cluster.carrying import carried
from wellread.spark.cluster.worker import model_in_worker

BARE = """
import sys
sys.modules["wellread"] = None
from pyspark.serializers import CloudPickleSerializer
CloudPickleSerializer().loads(open(sys.argv[1], "rb").read())(iter([]))
"""


def doubled(batches: Iterator[int]) -> Iterator[int]:
    """Stands for what a stage computes."""
    return (2 * batch for batch in batches)


def test_what_is_carried_does_the_same_and_keeps_its_types() -> None:
    wrapped = carried(doubled)
    assert list(wrapped(iter([1, 2]))) == [2, 4]
    assert get_type_hints(wrapped) == {"batches": Iterator[int], "return": Iterator[int]}


def test_a_worker_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    wrapped = carried(doubled)
    monkeypatch.setattr(wellread, "__version__", "0.0.1")
    with pytest.raises(RuntimeError, match=rf"{sys.executable}.*: it has wellread 0\.0\.1"):
        wrapped(iter([]))


def test_a_worker_without_wellread_says_what_to_do(tmp_path: Path) -> None:
    from pyspark.serializers import CloudPickleSerializer

    file = tmp_path / "function"
    file.write_bytes(CloudPickleSerializer().dumps(carried(model_in_worker)))  # type: ignore[arg-type]
    command = [sys.executable, "-c", BARE, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert "RuntimeError: Spark's Python worker" in done.stderr
    assert f"cannot run wellread {wellread.__version__}" in done.stderr
    assert "pip install 'wellread[spark]==" in done.stderr
