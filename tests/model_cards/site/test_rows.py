"""A model in one row: what its latest release says."""

from __future__ import annotations

from tests.registry.samples import TIME, make_manifest, released
from wellread.model_cards.site.hub.models import Model, Published
from wellread.model_cards.site.pages.rows import row_of
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Member, encode


def model(*releases: Published, aliases: tuple[str, ...] | None = None) -> Model:
    return Model(ModelName("tiny"), Lang("en"), releases, aliases)


def test_a_row_says_what_the_latest_release_says() -> None:
    files = tuple(
        Member(name=name, size=size, pieces=())
        for name, size in {
            "config.json": 1,
            "model.safetensors": 1000,
            "onnx/model.onnx": 100,
            "onnx/model_int8.onnx": 10,
            "tokenizer.json": 2,
            "vocab.txt": 3,
        }.items()
    )
    manifest = make_manifest(
        files, title="Tiny BERT", description="## About\n\n**One** `word`. Two.", tags=("a", "b"), aliases=("en.tiny",)
    )
    older = Published(released(time=TIME - 5, state="yanked", why="broken"))
    row = row_of(model(Published(released(serial=2), ("key",), manifest), older))
    assert (row.title, row.summary, row.tasks, row.tags) == ("Tiny BERT", "One word.", ("Embeddings",), ("a", "b"))
    assert row.forms == {"onnx": 106, "onnx-int8": 16, "torch": 1006}
    assert (row.signed, row.aliases, row.dimension, row.license) == (True, ("en.tiny",), 32, "Apache-2.0")
    assert row.path == f"public/models/tiny_en_2.6.0_2.4_{TIME}.zip"
    assert [(step.time, step.state, step.why) for step in row.steps] == [
        (TIME, "ready", ""),
        (TIME - 5, "yanked", "broken"),
    ]


def test_a_row_is_bounded_whatever_a_publisher_writes() -> None:
    texts = dict.fromkeys(("title", "task", "edition", "license", "author"), "x" * 10_000)
    many = dict.fromkeys(("tags", "aliases"), ("y" * 300,) * 10_000)
    line = released(annotator="x" * 10_000, engine="x" * 10_000, why="x" * 10_000)
    row = row_of(model(Published(line, manifest=make_manifest((), description="word " * 10_000, **texts, **many))))
    assert len(encode(row)) < 50_000 and row.title == "x" * 199 + "…"


def test_without_a_manifest_it_says_what_the_index_line_says() -> None:
    row = row_of(model(Published(released(forms=("spark",)), problem="it is gone")))
    assert (row.title, row.summary, row.forms, row.license, row.signed) == ("tiny", "", {"spark": 0}, "", False)
    assert (row.size, row.aliases, row.supported) == (1000, (), False)


def test_the_hub_knows_better_than_the_publisher_what_stands_for_a_model() -> None:
    said = Published(released(), manifest=make_manifest(aliases=("en.tiny",), files=()), problem="")
    assert row_of(model(Published(released(), (), None), aliases=("en.nick",))).aliases == ("en.nick",)
    assert said.manifest and said.manifest.aliases == ("en.tiny",)


def test_steps_are_the_newest_first_whatever_is_taken_by_default() -> None:
    taken, newer = Published(released()), Published(released(time=TIME + 9, state="yanked"))
    assert [step.time for step in row_of(model(taken, newer)).steps] == [TIME + 9, TIME]
