"""``wellread hub``, ``yank``, ``deprecate`` and ``alias``: what a hub's owner changes beside publishing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from wellread.cli.options import hub_option, json_option, lang_option, print_json
from wellread.errors import BadInput, PublishError
from wellread.registry.hub import states
from wellread.registry.hub.index import read_lines
from wellread.registry.hub.info import describe_hub
from wellread.registry.names import DEFAULT_FOLDER, parse_lang, parse_name
from wellread.registry.records import Release
from wellread.registry.resolve.search import hubs
from wellread.registry.retry import open_hub
from wellread.registry.stores import open_store
from wellread.registry.trust.keys import own_keys
from wellread.registry.views.update import refresh, update_views

no_views_option = click.option(
    "--no-views",
    is_flag=True,
    help="Leave catalogue and lists as they are: wellread hub refresh brings them up to date.",
)
folder_option = click.option("--folder", default=DEFAULT_FOLDER, show_default=True, help="The hub's folder for it.")


def written_hub(hub: str | None) -> str | Path:
    """The hub that a writing command means. Raises BadInput as ``one_hub``, PublishError where it takes no uploads."""
    goal = one_hub(hub)
    url = open_store(goal).url
    if url.startswith(("http://", "https://")):
        raise PublishError(f"{url} takes no uploads: give the folder or the bucket that it serves")
    return goal


def one_hub(hub: str | None) -> str | Path:
    """The one hub that is named, by hand or by WELLREAD_HUB. Raises BadInput where there are several."""
    named = hubs(hub)
    if len(named) > 1:
        listed = ", ".join(open_store(each).url for each in named)
        raise BadInput(f"one hub is written at a time, and {len(named)} are named ({listed}): say which with --hub")
    return named[0]


# ---------------------------------------------------------------- hub init, hub refresh


@click.group(name="hub")
def hub() -> None:
    """Set up a hub, and bring its views up to date.

    \b
    wellread hub init ./hub
    wellread hub refresh --hub ./hub
    """


@hub.command(name="init")
@click.argument("hub", metavar="HUB")
@click.option("--name", help="Its name for people. Default: the last part of its address.")
@click.option("--ttl", type=float, metavar="HOURS", help="For how long readers believe their copy of an index. 24.")
@click.option(
    "--mirror", "mirrors", multiple=True, metavar="URL", help="An address to ask where the hub is away; again for more."
)
@click.option("--no-mirrors", is_flag=True, help="Take all mirrors out.")
@click.option("--site", metavar="URL", help="Where its pages are.")
@click.option("--notebooks", metavar="OWNER/REPO/BRANCH[/FOLDER]", help="Where on GitHub its notebooks are, for Colab.")
@json_option
def init(
    hub: str, name: str | None, ttl: float | None, mirrors: tuple[str, ...], no_mirrors: bool, site: str | None,
    notebooks: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Write hub.json, what a hub says of itself, or change what it says there.

    A hub needs none: publishing into an empty folder makes it one. The ids of your own keys are added to its keys.

    \b
    wellread hub init ./hub --name "Models of the house"
    wellread hub init s3://models --ttl 1 --mirror https://models.example.org
    """
    if mirrors and no_mirrors:
        raise click.UsageError("--mirror and --no-mirrors contradict each other")
    store = open_hub(written_hub(hub))
    info = describe_hub(
        store,
        name=name,
        ttl=None if ttl is None else ttl * 3600,
        mirrors=mirrors if mirrors or no_mirrors else None,
        site=site,
        notebooks=notebooks,
        keys=[key.id for key in own_keys()],
    )
    if as_json:
        return print_json(info)
    told = {
        "hub": store.url,
        "name": info.name,
        "ttl": f"{info.ttl / 3600:g} hours",
        "keys": ", ".join(info.keys) or "none: wellread keys new makes one",
        "mirrors": ", ".join(info.mirrors) or "none",
        "site": info.site or "none",
        "notebooks": info.notebooks or "none",
    }
    for label, value in told.items():
        click.echo(f"{label:<11}{value}")
    return None


@hub.command(name="refresh")
@hub_option
@json_option
def refresh_command(hub: str | None, as_json: bool) -> None:
    """Work out all views of a hub again from its index: the catalogue, and the list that Spark NLP reads.

    \b
    wellread hub refresh --hub ./hub
    """
    store = open_hub(written_hub(hub))
    names = refresh(store)
    if as_json:
        return print_json({"hub": store.url, "names": names})
    return click.echo(f"{store.url}: the views of {names} {'name' if names == 1 else 'names'} are up to date")


# ---------------------------------------------------------------- yank, deprecate


def _state_options(command: Callable[..., None]) -> Callable[..., None]:
    """What yank and deprecate take."""
    options = (
        click.argument("name"),
        lang_option,
        click.option("--version", metavar="ID", help="The release id, or a library version that one release has."),
        folder_option,
        click.option("--reason", metavar="TEXT", default="", help="One line that a user can act on."),
        click.option("--undo", is_flag=True, help="Make it ready again."),
        no_views_option,
        hub_option,
        json_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command(name="yank")
@_state_options
def yank(**asked: Any) -> None:
    """Take a release back: from now on it is had by its full id only, with a warning that gives the reason.

    Nothing is deleted, so what is pinned or locked goes on working.

    \b
    wellread yank small_bert_L8_512 --version 2.6.0_2.4_1598344705269 --reason "wrong vocabulary" --hub ./hub
    """
    _change("yank", **asked)


@click.command(name="deprecate")
@_state_options
def deprecate(**asked: Any) -> None:
    """Warn of a release whenever it is chosen; without --version, of all releases of the model.

    \b
    wellread deprecate small_bert_L8_512 --reason "use small_bert_L8_512_cased" --hub ./hub
    """
    _change("deprecate", **asked)


def _change(
    act: states.Act, *, name: str, lang: str, version: str | None, folder: str, reason: str, undo: bool,
    no_views: bool, hub: str | None, as_json: bool,
) -> None:  # fmt: skip
    if undo == bool(reason.strip()):
        raise click.UsageError("--undo needs no --reason" if undo else "--reason is needed: users are told")
    store, model = open_hub(written_hub(hub)), parse_name(name)
    before = [entry.listed.release for entry in read_lines(store, model) if entry.listed]
    changed = states.change_state(
        store, act, model, parse_lang(lang),
        version=version, folder=folder, reason=reason, undo=undo, keys=own_keys(),
    )  # fmt: skip
    if not no_views:
        update_views(store, [model])
    if as_json:
        return print_json({"hub": store.url, "releases": changed})
    for release in changed:
        click.echo(_told(release, already=release in before))
    return None


def _told(release: Release, already: bool) -> str:
    return f"{release.file}: {'already ' * already}{release.state}{': ' * bool(release.why)}{release.why}"


def say_state(release: Release) -> str:
    """What is to be known of a release that is not ready, in brackets."""
    return f" ({release.state}: {release.why})" if release.state != "ready" else ""


# ---------------------------------------------------------------- alias


@click.command(name="alias")
@click.argument("reference")
@click.argument("name", required=False)
@lang_option
@click.option("--remove", is_flag=True, help="Let the reference stand for nothing.")
@hub_option
@json_option
def alias(reference: str, name: str | None, lang: str, remove: bool, hub: str | None, as_json: bool) -> None:
    """Let a REFERENCE stand for the model NAME of a hub, whatever it stood for.

    \b
    wellread alias en.embed.bert small_bert_L8_512 --hub ./hub
    wellread alias en.embed.bert --remove --hub ./hub
    """
    if remove == bool(name):
        raise click.UsageError("--remove takes no NAME" if remove else "the NAME of a model is needed, or --remove")
    store = open_hub(written_hub(hub))
    if name:
        was = states.set_alias(store, reference, parse_name(name), parse_lang(lang))
    else:
        was = states.remove_alias(store, reference)
    now = {"name": name, "language": lang} if name else None
    if as_json:
        return print_json({"hub": store.url, "reference": reference, "now": now, "was": was})
    before = f"{was.name} ({was.language})" if was else "nothing"
    return click.echo(f"{reference}: {f'{name} ({lang})' if name else 'nothing'} (was {before})")
