"""``wellread embed``: the vectors of a few texts on the terminal, or of files into a folder."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from wellread import loader
from wellread.bulk import check_installed
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
from wellread.cli.plain import plain

if TYPE_CHECKING:
    from wellread.bulk.run import Engine, Summary
    from wellread.runtime.model import Model

_HOW = {"column": "--column", "keep": "--id", "into": "--into", "long": "--long", "rows": "--rows"}
"""How files become parts: field of ``bulk.plan.Options`` → option."""
_WHERE = {"output": "--output", "engine": "--engine", "master": "--master"}


@click.command(name="embed")
@click.argument("name")
@click.argument("texts", nargs=-1, metavar="(TEXT… | - | --input FILES… --output DIR)")
@click.option("--output-level", type=click.Choice(["sentence", "token"]), default="sentence", show_default=True)
@click.option("--normalize", is_flag=True, help="Scale every vector to length 1.")
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="FILES",
    help="Files to read: parquet, csv, tsv, jsonl, txt. Paths, folders, patterns; s3://, gs:// and az:// too.",
)
@click.option("--output", metavar="DIR", help="Where their vectors go, as parquet: a folder, or s3:// and the like.")
@click.option("--column", metavar="NAME", help="The column that holds the texts.  [default: text]")
@click.option("--id", "keep", multiple=True, metavar="NAME", help="A column to keep. Default: all of them.")
@click.option("--into", metavar="NAME", help="What the column of the vectors is called.  [default: embeddings]")
@click.option(
    "--long",
    type=click.Choice(["truncate", "window"]),
    help="What to do with texts longer than the model takes: read the beginning, or all.  [default: truncate]",
)
@click.option("--rows", type=click.IntRange(min=1), metavar="N", help="Rows of a part.  [default: 8192; 1024 of token]")
@click.option("--engine", type=click.Choice(["local", "spark"]), help="Who does the work.  [default: local]")
@click.option("--master", metavar="URL", help="The master of Spark's cluster. Default: this machine's cores.")
@lang_option
@form_option
@version_option
@refresh_option
@trust_option
@lock_option
@hub_option
@json_option
def embed(
    name: str,
    texts: tuple[str, ...],
    inputs: tuple[str, ...],
    output_level: str,
    normalize: bool,
    as_json: bool,
    lang: str,
    **options: Any,
) -> None:
    """Print the vectors of texts: their first numbers, or with --json all of them. - reads a text a line from stdin.

    With --input the texts of files, whose vectors go to --output, in parts. A run that was stopped goes on there when
    it is started again; _SUCCESS is written last.

    \b
    wellread embed small_bert_L8_512 "I love NLP" --output-level token
    wellread embed small_bert_L8_512 - --json < texts.txt
    wellread embed small_bert_L8_512 --input reviews.parquet --column review --output vectors
    wellread embed small_bert_L8_512 --input 'logs/**/*.jsonl.gz' --id key --output s3://bucket/vectors
    wellread embed small_bert_L8_512 --input s3://bucket/texts --output s3://bucket/vectors --engine spark
    """
    level: dict[str, Any] = {"output_level": output_level, "normalize": normalize}
    how, place = ({field: options.pop(field) for field in fields} for fields in (_HOW, _WHERE))
    if inputs:
        how = {field: value for field, value in how.items() if value}
        return _embed_files(
            partial(loader.pretrained, name, lang, **options), (*inputs, *texts), level | how, **place, as_json=as_json
        )
    _refuse_alone(
        texts, {_HOW[field]: value for field, value in how.items()} | {_WHERE[f]: v for f, v in place.items()}
    )
    return _print_vectors(loader.pretrained(name, lang, **options), texts, level, as_json)


def _refuse_alone(texts: Sequence[str], for_files: Mapping[str, object]) -> None:
    """Raises UsageError where there is nothing to embed, or an option is given that is for files."""
    if given := [option for option, value in for_files.items() if value]:
        raise click.UsageError(f"{given[0]} goes with --input, which names the files to read")
    if not texts:
        raise click.UsageError("give a TEXT, - for those on stdin, or --input FILES and --output DIR")


# ---------------------------------------------------------------- texts


def _print_vectors(model: Model, texts: Sequence[str], level: Mapping[str, Any], as_json: bool) -> None:
    given = _lines() if texts == ("-",) else list(texts)
    found = model.encode(given, **level)
    if level["output_level"] == "token":
        rows = [
            {"text": text, "token": word, "vector": vector}
            for text, tokens in zip(given, found, strict=True)
            for word, vector in zip(tokens.words, tokens.vectors, strict=True)
        ]
    else:
        rows = [{"text": text, "vector": vector} for text, vector in zip(given, found, strict=True)]
    if as_json:
        return print_json([{**row, "vector": row["vector"].tolist()} for row in rows])
    for row in rows:
        click.echo(f"{row.get('token', row['text']):<16}  {_leading(row['vector'])}  ({model.dimension},)")
    return None


def _lines() -> list[str]:
    """The texts on stdin, UTF-8 whatever the terminal speaks, one a line."""
    text = sys.stdin.buffer.read().decode("utf-8", errors="replace")
    return [line.rstrip("\r") for line in text.removesuffix("\n").split("\n")] if text else []


def _leading(vector: np.ndarray) -> str:
    return "[" + ", ".join(f"{number: .6f}" for number in vector[:4]) + ", …]"


# ---------------------------------------------------------------- files


def _embed_files(
    load: Callable[[], Model],
    inputs: Sequence[str],
    how: Mapping[str, Any],
    as_json: bool,
    output: str | None,
    engine: str | None,
    master: str | None,
) -> None:
    """Exits with 1 where a file could not be read, when all others are done."""
    if not output:
        raise click.UsageError("--input needs --output, the folder for the vectors")
    if master and engine != "spark":
        raise click.UsageError("--master goes with --engine spark")
    check_installed()
    from wellread.bulk.plan import ROWS, Options
    from wellread.bulk.run import embed_files

    options = Options(**{"rows": ROWS[how["output_level"]], **how})
    try:
        with _engine(engine, master) as work:
            summary = embed_files(load(), inputs, output, options, work)
    except KeyboardInterrupt:
        click.echo("wellread: stopped: the same command goes on with the parts that are there", err=True)
        raise
    _report(summary, as_json)
    if summary.failed:
        raise click.exceptions.Exit(1)


@contextmanager
def _engine(name: str | None, master: str | None) -> Iterator[Engine]:
    """Who does the work; a Spark that cannot start says so before anything is read."""
    if name != "spark":
        from wellread.bulk.local import work

        yield work
        return
    from wellread.spark.cluster.session import start

    session = start(master)
    from wellread.spark.bulk import engine

    try:
        yield engine(session)
    finally:
        session.stop()


def _report(summary: Summary, as_json: bool) -> None:
    for failed in summary.failed:
        click.echo(f"wellread: {plain(failed.why)}", err=True)
    if as_json:
        return print_json(summary)
    empty = f", {summary.nulls} of them without a text" if summary.nulls else ""
    before = f" ({summary.parts_before} parts were there)" if summary.parts_before else ""
    click.echo(f"{plain(summary.output)}: {summary.rows} rows{empty}, {summary.parts} parts made{before}")
    if summary.failed:
        click.echo(
            f"{len(summary.failed)} of {summary.files} files could not be read; the same command tries them again"
        )
    return None
