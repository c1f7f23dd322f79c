"""A manifest from outside: nothing in it is believed before it fits together."""

from __future__ import annotations

from typing import Any

import pytest

from tests.registry.samples import FILES, make_manifest, write_files
from wellread.errors import IntegrityError, NotFound
from wellread.registry.artifact.manifest import is_member_name, members_of, parse_manifest
from wellread.registry.artifact.package import describe
from wellread.registry.records import PIECE, Form, Manifest, Member, encode


@pytest.fixture
def manifest(tmp_path: Any) -> Manifest:
    return make_manifest(describe(write_files(tmp_path, FILES)))


def test_a_sound_manifest_comes_back(manifest: Manifest) -> None:
    assert parse_manifest(encode(manifest), "it") == manifest


def test_a_form_brings_its_members_the_card_and_the_goldens(manifest: Manifest) -> None:
    names = [member.name for member in members_of(manifest, "onnx-int8")]
    assert names == ["README.md", "config.json", "golden.json", "onnx/model_int8.onnx", "tokenizer.json", "vocab.txt"]


def test_an_unknown_form_lists_those_there_are(manifest: Manifest) -> None:
    with pytest.raises(NotFound, match=r"no form 'onnx_int8'. Available: onnx, onnx-int8, torch. Did you mean"):
        members_of(manifest, "onnx_int8")


@pytest.mark.parametrize(
    "name",
    [
        *(
            "../a.txt",
            "/a.txt",
            "a/../b.txt",
            "a//b.txt",
            "./a.txt",
            "a\\b.txt",
            "C:a.txt",
            "a.txt/",
            "",
            ".hidden.txt",
        ),
        *("nul.txt", "onnx/COM1.json", "a.pkl", "a.py", "a.onnx.exe", "a", "é.txt", "a\n.txt", "a/.b.txt", "a. /b.txt"),
        *("manifest.json", "Manifest.JSON", "x" * 200 + ".txt", "a/" * 9 + "a.txt", "a./b.txt"),
    ],
)
def test_names_that_lead_elsewhere_or_can_run_are_no_members(name: str) -> None:
    assert not is_member_name(name)


def _member(name: str, size: int = 1, pieces: int = 1) -> Member:
    return Member(name=name, size=size, pieces=("0" * 64,) * pieces)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"files": (_member("../a.txt"),)}, "'../a.txt' may not be a member"),
        ({"files": (_member("b.txt"), _member("a.txt"))}, "not sorted"),
        ({"files": (_member("a.txt"), _member("a.txt"))}, "there twice"),
        ({"files": (_member("A.txt"), _member("a.txt"))}, "differ only by case"),
        ({"files": (_member("a.txt", size=PIECE + 1),)}, "8388609 bytes has 1 pieces"),
        ({"files": (_member("a.txt", size=-5, pieces=0),)}, "-5 bytes"),
        ({"forms": {"../x": Form(members=(), precision="fp32")}}, "'../x' is not a form's name"),
        ({"forms": {"all": Form(members=(), precision="fp32")}}, "'all' is not a form's name"),
        ({"forms": {"onnx": Form(members=("gone.onnx",), precision="fp32")}}, "needs gone.onnx"),
        ({"name": "../evil"}, "not a model name"),
        ({"language": "en/.."}, "not a language"),
        ({"library_version": "2.6/../.."}, "not a version"),
        ({"time": -1}, "its time is -1"),
        ({"time": 10**18}, "is not a release id"),
        ({"time": 1_598_344_705}, "not milliseconds in the years 2000 to 2100"),
        ({"aliases": ("en.embed bert",)}, "'en.embed bert' is not a reference"),
        ({"aliases": ("../x",)}, "'../x' is not a reference"),
        ({"task": " "}, "its task is empty"),
        ({"dimension": 31}, "its dimension is 31 and its hidden size 32"),
        ({"max_length": 2}, "3 to 64 are possible"),
        ({"max_length": 65}, "3 to 64 are possible"),
        ({"inputs": ()}, "its inputs are not input_ids, attention_mask, token_type_ids of int64"),
        ({"outputs": ()}, "needs the output last_hidden_state"),
        ({"pooling": "pooler-linear"}, "needs the output pooler_linear"),
        ({"forms": {"onnx": Form(members=(), precision="fp32", max_error=1e-4)}}, "has 0 .onnx files, one is needed"),
        ({"forms": {"onnx-int8": Form(members=("onnx/model.onnx",), precision="int8")}}, "states no tolerance"),
    ],
)
def test_what_does_not_fit_together_is_said(change: dict[str, Any], said: str) -> None:
    manifest = make_manifest(**({"forms": {}} | change))
    with pytest.raises(IntegrityError) as caught:
        parse_manifest(encode(manifest), "hub/x.zip")
    assert "hub/x.zip" in str(caught.value)
    assert said in str(caught.value)


_TEXTS = [
    *("title", "author", "task", "engine", "edition", "license", "base_model", "description", "citation"),
    *("data_source", "repository"),
]


@pytest.mark.parametrize("field", _TEXTS)
def test_no_text_is_longer_than_a_page_can_bear(field: str) -> None:
    with pytest.raises(IntegrityError, match=f"its {field} has 300000 characters, more than "):
        parse_manifest(encode(make_manifest((), **{field: "x" * 300_000})), "it")


@pytest.mark.parametrize("field", ["tags", "examples"])
def test_neither_are_lists_of_texts(field: str) -> None:
    with pytest.raises(IntegrityError, match=f"its {field} has 300000 characters"):
        parse_manifest(encode(make_manifest((), **{field: ("a", "x" * 300_000)})), "it")
    with pytest.raises(IntegrityError, match=f"it has 501 {field}, more than 500"):
        parse_manifest(encode(make_manifest((), **{field: ("x",) * 501})), "it")


def test_all_problems_are_said_at_once() -> None:
    manifest = make_manifest((_member("a.pkl"),), name="../evil", time=-1, forms={})
    with pytest.raises(IntegrityError, match=r"not a model name.*time is -1.*a\.pkl"):
        parse_manifest(encode(manifest), "it")
