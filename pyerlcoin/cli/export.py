"""`pyerlcoin export`: all of a ledger, for other programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Final, Literal

import typer

from pyerlcoin.cli.options import LedgerArgument
from pyerlcoin.cli.output import json_line
from pyerlcoin.cli.output_file import is_standard_output, write_output
from pyerlcoin.coin.facts import CoinAccepted
from pyerlcoin.coin.past import Open
from pyerlcoin.errors import ExitCode, WrongUsage
from pyerlcoin.store.export import Export
from pyerlcoin.store.export import export as read_all
from pyerlcoin.store.reading import Reading

__all__ = ["export"]

Format = Literal["json", "csv"]

COLUMNS: Final = ("record", "miner", "node", "first", "last", "number", "at", "text")
"""Of the CSV; what each record puts there is in docs/operating.md."""

_COINS: Final = object()
"""Stands where the coins are to be."""

_TOGETHER: Final = 1_000
"""Coins that are made text at once."""

_IN_MEMORY: Final = 8 * 1024 * 1024
"""Bytes of text that need no file of their own while the ledger is read."""

_PIECE: Final = 64 * 1024
"""Characters of it that are given out at once."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def export(
    ledger: LedgerArgument,
    format_: Annotated[Format, typer.Option("--format", help="One JSON object, or one table.")] = "json",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", readable=False, help="Where it goes; else standard output."),
    ] = None,
) -> int:
    """Write all of a ledger, its secret too, as JSON or CSV.

    That is: coins, finished ranges, open units, miners, refusals.
    """
    to_file = None if output is None or is_standard_output(output) else output
    with SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8", newline="") as text:
        try:
            with Reading(ledger) as reading:
                if format_ == "csv":
                    _write_csv(text, read_all(reading))
                else:
                    _write_json(text, read_all(reading), json_line if to_file is None else _json)
            # What went wrong until now has left nothing half written.
            text.seek(0)
        except OSError as error:
            with suppress(OSError):
                # What did not find room is tried once more.
                text.close()
            said = f"a temporary file for what is exported cannot be written ({error.strerror})"
            raise WrongUsage(f"{said}: set TMPDIR to a folder with room") from error
        pieces = iter(partial(text.read, _PIECE), "")
        if to_file is None:
            for piece in pieces:
                typer.echo(piece, nl=False)
        else:
            write_output(to_file, map(str.encode, pieces), ledger)
    return ExitCode.DONE


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _write_json(text: IO[str], everything: Export, dumps: Callable[[object], str]) -> None:
    """One object, as `dumps` would write it at once, but for never having all coins in memory."""
    begin = "{"
    for key, value in _plain(everything).items():
        text.write(f"{begin}{dumps(key)}: ")
        if value is _COINS:
            _write_coins(text, everything.coins, dumps)
        else:
            text.write(dumps(value))
        begin = ", "
    text.write("}\n")


def _write_coins(text: IO[str], coins: Iterator[CoinAccepted], dumps: Callable[[object], str]) -> None:
    begin = "["
    while some := [{"n": coin.n, "miner": coin.name, "at": coin.at} for coin in islice(coins, _TOGETHER)]:
        # A list without its brackets.
        text.write(begin + dumps(some)[1:-1])
        begin = ", "
    text.write("]" if begin == ", " else "[]")


def _plain(everything: Export) -> dict[str, object]:
    return {
        "secret": _text(everything.secret),
        "zeros": everything.zeros,
        "first": everything.first,
        "frontier": everything.frontier,
        "workload": everything.workload,
        "coins": _COINS,
        "finished": [[unit.first, unit.last] for unit in everything.finished],
        "open": [_open(unit) for unit in everything.open],
        "returned": [_open(unit) for unit in everything.returned],
        "miners": [
            {
                "name": miner.name,
                "node": miner.node,
                "coins": miner.coins,
                "finished": miner.finished,
                "registered_at": miner.registered_at,
                "last_coin_at": miner.last_coin_at,
            }
            for miner in everything.miners
        ],
        "refused": [
            {
                "miner": one.name,
                "node": one.node,
                "reason": one.reason.value,
                "count": one.count,
                "first_at": one.first_at,
                "last_at": one.last_at,
                "message": one.message,
            }
            for one in everything.refused
        ],
    }


def _open(open_: Open) -> dict[str, object]:
    return {"first": open_.unit.first, "last": open_.unit.last, "miner": open_.name, "node": open_.node}


def _write_csv(text: IO[str], everything: Export) -> None:
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in row] for row in _rows(everything))


def _rows(everything: Export) -> Iterator[tuple[object, ...]]:
    yield "secret", None, None, None, None, None, None, _text(everything.secret)
    yield "zeros", None, None, None, None, everything.zeros, None, None
    yield "first", None, None, None, None, everything.first, None, None
    yield "frontier", None, None, None, None, everything.frontier, None, None
    yield "workload", None, None, None, None, None, None, str(everything.workload)
    for miner in everything.miners:
        yield "miner", miner.name, miner.node, None, None, miner.coins, miner.registered_at, None
    for coin in everything.coins:
        yield "coin", coin.name, None, coin.n, coin.n, coin.count, coin.at, None
    for unit in everything.finished:
        yield "finished", None, None, unit.first, unit.last, None, None, None
    for record, units in (("open", everything.open), ("returned", everything.returned)):
        for one in units:
            yield record, one.name, one.node, one.unit.first, one.unit.last, None, None, None
    for refused in everything.refused:
        said = f"{refused.reason.value}: {refused.message}"
        yield "refused", refused.name, refused.node, None, None, refused.count, refused.last_at, said


def _cell(value: object) -> object:
    # A table program would run a name like =HYPERLINK(…) that a stranger chose.
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _text(secret: bytes) -> str:
    return secret.decode("utf-8", "backslashreplace")
