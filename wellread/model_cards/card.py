"""The card inside the artifact: ``README.md``, YAML front matter and prose.

It is rendered from the manifest alone, so it states nothing else, and holds only what is the same on every machine:
no hub address, no digest of the zip, no measured number. The front matter carries the keys of Spark NLP's Models Hub
and those of Hugging Face, so both read it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import jinja2
import yaml

from wellread.model_cards.snippets import in_sentence_transformers, snippets
from wellread.registry.records import Manifest, Pooling

_POOLING: dict[Pooling, str] = {
    "mean": "the mean of all pieces' vectors, [CLS] and [SEP] among them",
    "mean-words": "the mean of the words' pieces, without [CLS] and [SEP]",
    "cls": "the vector of [CLS]",
    "pooler": "the pooler's output",
    "pooler-linear": "the pooler's output before its tanh",
}
_LABELS = {
    "BertEmbeddings": ("[sentence, token]", "[word_embeddings]", "feature-extraction"),
    "BertSentenceEmbeddings": ("[sentence]", "[sentence_embeddings]", "sentence-similarity"),
}

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("wellread.model_cards"),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - Markdown, not HTML; whoever shows it as HTML sanitises it
)


_BLOCK = re.compile(r"^[ \t]*(?=#|`{3}|~{3}|<|(?:=+|-{2,}|\*{3,}|_{3,})[ \t]*$)", re.MULTILINE)
"""Where a line begins what would reach beyond its paragraph: a heading, a fence, HTML, an underline or a rule."""


def _line(text: str) -> str:
    """Text on one line."""
    return " ".join(text.split())


def _prose(text: str) -> str:
    """Text whose paragraphs and lists stay what they are, and in which nothing ends the section it stands in."""
    return _BLOCK.sub(r"\\", text.strip())


def _code(text: str) -> str:
    """Text between backticks."""
    return f"`{_line(text).replace('`', chr(39))}`"


def _cell(text: str) -> str:
    """Text in a cell of a table. Entities, since readers differ on what a backslash before a bar escapes."""
    return _line(text).replace("\\", "&#92;").replace("|", "&#124;")


_TEMPLATES.filters.update(line=_line, prose=_prose, code=_code, cell=_cell)


def render_card(manifest: Manifest) -> str:
    """``README.md`` for the artifact that ``manifest`` describes, ending in a newline."""
    return _TEMPLATES.get_template("README.md.jinja").render(
        m=manifest,
        front_matter=yaml.safe_dump(front_matter(manifest), sort_keys=False, allow_unicode=True, width=10_000).rstrip(),
        snippets=snippets(manifest),
        told_to_sentence_transformers=in_sentence_transformers(manifest),
        information=information(manifest),
    )


def front_matter(manifest: Manifest) -> dict[str, Any]:
    """The card's YAML keys: the founding hub's first, then Hugging Face's."""
    return {
        "layout": "model",
        "title": manifest.title,
        "author": manifest.author,
        "name": manifest.name,
        "date": datetime.fromtimestamp(manifest.time / 1000, UTC).date(),
        "task": manifest.task,
        "language": list(manifest.languages) or manifest.language,
        "edition": manifest.edition,
        "spark_version": _number(manifest.spark_version),
        "tags": list(manifest.tags),
        "supported": manifest.supported,
        **({"recommended": True} if manifest.recommended else {}),
        "annotator": manifest.annotator,
        "engine": manifest.engine,
        "article_header": {"type": "cover"},
        "use_language_switcher": "Python-Scala-Java",
        "license": manifest.license.lower(),
        "library_name": "sentence-transformers" if in_sentence_transformers(manifest) else "transformers",
        "pipeline_tag": _LABELS[manifest.annotator][2],
        **({"base_model": manifest.base_model} if manifest.base_model else {}),
        **({"repository": manifest.repository} if manifest.repository else {}),
    }


def information(manifest: Manifest) -> dict[str, str]:
    """The rows of the card's Model Information table, in the founding card's order."""
    shape, (inputs, outputs, _) = manifest.architecture, _LABELS[manifest.annotator]
    rows = {
        "Model Name": manifest.name,
        "Type": "embeddings",
        "Compatibility": f"library {manifest.library_version}, Spark {manifest.spark_version}",
        "License": manifest.license,
        "Edition": manifest.edition,
        "Input Labels": inputs,
        "Output Labels": outputs,
        "Language": ", ".join(manifest.languages or (manifest.language,)),
        "Dimension": str(manifest.dimension),
        "Case sensitive": str(shape.cased).lower(),
        "Max sentence length": str(manifest.max_length),
        "Layers, heads": f"{shape.layers}, {shape.heads}",
        "Vector of a text": _POOLING[manifest.pooling],
        "Forms": ", ".join(manifest.forms),
    }
    return {label: value for label, value in rows.items() if value}


def _number(text: str) -> float | str:
    """``2.4`` as the founding cards write it, a number, where that loses nothing."""
    try:
        number = float(text)
    except ValueError:
        return text
    return number if str(number) == text else text
