"""The card's "How to use": a snippet a tab, from templates, each runnable as it is printed.

A tab is shown only where its snippet can run against the artifact at hand. Every one that is shown is run before the
artifact is published, wherever its engine is on the machine (see ``trials``).

    Python, NLU, Spark      ours: one line, a table by reference, and the founding card's pipeline
    the others              libraries that open what the artifact holds

Text of a manifest gets into code as a Python literal, by ``repr``: that escapes quotes, line ends and all that does
not print, so nothing ends the literal, the line, or the fence around the code.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import msgspec

from wellread.model_cards.card import Tab
from wellread.registry.records import Annotator, Manifest


def in_sentence_transformers(manifest: Manifest) -> bool:
    """Whether the artifact says in that library's own files how a text's vector is made."""
    return any("modules.json" in form.members for form in manifest.forms.values())


_LEVELS: dict[Annotator, str] = {"BertEmbeddings": "token", "BertSentenceEmbeddings": "sentence"}
"""What an annotator gives vectors to, as NLU calls it."""


def _in_torch(manifest: Manifest) -> bool:
    return "torch" in manifest.forms


def _in_torch_as_meant(manifest: Manifest) -> bool:
    return _in_torch(manifest) and in_sentence_transformers(manifest)


def _in_onnx(manifest: Manifest) -> bool:
    return "onnx" in manifest.forms


def _in_nlu(manifest: Manifest) -> bool:
    return _in_onnx(manifest) and bool(nlu_reference(manifest))


def _on_spark(annotator: Annotator) -> Callable[[Manifest], bool]:
    """The annotator that the model is for decides which pipeline its card shows."""
    return lambda manifest: _in_onnx(manifest) and manifest.annotator == annotator


def _not_yet(manifest: Manifest) -> bool:
    """For Scala and Java: Spark NLP would have to open the artifact itself, and it is no archive of theirs yet. Our
    stages are Python's; a pipeline that was saved with them is opened by Python too."""
    return False


@dataclass(frozen=True)
class _Row:
    """A tab: when it is shown, the modules and programs that its snippet needs, and the snippet."""

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

_NLU = """
import wellread

text = [{text!r}]
embeddings_df = wellread.load({reference!r}).predict(text, output_level={level!r})
embeddings_df  # with the columns {level!r} and {column!r}
"""

_SPARK_WORDS = """
from wellread.spark import BertEmbeddings, DocumentAssembler, Pipeline, SentenceDetector, Tokenizer, start

spark = start()
document_assembler = DocumentAssembler().setInputCol("text").setOutputCol("document")
sentence_detector = SentenceDetector().setInputCols("document").setOutputCol("sentence")
tokenizer = Tokenizer().setInputCols("sentence").setOutputCol("token")
embeddings = (
    BertEmbeddings.pretrained({name!r}, {language!r})
    .setInputCols("sentence", "token")
    .setOutputCol("embeddings")
)
nlp_pipeline = Pipeline(stages=[document_assembler, sentence_detector, tokenizer, embeddings])

text = spark.createDataFrame([[{text!r}]], ["text"])
result = nlp_pipeline.fit(text).transform(text)
words = result.selectExpr("explode(embeddings) AS word")
words.select("word.result", "word.embeddings").show()
"""

_SPARK_SENTENCES = """
from wellread.spark import BertSentenceEmbeddings, DocumentAssembler, Pipeline, SentenceDetector, start

spark = start()
document_assembler = DocumentAssembler().setInputCol("text").setOutputCol("document")
sentence_detector = SentenceDetector().setInputCols("document").setOutputCol("sentence")
embeddings = (
    BertSentenceEmbeddings.pretrained({name!r}, {language!r})
    .setInputCols("sentence")
    .setOutputCol("sentence_embeddings")
)
nlp_pipeline = Pipeline(stages=[document_assembler, sentence_detector, embeddings])

text = spark.createDataFrame([[{text!r}]], ["text"])
result = nlp_pipeline.fit(text).transform(text)
sentences = result.selectExpr("explode(sentence_embeddings) AS sentence")
sentences.select("sentence.result", "sentence.embeddings").show()
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

_SPARK = ("java", "pandas", "pyarrow", "pyspark", "sentencex")
_ROWS = (
    _Row("Python", _in_onnx, ("wellread",), _PYTHON),
    _Row("NLU", _in_nlu, ("pandas", "sentencex"), _NLU),
    _Row("Transformers", _in_torch, ("torch", "transformers"), _TRANSFORMERS),
    _Row("Sentence Transformers", _in_torch_as_meant, ("sentence_transformers",), _SENTENCE_TRANSFORMERS),
    _Row("ONNX Runtime", _in_onnx, ("numpy", "onnxruntime", "tokenizers"), _ONNX_RUNTIME),
    _Row("Spark", _on_spark("BertEmbeddings"), _SPARK, _SPARK_WORDS),
    _Row("Spark", _on_spark("BertSentenceEmbeddings"), _SPARK, _SPARK_SENTENCES),
    _Row("Scala", _not_yet),
    _Row("Java", _not_yet),
)
"""Every tab in the order in which a card has them; of two with one title a card shows one at most."""

ENGINES = {row.title: row.engines for row in _ROWS}
"""Tab → the modules, by the names that Python imports them by, and programs without which its snippet cannot run."""


def example(manifest: Manifest) -> str:
    """The text that the snippets are about: the model's first example."""
    return manifest.examples[0] if manifest.examples else "I love NLP"


def nlu_reference(manifest: Manifest) -> str:
    """The first alias that an NLU user would type, ``en.embed.bert.small_L8_512``: with dots, and its language before
    the first. Empty where there is none. A model's own name is no alias: no hub could explain it as one."""
    lead = f"{manifest.language}."
    return next((alias for alias in manifest.aliases if alias.startswith(lead) and alias != manifest.name), "")


def nlu_column(manifest: Manifest) -> str:
    """The column in which ``wellread.load`` puts vectors, ``en_embed_bert_small_L8_512_embeddings``, as the founding
    card prints it; empty without a reference."""
    reference = nlu_reference(manifest)
    return f"{reference.replace('.', '_')}_embeddings" if reference else ""


def as_known(manifest: Manifest, aliases: Collection[str] | None) -> Manifest:
    """The manifest with those of its aliases that a hub explains as this model: the first model to claim one has it.

    None where no hub was asked: then it is as it is.
    """
    if aliases is None:
        return manifest
    return msgspec.structs.replace(manifest, aliases=tuple(one for one in manifest.aliases if one in aliases))


def snippets(manifest: Manifest) -> list[Tab]:
    """The tabs whose snippets run against this artifact, filled in with its name and example."""
    facts = {
        "name": str(manifest.name),
        "language": str(manifest.language),
        "text": example(manifest),
        "dimension": manifest.dimension,
        "reference": nlu_reference(manifest),
        "column": nlu_column(manifest),
        "level": _LEVELS[manifest.annotator],
    }
    return [Tab(row.title, row.template.format(**facts).strip()) for row in _ROWS if row.shown(manifest)]
