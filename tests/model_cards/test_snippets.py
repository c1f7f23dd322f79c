"""What a card tells people to type runs as it stands, whatever the texts of the manifest are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.model_cards.conftest import Publish
from tests.registry.samples import FORMS, make_manifest
from wellread.model_cards import snippets as page
from wellread.model_cards import trials
from wellread.model_cards.facts import card_of
from wellread.model_cards.snippets import ENGINES, example, snippets
from wellread.model_cards.stage import Stage
from wellread.model_cards.trials import try_release
from wellread.registry.hub.gate import OWN_FORM
from wellread.registry.names import ModelName
from wellread.registry.records import OWN_TAB, Form, Manifest, Trial

pytestmark = pytest.mark.press

ALL = ["Python", "Transformers", "Sentence Transformers", "ONNX Runtime", "Spark"]
REFERENCE = "en.embed.tiny"
PROMISED = {
    "Python": "vector.shape == (32,) and words.vectors.shape == (len(words.words), 32)",
    "NLU": "list(embeddings_df.columns) == ['token', 'en_embed_tiny_embeddings'] and len(embeddings_df) > 5",
    "Transformers": "hidden.shape[::2] == (1, 32)",
    "Sentence Transformers": "vector.shape == (32,)",
    "ONNX Runtime": "hidden.shape[::2] == (1, 32)",
    "Spark": "False, 'there is no Java in these tests'",
}
"""What the comments in the snippets say of a model of 32 dimensions."""
HOSTILE = {
    "quotes": "it's \"\"\"here''' \\",
    "code": '") or __import__("os").system("true") or ("',
    "a template's braces": "{name} {0} {text!r} {{dimension}}",
    "lines": "one\ntwo\r\n```\nthree\x0b\x0cfour\u2028five\u2029six\x85",
    "what does not print": "\x00\x1b[31m\u202eevil\u2066\ufeff",
    "half a character": "\ud800",
    "jinja": "{{ m.license }}{% for x in y %}",
    "HTML": "</code></pre><script>alert(1)</script>",
}


def with_forms(*names: str, modules: bool = True) -> Manifest:
    files = ("modules.json",) if modules else ()
    made = {n: Form(members=(*files, *FORMS[n].members), precision=FORMS[n].precision) for n in names}
    return make_manifest(forms=made)


def test_every_snippet_gives_what_its_comments_promise(published: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    release = published(examples=('it\'s a "quick" {fox}\nand a back\\slash',), aliases=("bert", REFERENCE))
    asserting = [
        replace(row, template=f"{row.template}assert {PROMISED[row.title]}\n") for row in page._ROWS if row.template
    ]
    monkeypatch.setattr(page, "_ROWS", asserting)
    *others, spark = try_release(release.pressed.artifact)
    assert others == [Trial(tab=tab, outcome="passed") for tab in ("Python", "NLU", *ALL[1:-1])]
    assert (spark.tab, spark.outcome) == ("Spark", "not run") and "openjdk-17-jre-headless" in spark.why


@pytest.fixture
def stage_with_java(with_java: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another stage than the one that other tests share: a stage has the environment that it was started in."""
    stage = Stage()
    monkeypatch.setattr(trials, "_STAGE", stage)
    yield
    stage.close()


_COMPUTED = {
    "BertEmbeddings": "[len(row.embeddings) for row in words.selectExpr('word.embeddings').collect()] == [32] * 2",
    "BertSentenceEmbeddings": "len(sentences.selectExpr('sentence.embeddings').first().embeddings) == 32",
}


@pytest.mark.heavy
@pytest.mark.usefixtures("stage_with_java")
@pytest.mark.parametrize("annotator", _COMPUTED)
def test_the_pipeline_on_a_card_runs_where_there_is_a_java(
    published: Publish, monkeypatch: pytest.MonkeyPatch, annotator: str
) -> None:
    asserting = {"Spark": f"assert {_COMPUTED[annotator]}\n"}
    rows = [row for row in page._ROWS if row.title in ("Python", "NLU", "Spark")]
    monkeypatch.setattr(page, "_ROWS", [replace(r, template=r.template + asserting.get(r.title, "")) for r in rows])
    fields = {"annotator": annotator, "aliases": (REFERENCE,), "forms": ("onnx",), "examples": ("hello world",)}
    release = published(**fields)
    assert [trial.why for trial in release.pressed.statement.trials] == ["", "", ""]
    assert [trial.tab for trial in release.pressed.statement.trials] == ["Python", "NLU", "Spark"]


@pytest.mark.parametrize(
    ("forms", "modules", "shown"),
    [
        (("torch", "onnx", "onnx-int8"), True, ALL),
        (("onnx",), True, ["Python", "ONNX Runtime", "Spark"]),
        (("torch",), True, ["Transformers", "Sentence Transformers"]),
        (("torch", "onnx"), False, ["Python", "Transformers", "ONNX Runtime", "Spark"]),
        (("onnx-int8",), True, []),
    ],
)
def test_a_tab_is_shown_where_its_form_is_there(forms: tuple[str, ...], modules: bool, shown: list[str]) -> None:
    assert [snippet.title for snippet in snippets(with_forms(*forms, modules=modules))] == shown


def test_the_gate_asks_for_our_own_tab_where_a_card_has_it() -> None:
    """It decides by the form alone, for the registry knows no cards."""
    for form in FORMS:
        assert (OWN_TAB in [tab.title for tab in snippets(with_forms(form))]) == (form == OWN_FORM)


@pytest.mark.parametrize(
    ("aliases", "reference"),
    [
        ((), ""),
        (("bert", "bert.small", "de.embed.bert"), ""),
        (("bert", REFERENCE, "en.embed.other"), REFERENCE),
        (("tiny", "en.tiny"), "en.tiny"),
    ],
)
def test_the_tab_of_nlu_is_shown_where_the_model_has_a_reference(aliases: tuple[str, ...], reference: str) -> None:
    codes = {tab.title: tab.code for tab in snippets(make_manifest(aliases=aliases))}
    assert ("NLU" in codes) is (list(codes)[1] == "NLU") is bool(reference)
    assert f"wellread.load({reference!r})" in codes.get("NLU", "wellread.load('')")


def test_a_reference_that_leads_to_another_model_of_the_hub_is_not_told_to_load() -> None:
    manifest = make_manifest(aliases=(REFERENCE, "en.embed.other"))
    for aliases, reference in ((None, REFERENCE), (("en.embed.other", "en.new"), "en.embed.other"), ((), "")):
        codes = {tab.title: tab.code for tab in card_of(manifest, aliases=aliases).tabs}
        assert f"wellread.load({reference!r})" in codes.get("NLU", "wellread.load('')")


def test_a_models_own_name_is_no_reference() -> None:
    """``alias`` refuses it as well: a hub would never look it up."""
    manifest = make_manifest(name=ModelName("en.tiny"), aliases=("en.tiny",))
    assert "NLU" not in [tab.title for tab in snippets(manifest)]


@pytest.mark.parametrize(
    ("annotator", "level", "said"),
    [
        ("BertEmbeddings", "token", '.setInputCols("sentence", "token")'),
        ("BertSentenceEmbeddings", "sentence", '.setInputCols("sentence")'),
    ],
)
def test_words_have_one_pipeline_and_sentences_another(annotator: str, level: str, said: str) -> None:
    """One tab of Spark a card, with the annotator that the model is for."""
    told = snippets(make_manifest(annotator=annotator, aliases=(REFERENCE,)))
    (spark,) = [tab.code for tab in told if tab.title == "Spark"]
    (nlu,) = [tab.code for tab in told if tab.title == "NLU"]
    assert f"{annotator}.pretrained('tiny', 'en')" in spark and said in spark
    assert f"output_level={level!r}" in nlu and f"{level!r} and 'en_embed_tiny_embeddings'" in nlu
    assert ("tokenizer" in spark) is (level == "token")


@pytest.mark.parametrize("annotator", ["BertEmbeddings", "BertSentenceEmbeddings"])
def test_snippets_name_what_they_import_and_use_all_of_it(annotator: str) -> None:
    """No ``import *``: what a line uses, and where it came from, is read above it."""
    for tab in snippets(make_manifest(annotator=annotator, aliases=(REFERENCE,), forms=with_forms(*FORMS).forms)):
        tree = ast.parse(tab.code)
        named = [a.asname or a.name for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names]
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert set(named) <= used and len(set(named)) == len(named), tab.title
        assert max(map(len, tab.code.splitlines())) <= 120, tab.title


@pytest.mark.parametrize("what", HOSTILE)
def test_no_text_of_a_manifest_ends_its_literal(what: str) -> None:
    manifest = make_manifest(forms=with_forms(*FORMS).forms, examples=(HOSTILE[what],), aliases=(REFERENCE,))
    plain = make_manifest(forms=manifest.forms, examples=("plain",), aliases=(REFERENCE,))
    assert len(snippets(plain)) == len(ALL) + 1
    for told, honest in zip(snippets(manifest), snippets(plain), strict=True):
        assert told.code.replace("\n", "").isprintable()
        assert told.code.splitlines() == told.code.split("\n")
        assert len(told.code.splitlines()) == len(honest.code.splitlines())
        dumps = [ast.dump(ast.parse(code)) for code in (told.code, honest.code)]
        assert dumps[0].replace(repr(example(manifest)), "'plain'") == dumps[1]


@pytest.mark.parametrize("what", HOSTILE)
def test_no_reference_ends_its_literal_or_its_comment(what: str) -> None:
    """No manifest with such a one is read; were it, its snippet would be the same lines."""
    codes = [
        next(tab.code for tab in snippets(make_manifest(aliases=(f"en.{text}",))) if tab.title == "NLU")
        for text in (HOSTILE[what], "plain")
    ]
    hostile, plain = (ast.dump(ast.parse(code)) for code in codes)
    assert codes[0].replace("\n", "").isprintable() and len(codes[0].splitlines()) == len(codes[1].splitlines())
    assert hostile.replace(repr(f"en.{HOSTILE[what]}"), "'en.plain'") == plain


def test_a_tab_names_every_module_that_it_needs() -> None:
    """Beside what wellread itself imports for it: pandas for a table, Spark and its Java."""
    for tab in snippets(make_manifest(forms=with_forms(*FORMS).forms, aliases=(REFERENCE,))):
        tree = ast.parse(tab.code)
        imported = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
        imported |= {node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)}
        imported = {module for module in imported if module.split(".")[0] != "wellread"}
        brought = {"NLU": {"pandas", "sentencex"}, "Spark": {"java", "pandas", "pyarrow", "sentencex", "pyspark"}}
        assert imported | brought.get(tab.title, set()) == {*ENGINES[tab.title]} - {"wellread"}, tab.title
