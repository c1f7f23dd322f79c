"""The card's "How to use": one snippet a tab, from templates, each runnable as it is printed.

A tab is shown only where its snippet can run against the artifact at hand; the tests run every one that is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wellread.registry.records import Manifest


@dataclass(frozen=True)
class Snippet:
    """A tab's title, language and code."""

    title: str
    code: str
    language: str = "python"


@dataclass(frozen=True)
class _Tab:
    title: str
    template: str
    shown: Callable[[Manifest], bool]


_TABS = (
    _Tab(
        "Python",
        """
import wellread

model = wellread.pretrained({name!r}, {language!r})
vector = model.encode({text!r})                       # ({dimension},) float32
words = model.encode({text!r}, output_level="token")  # words, begin, end, vectors
""",
        lambda manifest: "onnx" in manifest.forms,
    ),
    _Tab(
        "Transformers",
        """
import torch
import wellread
from transformers import AutoModel, AutoTokenizer

folder = wellread.fetch({name!r}, {language!r}, form="torch")
tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
with torch.inference_mode():
    hidden = model(**tokenizer({text!r}, return_tensors="pt")).last_hidden_state  # (1, tokens, {dimension})
""",
        lambda manifest: "torch" in manifest.forms,
    ),
    _Tab(
        "Sentence Transformers",
        """
import wellread
from sentence_transformers import SentenceTransformer

model = SentenceTransformer(str(wellread.fetch({name!r}, {language!r}, form="torch")))
vector = model.encode({text!r})  # ({dimension},) float32
""",
        lambda manifest: "torch" in manifest.forms and in_sentence_transformers(manifest),
    ),
    _Tab(
        "ONNX Runtime",
        """
import numpy as np
import onnxruntime
import wellread
from tokenizers import Tokenizer

folder = wellread.fetch({name!r}, {language!r}, form="onnx")
ids = np.array([Tokenizer.from_file(str(folder / "tokenizer.json")).encode({text!r}).ids])
feeds = {{"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}}
session = onnxruntime.InferenceSession(str(folder / "onnx/model.onnx"))
hidden = session.run(["last_hidden_state"], feeds)[0]  # (1, tokens, {dimension})
""",
        lambda manifest: "onnx" in manifest.forms,
    ),
)


def in_sentence_transformers(manifest: Manifest) -> bool:
    """Whether the artifact says in that library's own files how a text's vector is made."""
    return any("modules.json" in form.members for form in manifest.forms.values())


def snippets(manifest: Manifest) -> list[Snippet]:
    """The snippets that run against this artifact, filled in with its first example."""
    text = manifest.examples[0] if manifest.examples else "I love NLP"
    facts = {
        "name": str(manifest.name),
        "language": str(manifest.language),
        "text": text,
        "dimension": manifest.dimension,
    }
    return [Snippet(tab.title, tab.template.format(**facts).strip()) for tab in _TABS if tab.shown(manifest)]
