"""Real sentences of mixed length that every Python has: the docstrings of its standard library.

Signatures, lists and tables stand among the prose, as they do in what people embed; nothing is cleaned but white space.
"""

from __future__ import annotations

import ast
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

TOLD = "sentences from the docstrings of Python's standard library, shuffled"
_END = re.compile(r"(?<=[.!?])\s+|\n\s*\n")
_SHORTEST, _LONGEST = 4, 900
"""Characters. The longest stays within the limit of every model that is measured, so that nobody cuts anything off."""


def sentences(count: int, seed: int = 0) -> list[str]:
    """So many different sentences, always the same ones for the same Python."""
    found = sorted(set(_found()))
    random.Random(seed).shuffle(found)
    if len(found) < count:
        raise ValueError(f"the standard library has {len(found)} sentences, and {count} were asked for")
    return found[:count]


def repeated(count: int) -> list[str]:
    """So many rows for a long run: all sentences, over and over, each time with another number in front."""
    known = sentences(2000)
    return [f"{at // len(known)}. {known[at % len(known)]}" for at in range(count)]


def _found() -> Iterator[str]:
    for path in sorted(Path(os.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                for part in _END.split(ast.get_docstring(node) or ""):
                    sentence = " ".join(part.split())
                    if _SHORTEST <= len(sentence) <= _LONGEST:
                        yield sentence
