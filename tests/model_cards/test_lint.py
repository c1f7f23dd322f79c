"""What ``lint`` says of a card, and on which line: a sound post of the founding hub with one thing wrong at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from tests.registry.samples import make_manifest
from wellread.model_cards.lint import MOST, Problem, lint
from wellread.model_cards.lint.checked import MOST_LINKS
from wellread.model_cards.reading import read_card
from wellread.registry.names import ArtifactName, Lang, ModelName
from wellread.registry.records import Manifest

FILE = "_posts/2020-08-25-small_bert_L8_512_en.md"
ZIP = "small_bert_L8_512_en_2.6.0_2.4_1598344705269.zip"
POST = f"""\
---
layout: model
title: Smaller BERT Embeddings (L-8_H-512_A-8)
author: John Snow Labs
name: small_bert_L8_512
date: 2020-08-25
task: Embeddings
language: en
edition: Spark NLP 2.6.0
spark_version: 2.4
tags: [embeddings, en, open_source]
supported: true
annotator: BertEmbeddings
article_header:
type: cover
use_language_switcher: "Python-Scala-Java"
---

## Description
One of the smaller models.

{{:.btn-box}}
<button class="button button-orange" disabled>Live Demo</button>
[Download](https://models.example.org/public/models/{ZIP}){{:.button.button-orange}}

## How to use

<div class="tabs-box" markdown="1">
{{% include programmingLanguageSelectScalaPythonNLU.html %}}

```python
## not a heading
sentences = SentenceDetectorDLModel.pretrained("sentence_detector_dl", "xx")
embeddings = BertEmbeddings.pretrained("small_bert_L8_512", "en")
```
```scala
val embeddings = BertEmbeddings.pretrained("small_bert_L8_512", "en")
```

{{:.nlu-block}}
```python
nlu.load("en.embed.bert.small_L8_512").predict("I love NLP")
```
</div>

{{:.model-param}}
## Model Information

{{:.table-model}}
|---|---|
|Model Name:|small_bert_L8_512|
|Compatibility:|Spark NLP 2.6.0+|
|License:|Open Source|
|Edition:|Official|
|Language:|[en]|
|Dimension:|512|
|Case sensitive:|false|

## Data Source
Books.
"""


def linted(text: str, where: str = FILE, **held_against: Any) -> list[Problem]:
    return lint(read_card(text, where), text, where, **held_against)


def changed(old: str, new: str) -> tuple[str, str]:
    """The post with its one ``old`` made ``new``, and the line that this stands on."""
    assert POST.count(old) == 1, f"{POST.count(old)} times {old!r}"
    return POST.replace(old, new), str(POST[: POST.index(old)].count("\n") + 1)


def the_manifest(**fields: Any) -> Manifest:
    facts: dict[str, Any] = {
        "name": ModelName("small_bert_L8_512"),
        "edition": "Official",
        "dimension": 512,
        "aliases": ("en.embed.bert.small_L8_512",),
    }
    return make_manifest(**(facts | fields))


def test_a_sound_post_has_no_problem() -> None:
    assert linted(POST) == []
    assert linted(POST, listed=lambda _: True) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("task: Embeddings\n", "task:\n", "'task' is empty"),
        ("layout: model", "layout: page", "layout: page is not 'model'"),
        ("language: en\n", "language: English\n", "language: English is not a language code"),
        ("date: 2020-08-25", "date: last summer", "date: last summer is not a day such as 2020-08-25"),
        ("edition: Spark NLP 2.6.0", "edition: Spark NLP", "edition: Spark NLP is not an edition with its version"),
        ("spark_version: 2.4", "spark_version: two", "spark_version: two is not a version"),
        ("tags: [embeddings, en, open_source]", "tags: embeddings", "tags: embeddings is not a list of words"),
        ("supported: true", "supported: maybe", "supported: maybe is not true or false"),
        ("annotator: Bert", "anotator: Bert", "no key is called 'anotator'. Did you mean 'annotator'?"),
        ("supported: true", "task: Other\nsupported: true", "'task' is there twice"),
        ("supported: true", "license: Apache 2", "license: Apache 2 is no SPDX expression"),
        ("supported: true", "deprecated: true", "it is deprecated, and nowhere says why"),
        ("supported: true", "recommended: true\ndeprecated: use another", "it is recommended and deprecated"),
        ("## Data Source\nBooks.\n", "## Data Source\n", "the section 'Data Source' is empty"),
        ("## Description\nOne of the smaller models.\n", "## Description\n", "the section 'Description' has no text"),
        ("|Dimension:", "|Dimensoin:", "the row 'Dimensoin' is spelled 'Dimension'"),
        ("## Model Information", "## Model infomation", "the section 'Model infomation' is spelled"),
        ("|small_bert_L8_512|", "|small_bert_L8_521|", "but it says 'small_bert_L8_521' in Model Information"),
        ("|small_bert_L8_512|", "|small_bert_ L8_512|", "'small_bert_ L8_512' has a stray space in Model Information"),
        ('val embeddings = BertEmbeddings.pretrained("small_bert_L8_512", "en")',
         'val embeddings = BertEmbeddings.pretrained("small_bert_L2_128", "en")', "the snippet 'Scala'"),
        ('val embeddings = BertEmbeddings.pretrained("small_bert_L8_512", "en")',
         'val embeddings = BertEmbeddings.pretrained("small_bert_L8_512 ", "en")', "has a stray space in the snippet"),
        ('val embeddings = BertEmbeddings.pretrained("small_bert_L8_512", "en")',
         'val embeddings = BertEmbeddings.pretrained("small_bert_L8_512", "de")',
         "the snippet 'Scala' asks for the language 'de', the card is in en"),
        ("|512|", "|768|", "Dimension is 768 here, 512 in the title"),
        ("|Language:|[en]|", "|Language:|[de]|", "Language is [de] here, en in the front matter"),
        (ZIP, "model.zip", "'model.zip' is not an artifact's name"),
        (ZIP, ZIP.replace("L8", "L2"), "its link leads to 'small_bert_L2_512'"),
        (ZIP, ZIP.replace("_en_", "_de_"), "the link leads to the language 'de', the card is in en"),
        ("spark_version: 2.4", "spark_version: 3.0", "spark_version is 3.0 here, 2.4 in its artifact"),
        ("edition: Spark NLP 2.6.0", "edition: Spark NLP 3.1.0", "edition is of version 3.1.0 here, 2.6.0 in its"),
        ("date: 2020-08-25", "date: 2019-08-25", "the date is 2019-08-25, its artifact was made on 2020-08-25"),
        ("date: 2020-08-25", "date: 2020-08-26", "the date is 2020-08-26, its file says 2020-08-25"),
    ],
)  # fmt: skip
def test_one_thing_that_is_wrong_is_said_with_its_line(old: str, new: str, message: str) -> None:
    text, line = changed(old, new)
    said = [problem for problem in linted(text) if message in problem.message]
    assert said, linted(text)
    assert [str(problem) for problem in said] == [f"{FILE}:{line}: {said[0].message}"]


@pytest.mark.parametrize("key", ["layout", "title", "author", "name", "date", "task", "language", "edition", "tags"])
def test_a_key_that_every_card_needs_is_missed(key: str) -> None:
    text = "".join(line for line in POST.splitlines(keepends=True) if not line.startswith(f"{key}:"))
    assert Problem(FILE, 1, f"the front matter has no {key!r}") in linted(text)


@pytest.mark.parametrize("title", ["Description", "How to use", "Model Information"])
def test_a_section_that_every_card_needs_is_missed(title: str) -> None:
    before, after = POST.split(f"## {title}\n")
    text = before + after.partition("\n## ")[2].join(["## ", ""])
    assert Problem(FILE, 1, f"there is no section {title!r}") in linted(text)


def test_a_file_without_front_matter_is_told_once() -> None:
    assert [problem.message for problem in linted("# A title\n\nText.\n") if "front matter" in problem.message] == [
        "there is no front matter: YAML between two lines of ---"
    ]


def test_a_moment_in_seconds_is_said() -> None:
    text, _ = changed(ZIP, ZIP.replace("269.", "."))
    told = "the moment in its artifact's name, 1598344705, is not in milliseconds since 1970"
    assert [problem.message for problem in linted(text)] == [told]


def test_the_name_says_a_dimension_too() -> None:
    text, line = changed("|512|", "|768|")
    told = f"{FILE}:{line}: Dimension is 768 here, 512 in the name"
    assert [str(problem) for problem in linted(text.replace(" (L-8_H-512_A-8)", ""))] == [told]


def test_an_uncased_model_is_not_sensitive_to_case() -> None:
    text = POST.replace("small_bert_L8_512", "uncased_bert_L8_512").replace("|false|", "|true|")
    assert any("Case sensitive is true here, false by its name" in problem.message for problem in linted(text))


def test_a_reason_for_its_deprecation_may_stand_in_the_prose() -> None:
    text = POST.replace("supported: true", "deprecated: true").replace("One of", "Deprecated: take L8_768. One of")
    assert linted(text) == []


def test_a_dead_link_is_found_in_the_hub() -> None:
    asked: list[ArtifactName] = []

    def listed(artifact: ArtifactName) -> bool:
        asked.append(artifact)
        return False

    assert [problem.message for problem in linted(POST, listed=listed)] == [f"the hub has no {ZIP}: the link is dead"]
    assert asked == [ArtifactName.parse(ZIP)]


def test_no_hub_is_asked_for_all_the_links_that_a_file_can_hold() -> None:
    asked: list[ArtifactName] = []

    def listed(artifact: ArtifactName) -> bool:
        asked.append(artifact)
        return True

    more = "".join(f"[Download](https://h.org/{ZIP.replace('269', f'{at:03}')}){{:.button}}\n" for at in range(1000))
    linted(POST.replace("[Download]", f"{more}[Download]"), listed=listed)
    assert len(asked) == MOST_LINKS


def test_a_model_of_several_languages_is_had_as_xx() -> None:
    text = POST.replace("language: en\n", "language: [en, de]\n").replace("[en]|", "[de, en]|")
    text = text.replace("_en_2.6", "_xx_2.6").replace('512", "en")', '512", "xx")')
    assert linted(text, "card.md") == []


@pytest.mark.parametrize(
    ("fields", "message", "where"),
    [
        ({"dimension": 768}, "Dimension is 512 here, 768 in the manifest", "|Dimension"),
        ({"language": Lang("de")}, "language is en here, de in the manifest", "language:"),
        ({"language": Lang("de")}, "Language is [en] here, de in the manifest", "|Language"),
        ({"name": ModelName("other")}, "name is small_bert_L8_512 here, other in the manifest", "name:"),
        ({"spark_version": "3.0"}, "spark_version is 2.4 here, 3.0 in the manifest", "spark_version:"),
        ({"annotator": "BertSentenceEmbeddings"}, "annotator is BertEmbeddings here", "annotator:"),
        ({"edition": "Community"}, "Edition is Official here, Community in the manifest", "|Edition"),
        ({"aliases": ("en.embed.bert",)}, "'en.embed.bert.small_L8_512' is no reference of this model", "nlu.load"),
    ],
)
def test_what_differs_from_the_manifest_is_said(fields: dict[str, Any], message: str, where: str) -> None:
    line = next(n for n, line in enumerate(POST.splitlines(), 1) if line.startswith(where))
    text = POST.replace(
        "edition: Spark NLP 2.6.0", "edition: Community" if "edition" in fields else "edition: Official"
    )
    said = {problem.line: problem.message for problem in linted(text, manifest=the_manifest(**fields))}
    assert message in said.get(line, ""), said


def test_what_agrees_with_the_manifest_is_not_said() -> None:
    text = POST.replace("edition: Spark NLP 2.6.0", "edition: Official")
    assert linted(text, manifest=the_manifest()) == []


@pytest.mark.parametrize(
    ("spdx", "key", "row", "problems"),
    [
        ("Apache-2.0", "apache-2.0", "Apache-2.0", 0),
        ("GPL-2.0-only", "gpl-2.0", "GPL-2.0-only", 0),
        ("Apache-2.0", "mit", "Apache-2.0", 2),
        ("Apache-2.0", "apache-2.0", "MIT", 2),
        ("LicenseRef-house", "other\nlicense_name: LicenseRef-house", "LicenseRef-house", 0),
        ("LicenseRef-house", "other\nlicense_name: LicenseRef-other", "LicenseRef-house", 2),
        ("MIT", "mit", "Open Source", 0),
    ],
)
def test_a_licence_is_the_same_wherever_it_is_named(spdx: str, key: str, row: str, problems: int) -> None:
    text = POST.replace("supported: true", f"license: {key}\nsupported: true").replace("Open Source|", f"{row}|")
    text = text.replace("edition: Spark NLP 2.6.0", "edition: Official")
    assert len(linted(text, manifest=the_manifest(license=spdx))) == problems


def test_a_machine_without_the_list_of_licences_takes_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellread.model_cards.lint.front_matter._licensing", lambda: None)
    assert linted(POST.replace("supported: true", "license: Apache 2")) == []


def test_problems_come_in_the_order_of_the_lines() -> None:
    text = (
        POST.replace("layout: model", "layout: page")
        .replace("|512|", "|768|")
        .replace("Books.\n", "")
        .replace("task: E", "tusk: E")
    )
    lines = [problem.line for problem in linted(text)]
    assert lines == sorted(lines) and len(lines) >= 5


def test_a_card_that_is_none_is_not_told_without_end() -> None:
    text = POST + "".join(f"## {n}\n" for n in range(5 * MOST))
    assert len(linted(text)) == MOST


@pytest.mark.parametrize("odd", ["\r\n", "\r"])
def test_lines_are_counted_whatever_ends_them(odd: str) -> None:
    text, line = changed("|512|", "|768|")
    assert {str(problem.line) for problem in linted(text.replace("\n", odd))} == {line}


@pytest.mark.parametrize("break_it", [str.upper, lambda text: text[:700], lambda text: text.replace("|", "")])
def test_whatever_can_be_read_can_be_checked(break_it: Callable[[str], str]) -> None:
    text = break_it(POST)
    card = read_card(text, FILE)
    assert lint(card, text, FILE)
    assert lint(dataclasses.replace(card, keys={}), "", FILE)
