"""``wellread fetch`` and ``wellread embed``: the consumer's commands."""

from __future__ import annotations

from typing import Any

import click
import numpy as np

from wellread import loader
from wellread.cli.options import (
    form_option,
    hub_option,
    json_option,
    lang_option,
    print_json,
    refresh_option,
    version_option,
)


@click.command(name="fetch")
@click.argument("name")
@lang_option
@form_option
@version_option
@refresh_option
@hub_option
@json_option
def fetch(name: str, as_json: bool, **where: Any) -> None:
    """Bring a model's files into the cache and print their folder.

    \b
    wellread fetch small_bert_L8_512 --form torch
    """
    folder = loader.fetch(name, **where)
    if as_json:
        return print_json({"name": name, "path": str(folder)})
    return click.echo(folder)


@click.command(name="embed")
@click.argument("name")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT…")
@click.option("--output-level", type=click.Choice(["sentence", "token"]), default="sentence", show_default=True)
@click.option("--normalize", is_flag=True, help="Scale every vector to length 1.")
@lang_option
@form_option
@version_option
@refresh_option
@hub_option
@json_option
def embed(
    name: str, texts: tuple[str, ...], output_level: str, normalize: bool, as_json: bool, lang: str, **where: Any
) -> None:
    """Print the vectors of texts: their first numbers, or with --json all of them.

    \b
    wellread embed small_bert_L8_512 "I love NLP" --output-level token
    """
    model = loader.pretrained(name, lang, **where)
    if output_level == "token":
        found = model.encode(list(texts), output_level="token", normalize=normalize)
        rows = [
            {"text": text, "token": word, "vector": vector}
            for text, tokens in zip(texts, found, strict=True)
            for word, vector in zip(tokens.words, tokens.vectors, strict=True)
        ]
    else:
        vectors = model.encode(list(texts), normalize=normalize)
        rows = [{"text": text, "vector": vector} for text, vector in zip(texts, vectors, strict=True)]
    if as_json:
        return print_json([{**row, "vector": row["vector"].tolist()} for row in rows])
    for row in rows:
        click.echo(f"{row.get('token', row['text']):<16}  {_leading(row['vector'])}  ({model.dimension},)")
    return None


def _leading(vector: np.ndarray) -> str:
    return "[" + ", ".join(f"{number: .6f}" for number in vector[:4]) + ", …]"
