"""``wellread fetch`` and ``wellread embed``: the consumer's commands."""

from __future__ import annotations

import sys
from typing import Any

import click
import numpy as np

from wellread import loader
from wellread.cli.options import (
    form_option,
    hub_option,
    json_option,
    lang_option,
    lock_option,
    print_json,
    refresh_option,
    trust_option,
    version_option,
)
from wellread.registry.resolve.lockfile import read_lock


@click.command(name="fetch")
@click.argument("names", nargs=-1, metavar="NAME…")
@lang_option
@form_option
@version_option
@refresh_option
@trust_option
@lock_option
@hub_option
@json_option
def fetch(names: tuple[str, ...], lock: str | None, lang: str, as_json: bool, **where: Any) -> None:
    """Bring models' files into the cache and print their folders; with --lock exactly those of a lock file.

    \b
    wellread fetch small_bert_L8_512 --form torch
    wellread fetch --lock                             everything in ./wellread.lock
    wellread fetch small_bert_L8_512 --lock models.lock
    """
    if not names and lock is None:
        raise click.UsageError("give a NAME, or --lock for everything that is in wellread.lock")
    wanted = [(name, lang) for name in names] or [(each.name, each.language) for each in read_lock(str(lock)).models]
    folders = [(name, str(loader.fetch(name, lang, lock=lock, **where))) for name, lang in wanted]
    if as_json:
        answers = [{"name": name, "path": folder} for name, folder in folders]
        return print_json(answers[0] if len(names) == 1 else answers)
    for _, folder in folders:
        click.echo(folder)
    return None


@click.command(name="embed")
@click.argument("name")
@click.argument("texts", nargs=-1, required=True, metavar="(TEXT… | -)")
@click.option("--output-level", type=click.Choice(["sentence", "token"]), default="sentence", show_default=True)
@click.option("--normalize", is_flag=True, help="Scale every vector to length 1.")
@lang_option
@form_option
@version_option
@refresh_option
@trust_option
@lock_option
@hub_option
@json_option
def embed(
    name: str, texts: tuple[str, ...], output_level: str, normalize: bool, as_json: bool, lang: str, **where: Any
) -> None:
    """Print the vectors of texts: their first numbers, or with --json all of them. - reads a text a line from stdin.

    \b
    wellread embed small_bert_L8_512 "I love NLP" --output-level token
    wellread embed small_bert_L8_512 - --json < texts.txt
    """
    texts = _lines() if texts == ("-",) else texts
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


def _lines() -> tuple[str, ...]:
    """The texts on stdin, UTF-8 whatever the terminal speaks, one a line."""
    text = sys.stdin.buffer.read().decode("utf-8", errors="replace")
    return tuple(line.rstrip("\r") for line in text.removesuffix("\n").split("\n")) if text else ()


def _leading(vector: np.ndarray) -> str:
    return "[" + ", ".join(f"{number: .6f}" for number in vector[:4]) + ", …]"
