"""The card of a release: what its manifest says, and with proof and index line what was measured and where it is.

Without these two it holds only what is the same on every machine: no hub address, no digest of the zip, no measured
number. That is the README inside the artifact. The front matter carries the keys of Spark NLP's Models Hub and those of
Hugging Face, so both read it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

from wellread.model_cards.card import Button, Card, Section, Tab
from wellread.model_cards.escaping import code, line, prose
from wellread.model_cards.licences import hugging_face_licence
from wellread.model_cards.measured import measured_sections, model_index, size
from wellread.model_cards.site.places import Site, model_path
from wellread.model_cards.snippets import as_known, in_sentence_transformers, nlu_column, snippets
from wellread.model_cards.writing import write_readme
from wellread.registry.records import Manifest, Pooling, Proof, Release, State

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
_STATES: dict[State, str] = {
    "yanked": "This release was withdrawn and is no longer taken by default.",
    "deprecated": "This model is deprecated.",
}
_COLAB = "https://colab.research.google.com/github"


def card_of(
    manifest: Manifest,
    *,
    proof: Proof | None = None,
    release: Release | None = None,
    site: Site | None = None,
    aliases: Collection[str] | None = None,
) -> Card:
    """The card of the artifact that ``manifest`` describes.

    ``proof`` adds Results, Parity and Benchmarks; ``release`` the size and whether it is still recommended; both
    ``release`` and ``site`` the buttons. ``aliases`` are what the hub explains as this model: no other is told to load.
    """
    manifest = as_known(manifest, aliases)
    return Card(
        keys=keys_of(manifest, proof, release),
        description="\n\n".join(filter(None, (_warning(release), prose(manifest.description)))),
        buttons=buttons(manifest, release, site) if release and site else (),
        usage=_usage(manifest),
        tabs=tuple(Tab(tab.title, tab.code, tab.language) for tab in snippets(manifest)),
        information=information(manifest, release),
        sections=tuple(_sections(manifest, proof)),
    )


def render_card(manifest: Manifest) -> str:
    """``README.md`` for the artifact that ``manifest`` describes, ending in a newline."""
    return write_readme(card_of(manifest))


def keys_of(manifest: Manifest, proof: Proof | None = None, release: Release | None = None) -> dict[str, Any]:
    """The card's YAML keys: the founding hub's first, then Hugging Face's."""
    return {
        "layout": "model",
        "title": manifest.title,
        "author": manifest.author,
        "name": str(manifest.name),
        "date": _day(manifest.time),
        "task": manifest.task,
        "language": list(map(str, manifest.languages)) or str(manifest.language),
        "edition": manifest.edition,
        "spark_version": _number(manifest.spark_version),
        "tags": list(manifest.tags),
        "supported": manifest.supported,
        **({"recommended": True} if manifest.recommended else {}),
        **({"deprecated": True} if release and release.state != "ready" else {}),
        "annotator": manifest.annotator,
        "engine": manifest.engine,
        "article_header": {"type": "cover"},
        "use_language_switcher": "Python-Scala-Java",
        **hugging_face_licence(manifest.license),
        "library_name": "sentence-transformers" if in_sentence_transformers(manifest) else "transformers",
        "pipeline_tag": _LABELS[manifest.annotator][2],
        **({"base_model": manifest.base_model} if manifest.base_model else {}),
        **({"repository": manifest.repository} if manifest.repository else {}),
        "model-index": model_index(manifest, proof),
    }


def information(manifest: Manifest, release: Release | None = None) -> dict[str, str]:
    """The rows of the card's Model Information table, in the founding card's order."""
    shape, (inputs, outputs, _) = manifest.architecture, _LABELS[manifest.annotator]
    rows = {
        "Model Name": manifest.name,
        "Type": "embeddings",
        "Compatibility": f"library {manifest.library_version}, Spark {manifest.spark_version}",
        "License": manifest.license,
        "Edition": manifest.edition,
        "Size": size(release.size) if release else "",
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
    return {label: line(value) for label, value in rows.items() if value.strip()}


def buttons(manifest: Manifest, release: Release, site: Site) -> tuple[Button, ...]:
    """The founding card's four; one without an address is what this hub, site or model does not have."""
    page = f"demo.html?model={manifest.language}/{manifest.name}"
    demo = bool(site.address) and not site.demo and "onnx-int8" in manifest.forms
    place, key = site.download or site.address, quote(release.path)
    return (
        Button("Live Demo", f"{site.address}/{page}" if demo else ""),
        Button("Open in Colab", _notebook(manifest, site)),
        Button("Download", f"{place}/{key}" if place else ""),
        Button("Copy S3 URI", f"{site.uri}/{release.path}" if site.uri.startswith("s3://") else ""),
    )


def _notebook(manifest: Manifest, site: Site) -> str:
    place = site.notebooks.split("/", 3)  # owner, repository, branch, perhaps a folder
    if len(place) < 3 or not all(place) or "onnx" not in manifest.forms:
        return ""
    file = model_path(manifest.name, manifest.language).removeprefix("models/")
    return "/".join((_COLAB, *place[:2], "blob", *place[2:], f"{file}.ipynb"))


def _warning(release: Release | None) -> str:
    said = _STATES.get(release.state, "") if release else ""
    return f"**{said}** {prose(line(release.why))}".rstrip() if said and release else ""


def _usage(manifest: Manifest) -> str:
    hub = "Each snippet takes the model from the hub that the environment variable `WELLREAD_HUB` names."
    if in_sentence_transformers(manifest):
        return hub
    return (
        f"{hub}\n\nThe library sentence-transformers has no setting for this model's vector of a text, "
        f"{_POOLING[manifest.pooling]}, so it cannot\nopen this model as it is meant."
    )


def _sections(manifest: Manifest, proof: Proof | None) -> Iterator[Section]:
    column = nlu_column(manifest) if manifest.annotator == "BertEmbeddings" else ""
    yield from measured_sections(proof, column) if proof else [Section("Parity", _promise(manifest))]
    yield Section("Data Source", _data_source(manifest))
    yield Section("Licence", prose(line(manifest.license)))
    if manifest.citation.strip():
        yield Section("Citation", prose(manifest.citation))


def _promise(manifest: Manifest) -> str:
    """What is known of parity before it was measured."""
    return (
        "Before this artifact was written, each of its forms was compared with the source at every layer; a form that "
        "missed its gate would not\nbe here. The figures, the tools and the machine stand in the proof beside the "
        f"artifact, `{manifest.artifact.stem}.proof.json`."
    )


def _data_source(manifest: Manifest) -> str:
    source, by_hand = manifest.source, manifest.source.override
    name = line(str(manifest.name))
    return "\n\n".join(
        filter(
            None,
            (
                f"**The source was given by hand and is not known to be {name}.** What is said above of the model may "
                "not hold for it."
                if by_hand
                else "",
                prose(manifest.data_source),
                f"The weights were read from {code(source.location)}"
                f"{' (given by hand, not the recipe’s own source)' if by_hand else ''}; "
                f"the sha256 over its tensors is {code(source.tensors)}.",
            ),
        )
    )


def _day(time: int) -> date:
    return datetime.fromtimestamp(time / 1000, UTC).date()


def _number(text: str) -> float | str:
    """``2.4`` as the founding cards write it, a number, where that loses nothing."""
    try:
        number = float(text)
    except ValueError:
        return text
    return number if str(number) == text else text
