"""``wellread site``: a hub's pages as files that any web server shows."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import click

from wellread.cli.options import hub_option, json_option, print_json
from wellread.cli.plain import plain
from wellread.errors import BadInput, missing_extra
from wellread.model_cards.site.build import Built, build_site
from wellread.model_cards.site.files.output import require_ours
from wellread.model_cards.site.hub.listings import site_of
from wellread.model_cards.site.pages.vendored import vendor
from wellread.registry.home import home
from wellread.registry.hub.info import SITES, parse_address
from wellread.registry.resolve.search import hubs
from wellread.registry.retry import open_hub
from wellread.registry.stores import Store, is_local

FEW = 3
"""Pages of models that are named one by one."""
APART = "download links expect the hub's files beside the site: upload both to one place, or see it with wellread serve"


@click.command(name="site")
@hub_option
@click.option(
    "--out", type=click.Path(path_type=Path), default="site", show_default=True, help="The folder; the hub's own too."
)
@click.option("--url", "address", metavar="ADDRESS", default="", help="Where it will be. Default: what hub.json says.")
@click.option("--all", "anew", is_flag=True, help="Make every page anew, not only what changed.")
@click.option("--no-demo", is_flag=True, help="Leave the live demo out: npm is not asked for what it runs on.")
@click.option("--processes", type=click.IntRange(1, 256), help="How many make pages. Default: one for each core.")
@json_option
def site(
    hub: str | None, out: Path, address: str, anew: bool, no_demo: bool, processes: int | None, as_json: bool
) -> None:  # fmt: skip
    """Build a hub's site, or bring it up to date: pages with search, for people, and JSON, for machines.

    What a release says that cannot be read is a warning, and stands on its page. OUT/.wellread remembers what was
    built; leave it out when you upload the rest. Files in OUT that no build wrote are never written over.

    \b
    wellread site --hub ./hub --out ./site
    wellread site --hub s3://models/hub --out ./site --url https://models.example.org
    """
    store = _one_hub(hub)
    address = parse_address(address, SITES, "--url") if address else ""
    _require_libraries()
    require_ours(out)
    built = build_site(store, out, address=address, all=anew, demo=not no_demo, processes=processes)
    if not no_demo and (why := vendor(home() / "cache").problem):
        click.echo(f"wellread: no live demo: {why}. Build again when npm works, or give --no-demo", err=True)
    if as_json:
        return print_json(_facts(built))
    for label, value in _lines(built, out):
        click.echo(f"{label:<6}{plain(value)}")
    if built.models and _lies_apart(store, out, address):
        click.echo(f"{'hub':<6}{APART}")
    if not built.models:
        click.echo("      the hub lists no model: is --hub right? Models come with: wellread publish")
    return None


def _one_hub(hub: str | None) -> Store:
    """Raises BadInput for several hubs."""
    places = hubs(hub)
    if len(places) != 1:
        listed = ", ".join(open_hub(each).url for each in places)
        raise BadInput(f"a site shows one hub, and {len(places)} are named ({listed}): say which with --hub")
    return open_hub(places[0])


def _require_libraries() -> None:
    """Raises MissingExtra that names the library people know, not one that it brings."""
    if find_spec("jinja2") is None:
        raise missing_extra("jinja2", "site")


def _lies_apart(hub: Store, out: Path, address: str) -> bool:
    """Whether links to the hub's files lead to where the site is, and these are not there."""
    over = not site_of(hub, address).download
    return over and not (is_local(hub.url) and os.path.realpath(hub.url) == os.path.realpath(out.expanduser()))


def _lines(built: Built, out: Path) -> list[tuple[str, str]]:
    lines = [("site", f"{_shown(out, built.home.name)}  {_news(built)}")]
    pages = _pages(built)
    if len(pages) <= FEW:
        lines += [("page", _shown(out, path)) for path in pages]
    return lines


def _pages(built: Built) -> tuple[str, ...]:
    """The models' pages to tell of: those that were written, or where none was, those of a small site."""
    if built.changed or built.models > FEW:
        return built.changed
    root = built.home.parent
    return tuple(sorted(path.relative_to(root).as_posix() for path in root.glob("models/*/*.html")))


def _news(built: Built) -> str:
    told = (
        f"{_counted(built.models, 'model')}, {_counted(built.written, 'page')} written, {built.unchanged:,} unchanged"
    )
    told += f", {built.removed:,} removed" if built.removed else ""
    return told + (f", {_counted(built.problems, 'model')} with problems" if built.problems else "")


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _shown(out: Path, path: str) -> str:
    """A file of the site as the user named its folder."""
    file = str(out / path)
    return file if out.is_absolute() or file.startswith((".", "~")) else f"./{file}"


def _facts(built: Built) -> dict[str, object]:
    return {
        "site": str(built.home),
        "models": built.models,
        "pages": built.pages,
        "written": built.written,
        "unchanged": built.unchanged,
        "removed": built.removed,
        "files": built.files,
        "problems": built.problems,
        "changed": built.changed,
    }
