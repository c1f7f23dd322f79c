"""What pyspark 4.3 says of pandas 3, at every session and every UDF: not to wellread's users, for what wellread does.

No value that the stages handle goes through pandas there (``arrow_columns``). What a user does with pandas and Spark
himself, such as ``toPandas``, warns him as ever.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unwarned_of_pandas() -> Iterator[None]:
    """A context in which that one warning is not given."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        yield
