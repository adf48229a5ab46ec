"""`pyerlcoin board`: the final board of a ledger, as one file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from pyerlcoin.coin.coin import digest_hex
from pyerlcoin.errors import ExitCode, WrongUsage
from pyerlcoin.store.reading import Reading
from pyerlcoin.web.replay import replay
from pyerlcoin.web.report import page

__all__ = ["board"]


def board(
    ledger: Annotated[Path, typer.Argument(metavar="LEDGER", help="The ledger's file; its server may be running.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where the page goes, as HTML.")],
) -> int:
    """Write a ledger's board as one HTML file, with a slider through the evening."""
    with Reading(ledger) as reading:
        game = reading.game
        state, history = replay(
            reading.past(), reading.facts(), zeros=game.zeros, digest=partial(digest_hex, game.secret)
        )
    try:
        output.write_text(page(state, history), encoding="utf-8")
    except OSError as error:
        raise WrongUsage(f"cannot write {output} ({error.strerror}): give -o another file") from error
    typer.echo(f"{output}: {state['game']['miners']} miners, {state['game']['coins']} coins")
    return ExitCode.DONE
