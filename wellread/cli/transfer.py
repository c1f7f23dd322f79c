"""``wellread copy``, ``bundle`` and ``push``: releases on their way to another hub, machine or service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from wellread import loader
from wellread.cli.hub import folder_option, one_hub, say_state, written_hub
from wellread.cli.options import hub_option, json_option, lang_option, print_json, version_option
from wellread.errors import HubUnavailable, NotFound, WellreadError
from wellread.registry.distribution import bundle as bundles
from wellread.registry.distribution.copying import Copied, chosen, copy
from wellread.registry.distribution.push import parse_repository
from wellread.registry.distribution.push import push as push_folder
from wellread.registry.home import home
from wellread.registry.hub.entries import Listed
from wellread.registry.names import parse_lang, parse_name
from wellread.registry.resolve.search import hubs
from wellread.registry.retry import open_hub
from wellread.registry.stores import Store

_Command = Callable[..., None]
every_option = click.option("--all-versions", "every", is_flag=True, help="All releases that were not yanked.")


def _say_dry(what: str) -> Callable[[_Command], _Command]:
    return click.option("--dry-run", is_flag=True, help=f"Look what is there, say what would be {what}, write nothing.")


@click.command(name="copy")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@click.option("--from", "source", required=True, metavar="HUB", help="The hub that has them.")
@click.option("--to", "target", required=True, metavar="HUB", help="The hub that shall have them.")
@lang_option
@version_option
@folder_option
@every_option
@_say_dry("copied")
@json_option
def copy_command(names: tuple[str, ...], source: str, target: str, dry_run: bool, as_json: bool, **which: Any) -> None:
    """Copy releases with their proofs, signatures and aliases from hub to hub: from staging to production, say.

    Without --version the one that 'wellread fetch' would take. Everything is checked as publishing checks it. Ends with
    0 when all are there, with 1 at the first that cannot be copied, saying why; it can be run again at any time.

    \b
    wellread copy small_bert_L8_512 --from ./staging --to s3://models
    wellread copy small_bert_L8_512 --from ./staging --to s3://models --all-versions --dry-run
    """
    _refuse_both(**which)
    place, goal = open_hub(one_hub(source)), written_hub(target)
    lines = (line for name in names for line in _lines(place, name, **which))
    _report((copy(place, line, goal, dry_run=dry_run) for line in lines), open_hub(goal).url, dry_run, as_json)


def _refuse_both(version: str | None, every: bool, **_: object) -> None:
    if version and every:
        raise click.UsageError("--version and --all-versions contradict each other")


def _lines(place: Store, name: str, lang: str, **which: Any) -> Sequence[Listed]:
    return chosen(place, parse_name(name), parse_lang(lang), **which)


def _report(copied: Iterable[Copied], goal: str, dry_run: bool, as_json: bool) -> None:
    """Say of each release what became of it, as it happens; as JSON all at once, what was done before a failure too."""
    done: list[dict[str, object]] = []
    try:
        for each in copied:
            facts = {"release": each.release, "outcome": each.outcome, "already_there": each.already_there}
            done.append({**facts, "hub": goal, "dry_run": dry_run})
            if not as_json:
                click.echo(f"{each.release.file}: {_told(each, dry_run)} {goal}")
    finally:
        if as_json:
            print_json(done)


def _told(copied: Copied, dry_run: bool) -> str:
    if copied.already_there:
        return f"already there, the same bytes{say_state(copied.release)}, in"
    done, into = ("mended", "in") if copied.outcome == "mended" else ("copied", "to")
    return f"would be {done} ({copied.release.size / 1e6:.1f} MB) {into}" if dry_run else f"{done} {into}"


# ---------------------------------------------------------------- bundle


@click.group(name="bundle")
def bundle() -> None:
    """Carry releases to a machine without a network, in one file."""


@bundle.command(name="export")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@lang_option
@version_option
@folder_option
@every_option
@hub_option
@json_option
def export(names: tuple[str, ...], file: Path, hub: str | None, as_json: bool, **which: Any) -> None:
    """Write releases with their proofs, signatures and aliases into FILE, a zip that is a whole hub.

    The same releases give the same bytes. FILE is written in one step, over what was there.

    \b
    wellread bundle export small_bert_L8_512 small_bert_L2_128 models.zip --hub https://models.example.org
    """
    _refuse_both(**which)
    sources = [source for name in names for source in _sought(name, hub, **which)]
    copied = bundles.export(sources, file)
    size = file.stat().st_size
    if as_json:
        return print_json({"file": str(file), "size": size, "releases": [each.release for each in copied]})
    for each in copied:
        click.echo(each.release.file)
    return click.echo(f"{file}: {size / 1e6:.1f} MB. Where there is no network: wellread bundle import {file.name}")


def _sought(name: str, hub: str | None, **which: Any) -> Iterator[bundles.Source]:
    """The releases of a name in the first hub that has it. Raises NotFound or HubUnavailable with what each said."""
    failures: list[WellreadError] = []
    for place in map(open_hub, hubs(hub)):
        try:
            yield from (bundles.Source(place, line) for line in _lines(place, name, **which))
            return
        except (NotFound, HubUnavailable) as error:
            failures.append(error)
    kind = next((type(error) for error in failures if isinstance(error, HubUnavailable)), NotFound)
    raise kind("\n".join(map(str, failures)))


@bundle.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--hub", metavar="HUB", help="The hub to import into. Default: your own, which is found offline.")
@_say_dry("imported")
@json_option
def import_command(file: Path, hub: str | None, dry_run: bool, as_json: bool) -> None:
    """Copy every release of a bundle into a hub, each byte checked. It can be run again at any time.

    \b
    wellread bundle import models.zip
    """
    goal = written_hub(hub) if hub else home() / "hub"
    _report(bundles.import_bundle(file, goal, dry_run=dry_run), open_hub(goal).url, dry_run, as_json)


# ---------------------------------------------------------------- push


@click.command(name="push")
@click.argument("name")
@click.argument("repository", metavar="hf:ORG/NAME")
@lang_option
@version_option
@click.option("--private", is_flag=True, help="Make the repository private if it is not there yet.")
@click.option("--message", metavar="TEXT", help="What the commit says.")
@_say_dry("sent")
@hub_option
@json_option
def push(
    name: str, repository: str, private: bool, message: str | None, dry_run: bool, as_json: bool, **where: Any
) -> None:
    """Upload a model, unpacked, with its card, to a repository of the Hugging Face Hub, in one commit.

    All its forms are fetched and go there; what is there already is not sent again. The token is that of 'hf auth
    login', or HF_TOKEN.

    \b
    wellread push small_bert_L8_512 hf:my-org/small_bert_L8_512 --dry-run
    wellread push small_bert_L8_512 hf:my-org/small_bert_L8_512
    """
    goal = parse_repository(repository)
    folder = loader.fetch(name, form="all", **where)
    pushed = push_folder(folder, goal, private=private, message=message, dry_run=dry_run)
    if as_json:
        return print_json({**pushed._asdict(), "dry_run": dry_run})
    if dry_run:
        for each in pushed.uploaded:
            click.echo(f"would send {each}")
    state = f"{len(pushed.uploaded)} files {'to send' if dry_run else 'sent'}" if pushed.uploaded else "already there"
    return click.echo(f"{pushed.url}: {state}")
