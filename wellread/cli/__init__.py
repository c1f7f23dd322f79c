"""The command line: one module per group of commands, imported when its command is used.

Exit status 0: done. 1: it failed, and said why on stderr. 2: used wrongly. 130: interrupted.
"""

from __future__ import annotations

import importlib
import io
import sys
import warnings
from functools import cache

import click
from click.shell_completion import CompletionItem

from wellread import __version__
from wellread.cli.plain import plain
from wellread.errors import WellreadError, missing_extra, near_misses

SECTIONS = {
    "Make": {
        "build": ("wellread.cli.press", "Press models: pull, convert, compare, pack, publish."),
        "publish": ("wellread.cli.publish", "Put artifacts and the proofs beside them into a hub."),
        "recipes": ("wellread.cli.recipes", "List, show, check and write recipes: what models are built from."),
        "cards": ("wellread.cli.cards", "Check model cards, and run their snippets; import posts; print a card."),
    },
    "Use": {
        "fetch": ("wellread.cli.fetch", "Bring models' files into the cache and print their folders."),
        "embed": ("wellread.cli.embed", "The vectors of texts, or of files of texts."),
        "lock": ("wellread.cli.lock", "Write down which releases names stand for now."),
        "info": ("wellread.cli.inspect", "What a release is: its forms, its source, its licence."),
        "list": ("wellread.cli.catalog", "The models of a hub."),
        "search": ("wellread.cli.catalog", "The models in which all of some words occur."),
        "verify": ("wellread.cli.inspect", "Check every byte of a model or artifact, and replay its goldens."),
    },
    "Share": {
        "copy": ("wellread.cli.transfer", "Copy releases from hub to hub: promote them."),
        "bundle": ("wellread.cli.transfer", "Carry releases to a machine without a network."),
        "push": ("wellread.cli.transfer", "Upload a model to the Hugging Face Hub."),
        "site": ("wellread.cli.site", "Build a hub's site: pages with search, as static files."),
        "ci": ("wellread.cli.ci", "A repository that builds, publishes and shows its models by itself."),
        "serve": ("wellread.cli.serve", "Serve a hub over HTTP, to be read."),
    },
    "Look after a hub, keys and the cache": {
        "hub": ("wellread.cli.hub", "Set up a hub, and bring its views up to date."),
        "alias": ("wellread.cli.hub", "Let a reference stand for a model."),
        "yank": ("wellread.cli.hub", "Take a release back: had by its full id only, with a warning."),
        "deprecate": ("wellread.cli.hub", "Warn of a release, or of a model, whenever it is chosen."),
        "keys": ("wellread.cli.keys", "Keys to sign with, and whose signatures are believed."),
        "cache": ("wellread.cli.cache", "What was fetched: list, verify, repair, prune, rm."),
    },
}
"""Job → command → the module that has a click command of that name, and its line: help imports no command."""
COMMANDS = {name: command for section in SECTIONS.values() for name, command in section.items()}
ENVIRONMENT = {
    "WELLREAD_HUB": "Hubs to read, commas between, the first that has it wins; own: yours.",
    "WELLREAD_HOME": "Where your own hub, keys, cache and work lie.",
    "WELLREAD_SITE_CACHE": "A cache that others fill, looked at after yours.",
    "WELLREAD_OFFLINE": "1: ask no network, take what is in the cache.",
    "WELLREAD_TOKENS": "host=token,host2:8443=token2 for https hubs; or ~/.netrc.",
    "WELLREAD_KEY": "The key to sign with, as PEM or its path, and no other.",
    "AWS_*": "Who signs in to s3 hubs, and where they are; so GOOGLE_* for gs, AZURE_* for az.",
    "HF_TOKEN": "Who pushes to the Hugging Face Hub.",
    "HTTPS_PROXY": "The proxy, but for hosts in NO_PROXY. REQUESTS_CA_BUNDLE: whom to trust.",
}
_WIDEST = max(map(len, COMMANDS))
_COMPLETION = (
    'eval "$(_WELLREAD_COMPLETE=bash_source wellread)" in ~/.bashrc; zsh_source for zsh, fish_source for fish.'
)


class _Commands(click.Group):
    """The commands of the table, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        try:
            home = importlib.import_module(module)
        except ModuleNotFoundError as error:
            raise missing_extra(error.name or cmd_name, "press") from error
        command: click.Command = getattr(home, f"{cmd_name}_command", None) or getattr(home, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for job, commands in SECTIONS.items():
            with formatter.section(job):
                formatter.write_dl([(name.ljust(_WIDEST), line) for name, (_, line) in commands.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Environment"):
            formatter.write_dl(list(ENVIRONMENT.items()))
        with formatter.section("Completion by TAB"):
            formatter.write_text(_COMPLETION)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The names out of the table: click would import every command for its help."""
        names = [CompletionItem(name, help=line) for name, (_, line) in COMMANDS.items() if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            ctx.fail(f"no such command {args[0]!r}.{near_misses(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wellread")
def cli() -> None:
    """A press and a registry for pretrained language models.

    \b
    Make one:   wellread build small_bert_L2_128_bleurt --hub ./hub
    Use it:     wellread embed small_bert_L2_128_bleurt "I love NLP" --hub ./hub
    """


def main() -> None:
    """Run the command line; what it raises on purpose becomes one message, never a traceback.

    A reader that has gone, as ``| head`` does, is click's business: it ends with 1 and says nothing.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal in Latin-1 has no "…"
    warnings.showwarning = _show_warning
    _say_once.cache_clear()
    try:
        sys.exit(cli.main(prog_name="wellread", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except WellreadError as error:
        click.echo(f"wellread: {plain(error)}", err=True)
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"wellread: {plain(where)}{error.strerror or error}", err=True)
        sys.exit(1)


def _show_warning(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    _say_once(plain("\n".join(" ".join(line.split()) for line in str(message).splitlines())))


@cache
def _say_once(line: str) -> None:
    click.echo(f"wellread: {line}", err=True)
