"""The card's "How to use": a snippet a tab, from templates, each runnable as it is printed.

A tab is shown only where its snippet can run against the artifact at hand. Every one that is shown is run before the
artifact is published, wherever its engine is on the machine (see ``trials``).

Text of a manifest gets into code as a Python literal, by ``repr``: that escapes quotes, line ends and all that does
not print, so nothing ends the literal, the line, or the fence around the code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wellread.model_cards.card import Tab
from wellread.registry.records import Manifest


def in_sentence_transformers(manifest: Manifest) -> bool:
    """Whether the artifact says in that library's own files how a text's vector is made."""
    return any("modules.json" in form.members for form in manifest.forms.values())


def _in_torch(manifest: Manifest) -> bool:
    return "torch" in manifest.forms


def _in_torch_as_meant(manifest: Manifest) -> bool:
    return _in_torch(manifest) and in_sentence_transformers(manifest)


def _in_onnx(manifest: Manifest) -> bool:
    return "onnx" in manifest.forms


def _not_yet(manifest: Manifest) -> bool:
    """For what comes with the Spark annotators and ``wellread.load``, neither of which is built yet."""
    return False


@dataclass(frozen=True)
class _Row:
    """A tab: when it is shown, the modules that its snippet needs, and the snippet."""

    title: str
    shown: Callable[[Manifest], bool]
    engines: tuple[str, ...] = ()
    template: str = ""


_PYTHON = """
import wellread

model = wellread.pretrained({name!r}, {language!r})
vector = model.encode({text!r})                       # ({dimension},) float32
words = model.encode({text!r}, output_level="token")  # words, begin, end, vectors
"""

_TRANSFORMERS = """
import torch
import wellread
from transformers import AutoModel, AutoTokenizer

folder = wellread.fetch({name!r}, {language!r}, form="torch")
tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
with torch.inference_mode():
    hidden = model(**tokenizer({text!r}, return_tensors="pt")).last_hidden_state  # (1, tokens, {dimension})
"""

_SENTENCE_TRANSFORMERS = """
import wellread
from sentence_transformers import SentenceTransformer

model = SentenceTransformer(str(wellread.fetch({name!r}, {language!r}, form="torch")))
vector = model.encode({text!r})  # ({dimension},) float32
"""

_ONNX_RUNTIME = """
import numpy as np
import onnxruntime
import wellread
from tokenizers import Tokenizer

folder = wellread.fetch({name!r}, {language!r}, form="onnx")
ids = np.array([Tokenizer.from_file(str(folder / "tokenizer.json")).encode({text!r}).ids])
feeds = {{"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}}
session = onnxruntime.InferenceSession(str(folder / "onnx/model.onnx"))
hidden = session.run(["last_hidden_state"], feeds)[0]  # (1, tokens, {dimension})
"""

_ROWS = (
    _Row("Python", _in_onnx, ("wellread",), _PYTHON),
    _Row("NLU", _not_yet),
    _Row("Transformers", _in_torch, ("torch", "transformers"), _TRANSFORMERS),
    _Row("Sentence Transformers", _in_torch_as_meant, ("sentence_transformers",), _SENTENCE_TRANSFORMERS),
    _Row("ONNX Runtime", _in_onnx, ("numpy", "onnxruntime", "tokenizers"), _ONNX_RUNTIME),
    _Row("Spark", _not_yet),
    _Row("Scala", _not_yet),
    _Row("Java", _not_yet),
)
"""Every tab in the order in which a card has them."""

ENGINES = {row.title: row.engines for row in _ROWS}
"""Tab → the modules, by the names that Python imports them by, without which its snippet cannot run."""


def example(manifest: Manifest) -> str:
    """The text that the snippets are about: the model's first example."""
    return manifest.examples[0] if manifest.examples else "I love NLP"


def snippets(manifest: Manifest) -> list[Tab]:
    """The tabs whose snippets run against this artifact, filled in with its name and example."""
    facts = {
        "name": str(manifest.name),
        "language": str(manifest.language),
        "text": example(manifest),
        "dimension": manifest.dimension,
    }
    return [Tab(row.title, row.template.format(**facts).strip()) for row in _ROWS if row.shown(manifest)]
