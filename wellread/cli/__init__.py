"""The command line: one module per group of commands, imported when its command is used.

Exit status 0: done. 1: it failed, and said why on stderr. 2: used wrongly. 130: interrupted.
"""

from __future__ import annotations

import importlib
import os
import sys
import warnings

import click

from wellread import __version__
from wellread.errors import WellreadError, missing_extra, near_misses

COMMANDS = {
    "build": "wellread.cli.press",
    "publish": "wellread.cli.press",
    "verify": "wellread.cli.inspect",
    "fetch": "wellread.cli.use",
    "embed": "wellread.cli.use",
    "info": "wellread.cli.inspect",
    "list": "wellread.cli.inspect",
    "recipes": "wellread.cli.recipes",
}
"""Command → the module that has a click command of that name."""


class _Commands(click.Group):
    """The commands of the table, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        try:
            home = importlib.import_module(COMMANDS[cmd_name])
        except ModuleNotFoundError as error:
            raise missing_extra(error.name or cmd_name, "press") from error
        command: click.Command = getattr(home, f"{cmd_name}_command", None) or getattr(home, cmd_name)
        return command

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
    """Run the command line; what it raises on purpose becomes one message, never a traceback."""
    warnings.showwarning = _show_warning
    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # The reader has gone, as `| head` does; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except WellreadError as error:
        click.echo(f"wellread: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(f"wellread: {error.filename or 'the system'}: {error.strerror or error}", err=True)
        sys.exit(1)


def _show_warning(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    click.echo(f"wellread: {message}", err=True)
