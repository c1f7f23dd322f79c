"""What a card says of a release: the manifest's words, the proof's figures, the hub's addresses, and nothing else."""

from __future__ import annotations

import dataclasses
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
from tests.registry.samples import make_manifest, released
from wellread.model_cards.card import Button, Card
from wellread.model_cards.facts import card_of, information, keys_of, render_card
from wellread.model_cards.reading import read_card
from wellread.model_cards.site.places import Site
from wellread.model_cards.writing import write_plain, write_post, write_readme
from wellread.registry.names import Lang
from wellread.registry.records import Form

FOUNDING = {
    *("layout", "title", "author", "name", "date", "task", "language", "edition", "spark_version", "tags", "supported"),
    *("annotator", "engine", "article_header", "use_language_switcher"),
}
"""The keys of the card that founded the project."""
HUGGING_FACE = {"license", "language", "library_name", "pipeline_tag", "tags", "model-index"}
SECTIONS = ["Description", "How to use", "Parity", "Model Information", "Data Source", "Licence"]
MODULES = {"onnx": Form(members=("modules.json", "onnx/model.onnx"), precision="fp32")}

HOSTILE = {
    "ends the front matter": "---\n\n# Evil\n---",
    "a heading": "fine\n## Evil\nmore",
    "an underlined heading": "Evil\n===\n",
    "underlined by one dash": "Evil\n-\n",
    "a fence that never ends": "```\nnothing after this",
    "another fence": "~~~~ python",
    "a comment that never ends": "<!-- nothing after this",
    "a script": "<script>\nalert(1)",
    "HTML within a line": "fine <img src=x onerror=alert(1)>",
    "a script's address": "[x](javascript:alert(1)) [y]\n\n[y]: javascript:alert(1)",
    "a table's bar": "a | b \\| c",
    "backticks": "`a ``b",
    "jinja": "{{ m.license }}{% for x in y %}",
    "liquid": "{% include secret.html %}{{ site.token }}{% raw %}",
    "kramdown": "{:.btn-box}\n{:onclick=x}\n\n{::options parse_block_html='true' /}\n\ntext{:.evil}",
    "a button": "[Download](https://evil.org){:.button}\n- **Download:** <https://evil.org>\n- **Download:** `s3://evil`",
    "YAML": "a: b\n? [c, *d, &e !!python/object:os.system 'x'",
}
TEXTS = ("title", "description", "edition", "data_source", "citation", "tags", "license")


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


def body_of(card: Card) -> list[str]:
    return [section.title for section in card.sections]


# ---------------------------------------------------------------- front matter


def test_both_hubs_find_their_keys() -> None:
    manifest = make_manifest(forms=MODULES, tags=("open_source", "en"), license="Apache-2.0")
    found = yaml_of(render_card(manifest))
    assert set(found) == FOUNDING | HUGGING_FACE
    assert found == keys_of(manifest)
    assert (found["date"], found["spark_version"], found["layout"]) == (date(2020, 8, 25), 2.4, "model")
    assert (found["license"], found["language"], found["library_name"]) == ("apache-2.0", "en", "sentence-transformers")


def test_what_does_not_apply_is_not_said() -> None:
    plain = keys_of(make_manifest())
    assert not plain.keys() & {"recommended", "deprecated", "base_model", "repository", "license_name"}
    told = keys_of(
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


@pytest.mark.parametrize(
    ("spdx", "told"),
    [
        ("MIT", {"license": "mit"}),
        ("GPL-3.0-only", {"license": "gpl-3.0"}),
        ("ODbL-1.0", {"license": "odbl"}),
        ("CERN-OHL-P-2.0", {"license": "other", "license_name": "CERN-OHL-P-2.0"}),
    ],
)
def test_a_licence_is_one_that_hugging_face_knows(spdx: str, told: dict[str, str]) -> None:
    keys = keys_of(make_manifest(license=spdx))
    assert {key: keys[key] for key in ("license", "license_name") if key in keys} == told


def test_hugging_face_reads_it() -> None:
    manifest = make_manifest(forms=MODULES, tags=("embeddings",), base_model="google/bert", license="Apache-2.0")
    card = ModelCard(render_card(manifest))
    told = (card.data.license, card.data.language, card.data.library_name)
    assert told == ("apache-2.0", "en", "sentence-transformers")
    assert (card.data.pipeline_tag, card.data.tags) == ("feature-extraction", ["embeddings"])
    assert card.data.base_model == "google/bert"
    assert card.text.lstrip().startswith("# Tiny")
    assert (card.data.model_name, card.data.eval_results) == ("tiny", [])
    assert yaml_of(str(card))["model-index"] == [{"name": "tiny", "results": []}]


# ---------------------------------------------------------------- the body


def test_the_sections_of_a_card() -> None:
    card = card_of(make_manifest(forms=MODULES, citation="A. Uthor, 2020"))
    tokens = markdown_of(write_readme(card))
    assert headings(tokens, "h1") == ["Tiny"]
    assert headings(tokens, "h2") == [*SECTIONS, "Citation"]
    assert headings(tokens, "h3") == [tab.title for tab in card.tabs] == ["Python", "ONNX Runtime", "Spark"]


def _html_and_attributes(post: str) -> list[str]:
    """The lines of a post, code and front matter left out, in which Jekyll would find markup."""
    outside = re.sub(r"^```.*?^```$", "", post.split("\n---\n", 1)[1], flags=re.MULTILINE | re.DOTALL)
    outside = re.sub(r"`[^`\n]*`", "", outside)
    return [line for line in outside.split("\n") if re.search(r"<[A-Za-z/!?]|\{[:%]|\{\{|\]\((?!https:)", line)]


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("field", TEXTS)
def test_no_text_of_a_recipe_breaks_out_of_its_place(what: str, field: str) -> None:
    text = HOSTILE[what]
    honest = make_manifest(forms=MODULES, citation="A. Uthor, 2020", repository="https://example.org")
    manifest = msgspec.structs.replace(honest, **{field: (text,) if field == "tags" else text})
    card, plain = card_of(manifest), card_of(honest)
    written = write_readme(card)
    assert yaml_of(written) == card.keys
    assert ModelCard(written).data.name == "tiny"
    tokens, others = markdown_of(written), markdown_of(write_readme(plain))
    for level in ("h2", "h3"):
        assert headings(tokens, level) == headings(others, level)
    assert len(headings(tokens, "h1")) == 1
    for kind in ("fence", "td_open", "tr_open", "html_block"):
        assert [t.type for t in tokens].count(kind) == [t.type for t in others].count(kind), kind
    lines = [line.replace('{{ "{" }}', "") for line in _html_and_attributes(write_post(card))]
    assert [
        line for line in lines if re.search(r"<[A-Za-z/!?]|\{[:%]|\{\{|\]\((?!https:)", line)
    ] == _html_and_attributes(write_post(plain))
    for write in (write_readme, write_post, write_plain):
        again = read_card(write(card), "again.md")
        assert write(again) == write(card)
        assert (again.buttons, again.tabs, body_of(again)) == ((), card.tabs, body_of(card))


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_place_of_a_source_stays_between_its_backticks(what: str) -> None:
    source = make_manifest().source
    manifest = make_manifest(source=type(source)(kind="folder", location=HOSTILE[what], format="x", tensors="0" * 64))
    assert headings(markdown_of(render_card(manifest)), "h2") == SECTIONS
    (line,) = [line for line in render_card(manifest).splitlines() if line.startswith("The weights were read from")]
    assert line.count("`") == 4


def test_a_source_given_by_hand_is_said() -> None:
    source = msgspec.structs.replace(make_manifest().source, override=True)
    said = card_of(make_manifest(source=source)).section("Data Source")
    assert said and said.body.startswith("**The source was given by hand and is not known to be tiny.**")


def test_the_table_tells_what_the_model_is() -> None:
    rows = information(make_manifest(annotator="BertSentenceEmbeddings", pooling="cls", max_length=128))
    assert (rows["Output Labels"], rows["Max sentence length"]) == ("[sentence_embeddings]", "128")
    assert (rows["Vector of a text"], rows["Forms"]) == ("the vector of [CLS]", "onnx, onnx-int8, torch")
    assert "Size" not in rows and information(make_manifest(), released(size=84_312_000))["Size"] == "84.3 MB"


@pytest.mark.press
def test_a_pooling_that_sentence_transformers_cannot_express_is_said(published: Publish) -> None:
    manifest = published(pooling="mean-words", forms=("torch", "onnx")).pressed.manifest
    card = render_card(manifest)
    assert keys_of(manifest)["library_name"] == "transformers"
    assert "sentence-transformers has no setting for this model's vector" in " ".join(card.split())
    assert "### Sentence Transformers" not in card
    assert "has no setting" not in render_card(make_manifest(forms=MODULES))


@pytest.mark.press
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


# ---------------------------------------------------------------- with a release


SITE = Site(
    title="t", address="https://site.org/m", download="https://b.s3.example.org/p", uri="s3://b/p",
    notebooks="ann/models/main/notebooks", demo="",
)  # fmt: skip


def test_the_buttons_lead_where_this_hub_has_something() -> None:
    release = released()
    assert card_of(make_manifest(), release=release, site=SITE).buttons == (
        Button("Live Demo", "https://site.org/m/demo.html?model=en/tiny"),
        Button(
            "Open in Colab",
            "https://colab.research.google.com/github/ann/models/blob/main/notebooks/en/tiny.ipynb",
        ),
        Button("Download", f"https://b.s3.example.org/p/{release.path}"),
        Button("Copy S3 URI", f"s3://b/p/{release.path}"),
    )


def test_what_a_hub_has_not_cannot_be_pressed() -> None:
    bare = card_of(make_manifest(), release=released(), site=Site(title="t")).buttons
    assert [button.address for button in bare] == [""] * 4
    over = card_of(
        make_manifest(forms=MODULES), release=released(), site=Site(title="t", address="https://s.org", demo="")
    )
    assert [button.address for button in over.buttons] == ["", "", f"https://s.org/{released().path}", ""]
    assert card_of(make_manifest(), release=released()).buttons == ()


@pytest.mark.parametrize("notebooks", ["", "/", "ann", "ann/models", "///"])
def test_a_folder_of_notebooks_that_is_none_leads_nowhere(notebooks: str) -> None:
    site = dataclasses.replace(SITE, notebooks=notebooks)
    card = card_of(make_manifest(), release=released(), site=site)
    assert next(button.address for button in card.buttons if button.label == "Open in Colab") == ""


@pytest.mark.parametrize(("state", "said"), [("yanked", "withdrawn"), ("deprecated", "deprecated")])
def test_a_release_that_is_not_to_be_taken_says_so(state: str, said: str) -> None:
    card = card_of(make_manifest(), release=released(state=state, why="wrong\n## <b>vocabulary"))
    assert card.keys["deprecated"] is True
    warning, description = card.description.split("\n\n")
    assert said in warning and warning.endswith("** wrong ## &lt;b>vocabulary") and description == "A model for tests."
    assert "deprecated" not in card_of(make_manifest(), release=released()).keys
