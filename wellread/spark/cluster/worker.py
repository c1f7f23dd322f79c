"""A model in a Python worker: opened by the first task that needs it, kept for the tasks that follow.

Spark starts as many workers on a machine as it runs tasks at once, and uses them again and again. Each opens a model
once, on the cores that a task may use.
"""

from __future__ import annotations

import os
import threading
from functools import lru_cache

from wellread.runtime.goldens import replay
from wellread.runtime.model import Model
from wellread.spark.cluster.shipping import Shipped, arrive

MODELS = 4
"""Models that a worker keeps open, at most."""
_OPENING = threading.Lock()


def model_in_worker(shipped: Shipped) -> Model:
    """The model, opened once in this process. Raises IntegrityError, and WellreadError where it did not arrive."""
    with _OPENING:
        return _open(shipped)


@lru_cache(maxsize=MODELS)
def _open(shipped: Shipped) -> Model:
    # The tokenizer has threads of its own, as many as the machine has cores unless it is told before its first text.
    os.environ.setdefault("RAYON_NUM_THREADS", str(shipped.threads))
    folder, manifest = arrive(shipped)
    if shipped.device != "cpu":
        replay(folder, manifest, shipped.form, shipped.device)  # a card proves itself at every load, as for the loader
    return Model(folder, manifest, shipped.form, threads=shipped.threads, device=shipped.device)
