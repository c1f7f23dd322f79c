"""A press and a registry for pretrained language models.

>>> import wellread
>>> model = wellread.pretrained("small_bert_L2_128_bleurt", "en")
>>> model.encode("I love NLP").shape
(128,)

Importing the package imports nothing else: the public names below are looked up when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wellread.loader import fetch, open, pretrained
    from wellread.nlu.loading import load
    from wellread.runtime.model import Model

__version__ = "0.1.0"
__all__ = ["Model", "__version__", "fetch", "load", "open", "pretrained"]

_HOMES = {
    "Model": "wellread.runtime.model",
    "fetch": "wellread.loader",
    "load": "wellread.nlu.loading",
    "open": "wellread.loader",
    "pretrained": "wellread.loader",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'wellread' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
