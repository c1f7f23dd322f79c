"""``wellread serve``: a hub and its site on this machine's network."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from pathlib import Path
from signal import SIGTERM, default_int_handler, signal
from typing import TYPE_CHECKING

import click

from wellread.cli.options import hub_option, json_option, print_json
from wellread.errors import BadInput, MissingExtra, NotFound, missing_extra
from wellread.registry.distribution.server import HubServer
from wellread.registry.resolve.search import hubs
from wellread.registry.retry import open_hub
from wellread.registry.stores import Store, is_local

if TYPE_CHECKING:
    from wellread.model_cards.site.served import ServedSite


@click.command(name="serve")
@hub_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at; 0.0.0.0 is all.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one.")
@click.option("--site/--no-site", default=True, show_default=True, help="Show the hub's pages, or serve its keys only.")
@click.option(
    "--cors",
    is_flag=True,
    help="Let pages of other sites, as live demos elsewhere, read the hub: for public hubs, or behind a proxy.",
)
@json_option
def serve(hub: str | None, host: str, port: int, site: bool, cors: bool, as_json: bool) -> None:
    """Serve a hub, a folder or a bucket, over HTTP until Ctrl-C, with its site; it can be read, not written.

    The site follows the hub: what is published while it is served is shown a moment later.

    \b
    wellread serve --hub ./hub
    wellread list --hub http://127.0.0.1:8000
    """
    store = _one_hub(hub)
    shown, missing = _site_over(store) if site else (None, "")
    served = shown.store if shown else store
    with HubServer(served, host, port, _log, cors) as server, shown or nullcontext(), suppress(KeyboardInterrupt):
        signal(SIGTERM, default_int_handler)  # to be stopped by a service manager or in a container is no accident
        if as_json:
            print_json({"url": server.url, "site": f"{server.url}/index.html" if shown else None})
        else:
            click.echo(f"{server.url} serves {store.url}{' and shows its site' if shown else ''}; Ctrl-C ends it")
        if missing:
            click.echo(f"wellread: no pages are shown: {missing}", err=True)
        server.serve_forever()


def _site_over(hub: Store) -> tuple[ServedSite | None, str]:
    """The site of a hub, or why there can be none here."""
    try:
        from wellread.model_cards.site.files.making import parts
        from wellread.model_cards.site.served import ServedSite, folder_of

        parts()
    except MissingExtra as error:
        return None, str(error)
    except ModuleNotFoundError as error:
        return None, str(missing_extra(error.name or "jinja2", "site"))
    return ServedSite(hub, folder_of(hub), _log), ""


def _one_hub(hub: str | None) -> Store:
    """Raises BadInput for several hubs, NotFound for a folder that is not there."""
    places = hubs(hub)
    if len(places) != 1:
        listed = ", ".join(open_hub(each).url for each in places)
        raise BadInput(f"one hub can be served, and {len(places)} are named ({listed}): say which with --hub")
    store = open_hub(places[0])
    if is_local(places[0]) and not Path(store.url).is_dir():
        raise NotFound(f"there is no folder {store.url}: no hub to serve")
    return store


def _log(line: str) -> None:
    click.echo(f"wellread: {line}", err=True)
