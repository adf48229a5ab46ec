"""`pyerlcoin export`: all of a ledger, for other programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from pyerlcoin.cli.options import LedgerArgument
from pyerlcoin.cli.output import json_line
from pyerlcoin.cli.output_file import is_standard_output, write_output
from pyerlcoin.coin.past import Open
from pyerlcoin.errors import ExitCode
from pyerlcoin.store.export import Export
from pyerlcoin.store.export import export as read_all
from pyerlcoin.store.reading import Reading

__all__ = ["export"]

Format = Literal["json", "csv"]

COLUMNS: Final = ("record", "miner", "node", "first", "last", "number", "at", "text")
"""Of the CSV; what each record puts there is in docs/operating.md."""

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
    with Reading(ledger) as reading:
        everything = read_all(reading)
    if output is None or is_standard_output(output):
        typer.echo(json_line(_plain(everything)) if format_ == "json" else _csv(everything), nl=format_ == "json")
    else:
        text = json.dumps(_plain(everything), ensure_ascii=False) + "\n" if format_ == "json" else _csv(everything)
        write_output(output, text.encode(), ledger)
    return ExitCode.DONE


def _plain(everything: Export) -> dict[str, object]:
    return {
        "secret": _text(everything.secret),
        "zeros": everything.zeros,
        "first": everything.first,
        "frontier": everything.frontier,
        "workload": everything.workload,
        "coins": [{"n": coin.n, "miner": coin.name, "at": coin.at} for coin in everything.coins],
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


def _csv(everything: Export) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in row] for row in _rows(everything))
    return file.getvalue()


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
