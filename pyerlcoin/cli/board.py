"""`pyerlcoin board`: the final board of a ledger, as one file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import StrEnum
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Final

import typer

from pyerlcoin.cli.options import LedgerArgument
from pyerlcoin.cli.output_file import is_standard_output, refuse_ledger, write_output
from pyerlcoin.cli.text import counted
from pyerlcoin.coin.coin import digest_hex
from pyerlcoin.coin.facts import Fact
from pyerlcoin.coin.past import replay as past_after
from pyerlcoin.errors import ExitCode, WrongUsage
from pyerlcoin.store.reading import Reading
from pyerlcoin.web.board import State
from pyerlcoin.web.replay import replay
from pyerlcoin.web.report import page
from pyerlcoin.web.schedule import day_and_time, parse_moment

__all__ = ["Kind", "board"]


class Kind(StrEnum):
    """What is written."""

    HTML = "html"
    PNG = "png"


_ENDINGS: Final = {"": Kind.HTML, ".html": Kind.HTML, ".htm": Kind.HTML, ".png": Kind.PNG}


def board(
    ledger: LedgerArgument,
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="FILE", readable=False, help="Where the board goes; - is standard output."
        ),
    ],
    kind: Annotated[
        Kind | None,
        typer.Option("--format", help="A page, or a picture of the charts; else as FILE ends, in .html or .png."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="TIME",
            help="Only what came before it, as the wall with --ends-at: 21:30, or +2h from the game's beginning.",
        ),
    ] = None,
) -> int:
    """Write a ledger's board as one HTML file or as a picture.

    The HTML file has a slider through the evening.
    """
    refuse_ledger(output, ledger)
    write = _writer(_kind(output) if kind is None else kind, output)
    with Reading(ledger) as reading:
        rules = reading.game
        end = None if until is None else _moment(reading, until)
        past = reading.past() if end is None else past_after(rules.first, rules.workload, _before(reading, end))
        state, history = replay(
            past, _before(reading, end), zeros=rules.zeros, digest=partial(digest_hex, rules.secret)
        )
    write_output(output, write(state, history), ledger)
    game = state["game"]
    when = "" if end is None else f" until {day_and_time(end)}"
    told = f"{output}: {counted(game['miners'], 'miner')}, {counted(game['coins'], 'coin')}{when}"
    typer.echo(told, err=is_standard_output(output))
    return ExitCode.DONE


def _moment(reading: Reading, text: str) -> float:
    """As `--ends-at`, but of the evening that is in the ledger, however long ago that was."""
    began = last = reading.game.at
    for fact in reading.facts():
        last = fact.at
    return parse_moment(text, datetime.fromtimestamp(began if text.startswith("+") else last))


def _before(reading: Reading, end: float | None) -> Iterator[Fact]:
    """What happened before `end`: what comes at that very moment, the wall does not count either."""
    return reading.facts() if end is None else takewhile(lambda fact: fact.at < end, reading.facts())


def _kind(output: Path) -> Kind:
    kind = _ENDINGS.get(output.suffix.lower())
    if kind is None:
        raise WrongUsage(f"{output} ends in neither .html nor .png: name it so, or say which with --format html|png")
    return kind


def _writer(kind: Kind, output: Path) -> Callable[[State, State], bytes]:
    if kind is Kind.HTML:
        return lambda state, history: page(state, history).encode()
    if is_standard_output(output):
        raise WrongUsage("a picture does not go to standard output: give -o a file that ends in .png")
    # Which screen other programs draw on is nothing to this one, and may be unknown to its matplotlib.
    os.environ.pop("MPLBACKEND", None)
    try:
        # Half a second, and an extra: for those who want a picture.
        from pyerlcoin.web.picture import picture
    except ImportError:
        raise WrongUsage("a picture needs one more package: pip install 'pyerlcoin[png]'") from None
    return picture
