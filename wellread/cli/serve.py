"""``wellread serve``: a hub on this machine's network."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from wellread.cli.options import hub_option, json_option, print_json
from wellread.errors import BadInput, NotFound
from wellread.registry.distribution.server import HubServer
from wellread.registry.resolve.search import hubs
from wellread.registry.retry import open_hub
from wellread.registry.stores import Store, is_local


@click.command(name="serve")
@hub_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at; 0.0.0.0 is all.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one.")
@json_option
def serve(hub: str | None, host: str, port: int, as_json: bool) -> None:
    """Serve a hub, a folder or a bucket, over HTTP until Ctrl-C; it can be read, not written.

    \b
    wellread serve --hub ./hub
    wellread list --hub http://127.0.0.1:8000
    """
    store = _one_hub(hub)
    with HubServer(store, host, port, log=_log) as server:
        if as_json:
            print_json({"url": server.url})
        else:
            click.echo(f"{server.url} serves {store.url}; Ctrl-C ends it")
        with suppress(KeyboardInterrupt):
            server.serve_forever()


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
