"""The card as its readers take it: YAML for hubs, Markdown for people, nothing that only one machine could say."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import msgspec
import pytest
import yaml
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.model_cards.conftest import Publish
from tests.registry.samples import make_manifest
from wellread.model_cards.card import front_matter, information, render_card
from wellread.registry.names import Lang
from wellread.registry.records import Form

pytestmark = pytest.mark.press

FOUNDING = {
    *("layout", "title", "author", "name", "date", "task", "language", "edition", "spark_version", "tags", "supported"),
    *("annotator", "engine", "article_header", "use_language_switcher"),
}
"""The keys of the card that founded the project."""
HUGGING_FACE = {"license", "language", "library_name", "pipeline_tag", "tags"}
SECTIONS = ["Description", "How to use", "Model Information", "Parity", "Data Source", "Licence"]
MODULES = {"onnx": Form(members=("modules.json", "onnx/model.onnx"), precision="fp32")}

HOSTILE = {
    "ends the front matter": "---\n\n# Evil\n---",
    "a heading": "fine\n## Evil\nmore",
    "an underlined heading": "Evil\n===\n",
    "a fence that never ends": "```\nnothing after this",
    "another fence": "~~~~ python",
    "a comment that never ends": "<!-- nothing after this",
    "a script": "<script>\nalert(1)",
    "a table's bar": "a | b \\| c",
    "backticks": "`a ``b",
    "jinja": "{{ m.license }}{% for x in y %}",
    "YAML": "a: b\n? [c, *d, &e !!python/object:os.system 'x'",
}


def yaml_of(card: str) -> Any:
    """The front matter, as a reader finds it that looks for lines of three dashes."""
    opening, front, _ = re.split(r"^---$", card, maxsplit=2, flags=re.MULTILINE)
    assert opening == ""
    return yaml.safe_load(front)


def markdown_of(card: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(re.split(r"^---$", card, maxsplit=2, flags=re.MULTILINE)[2])


def headings(tokens: list[Token], level: str) -> list[str]:
    return [
        tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open" and token.tag == level
    ]


def test_both_hubs_find_their_keys() -> None:
    card = render_card(make_manifest(forms=MODULES, tags=("open_source", "en"), license="Apache-2.0"))
    found = yaml_of(card)
    assert set(found) == FOUNDING | HUGGING_FACE
    assert found == front_matter(make_manifest(forms=MODULES, tags=("open_source", "en"), license="Apache-2.0"))
    assert (found["date"], found["spark_version"], found["layout"]) == (date(2020, 8, 25), 2.4, "model")
    assert (found["license"], found["language"], found["library_name"]) == ("apache-2.0", "en", "sentence-transformers")


def test_what_does_not_apply_is_not_said() -> None:
    plain = front_matter(make_manifest())
    assert not plain.keys() & {"recommended", "base_model", "repository"}
    told = front_matter(
        make_manifest(
            language=Lang("xx"),
            languages=(Lang("de"), Lang("fr")),
            recommended=True,
            base_model="google/bert",
            repository="https://example.org",
        )
    )
    assert (told["recommended"], told["base_model"], told["language"]) == (True, "google/bert", ["de", "fr"])
    assert told["repository"] == "https://example.org"


def test_hugging_face_reads_it() -> None:
    manifest = make_manifest(forms=MODULES, tags=("embeddings",), base_model="google/bert", license="Apache-2.0")
    card = ModelCard(render_card(manifest))
    assert (card.data.license, card.data.language, card.data.library_name) == (
        "apache-2.0",
        "en",
        "sentence-transformers",
    )
    assert (card.data.pipeline_tag, card.data.tags) == ("feature-extraction", ["embeddings"])
    assert card.data.base_model == "google/bert"
    assert card.text.lstrip().startswith("# Tiny")


def test_the_sections_of_a_card() -> None:
    tokens = markdown_of(render_card(make_manifest(forms=MODULES, citation="A. Uthor, 2020")))
    assert headings(tokens, "h1") == ["Tiny"]
    assert headings(tokens, "h2") == [*SECTIONS, "Citation"]
    assert headings(tokens, "h3") == ["Python", "ONNX Runtime"]


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("field", ["title", "description", "edition", "author", "data_source", "citation", "tags"])
def test_no_text_of_a_recipe_breaks_out_of_its_place(what: str, field: str) -> None:
    text = HOSTILE[what]
    honest = make_manifest(forms=MODULES, citation="A. Uthor, 2020")
    manifest = msgspec.structs.replace(honest, **{field: (text,) if field == "tags" else text})
    card = render_card(manifest)
    assert yaml_of(card) == front_matter(manifest)
    assert ModelCard(card).data.name == "tiny"
    tokens, plain = markdown_of(card), markdown_of(render_card(honest))
    assert headings(tokens, "h2") == headings(plain, "h2")
    assert headings(tokens, "h3") == headings(plain, "h3")
    assert len(headings(tokens, "h1")) == 1
    for kind in ("fence", "td_open", "tr_open", "html_block"):
        assert [t.type for t in tokens].count(kind) == [t.type for t in plain].count(kind), kind


def test_a_bar_does_not_cut_a_cell_short() -> None:
    tokens = markdown_of(render_card(make_manifest(forms=MODULES, edition="a | b \\| c")))
    cells = [tokens[i + 1] for i, token in enumerate(tokens) if token.type == "td_open"]
    (edition,) = [cells[i + 1] for i, cell in enumerate(cells) if cell.content == "Edition"]
    assert "".join(part.content for part in edition.children or ()) == "a | b \\| c"


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_place_of_a_source_stays_between_its_backticks(what: str) -> None:
    source = make_manifest().source
    manifest = make_manifest(source=type(source)(kind="folder", location=HOSTILE[what], format="x", tensors="0" * 64))
    assert headings(markdown_of(render_card(manifest)), "h2") == SECTIONS
    (line,) = [line for line in render_card(manifest).splitlines() if line.startswith("The weights were read from")]
    assert line.count("`") == 4


def test_a_pooling_that_sentence_transformers_cannot_express_is_said(published: Publish) -> None:
    manifest = published(pooling="mean-words", forms=("torch", "onnx")).pressed.manifest
    card = render_card(manifest)
    assert front_matter(manifest)["library_name"] == "transformers"
    assert "sentence-transformers has no setting for this model's vector" in " ".join(card.split())
    assert "### Sentence Transformers" not in card
    assert "has no setting" not in render_card(make_manifest(forms=MODULES))


def test_a_card_says_only_what_is_the_same_everywhere(published: Publish) -> None:
    """No digest but the tensors', no hub, no measured figure: the artifact would be another on each machine."""
    release = published()
    manifest, packed, report = release.pressed.manifest, release.pressed.packed, release.pressed.report
    card = render_card(manifest)
    assert re.findall(r"[0-9a-fA-F]{32,}", card) == [manifest.source.tensors]
    assert packed.sha256 not in card and str(release.hub) not in card and str(release.hub.parent) not in card
    shown = {float(number) for number in re.findall(r"\d+\.\d+(?:e-\d+)?", card)}
    measured = {getattr(point.distance, f) for form in report.forms for point in form.points for f in ("max", "p99")}
    assert not shown & measured
    assert shown <= {2.4, 2.6}, "versions of the release, and no other decimal number"


def test_the_table_tells_what_the_model_is() -> None:
    rows = information(make_manifest(annotator="BertSentenceEmbeddings", pooling="cls", max_length=128))
    assert (rows["Output Labels"], rows["Max sentence length"]) == ("[sentence_embeddings]", "128")
    assert (rows["Vector of a text"], rows["Forms"]) == ("the vector of [CLS]", "onnx, onnx-int8, torch")
