"""Recipes: what is taken, what is refused and how it is said, and the ones that come with the package."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from wellread.converters import recipe
from wellread.converters.recipe import Golden, Recipe
from wellread.converters.sources import MODULES, Source, fetcher, parse_source
from wellread.errors import BadInput, NotFound
from wellread.registry.names import ArtifactName, Lang, ModelName, ReleaseId, Version

MINIMAL = """\
name: my_bert
language: no
title: Mine
description: A model of mine.
license: apache-2.0
sources: [./module]
"""
FULL = Recipe(
    name=ModelName("my_bert"),
    language=Lang("zh-Hans"),
    title="Mine: the 'quoted' #1",
    license="Apache-2.0 OR MIT",
    description="Line one\n\nand – ünïcode 中文, no, 1.0",
    annotator="BertSentenceEmbeddings",
    supported=True,
    tags=("a", "yes", "1e3"),
    aliases=("zh.embed.mine",),
    library_version="2.10.0",
    spark_version="3.0",
    time=1598344705269,
    dimension=32,
    max_length=128,
    architecture={"heads": 4, "norm_eps": 1e-12, "activation": "gelu_erf", "cased": False},
    pooling="auto",
    forms=("onnx",),
    examples=("null", "- dash"),
    sources=(
        Source(kind="pypi", location="A==1.0/b/c", sha256="0" * 64, files={"vocab.txt": "a" * 64}),
        Source(kind="hf", location="org/name@main"),
    ),
    goldens=(
        Golden(level="sentence", text="I love NLP", first=(0.1, -1e-05, 2.0), tolerance=0.001),
        Golden(level="token", text="I love NLP", word="NLP", first=(0.5,)),
        Golden(level="token", ids=(101, 102), position=0, first=(0.5,)),
        Golden(level="pooled", ids=(101, 102), first=(1.0,)),
    ),
)


def problems(text: str) -> str:
    with pytest.raises(BadInput) as caught:
        recipe.parse(text, "mine.yaml")
    return str(caught.value)


def test_a_minimal_recipe_has_the_defaults() -> None:
    found = recipe.parse(MINIMAL)
    assert (found.language, found.license) == ("no", "Apache-2.0"), "text is read as it stands; licences are normalised"
    assert (found.library_version, found.spark_version, found.pooling) == ("2.6.0", "2.4", "mean")
    assert found.forms == ("torch", "onnx", "onnx-int8")
    assert (found.time, found.max_length, found.dimension) == (None, None, None)
    assert found.sources == (Source(kind="folder", location="./module"),)


def test_what_is_rendered_is_read_back() -> None:
    assert recipe.parse(recipe.render(FULL)) == FULL
    assert recipe.parse(recipe.render(recipe.parse(MINIMAL))) == recipe.parse(MINIMAL)


def test_what_is_not_said_is_not_rendered() -> None:
    assert not re.search(r"goldens|examples|time|supported|architecture", recipe.render(recipe.parse(MINIMAL)))


def test_versions_need_no_quotes() -> None:
    assert recipe.parse(MINIMAL + "spark_version: 3.10\n").spark_version == "3.10"


def test_the_digest_is_of_what_is_said_not_how() -> None:
    first = recipe.parse(MINIMAL)
    again = recipe.parse("# a comment\npooling: mean\n" + "".join(reversed(MINIMAL.splitlines(keepends=True))))
    assert first.digest() == again.digest()
    assert msgspec.structs.replace(first, title="Other").digest() != first.digest()


def test_every_problem_is_named_at_once_with_its_line() -> None:
    said = problems(
        """\
nmae: my_bert
language: English
title: [a, b]
license: Apache
annotator: BertEmbedding
supported: perhaps
library_version: 2.06
time: 1598344705
dimension: many
pooling: max
forms: [onnx, onnx-int4, onnx]
aliases: [en.a, en.a, "with space"]
sources:
  - tfhab:https://tfhub.dev/x/1
  - pypi:NAME/FOLDER
  - location: https://host/file.zip
    sha256: abc
    files: {../vocab.txt: 00}
  - sha256: abc
goldens:
  - {text: I love NLP, word: hate, level: token, first: [0.1]}
  - {text: I love NLP, ids: [101], level: pooled, first: []}
  - {level: word, first: [.nan]}
"""
    )
    expected = {
        1: ["'nmae' is no key of a recipe. Did you mean 'name'?", "name is missing"],
        2: ["'English' is not a language code"],
        3: ["title is to be a text"],
        4: ["'Apache' is not an SPDX licence"],
        5: ["Did you mean 'BertEmbeddings'"],
        6: ["supported is to be true or false"],
        7: ["'2.06' is not a version"],
        8: ["time is to be a whole number of milliseconds"],
        9: ["dimension is to be a whole number"],
        10: ["'max' is not one of mean, mean-words, cls, pooler, pooler-linear, auto"],
        11: ["Did you mean 'onnx-int8'", "names 'onnx' twice"],
        12: ["names 'en.a' twice", "'with space' is not a reference"],
        14: ["unknown scheme 'tfhab'. Did you mean 'tfhub'?"],
        15: ["is not of the form pypi:NAME==VERSION/FOLDER"],
        17: ["'abc' is not a sha256"],
        18: ["'../vocab.txt' is not a path inside the source"],
        19: ["location is missing"],
        21: ["'hate' is not in the text"],
        22: ["first needs an item at least"],
        23: ["'word' is not one of token, sentence, pooled", "first[0] is to be a number"],
    }
    lines = said.splitlines()
    assert re.fullmatch(r"mine.yaml has \d+ problems:", lines[0])
    for line, texts in expected.items():
        for text in texts:
            assert any(said.startswith(f"  line {line}: ") and text in said for said in lines), (line, text, said)


def test_goldens_that_contradict_themselves() -> None:
    said = problems(
        MINIMAL
        + """\
goldens:
  - {text: a b, ids: [1], level: pooled, first: [1]}
  - {level: sentence, first: [1]}
  - {text: a b, level: token, first: [1]}
  - {text: a b, level: token, word: a, position: 1, first: [1]}
  - {text: a b, level: sentence, word: a, first: [1]}
  - {ids: [1], level: token, word: a, first: [1]}
"""
    )
    for index, text in enumerate(
        [
            "give either text or ids",
            "give either text or ids",
            "level token needs either word or position",
            "level token needs either word or position",
            "word and position are for level token",
            "word needs text",
        ]
    ):
        assert f"goldens[{index}]: {text}" in said


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ("pooling: auto\n", "no golden of level sentence"),
        ("dimension: 1\ngoldens: [{text: a, level: pooled, first: [1, 2]}]\n", "more floats than the dimension"),
        ("goldens: [{text: a, level: pooled, first: [1], tolerance: 0}]\n", "above 0"),
        ("title: Twice\n", "the key 'title' twice"),
        ("license:\n", "twice"),
        ("tags: one\n", "tags is to be a list"),
        ("? [a]\n: b\n", "a key that is no text"),
    ],
)
def test_what_does_not_fit_together(more: str, text: str) -> None:
    assert text in problems(MINIMAL + more)


def test_an_empty_value_counts_as_missing() -> None:
    assert "license is missing" in problems(MINIMAL.replace("apache-2.0", ""))
    assert "license is missing" in problems(MINIMAL.replace("apache-2.0", "''"))


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (BOMB, "line 1: anchors and aliases"),
        ("name: *a\n", "line 1: anchors and aliases"),
        ("name: !!python/object/apply:os.system [ls]\n", "line 1: tags"),
        ("a: " + "[" * 5000 + "]" * 5000, "nested deeper"),
        ("a: b\n c: d\n", "not YAML, line 2"),
        ("a: \x07\n", "not YAML"),
        ("name: " + "x" * 2**20, "larger than"),
        ("", "it is empty"),
        ("- a\n- b\n", "a recipe is to be a mapping"),
        ("just text", "a recipe is to be a mapping"),
        ("a: 1\n---\nb: 2\n", "not YAML"),
    ],
)
def test_what_is_no_recipe_is_refused_whole(text: str, why: str) -> None:
    said = problems(text)
    assert said.startswith("mine.yaml")
    assert why in said


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="UTF-8"):
        recipe.load(tmp_path / "r.yaml")


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no recipe at"):
        recipe.load(str(tmp_path / "r.yaml"))


def test_an_unknown_name_lists_near_misses() -> None:
    with pytest.raises(NotFound, match=r"'small_bert_L8_521' is not a built-in recipe.*'small_bert_L8_512'"):
        recipe.load("small_bert_L8_521")
    with pytest.raises(NotFound, match=r"\(de\) is not a built-in recipe\. It is there in: en$"):
        recipe.load("small_bert_L8_512", "de")
    with pytest.raises(NotFound, match="See: wellread recipes list"):
        recipe.load("zzz")


@pytest.mark.parametrize("text", ["Apache-2.0 AND", "", "(", "Apache 2", "NotALicence"])
def test_licences_that_are_none(text: str) -> None:
    with pytest.raises(BadInput, match="is not an SPDX licence"):
        recipe.parse_license(text)


def test_a_licence_of_ones_own() -> None:
    assert recipe.parse_license("LicenseRef-Mine") == "LicenseRef-Mine"


# ---------------------------------------------------------------- sources


@pytest.mark.parametrize(
    ("typed", "kind", "location"),
    [
        ("./module", "folder", "./module"),
        ("/a/b c", "folder", "/a/b c"),
        ("C:\\models\\bert", "folder", "C:\\models\\bert"),
        ("model.tar.gz", "archive", "model.tar.gz"),
        ("../m.ZIP", "archive", "../m.ZIP"),
        ("https://host/m.zip", "archive", "https://host/m.zip"),
        ("tfhub:https://tfhub.dev/g/m/1", "tfhub", "https://tfhub.dev/g/m/1"),
        ("https://tfhub.dev/g/m/1", "tfhub", "https://tfhub.dev/g/m/1"),
        ("kaggle:o/m/tensorFlow2/v/1", "kaggle", "o/m/tensorFlow2/v/1"),
        ("https://www.kaggle.com/models/o/m/tensorFlow2/v/1", "kaggle", "o/m/tensorFlow2/v/1"),
        (
            "https://kaggle.com/models/o/m/frameworks/tensorFlow2/variations/v/versions/2",
            "kaggle",
            "o/m/tensorFlow2/v/2",
        ),
        ("pypi:A.b-c==1.0.post1/x/y", "pypi", "A.b-c==1.0.post1/x/y"),
        ("hf:org/name@v1.0", "hf", "org/name@v1.0"),
        ("https://huggingface.co/org/name", "hf", "org/name"),
        ("https://huggingface.co/org/name/tree/main", "hf", "org/name@main"),
    ],
)
def test_sources_as_they_are_typed(typed: str, kind: str, location: str) -> None:
    source = parse_source(typed)
    assert (source.kind, source.location) == (kind, location)
    assert parse_source(source.typed) == source
    assert str(source) == source.typed, "nothing in it is secret"


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("https://me:pass@host:8080/m.zip?token=abc#part", "https://host:8080/m.zip"),
        ("https://token@host/m.tar.gz", "https://host/m.tar.gz"),
        ("http://a@b:c@host?sig=1/m.zip", "http://host"),
        ("tfhub:https://me:pass@host/g/m/1?key=2", "tfhub:https://host/g/m/1"),
    ],
)
def test_what_may_be_secret_in_an_address_is_kept_and_never_shown(typed: str, shown: str) -> None:
    source = parse_source(typed)
    assert source.typed == typed, "for it is needed to fetch it"
    assert str(source) == shown
    assert source.told == shown.removeprefix("tfhub:")
    written = recipe.parse(recipe.render(msgspec.structs.replace(recipe.parse(MINIMAL), sources=(source,))))
    assert written.sources == (source,)


def test_a_folder_named_like_an_archive_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "model.tar.gz").mkdir()
    assert parse_source(str(tmp_path / "model.tar.gz")).kind == "folder"
    assert parse_source(str(tmp_path / "other.tar.gz")).kind == "archive"


@pytest.mark.parametrize(
    "typed", ["", " ", "a\nb", "s3://bucket/x", "ftp://host/x.zip", "kaggle:a/b", "pypi:a==1/../b", "hf:a", "tfhub:x"]
)
def test_sources_that_are_none(typed: str) -> None:
    with pytest.raises(BadInput, match=r"is not|unknown scheme"):
        parse_source(typed)


def test_every_kind_has_its_module() -> None:
    for kind in MODULES:
        assert callable(fetcher(kind))


# ---------------------------------------------------------------- the built-in recipes

BUILTIN = recipe.builtin()
FAMILY = [(name, lang) for name, lang in BUILTIN if re.fullmatch(r"(sent_)?small_bert_L\d+_\d+", name)]
SIZES = {(layers, hidden) for layers in (2, 4, 6, 8, 10, 12) for hidden in (128, 256, 512, 768)}


@pytest.mark.parametrize(("name", "lang"), BUILTIN)
def test_a_built_in_recipe_is_sound(name: str, lang: str) -> None:
    found = recipe.load(name, lang)
    assert (found.name, found.language) == (name, lang)
    assert found.time is not None
    release = ReleaseId(Version.parse(found.library_version), Version.parse(found.spark_version), found.time)
    artifact = ArtifactName(found.name, found.language, release)
    assert ArtifactName.parse(f"{name}_{lang}_2.6.0_2.4_{found.time}.zip") == artifact
    assert all((found.description, found.author, found.citation, found.data_source, found.aliases, found.examples))
    assert found.goldens or all(source.files for source in found.sources), "by what would the source be known?"


@pytest.mark.parametrize(("name", "lang"), FAMILY)
def test_a_recipe_of_the_family_agrees_with_its_name(name: str, lang: str) -> None:
    found, sentences = recipe.load(name, lang), name.startswith("sent_")
    size = re.search(r"L(\d+)_(\d+)$", name)
    assert size
    layers, hidden = int(size[1]), int(size[2])
    shape = f"L-{layers}_H-{hidden}_A-{hidden // 64}"
    *modules, kaggle, checkpoint = found.sources
    version = modules[-1].location.rpartition("/")[2]
    assert modules[-1] == parse_source(f"https://tfhub.dev/tensorflow/small_bert/bert_en_uncased_{shape}/{version}")
    slug = f"bert-en-uncased-l-{layers}-h-{hidden}-a-{hidden // 64}"
    assert kaggle == parse_source(f"kaggle:tensorflow/bert/tensorFlow2/{slug}/{version}")
    assert checkpoint == parse_source(f"https://storage.googleapis.com/bert_models/2020_02_20/uncased_{shape}.zip")
    legacy = (layers, hidden) == (6, 128)  # its card names another publisher's module
    assert len(modules) == (2 if legacy else 1)
    assert (found.dimension, found.license, found.pooling) == (hidden, "Apache-2.0", "auto" if sentences else "mean")
    assert shape in found.title
    prefix = "en.embed_sentence.small_bert_" if sentences else "en.embed.bert.small_"
    assert found.aliases == (f"{prefix}L{layers}_{hidden}",)
    assert found.annotator == ("BertSentenceEmbeddings" if sentences else "BertEmbeddings")


@pytest.mark.parametrize(("name", "lang"), FAMILY)
def test_a_recipe_of_the_family_has_the_goldens_of_its_card(name: str, lang: str) -> None:
    found, sentences = recipe.load(name, lang), name.startswith("sent_")
    goldens = [(golden.level, golden.text, golden.word) for golden in found.goldens if golden.text in found.examples]
    words = [("token", "I love NLP", word) for word in ("I", "love", "NLP")]
    texts = [("sentence", text, "") for text in ("I hate cancer", "Antibiotics aren't painkiller")]
    assert goldens == (texts if sentences else words)
    assert all(golden.tolerance == 1e-4 and len(golden.first) >= 2 for golden in found.goldens)


def test_the_family_is_whole_and_nothing_is_named_twice() -> None:
    names = {name for name, _ in FAMILY}
    assert names == {f"{prefix}small_bert_L{n}_{h}" for prefix in ("", "sent_") for n, h in SIZES}
    loaded = [recipe.load(name, lang) for name, lang in BUILTIN]
    aliases = Counter(alias for found in loaded for alias in found.aliases)
    times = Counter(found.time for found in loaded)
    firsts = Counter(golden.first for found in loaded for golden in found.goldens)
    assert max(aliases.values()) == max(times.values()) == max(firsts.values()) == 1


def test_the_demonstration_model_is_pinned_file_by_file() -> None:
    found = recipe.load("small_bert_L2_128_bleurt")
    assert {"saved_model.pb", "vocab.txt", "bert_config.json"} <= set(found.sources[0].files)
    assert "en.embed.bert.small_L2_128_bleurt" in found.aliases
