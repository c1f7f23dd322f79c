"""The notebooks that the site offers: sound, the same bytes each time, harmless, and they run."""

from __future__ import annotations

import ast
import html
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import markdown_it
import nbclient
import nbformat
import numpy as np
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from tests.fixtures.tiny import tiny_architecture, tiny_tensors, tiny_vocabulary, write_huggingface
from tests.registry.samples import make_manifest, released
from wellread.model_cards.site.hub.models import Model, Published
from wellread.model_cards.site.pages.notebook import escaped, notebook
from wellread.model_cards.site.places import Site
from wellread.registry.records import FormParity, ParityReport, Proof, Trial

JUPYTERS: Any = nbformat  # has no types
TRANSFORM: Any = TransformerManager
SITE = Site(title="Models of the house")
HOSTILE = (
    '<script>alert(1)</script> <img src=x onerror="alert(1)"> [go](javascript:alert(1)) ![x](http://evil.example/p) '
    "&lt;b&gt; `code` $\\href{javascript:alert(1)}{x}$ \\\\(x\\\\) "
    "https://evil.example www.evil.example me@evil.example\n"
    "# heading\n===\n* item\n\n    code\n\n```\n%pip install evil\n```\n\u202eright to left\x1b[2J"
)


def published(trials: tuple[Trial, ...] | None = None, **fields: Any) -> Model:
    """A model of one release, its proof with these trials, if any."""
    manifest = make_manifest(**fields)
    proof = None if trials is None else _proof(trials)
    return Model(manifest.name, manifest.language, (Published(released(), manifest=manifest, proof=proof),))


def _proof(trials: tuple[Trial, ...]) -> Proof:
    report = ParityReport(oracle="float64", inputs=(), tokens=0, forms=(FormParity(form="onnx", points=()),))
    return Proof(
        artifact="a.zip", sha256="0" * 64, manifest="0" * 64, recipe="0" * 64, source="0" * 64, parity=report,
        tools={}, machine={}, created=1, trials=trials,
    )  # fmt: skip


def read(site: Site, model: Model) -> Any:
    """The notebook as Jupyter reads it, checked against nbformat's schema."""
    raw = notebook(site, model)
    assert raw
    content = JUPYTERS.reads(raw.decode(), as_version=4)
    JUPYTERS.validate(content)
    assert (content.nbformat, content.nbformat_minor) == (4, 5)
    return content


def test_a_reference_that_leads_to_another_model_of_the_hub_is_not_told_to_load() -> None:
    model = published(aliases=("en.embed.tiny",))
    assert "wellread.load('en.embed.tiny')" in code(read(SITE, model))
    assert "wellread.load" not in code(read(SITE, replace(model, aliases=())))


def code(content: Any) -> str:
    return "\n\n".join(cell.source for cell in content.cells if cell.cell_type == "code")


def prose(content: Any) -> str:
    return "\n\n".join(cell.source for cell in content.cells if cell.cell_type == "markdown")


def test_it_is_what_jupyter_itself_would_write_and_the_same_each_time() -> None:
    raw = notebook(SITE, published())
    assert raw == notebook(SITE, published())
    assert raw
    assert raw.decode() == JUPYTERS.writes(JUPYTERS.reads(raw.decode(), as_version=4)) + "\n"
    ids = [cell["id"] for cell in json.loads(raw)["cells"]]
    assert len(set(ids)) == len(ids)


def test_a_release_that_nobody_can_load_has_none() -> None:
    unread = Model(released().name, released().language, (Published(released(), problem="a zip of Spark NLP's"),))
    assert notebook(SITE, unread) is None
    taken_back = Published(released(state="yanked"), manifest=make_manifest())
    assert notebook(SITE, Model(released().name, released().language, (taken_back,))) is None
    forms = make_manifest().forms
    assert notebook(SITE, published(forms={"torch": forms["torch"]})) is None


def test_it_shows_what_the_card_shows() -> None:
    content = read(SITE, published(title="Tiny BERT", description="For tests.", examples=("Guten Tag", "Hallo Welt")))
    assert prose(content).startswith("# Tiny BERT\n\nFor tests.")
    assert "wellread.pretrained('tiny', 'en')" in code(content)
    assert "    'Guten Tag',\n    'Hallo Welt',\n" in code(content)


def test_only_snippets_that_ran_are_in_it() -> None:
    trials = (
        Trial(tab="Python", outcome="passed"),
        Trial(tab="Transformers", outcome="not run"),
        Trial(tab="ONNX Runtime", outcome="passed"),
    )
    content = read(SITE, published(trials))
    assert "## ONNX Runtime" in prose(content) and "## Transformers" not in prose(content)
    assert "AutoModel" not in code(content) and "'transformers'" not in code(content)
    assert "pyspark" not in code(content)
    assert "## Transformers" in prose(read(SITE, published()))


def test_what_snippets_need_is_installed_and_what_is_no_package_is_not() -> None:
    (cell,) = [cell.source for cell in read(SITE, published(aliases=("en.embed.tiny",))).cells if cell.id == "packages"]
    for package in ("pandas", "sentencex", "pyspark", "pyarrow", "onnxruntime"):
        assert f"'{package}': '{package}'" in cell
    assert "java" not in cell


@pytest.mark.parametrize(
    ("site", "said"),
    [
        (Site(title="x", uri="s3://models/house"), "os.environ[\"WELLREAD_HUB\"] = 's3://models/house'"),
        (Site(title="x", uri="", download="https://cdn.example/hub"), "= 'https://cdn.example/hub'"),
        (Site(title="x", address="https://models.example"), "= 'https://models.example'"),
        (
            Site(title="x", address="https://models.example", download="../hub"),
            'HUB = ""  # the hub that this notebook',
        ),
        (Site(title="x"), 'HUB = ""  # the hub that this notebook'),
    ],
)
def test_the_hub_is_the_one_that_a_reader_can_reach(site: Site, said: str) -> None:
    assert said in code(read(site, published()))


def test_where_nobody_knows_the_hub_the_reader_is_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the environment names it; what the reader writes is taken before that."""
    (cell,) = [cell.source for cell in read(Site(title="x"), published()).cells if cell.id == "hub"]
    monkeypatch.delenv("WELLREAD_HUB", raising=False)
    with pytest.raises(ValueError, match="write the folder or the address of this notebook's hub in HUB"):
        exec(cell, {})
    monkeypatch.setenv("WELLREAD_HUB", "https://environment.example")
    exec(cell, {})
    assert os.environ["WELLREAD_HUB"] == "https://environment.example"
    exec(cell.replace('HUB = ""', 'HUB = "https://written.example"'), {})
    assert os.environ["WELLREAD_HUB"] == "https://written.example"


def test_what_reads_the_hub_is_installed_where_it_is_missing() -> None:
    assert "'wellread': 'wellread[cloud]'" in code(read(Site(title="x", uri="s3://models"), published()))
    assert "'wellread': 'wellread'" in code(read(Site(title="x", uri="https://models.example"), published()))


def test_a_strangers_text_stays_text() -> None:
    manifest = make_manifest(title=f"A\n{HOSTILE}", description=HOSTILE, examples=(HOSTILE, "'''); evil(", "%pip x"))
    model = Model(manifest.name, manifest.language, (Published(released(), manifest=manifest),))
    content = read(SITE, model)
    page = (
        markdown_it.MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(prose(content))
    )
    assert set(re.findall(r"<(\w+)", page)) == {"h1", "h2", "p"}
    assert not re.search(r"[$\x1b\u202e]|\\\\\(", prose(content))
    for cell in content.cells:
        if cell.cell_type == "code" and cell.id != "packages":
            assert TRANSFORM().transform_cell(cell.source) == f"{cell.source}\n", "no magic"
            names = {node.id for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)}
            assert "evil" not in names


@pytest.mark.parametrize(
    "text",
    [
        *(
            "I love NLP. It's 100% good?",
            "naïve 日本",
            "a.b/c, d; e",
            "BLEURT-tiny: (L-2) = 1 + 1!",
            "small_bert_L2_128",
        ),
        *("3.5 million", "-5 degrees", "a - b", "1-2"),
    ],
)
def test_plain_prose_is_left_alone(text: str) -> None:
    assert escaped(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *(
            "- item",
            "+ item",
            "1. item",
            "12) item",
            "- - -",
            "---",
            "-",
            "_a_ __b__ x_",
            "a _b_",
            "===",
            "!(x)",
            "![x](y)",
        ),
        *(
            "https://evil.example",
            "# heading",
            "C #",
            "| a | b |",
            "&amp; &lt;",
            "\\begin{x}",
            "a\\*b",
            "[x]: y",
            "~~a~~",
        ),
    ],
)
def test_whatever_markdown_would_take_is_shown_as_it_is(text: str) -> None:
    as_jupyter = markdown_it.MarkdownIt("gfm-like", {"html": True, "linkify": False})
    assert as_jupyter.render(escaped(text)) == f"<p>{html.escape(text, quote=False)}</p>\n"
    assert as_jupyter.render(f"# {escaped(text, line=True)}") == f"<h1>{html.escape(text, quote=False)}</h1>\n"


# ---------------------------------------------------------------- run


@pytest.mark.press
@pytest.mark.heavy
@pytest.mark.usefixtures("with_java")
def test_it_runs_from_the_first_cell_to_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spark too: a model that was really pressed, in a real kernel, with the hub as the environment names it."""
    from wellread.converters.recipe import Recipe
    from wellread.converters.sources import Source
    from wellread.converters.workbench import Workbench
    from wellread.press import press
    from wellread.registry.hub.index import read_releases
    from wellread.registry.hub.publish import publish
    from wellread.registry.names import Lang, ModelName
    from wellread.registry.stores import open_store

    shape = tiny_architecture()
    write_huggingface(tmp_path / "source", shape, tiny_tensors(shape), tiny_vocabulary())
    recipe = Recipe(
        name=ModelName("tiny"), language=Lang("en"), title="Tiny", description="A test.", license="Apache-2.0",
        time=1598344705269,
        sources=(Source(kind="folder", location=str(tmp_path / "source")),),
        examples=("I love NLP", "the quick brown fox"),
        aliases=("en.embed.tiny",),
    )  # fmt: skip
    pressed = press(recipe, tmp_path / "dist", Workbench(tmp_path / "work"), for_hub=True)
    publish(pressed.artifact, pressed.proof, tmp_path / "hub")
    (release,) = read_releases(open_store(tmp_path / "hub"), recipe.name)
    model = Model(recipe.name, recipe.language, (Published(release, manifest=pressed.manifest),))

    monkeypatch.setenv("WELLREAD_HUB", str(tmp_path / "hub"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    content = read(SITE, model)
    nbclient.NotebookClient(content, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert {"python", "nlu", "spark"} <= {cell.id for cell in content.cells}
    (similarity,) = [cell for cell in content.cells if cell.id == "similarity"]
    (shown,) = similarity.outputs
    table = np.array(ast.literal_eval(re.sub(r"array\(|,\s*dtype=\w+|\)", "", shown.data["text/plain"])))
    assert table.shape == (2, 2)
    np.testing.assert_allclose(np.diag(table), 1, atol=1e-3)
    assert "pip" not in "".join(str(output) for cell in content.cells for output in cell.get("outputs", []))
