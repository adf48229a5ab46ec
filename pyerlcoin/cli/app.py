"""The commands, in the order in which `pyerlcoin --help` lists them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Final

import typer

from pyerlcoin.cli.ask import leaderboard, ping, progress, workload, worth
from pyerlcoin.cli.audit import audit
from pyerlcoin.cli.board import board
from pyerlcoin.cli.demo import demo
from pyerlcoin.cli.epmd import epmd
from pyerlcoin.cli.export import export
from pyerlcoin.cli.mine import mine
from pyerlcoin.cli.search import search
from pyerlcoin.cli.serve import serve

__all__ = ["app"]

app: Final = typer.Typer(
    name="pyerlcoin",
    help="An Erlang node in Python that hosts and mines the ElixirCoin game.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pyerlcoin {version('pyerlcoin')}")
        raise typer.Exit


@app.callback()
def _root(
    wanted: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """An Erlang node in Python that hosts and mines the ElixirCoin game."""


for _command in (serve, mine, leaderboard, worth, progress, workload, ping, search, audit, export, board, epmd, demo):
    app.command()(_command)
