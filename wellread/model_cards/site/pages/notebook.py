"""A model's notebook: what its card shows, ready to run in Jupyter and in Colab.

    title and description · packages · hub · the Python snippet · a table of similarities · the other snippets that ran

It is JSON of nbformat 4.5, laid out as Jupyter itself writes it, with ids that follow from what a cell is for: the same
release gives the same bytes. Nothing in it was run before; a test runs all of it. Text out of a manifest is a
stranger's: in Markdown it is escaped, in code it is a Python literal on one line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from wellread.model_cards.site.hub.models import Model, Published
from wellread.model_cards.site.places import Site, slug
from wellread.model_cards.snippets import ENGINES, as_known, snippets
from wellread.registry.records import Manifest

PACKAGES = {
    "numpy": "numpy",
    "onnxruntime": "onnxruntime",
    "pandas": "pandas",
    "pyarrow": "pyarrow",
    "pyspark": "pyspark",
    "sentence_transformers": "sentence-transformers",
    "sentencex": "sentencex",
    "tokenizers": "tokenizers",
    "torch": "torch",
    "transformers": "transformers",
}
"""Module → the package that brings it, for what a snippet may need beside wellread."""
EXTRAS = {"s3": "cloud", "gs": "cloud", "az": "cloud"}
"""Scheme of a hub → the extra of wellread that reads it."""
MOST_TEXTS = 8
_ASK_FOR_HUB = """\
import os

HUB = ""  # the hub that this notebook came from, a folder or an address, such as http://127.0.0.1:8000
if HUB:
    os.environ["WELLREAD_HUB"] = HUB
if not os.environ.get("WELLREAD_HUB"):
    raise ValueError("No hub is named: write the folder or the address of this notebook's hub in HUB, and run on.")\
"""
"""Where nobody said what the hub's address is: a site in the hub's own folder does not know where that lies."""
_ENTITIES = "\\$&<>"
_MARKS = re.compile(rf"[`*{{}}\[\]#~|@{re.escape(_ENTITIES)}]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=/)")
"""What means something to Markdown, to formulas in it, or to what makes links of bare addresses; those of ``_ENTITIES``
are written as such, for a backslash before them means something too."""
_BEGINS = re.compile(r"^([0-9]{0,9})([-+.)])(?=[\s-]|$)")
"""What does so where a paragraph begins: the marks of lists and of rules."""

Cell = dict[str, Any]


def notebook(site: Site, model: Model) -> bytes | None:
    """The notebook of a model's latest release, UTF-8; None where that was yanked, or has nothing that could run."""
    release = model.latest
    manifest = release.manifest and as_known(release.manifest, model.aliases)
    if manifest is None or "onnx" not in manifest.forms or release.release.state == "yanked":
        return None
    content = {
        "cells": list(_cells(site, release, manifest)),
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _cells(site: Site, release: Published, manifest: Manifest) -> Iterator[Cell]:
    (_, python), *others = shown = list(_snippets(release, manifest))
    uri = reachable(site)
    yield _prose("title", f"# {escaped(manifest.title, line=True)}\n\n{escaped(manifest.description)}")
    yield _code("packages", _packages(uri, (title for title, _ in shown)))
    yield _code("hub", _choose_hub(uri))
    yield _prose("python-title", "## Vectors")
    yield _code("python", python)
    yield _prose("similarity-title", "## How near texts are to each other\n\nThe cosine of each pair of vectors.")
    yield _code("similarity", _similarity(manifest))
    for title, code in others:
        yield _prose(f"{slug(title)}-title", f"## {escaped(title, line=True)}")
        yield _code(slug(title), code)


def _snippets(release: Published, manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Titles and code of the tabs in Python, Python's own first; of the others those that ran, if that is known."""
    tabs = [tab for tab in snippets(manifest) if tab.language == "python"]
    trials = {trial.tab: trial.outcome for trial in release.proof.trials} if release.proof else {}
    for tab in sorted(tabs, key=lambda tab: tab.title != "Python"):
        if tab.title == "Python" or not trials or trials.get(tab.title) == "passed":
            yield tab.title, tab.code


# ---------------------------------------------------------------- what the cells say


def reachable(site: Site) -> str:
    """The hub as a reader may name it, or empty: one that is a folder of the builder's machine is nobody else's."""
    over = site.download or site.address  # where links are relative, the site lies over its hub
    return site.uri or (over if over.startswith(("http://", "https://")) else "")


def _packages(uri: str, titles: Iterable[str]) -> str:
    """Installs what is missing and leaves the rest alone, so it costs nothing where all is there."""
    extra = EXTRAS.get(uri.partition("://")[0])
    engines = {engine for title in titles for engine in ENGINES[title]}
    needed = {"wellread": f"wellread[{extra}]" if extra else "wellread"}
    needed |= {module: package for module, package in PACKAGES.items() if module in engines}
    return "\n".join(
        [
            "from importlib.util import find_spec",
            "",
            f"needed = {needed!r}",
            "missing = [package for module, package in needed.items() if find_spec(module) is None]",
            "if missing:",
            '    %pip install --quiet {" ".join(missing)}',
        ]
    )


def _choose_hub(uri: str) -> str:
    if uri:
        return f'import os\n\nos.environ["WELLREAD_HUB"] = {uri!r}'
    return _ASK_FOR_HUB


def _similarity(manifest: Manifest) -> str:
    return "\n".join(
        [
            "import numpy as np",
            "import wellread",
            "",
            f"model = wellread.pretrained({str(manifest.name)!r}, {str(manifest.language)!r})",
            "texts = [",
            *(f"    {text!r}," for text in _texts(manifest)),
            "]",
            "vectors = model.encode(texts)",
            "vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)",
            "np.round(vectors @ vectors.T, 3)",
        ]
    )


def _texts(manifest: Manifest) -> list[str]:
    """The card's examples; where there is one alone, that and its words, for it says in which language to write."""
    examples = manifest.examples or ("I love NLP",)
    found = examples if len(examples) > 1 else (examples[0], *examples[0].split())
    return list(dict.fromkeys(found))[:MOST_TEXTS]


def escaped(text: str, *, line: bool = False) -> str:
    """A stranger's text as Markdown that shows it as it is, in paragraphs, or on one ``line``."""
    seen = "".join(char if char.isprintable() or char == "\n" else " " for char in text)
    parts = [_marked(" ".join(part.split())) for part in re.split(r"\n\s*\n", seen.strip())]
    whole = " ".join(parts) if line else "\n\n".join(parts)
    return re.sub(r"(?i)\bwww\.", r"\g<0>&#8203;", whole)


def _marked(paragraph: str) -> str:
    return _BEGINS.sub(r"\1\\\2", _MARKS.sub(_written, paragraph))


def _written(mark: re.Match[str]) -> str:
    return f"&#{ord(mark[0])};" if mark[0] in _ENTITIES else f"\\{mark[0]}"


# ---------------------------------------------------------------- nbformat


def _prose(key: str, text: str) -> Cell:
    return {"cell_type": "markdown", "id": key, "metadata": {}, "source": text.splitlines(keepends=True)}


def _code(key: str, text: str) -> Cell:
    """A code cell that was not run."""
    unrun: Cell = {"execution_count": None, "outputs": []}
    return {"cell_type": "code", "id": key, "metadata": {}, "source": text.splitlines(keepends=True), **unrun}
