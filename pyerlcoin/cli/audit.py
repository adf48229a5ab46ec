"""`pyerlcoin audit`: did a ledger keep the server's promises?"""

from __future__ import annotations

import typer

from pyerlcoin.cli.options import LedgerArgument
from pyerlcoin.cli.text import counted, shown
from pyerlcoin.errors import ExitCode, LedgerUnusable
from pyerlcoin.store.audit import audit as go_through
from pyerlcoin.store.reading import Reading

__all__ = ["audit"]


def audit(
    ledger: LedgerArgument,
) -> int:
    """Hash every coin of a ledger again, check every promise."""
    with Reading(ledger) as reading:
        result = go_through(reading)
    # A sentence may quote a miner's name, which is whatever a stranger chose.
    for sentence in result.found:
        typer.echo(shown(sentence, 2000))
    typer.echo(
        f"{counted(result.coins, 'coin')} of {counted(result.miners, 'miner')} hashed again, "
        f"{counted(result.units, 'unit')}, {counted(result.finished, 'integer')} finished: "
        f"{'every promise kept' if result.clean else 'not all is well'}"
    )
    if not result.clean:
        raise LedgerUnusable(
            f"{ledger} breaks {counted(len(result.found), 'promise')}: keep the file as it is, and go on with another"
        )
    return ExitCode.DONE
