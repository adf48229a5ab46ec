"""`pyerlcoin board`: the final board of a ledger, as one file."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from pyerlcoin.cli.output_file import write_output
from pyerlcoin.cli.text import counted
from pyerlcoin.coin.coin import digest_hex
from pyerlcoin.errors import ExitCode, WrongUsage
from pyerlcoin.store.reading import Reading
from pyerlcoin.web.board import State
from pyerlcoin.web.replay import replay
from pyerlcoin.web.report import page

__all__ = ["Kind", "board"]


class Kind(StrEnum):
    """What is written."""

    HTML = "html"
    PNG = "png"


def board(
    ledger: Annotated[Path, typer.Argument(metavar="LEDGER", help="The ledger's file; its server may be running.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where the board goes.")],
    kind: Annotated[
        Kind | None,
        typer.Option("--format", help="A page, or a picture of the charts; else png when FILE ends in .png."),
    ] = None,
) -> int:
    """Write a ledger's board as one HTML file with a slider through the evening, or as a picture."""
    write = _writer(kind or (Kind.PNG if output.suffix.lower() == ".png" else Kind.HTML))
    with Reading(ledger) as reading:
        rules = reading.game
        state, history = replay(
            reading.past(), reading.facts(), zeros=rules.zeros, digest=partial(digest_hex, rules.secret)
        )
    write_output(output, write(state, history), ledger)
    game = state["game"]
    typer.echo(f"{output}: {counted(game['miners'], 'miner')}, {counted(game['coins'], 'coin')}")
    return ExitCode.DONE


def _writer(kind: Kind) -> Callable[[State, State], bytes]:
    if kind is Kind.HTML:
        return lambda state, history: page(state, history).encode()
    # Which screen other programs draw on is nothing to this one, and may be unknown to its matplotlib.
    os.environ.pop("MPLBACKEND", None)
    try:
        # Half a second, and an extra: for those who want a picture.
        from pyerlcoin.web.picture import picture
    except ImportError:
        raise WrongUsage("a picture needs one more package: pip install 'pyerlcoin[png]'") from None
    return picture
