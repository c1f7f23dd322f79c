"""What a card tells people to type runs as it stands, whatever the texts of the manifest are."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest

from tests.model_cards.conftest import Publish
from tests.registry.samples import FORMS, make_manifest
from wellread.model_cards import snippets as page
from wellread.model_cards.snippets import ENGINES, example, snippets
from wellread.model_cards.trials import try_release
from wellread.registry.hub.gate import OWN_FORM
from wellread.registry.records import OWN_TAB, Form, Manifest, Trial

pytestmark = pytest.mark.press

ALL = ["Python", "Transformers", "Sentence Transformers", "ONNX Runtime"]
PROMISED = {
    "Python": "vector.shape == (32,) and words.vectors.shape == (len(words.words), 32)",
    "Transformers": "hidden.shape[::2] == (1, 32)",
    "Sentence Transformers": "vector.shape == (32,)",
    "ONNX Runtime": "hidden.shape[::2] == (1, 32)",
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
    release = published(examples=('it\'s a "quick" {fox}\nand a back\\slash',))
    asserting = [
        replace(row, template=f"{row.template}assert {PROMISED[row.title]}\n") for row in page._ROWS if row.template
    ]
    monkeypatch.setattr(page, "_ROWS", asserting)
    assert try_release(release.pressed.artifact) == tuple(Trial(tab=tab, outcome="passed") for tab in ALL)


@pytest.mark.parametrize(
    ("forms", "modules", "shown"),
    [
        (("torch", "onnx", "onnx-int8"), True, ALL),
        (("onnx",), True, ["Python", "ONNX Runtime"]),
        (("torch",), True, ["Transformers", "Sentence Transformers"]),
        (("torch", "onnx"), False, ["Python", "Transformers", "ONNX Runtime"]),
        (("onnx-int8",), True, []),
    ],
)
def test_a_tab_is_shown_where_its_form_is_there(forms: tuple[str, ...], modules: bool, shown: list[str]) -> None:
    assert [snippet.title for snippet in snippets(with_forms(*forms, modules=modules))] == shown


def test_the_gate_asks_for_our_own_tab_where_a_card_has_it() -> None:
    """It decides by the form alone, for the registry knows no cards."""
    for form in FORMS:
        assert (OWN_TAB in [tab.title for tab in snippets(with_forms(form))]) == (form == OWN_FORM)


@pytest.mark.parametrize("what", HOSTILE)
def test_no_text_of_a_manifest_ends_its_literal(what: str) -> None:
    manifest = make_manifest(forms=with_forms(*FORMS).forms, examples=(HOSTILE[what],))
    plain = make_manifest(forms=manifest.forms, examples=("plain",))
    for told, honest in zip(snippets(manifest), snippets(plain), strict=True):
        assert told.code.replace("\n", "").isprintable()
        assert told.code.splitlines() == told.code.split("\n")
        assert len(told.code.splitlines()) == len(honest.code.splitlines())
        dumps = [ast.dump(ast.parse(code)) for code in (told.code, honest.code)]
        assert dumps[0].replace(repr(example(manifest)), "'plain'") == dumps[1]


def test_a_tab_names_every_module_that_it_needs() -> None:
    for tab in snippets(with_forms(*FORMS)):
        tree = ast.parse(tab.code)
        imported = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
        imported |= {node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)}
        assert imported - {"wellread"} == {*ENGINES[tab.title]} - {"wellread"}, tab.title
