"""``wellread keys``: the keys one signs with, and whose signatures are believed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import click

from wellread.cli.options import json_option, print_json, print_table
from wellread.errors import BadInput, IntegrityError, NotFound
from wellread.registry import retry
from wellread.registry.hub.index import HUB
from wellread.registry.hub.info import read_info
from wellread.registry.resolve.places import Place
from wellread.registry.resolve.search import hubs
from wellread.registry.trust import policy
from wellread.registry.trust.keys import DEFAULT, Key, folder, new_key, own_keys
from wellread.registry.trust.policy import HubTrust, Trust
from wellread.registry.trust.signing import parse_keyid


@click.group(name="keys")
def keys() -> None:
    """Keys to sign with, and whose signatures are believed.

    \b
    wellread keys new                                 from now on what you build and publish is signed
    wellread keys trust https://models.example.org    trust the keys that a hub states
    """


@keys.command(name="new")
@click.argument("name", default=DEFAULT)
@json_option
def new(name: str, as_json: bool) -> None:
    """Make a key to sign with. Its id is public: give it to those who shall trust you.

    \b
    wellread keys new
    """
    key, path = new_key(name)
    if as_json:
        return print_json({"name": key.name, "id": key.id, "path": str(path)})
    click.echo(f"{key.id}\nis the id of your new key {key.name}; its private part is {path}: keep it to yourself")
    return None


@keys.command(name="list")
@json_option
def list_keys(as_json: bool) -> None:
    """Your own keys, and for each hub whose keys are trusted.

    \b
    wellread keys list
    """
    own, known = own_keys(), policy.hubs()
    if as_json:
        return print_json({"own": [{"name": key.name, "id": key.id} for key in own], "hubs": known})
    _print_own(own)
    if known:
        click.echo()
        print_table(("hub", "policy", "key", "trusted"), [row for hub in known for row in _rows(hub, known[hub])])
    return None


def _print_own(own: Sequence[Key]) -> None:
    if own:
        print_table(("your key", "id"), [(key.name, key.id) for key in own])
    else:
        click.echo(f"no key of your own in {folder()}: 'wellread keys new' makes one")


def _rows(hub: str, trust: HubTrust) -> list[tuple[str, str, str, str]]:
    """A row for each key of a hub; one without a key where it has a policy only."""
    state = policy.wanted(hub)
    how = {key: "by hand" if key in trust.keys else "at first use" for key in trust.known}
    return [(hub, state, key, word) for key, word in how.items()] or [(hub, state, "none", "")]


@keys.command(name="trust")
@click.argument("hub")
@click.argument("keyids", metavar="[KEYID]…", nargs=-1)
@click.option(
    "--policy", "asked", type=click.Choice(get_args(Trust)), help="off, warn, or enforce: refuse the unsigned."
)
@click.option("--forget", is_flag=True, help="Trust those keys no longer; without KEYID forget all about the hub.")
@json_option
def trust(hub: str, keyids: tuple[str, ...], asked: Trust | None, forget: bool, as_json: bool) -> None:
    """Trust keys for a hub, or set how strict to be with it.

    Without KEYID the keys are trusted that the hub itself states: compare them with what its owner told you. A key that
    was only known since first use is believed no longer, unless it is one of them.

    \b
    wellread keys trust https://models.example.org
    wellread keys trust https://models.example.org --policy enforce
    wellread keys trust ./hub --forget                  it was begun anew: its keys and its history are others
    """
    if forget and asked:
        raise click.UsageError("--forget and --policy exclude each other")
    given = [parse_keyid(keyid) for keyid in keyids]
    places = [str(place) for place in hubs(hub)]
    before = {place: policy.trusted(place) for place in places}
    for place in places:
        if forget:
            _forget(place, given)
        else:
            _trust(place, given, asked)
    if as_json:
        return print_json({policy.hub_key(place): policy.trusted(place) for place in places})
    for place in places:
        _say(place)
        if not forget:
            _say_dropped(place, before[place])
    return None


def _forget(hub: str, keyids: Sequence[str]) -> None:
    """Forget keys of a hub, or whose they are and all that it and its mirrors said."""
    if not keyids:
        policy.forget(hub)
        Place(retry.open_hub(hub), hub).forget()
    for keyid in keyids:
        policy.forget(hub, keyid)


def _trust(hub: str, keyids: Sequence[str], asked: Trust | None) -> None:
    """Trust the keys that are given, or those that the hub states; a policy alone changes no key."""
    if asked and not keyids:
        policy.set_policy(hub, asked)
        return
    for keyid in keyids or _stated(hub):
        policy.trust_key(hub, keyid, asked)


def _stated(hub: str) -> list[str]:
    """The keys of a hub's ``hub.json``. Raises NotFound where it states none, IntegrityError for what are no keys."""
    store = retry.open_hub(hub)
    about = read_info(store)
    if about is None or not about.keys:
        raise NotFound(
            f"{store.url} states no keys of its own: ask its owner for the id of a key, and give that;\n"
            "the owner states it with: wellread hub init HUB"
        )
    try:
        return [parse_keyid(key) for key in about.keys]
    except BadInput as error:
        raise IntegrityError(f"{store.url}/{HUB}: {error}") from error


def _say(hub: str) -> None:
    trust = policy.trusted(hub)
    click.echo(f"{policy.hub_key(hub)}  {policy.wanted(hub)}")
    for keyid in trust.known:
        click.echo(f"  {keyid}")
    if not trust.known:
        click.echo("  no key is trusted" + (": nothing of it will load" if trust.policy == "enforce" else ""))


def _say_dropped(hub: str, before: HubTrust) -> None:
    """Name the keys of a first use whose place others took."""
    known = policy.trusted(hub).known
    for keyid in before.first:
        if keyid not in known:
            click.echo(f"  no longer believed, known since first use: {keyid}")
            click.echo(f"    to believe it again: wellread keys trust {policy.hub_key(hub)} {keyid}")
