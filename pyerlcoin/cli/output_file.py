"""Where a command puts what it made of a ledger."""

from __future__ import annotations

from pathlib import Path

from pyerlcoin.errors import WrongUsage
from pyerlcoin.store.files import belongs

__all__ = ["write_output"]


def write_output(output: Path, content: bytes, ledger: Path) -> None:
    """`content` is what the file `output` holds from now on. Raises `WrongUsage` when it cannot be written.

    So it does, and writes nothing, when that file is `ledger` or belongs to it: a game may be going on there.
    """
    if belongs(output, ledger):
        raise WrongUsage(f"{output} belongs to the ledger {ledger}, which would be lost: give -o another file")
    try:
        output.write_bytes(content)
    except OSError as error:
        raise WrongUsage(f"cannot write {output} ({error.strerror}): give -o another file") from error
