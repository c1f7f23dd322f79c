"""The three forms of a card, to the byte, and what nothing in a card can do to them."""

from __future__ import annotations

from datetime import date

import pytest
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from wellread.model_cards.card import Button, Card, Section, Tab
from wellread.model_cards.reading import read_card
from wellread.model_cards.writing import write_plain, write_post, write_readme

CARD = Card(
    keys={
        "layout": "model",
        "title": "Tiny",
        "name": "tiny",
        "date": date(2020, 8, 25),
        "task": "Embeddings",
        "language": "en",
        "tags": ["open_source", "en"],
        "article_header": {"type": "cover"},
        "use_language_switcher": "Python-Scala-Java",
    },
    description="Small.",
    buttons=(Button("Live Demo"), Button("Download", "https://hub.org/a.zip"), Button("Copy S3 URI", "s3://hub/a.zip")),
    usage="In short:",
    tabs=(Tab("ONNX Runtime", "import onnxruntime"), Tab("NLU", "import nlu"), Tab("Python", "import wellread")),
    information={"Model Name": "tiny", "Dimension": "32"},
    sections=(Section("Data Source", "The web."), Section("Results", "| a |\n|---|\n| 1 |")),
)

POST = """\
---
layout: model
title: Tiny
name: tiny
date: 2020-08-25
task: Embeddings
language: en
tags: [open_source, en]
article_header:
  type: cover
use_language_switcher: "Python-Scala-Java"
---

## Description

Small.

{:.btn-box}
<button class="button button-orange" disabled>Live Demo</button>
[Download](https://hub.org/a.zip){:.button.button-orange.button-orange-trans.arr.button-icon}
[Copy S3 URI](s3://hub/a.zip){:.button.button-orange.button-orange-trans.button-icon.button-copy-s3}

## How to use

In short:

<div class="tabs-box" markdown="1">

{% include programmingLanguageSelectScalaPythonNLU.html %}

{:.nlu-block}
```python
import nlu
```

```python
import wellread
```

</div>

### ONNX Runtime

```python
import onnxruntime
```

{:.h2_title}
## Results

| a |
|---|
| 1 |

{:.model-param}
## Model Information

{:.table-model}
|---|---|
|Model Name:|tiny|
|Dimension:|32|

{:.h2_title}
## Data Source

The web.
"""

PLAIN = """\
# Tiny

## Description

Small.

- **Download:** <https://hub.org/a.zip>
- **Copy S3 URI:** `s3://hub/a.zip`

## How to use

In short:

### NLU

```python
import nlu
```

### Python

```python
import wellread
```

### ONNX Runtime

```python
import onnxruntime
```

## Results

| a |
|---|
| 1 |

## Model Information

| | |
|---|---|
| Model Name | tiny |
| Dimension | 32 |

## Data Source

The web.
"""


def test_the_founding_layout_to_the_byte() -> None:
    assert write_post(CARD) == POST


def test_plain_markdown_to_the_byte() -> None:
    assert write_plain(CARD) == PLAIN


def test_a_readme_is_front_matter_and_the_plain_form() -> None:
    assert write_readme(CARD) == f"{POST[: POST.index('## Description')]}{PLAIN}"
    read = ModelCard(write_readme(CARD))
    assert (read.data.title, read.data.tags) == ("Tiny", ["open_source", "en"])


def test_what_a_card_has_not_is_not_written() -> None:
    bare = Card(keys={"name": "tiny"})
    assert write_post(bare) == "---\nname: tiny\n---\n\n## Description\n"
    assert write_plain(bare) == "# tiny\n\n## Description\n"


@pytest.mark.parametrize("code", ["```\n`````", "{{ x }}", "{% raw %}", "## Evil", "{:.btn-box}", "</div>", "~~~"])
def test_code_stays_in_its_fence(code: str) -> None:
    card = Card(keys={"name": "tiny"}, tabs=(Tab("Python", code), Tab("Other", code, "bash")))
    for write in (write_post, write_readme):
        assert read_card(write(card), "a.md") == card
    fences = [token.content for token in MarkdownIt().parse(write_plain(card)) if token.type == "fence"]
    assert fences == [f"{code}\n"] * 2


def test_liquid_of_a_card_is_text_in_a_post() -> None:
    evil = "{% include secret %}{{ site.token }}"
    card = Card(
        keys={"name": "tiny"}, description=evil, usage=evil, notes=evil, buttons=(Button(evil), Button(evil, f"s3://{evil}")),
        tabs=(Tab(evil, evil), Tab("Python", evil)), information={evil: evil}, sections=(Section(evil, evil),),
    )  # fmt: skip
    quoted = write_post(card).replace('{{ "{" }}', "")
    assert "{{" not in quoted
    assert quoted.count("{%") == quoted.count("{% include programmingLanguageSelectScalaPythonNLU.html %}") == 1


def test_a_bar_does_not_cut_a_cell_short() -> None:
    card = Card(keys={}, information={"Edition": "a | b \\| <c>"})
    tokens = MarkdownIt("commonmark").enable("table").parse(write_plain(card))
    cells = [tokens[at + 1] for at, token in enumerate(tokens) if token.type == "td_open"]
    assert ["".join(part.content for part in cell.children or ()) for cell in cells] == ["Edition", "a | b \\| <c>"]


def test_a_button_nobody_knows_is_a_link_in_plain_markdown() -> None:
    card = Card(keys={"name": "tiny"}, buttons=(Button("Paper", "https://x.org"), Button("Closed")))
    assert "\n[Paper](https://x.org)\n" in write_plain(card) and "Closed" not in write_plain(card)
    assert "[Paper](https://x.org){:.button.button-orange}\n" in write_post(card)
