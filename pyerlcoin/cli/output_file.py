"""Where a command puts what it made of a ledger."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from pyerlcoin.errors import WrongUsage
from pyerlcoin.store.files import belongs

__all__ = ["is_standard_output", "refuse_ledger", "write_output"]


def is_standard_output(output: Path) -> bool:
    """Whether `-` was given; a file of that name is `./-`, which is the same to a `Path`, and is not worth having."""
    return str(output) == "-"


def refuse_ledger(output: Path, ledger: Path) -> None:
    """Raises `WrongUsage` when the file `output` is `ledger` or belongs to it: a game may be going on there."""
    if belongs(output, ledger):
        raise WrongUsage(f"{output} belongs to the ledger {ledger}, which would be lost: give -o another file")


def write_output(output: Path, content: bytes | Iterable[bytes], ledger: Path) -> None:
    """`content`, in one piece or in many, is what the file `output` holds from now on. Raises `WrongUsage` when it
    cannot be written.

    So it does, and writes nothing, when that is what `refuse_ledger` refuses.
    """
    pieces = [content] if isinstance(content, bytes) else content
    if is_standard_output(output):
        sys.stdout.flush()
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.buffer.flush()
        return
    refuse_ledger(output, ledger)
    try:
        with output.open("wb") as file:
            file.writelines(pieces)
    except OSError as error:
        raise WrongUsage(f"cannot write {output} ({error.strerror}): give -o another file") from error
