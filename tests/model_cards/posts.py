"""Posts in the founding hub's layout, as its hands have left them: the same facts in the ways that occur there."""

from __future__ import annotations

NAME = "small_bert_L8_512"
ZIP = f"public/models/{NAME}_en_2.6.0_2.4_1598344705269.zip"

FRONT_MATTER = f"""\
layout: model
title: Smaller BERT Embeddings (L-8_H-512_A-8)
author: John Snow Labs
name: {NAME}
date: 2020-08-25
task: Embeddings
language: en
edition: Spark NLP 2.6.0
spark_version: 2.4
tags: [open_source, embeddings, en]
supported: true
annotator: BertEmbeddings
article_header:
  type: cover
use_language_switcher: "Python-Scala-Java"
"""

BUTTONS = f"""\
{{:.btn-box}}
<button class="button button-orange" disabled>Live Demo</button>
<button class="button button-orange" disabled>Open in Colab</button>
[Download](https://hub.example.org/{ZIP}){{:.button.button-orange.button-orange-trans.arr.button-icon}}
[Copy S3 URI](s3://hub/{ZIP}){{:.button.button-orange.button-orange-trans.button-icon.button-copy-s3}}
"""

TABS = f"""\
<div class="tabs-box" markdown="1">

{{% include programmingLanguageSelectScalaPythonNLU.html %}}

```python
embeddings = BertEmbeddings.pretrained("{NAME}", "en") \\
    .setInputCols("sentence", "token")
```

```scala
val embeddings = BertEmbeddings.pretrained("{NAME}", "en")
```

{{:.nlu-block}}
```python
import nlu
nlu.load("en.embed.bert.small_L8_512").predict("I love NLP", output_level="token")
```

</div>
"""

RESULTS = """\
```bash
token\ten_embed_bert_small_L8_512_embeddings
I \t[-0.0785166472196579, -0.22764667868614197, 0....
```
"""

ROWS = {
    "Model Name": NAME,
    "Type": "embeddings",
    "Compatibility": "Spark NLP 2.6.0+",
    "License": "Open Source",
    "Edition": "Official",
    "Input Labels": "[sentence, token]",
    "Output Labels": "[word_embeddings]",
    "Language": "[en]",
    "Dimension": "512",
    "Case sensitive": "false",
}

TABLE = "{:.table-model}\n|---|---|\n" + "".join(f"|{label}:|{value}|\n" for label, value in ROWS.items())


def post(
    *, front_matter: str = FRONT_MATTER, buttons: str = BUTTONS, tabs: str = TABS, table: str = TABLE, more: str = ""
) -> str:
    """The founding card; any part of it can be given in another way."""
    return f"""\
---
{front_matter}---

## Description
A compact encoder of [the family](https://arxiv.org/abs/1908.08962), for machines that are small.

{buttons}
## How to use

{tabs}
{{:.h2_title}}
## Results
{RESULTS}
{{:.model-param}}
## Model Information

{table}
{{:.h2_title}}
## Data Source
The weights come from https://tfhub.dev/tensorflow/small_bert/bert_en_uncased_L-8_H-512_A-8/1
{more}"""
