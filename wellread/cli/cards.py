"""``wellread cards``: whether the snippets of cards run, what is wrong with cards, posts of another hub, one card."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from wellread.cli.options import (
    hub_option,
    json_option,
    lang_option,
    print_json,
    print_table,
    say_step,
    version_option,
)
from wellread.cli.plain import plain
from wellread.errors import BadInput, missing_extra
from wellread.registry.records import Trial

try:
    from wellread.cli.card_sources import Shelf, Written, artifact_of, card_of_target, written_cards
    from wellread.model_cards.lint import Problem, lint
    from wellread.model_cards.migration import Report, import_posts
    from wellread.model_cards.reading import read_card
    from wellread.model_cards.trials import try_release
    from wellread.model_cards.writing import write_plain, write_post, write_readme
except ModuleNotFoundError as error:
    raise missing_extra(error.name or "jinja2", "site") from error

_KINDS = {"readme": write_readme, "post": write_post, "plain": write_plain}


@click.group(name="cards")
def cards() -> None:
    """Check, import and print model cards.

    \b
    wellread cards check dist/my_bert_en_2.6.0_2.4_1598344705269.zip
    wellread cards lint posts/ --hub ./hub
    wellread cards import posts/ --out cards/
    wellread cards show small_bert_L8_512 --as post
    """


# ---------------------------------------------------------------- check


@cards.command(name="check")
@click.argument("targets", nargs=-1, required=True, metavar="ZIP|NAME…")
@lang_option
@version_option
@hub_option
@json_option
def check(targets: tuple[str, ...], lang: str, version: str | None, hub: str | None, as_json: bool) -> None:
    """Run every snippet of a model's card as it is printed, against the model itself.

    Says of each tab whether it ran here, and if not, why: its engine is not installed, or the line that failed. Ends
    with 1 when one failed; one whose engine is not here is no failure.

    \b
    wellread cards check dist/my_bert_en_2.6.0_2.4_1598344705269.zip
    wellread cards check small_bert_L8_512 --hub ./hub --json
    """
    _require_models("check", targets)
    tried: dict[str, tuple[Trial, ...]] = {}
    for target in targets:
        with TemporaryDirectory(prefix="wellread-") as scratch:
            artifact = artifact_of(target, Path(scratch), lang=lang, version=version, hub=hub)
            say_step("snippets", f"each runs as it is printed, for a while: {plain(artifact.name)}", ended=False)
            tried[target] = try_release(artifact)
            say_step("snippets", f"{len(tried[target])} of {plain(artifact.name)} tried", ended=True)
        if not as_json:
            _say_tried(target, tried[target], several=len(targets) > 1)
    if as_json:
        print_json([{"target": target, "trials": trials} for target, trials in tried.items()])
    if any(trial.outcome == "failed" for trials in tried.values() for trial in trials):
        raise click.exceptions.Exit(1)


def _require_models(command: str, targets: Sequence[str]) -> None:
    """Raises BadInput for a post, of which there is neither a manifest nor a model."""
    if posts := [target for target in targets if target.endswith(".md")]:
        raise BadInput(f"{command} takes a ZIP or a NAME; for a post: wellread cards lint {posts[0]}")


def _say_tried(target: str, trials: Sequence[Trial], several: bool) -> None:
    if several:
        click.echo(f"{plain(target)}:")
    if not trials:
        return click.echo("no snippet of its card runs on any machine yet")
    return print_table(("tab", "outcome", ""), [(t.tab, t.outcome, plain(" ".join(t.why.split()))) for t in trials])


# ---------------------------------------------------------------- lint


@cards.command(name="lint")
@click.argument("targets", nargs=-1, required=True, metavar="FILE|FOLDER|ZIP|NAME…")
@lang_option
@version_option
@click.option("--hub", metavar="HUB", help="Also compare posts with the manifests there, and look for dead links.")
@json_option
def lint_command(targets: tuple[str, ...], lang: str, version: str | None, hub: str | None, as_json: bool) -> None:
    """Say what is missing in cards or contradicts itself, its model or its hub, as FILE:LINE: what.

    A folder is searched for *.md, and for the artifacts in it. The card within a ZIP, or of a NAME, is compared with
    its manifest; a post is with --hub, if the hub has the artifact that it links to. Ends with 1 if there is anything
    to say.

    \b
    wellread cards lint _posts/2020-08-25-small_bert_L8_512_en.md
    wellread cards lint _posts/ --hub https://models.example.org/hub
    wellread cards lint dist/ --json
    """
    shelf = Shelf(hub) if hub else None
    count = 0
    problems: list[Problem] = []
    for target in targets:
        for written in written_cards(target, lang=lang, version=version, hub=hub):
            found = _problems(written, shelf)
            count += 1
            problems += found
            for problem in () if as_json else found:
                click.echo(plain(problem))
    if as_json:
        print_json(problems)
    else:
        _say_sum(count, problems)
    if problems:
        raise click.exceptions.Exit(1)


def _problems(written: Written, shelf: Shelf | None) -> list[Problem]:
    """What is wrong with one card; that it cannot be read is one problem."""
    try:
        card = read_card(written.text(), written.where)
    except BadInput as error:
        return [_unread(written.where, str(error))]
    manifest = written.manifest or (shelf.manifest(card) if shelf else None)
    return lint(card, written.text(), written.where, manifest, shelf.lists if shelf else None)


def _unread(where: str, said: str) -> Problem:
    """An error that names a file, and mostly a line of it, as a problem."""
    rest = said.removeprefix(where)
    line = re.match(r":(\d+)\b", rest)
    return Problem(where, int(line[1]) if line else 1, rest[line.end() if line else 0 :].strip(": "))


def _say_sum(count: int, problems: Sequence[Problem]) -> None:
    """The last line, apart from what a program would read."""
    if problems:
        files = len({problem.file for problem in problems})
        click.echo(f"{len(problems)} problems in {files} of {count} cards", err=True)
    else:
        click.echo(f"{count} cards: nothing is wrong with them" if count != 1 else "nothing is wrong with it", err=True)


# ---------------------------------------------------------------- import


@cards.command(name="import")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Where the posts go that were made ours.")
@json_option
def import_command(folder: Path, out: Path, as_json: bool) -> None:
    """Read the founding hub's posts below FOLDER (*.md) and write them as wellread does, into --out.

    Keys that nobody knows are kept. What was imported is imported again without a change. Ends with 1 when a post was
    refused, saying why of each; the others are written.

    \b
    wellread cards import _posts/ --out cards/
    """
    report = import_posts(folder, out)
    if as_json:
        print_json(report.posts)
    else:
        _say_imported(report, out)
    if report.count("refused"):
        raise click.exceptions.Exit(1)


def _say_imported(report: Report, out: Path) -> None:
    for post in report.posts:
        if post.outcome == "refused":
            click.echo(f"refused: {plain(post.why)}", err=True)
    counts = Counter(post.outcome for post in report.posts)
    told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("written", "unchanged", "refused"))
    click.echo(f"{len(report.posts)} posts: {told}; in {plain(out)}")


# ---------------------------------------------------------------- show


@cards.command(name="show")
@click.argument("target", metavar="ZIP|NAME")
@click.option(
    "--as", "kind", type=click.Choice(list(_KINDS)), default="readme", show_default=True,
    help="Hugging Face's README, a post of the founding hub, or Markdown without front matter.",
)  # fmt: skip
@lang_option
@version_option
@hub_option
@json_option
def show(target: str, kind: str, lang: str, version: str | None, hub: str | None, as_json: bool) -> None:
    """Print a model's card: what its manifest, its proof and its hub say, and nothing else.

    \b
    wellread cards show small_bert_L8_512 --hub ./hub
    wellread cards show dist/my_bert_en_2.6.0_2.4_1598344705269.zip --as plain
    wellread cards show small_bert_L8_512 --as post > _posts/2020-08-25-small_bert_L8_512_en.md
    """
    _require_models("show", (target,))
    card = card_of_target(target, lang=lang, version=version, hub=hub)
    if as_json:
        return print_json(card)
    text = _KINDS[kind](card)
    return click.echo(plain(text.expandtabs()) if sys.stdout.isatty() else text, nl=False)
