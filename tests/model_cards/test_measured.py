"""What was measured stands on the card as the proof has it, and nowhere without one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from tests.registry.samples import make_proof, make_sample
from wellread.model_cards.facts import card_of
from wellread.model_cards.measured import size
from wellread.model_cards.reading import read_card
from wellread.model_cards.writing import write_post, write_readme
from wellread.registry.records import (
    Benchmark,
    Distance,
    FormParity,
    Manifest,
    ParityReport,
    Point,
    Proof,
    Result,
)


def point(name: str, figure: float, limit: float, measure: Any = "max", **other: Any) -> Point:
    near = {"max": 1e-7, "p99": 1e-7, "mean": 1e-7, "min_cosine": 1.0, "mean_cosine": 1.0} | {measure: figure}
    fields: dict[str, Any] = {"floor": 2e-7, "worst": "holes", "passed": True} | other
    return Point(name=name, distance=Distance(**near), limit=limit, measure=measure, **fields)


FORMS = (
    FormParity(
        form="onnx",
        points=(point("layer 1", 3e-7, 1e-5), point("sequence", 8e-6, 1e-5), point("pooled", 1e-6, 1e-5)),
    ),
    FormParity(form="onnx-int8", points=(point("sequence", 0.9998, 0.99, "mean_cosine", worst="real text"),)),
)
REPORT = ParityReport(oracle="TensorFlow 2.21", inputs=("real text", "holes"), tokens=321, forms=FORMS)


@pytest.fixture
def sample(tmp_path: Path) -> tuple[Manifest, Proof]:
    made = make_sample(tmp_path)
    proof = make_proof(made.manifest, made.packed)
    machine = {"system": "Linux", "processor": "Slow | <b>9000</b>"}
    return made.manifest, msgspec.structs.replace(
        proof, parity=REPORT, machine=machine, tools={"torch": "2.6", "numpy": "2"}
    )


def body(sample: tuple[Manifest, Proof], title: str, **fields: Any) -> str:
    manifest, proof = sample
    section = card_of(manifest, proof=msgspec.structs.replace(proof, **fields)).section(title)
    return section.body if section else ""


def rows(markdown: str) -> list[list[str]]:
    """The cells of every table, as a reader sees them."""
    found: list[list[str]] = []
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    for at, token in enumerate(tokens):
        if token.type == "tr_open":
            found.append([])
        elif token.type in {"td_open", "th_open"}:
            found[-1].append("".join(child.content for child in tokens[at + 1].children or ()))
    return found


def test_parity_tells_each_form_and_each_point(sample: tuple[Manifest, Proof]) -> None:
    told = body(sample, "Parity")
    assert told.startswith("Compared with TensorFlow 2.21: 321 tokens in 2 batches (real text, holes).")
    assert rows(told) == [
        ["Form", "Nearest to its limit", "Measured", "Limit", "Floor", "Input", "Verdict"],
        ["onnx", "sequence, largest error", "8.00e-06", "≤ 1.00e-05", "2.0e-07", "holes", "passed"],
        ["onnx-int8", "sequence, mean cosine", "0.999800", "≥ 0.990000", "2.0e-07", "real text", "passed"],
        ["Point", "onnx (largest error)", "onnx-int8 (mean cosine)"],
        ["layer 1", "3.00e-07", ""],
        ["sequence", "8.00e-06", "0.999800"],
        ["pooled", "1.00e-06", ""],
    ]
    assert "Tools: torch 2.6, numpy 2. Machine: system: Linux, processor: Slow &#124; &lt;b>9000&lt;/b>." in told


def test_a_form_with_two_limits_at_a_point_has_a_column_for_each(sample: tuple[Manifest, Proof]) -> None:
    forms = (
        FormParity(
            form="onnx-int8",
            points=(
                point("sequence", 0.999, 0.99, "mean_cosine", worst="real text"),
                point("sequence", 0.97, 0.95, "min_cosine", worst="real text"),
                point("pooled", 0.98, 0.95, "min_cosine", worst="real text"),
            ),
        ),
    )
    assert rows(body(sample, "Parity", parity=msgspec.structs.replace(REPORT, forms=forms)))[2:] == [
        ["Point", "onnx-int8 (mean cosine)", "onnx-int8 (smallest cosine)"],
        ["sequence", "0.999000", "0.970000"],
        ["pooled", "", "0.980000"],
    ]


def test_what_did_not_pass_is_said(sample: tuple[Manifest, Proof]) -> None:
    """Whatever its flag says: a proof is its publisher's word."""
    for bad in (math.nan, 2e-5):
        forms = (FormParity(form="onnx", points=(point("sequence", 1e-7, 1e-5), point("pooled", bad, 1e-5))),)
        table = rows(body(sample, "Parity", parity=msgspec.structs.replace(REPORT, forms=forms)))
        assert (table[1][1], table[1][-1]) == ("pooled, largest error", "failed")


def test_results_are_the_snippets_own(sample: tuple[Manifest, Proof]) -> None:
    assert body(sample, "Results") == ""
    result = Result(text="I <love>", words=("I", "<love>|"), vectors=((0.1, -0.25, 1.0, 0.5, 7.0), (1e-7, 0, 0, 0)))
    told = body(sample, "Results", results=(result,))
    assert told.startswith("`I <love>`\n\n")
    assert rows(told) == [
        ["token", "embeddings"],
        ["I", "[0.100000, -0.250000, 1.000000, 0.500000, …]"],
        ["<love>|", "[0.000000, 0.000000, 0.000000, 0.000000, …]"],
    ]


@pytest.mark.parametrize(
    ("words", "fields", "heading"),
    [
        (("I", "love", "NLP"), {"aliases": ("en.embed.bert",)}, "en_embed_bert_embeddings"),
        (("I", "love", "NLP"), {"aliases": ("bert",)}, "embeddings"),
        (("don", "'", "t"), {"aliases": ("en.embed.bert",)}, "embeddings"),
        (("I", "love", "NLP"), {"aliases": ("en.a|b<i>",)}, "en_a|b<i>_embeddings"),
        (("I",), {"aliases": ("en.embed.bert",), "annotator": "BertSentenceEmbeddings"}, "embeddings"),
    ],
    ids=["as NLU heads it", "no reference", "other rows than NLU's", "hostile", "a model of sentences"],
)
def test_results_are_headed_as_nlus_table_is_where_they_are_its_rows(
    sample: tuple[Manifest, Proof], words: tuple[str, ...], fields: dict[str, Any], heading: str
) -> None:
    manifest = msgspec.structs.replace(sample[0], **fields)
    text = "don't" if words[0] == "don" else " ".join(words)
    result = Result(text=text, words=words, vectors=((0.0,),) * len(words))
    told = body((manifest, sample[1]), "Results", results=(result,))
    assert rows(told)[0] == ["token", heading] and "<i>" not in told


def test_benchmarks_name_their_machine(sample: tuple[Manifest, Proof]) -> None:
    assert body(sample, "Benchmarks") == ""
    made = Benchmark(form="onnx", size=84_312_000, load=0.1234, speed=12345.6, threads=2)
    told = body(sample, "Benchmarks", benchmarks=(made,))
    assert rows(told)[1] == ["onnx", "84.3 MB", "0.12 s", "12,346", "2"]
    assert told.splitlines()[-1].startswith("Machine: system: Linux")


def test_hugging_face_finds_the_figures(sample: tuple[Manifest, Proof]) -> None:
    manifest, proof = sample
    card = ModelCard(write_readme(card_of(manifest, proof=proof)))
    assert card.data.model_name == "tiny"
    assert [(one.metric_type, one.metric_value, one.metric_name) for one in card.data.eval_results] == [
        ("parity_max", 8e-06, "onnx, sequence: largest error"),
        ("parity_mean_cosine", 0.9998, "onnx-int8, sequence: mean cosine"),
    ]
    assert card.data.eval_results[0].task_name == "Parity with TensorFlow 2.21"
    again = ModelCard(str(card))
    assert again.data.to_dict() == card.data.to_dict()


def test_a_figure_that_is_no_number_is_no_result(sample: tuple[Manifest, Proof]) -> None:
    manifest, proof = sample
    forms = (FormParity(form="onnx", points=(point("sequence", math.inf, 1e-5),)), FormParity(form="torch", points=()))
    broken = msgspec.structs.replace(proof, parity=msgspec.structs.replace(REPORT, forms=forms))
    assert card_of(manifest, proof=broken).keys["model-index"] == [{"name": "tiny", "results": []}]


def test_a_card_with_all_that_was_measured_is_read_back(sample: tuple[Manifest, Proof]) -> None:
    manifest, proof = sample
    evil = "x\n## Evil\n{{ y }}{:.z}<script>|`"
    full = msgspec.structs.replace(
        proof,
        results=(Result(text=evil, words=(evil,), vectors=((0.5,),)),),
        benchmarks=(Benchmark(form=evil, size=1, load=0.1, speed=1, threads=1),),
        machine={evil: evil},
        tools={evil: evil},
        parity=msgspec.structs.replace(REPORT, oracle=evil, inputs=(evil,)),
    )
    card = card_of(manifest, proof=full)
    assert read_card(write_post(card), "post.md") == card
    assert write_readme(read_card(write_readme(card), "README.md")) == write_readme(card)
    assert [section.title for section in card.sections][:3] == ["Results", "Parity", "Benchmarks"]


@pytest.mark.parametrize(("count", "told"), [(900, "0.9 KB"), (84_312_000, "84.3 MB"), (1_340_000_000, "1,340.0 MB")])
def test_sizes_as_the_founding_cards_have_them(count: int, told: str) -> None:
    assert size(count) == told
