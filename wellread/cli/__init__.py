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

from wellread import __version__
from wellread.errors import WellreadError, missing_extra, near_misses

COMMANDS = {
    "build": ("wellread.cli.press", "Press models: pull, convert, compare, pack, publish."),
    "publish": ("wellread.cli.press", "Put an artifact and the proof beside it into a hub."),
    "verify": ("wellread.cli.inspect", "Check every byte of an artifact or a model, and replay its goldens."),
    "fetch": ("wellread.cli.use", "Bring a model's files into the cache and print their folder."),
    "embed": ("wellread.cli.use", "Print the vectors of texts."),
    "info": ("wellread.cli.inspect", "What a release is: its forms, its source, its licence."),
    "list": ("wellread.cli.inspect", "The models of a hub."),
    "recipes": ("wellread.cli.recipes", "List, show, check and write recipes: what models are built from."),
}
"""Command → the module that has a click command of that name, and its line in the help: help imports no command."""


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
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

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
        sys.exit(cli.main(standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except WellreadError as error:
        click.echo(f"wellread: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"wellread: {where}{error.strerror or error}", err=True)
        sys.exit(1)


def _show_warning(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    _say_once(" ".join(str(message).split()))


@cache
def _say_once(line: str) -> None:
    click.echo(f"wellread: {line}", err=True)
