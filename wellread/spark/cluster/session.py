"""A Spark session in which wellread's stages run: started here, or the user's own.

Python workers are started by Spark: by ``PYSPARK_PYTHON``, else as ``python3`` of the PATH, which in an environment
that is not activated is another Python than the driver's and has no wellread. On a local master it is set to the
driver's own; on a cluster only its administrator knows where Python lies.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from wellread.errors import BadInput, missing_extra
from wellread.spark.cluster.java import check_java
from wellread.spark.cluster.pandas_warning import unwarned_of_pandas

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

PYTHON = "PYSPARK_PYTHON"
_MASTER = re.compile(r"local(\[.*\])?|local-cluster\[.*\]|yarn|(spark|k8s)://.+")
"""What Spark takes for a master: anything else ends its Java with a trace."""
DEFAULT_PYTHON = "python3"
"""What Spark starts where nobody says otherwise."""


def start(
    master: str | None = None,
    *,
    memory: str | None = None,
    params: Mapping[str, object] | None = None,
    **conf: object,
) -> SparkSession:
    """The session that runs, or a new one: on every core of this machine unless ``master`` or Spark's settings say.

    ``memory`` is the driver's, as in "16G". ``params`` and ``**{"spark.ui.enabled": False}`` are settings of Spark.
    Raises MissingExtra without pyspark or without a Java that it runs on, BadInput for what is no setting.
    """
    settings = {**({"spark.driver.memory": memory} if memory else {}), **(params or {}), **conf}
    if wrong := [key for key in settings if not key.startswith("spark.")]:
        raise BadInput(
            f"{', '.join(wrong)}: no setting of Spark; theirs begin with 'spark.', as in spark.executor.memory"
        )
    if master and not _MASTER.fullmatch(master):
        raise BadInput(f"master={master!r} is no master of Spark's: local[4], spark://host:7077, yarn, k8s://… are")
    builder = load_session().builder.appName("wellread")
    check_spark()
    if master:
        builder = builder.master(master)
    for key, value in settings.items():
        builder = builder.config(key, _written(value))
    with unwarned_of_pandas():
        session = builder.getOrCreate()
    prepare(session)
    return session


def prepare(session: SparkSession) -> None:
    """Make the session's Python workers the driver's own Python, where it is local and nobody chose another."""
    context = context_of(session)
    if is_local(context) and PYTHON not in os.environ and context.pythonExec == DEFAULT_PYTHON:
        context.pythonExec = sys.executable


def is_local(context: SparkContext) -> bool:
    """Whether the workers run on the driver's machine, out of its folders."""
    return str(context.master).partition("[")[0] == "local"


def threads_of(context: SparkContext) -> int:
    """Cores that one task may use, so that tasks times threads are the machine's: ``spark.task.cpus``, or 1."""
    return int(context.getConf().get("spark.task.cpus") or 1)


def context_of(session: SparkSession) -> SparkContext:
    """The session's context. Raises BadInput over Spark Connect, which has none."""
    try:
        return session.sparkContext
    except Exception as error:  # Connect's own class of error is not there on every line of Spark
        raise BadInput(
            "this is a session of Spark Connect, over which a model cannot be shipped: use a classic one"
        ) from error


def load_session() -> type[SparkSession]:
    """pyspark's class of sessions. Raises MissingExtra."""
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise missing_extra("pyspark", "spark") from error
    return SparkSession


def check_spark() -> None:
    """Raises MissingExtra where a new session could not start: no pyspark, or no Java for it."""
    try:
        from pyspark import SparkContext, __version__
    except ImportError as error:
        raise missing_extra("pyspark", "spark") from error
    if SparkContext._active_spark_context is None:
        check_java(__version__)


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
