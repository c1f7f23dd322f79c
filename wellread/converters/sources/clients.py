"""The hubs' own client libraries, run in a process of its own: ``python -P clients.py KIND HANDLE``.

They import TensorFlow, print to the terminal, read their settings at import and wait for ever when a connection hangs.
In a process of their own none of that reaches the caller. The last line on stdout is ``{"folder": …}`` or
``{"error": …}``. This file imports nothing of wellread, so that it starts whatever the working folder holds.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable
from typing import Any

CONNECT, READ = 3.05, 30.0
"""Seconds that a connection, and a pause within an answer, may last."""
WANTED = ["*.json", "*.safetensors", "vocab.txt", "README.md"]
"""What is taken of a Hugging Face repository: never a pickle."""


def tfhub(handle: str) -> str:
    """Download a TF-Hub module into ``TFHUB_CACHE_DIR``."""
    import tensorflow_hub

    socket.setdefaulttimeout(READ)
    return str(tensorflow_hub.resolve(handle))


def kaggle(handle: str) -> str:
    """Download a Kaggle model into ``KAGGLEHUB_CACHE``."""
    import kagglehub

    _bound_requests()
    return str(kagglehub.model_download(handle))


def hf(handle: str) -> str:
    """Download a Hugging Face repository into ``HF_HOME``; a copy that is there serves without a network."""
    from huggingface_hub import snapshot_download

    repository, _, revision = handle.partition("@")
    return str(snapshot_download(repository, revision=revision or None, allow_patterns=WANTED))


def _bound_requests() -> None:
    """Give every call of requests a time limit: kagglehub sets none."""
    from requests.adapters import HTTPAdapter

    send = HTTPAdapter.send

    def bounded(self: HTTPAdapter, request: Any, **options: Any) -> Any:
        return send(self, request, **{**options, "timeout": options.get("timeout") or (CONNECT, READ)})

    HTTPAdapter.send = bounded  # type: ignore[method-assign,assignment]


CLIENTS: dict[str, Callable[[str], str]] = {"tfhub": tfhub, "kaggle": kaggle, "hf": hf}


def main(kind: str, handle: str) -> None:
    """Answer on stdout; any failure of a library becomes one line."""
    try:
        answer = {"folder": CLIENTS[kind](handle)}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(f"\n{json.dumps(answer)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
