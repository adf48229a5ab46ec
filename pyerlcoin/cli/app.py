"""The commands, in the order in which `pyerlcoin --help` lists them.

A command's module is imported when that command is asked for: `search` needs neither node nor board, and somebody who
looks for the coins in a small range should not wait for theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Final

import typer

__all__ = ["COMMANDS", "make_app"]

COMMANDS: Final = {
    "serve": "serve",
    "mine": "mine",
    "leaderboard": "ask",
    "worth": "ask",
    "progress": "ask",
    "workload": "ask",
    "ping": "ask",
    "search": "search",
    "bench": "bench",
    "audit": "audit",
    "export": "export",
    "board": "board",
    "epmd": "epmd",
    "doctor": "doctor",
    "demo": "demo",
}
"""Each command with the module of this room that holds the function of its name."""


_VERSION: Final = "--version"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pyerlcoin {version('pyerlcoin')}")
        raise typer.Exit


def _root(
    wanted: Annotated[
        bool, typer.Option(_VERSION, callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """An Erlang node in Python that hosts and mines the ElixirCoin game."""


def make_app(arguments: Sequence[str]) -> typer.Typer:
    """The command line that is enough for `arguments`: the command that comes first, for `--version` none, else all."""
    app = typer.Typer(
        name="pyerlcoin",
        help="An Erlang node in Python that hosts and mines the ElixirCoin game.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    # The callback also makes one command alone stay a command with a name.
    app.callback()(_root)
    wanted: Iterable[str] = COMMANDS
    if arguments and (arguments[0] in COMMANDS or arguments[0] == _VERSION):
        wanted = COMMANDS.keys() & arguments[:1]
    for name in wanted:
        module = import_module(f"pyerlcoin.cli.{COMMANDS[name]}")
        app.command(name)(getattr(module, name))
    return app
