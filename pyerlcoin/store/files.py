"""The files that a ledger is: its own, and those that lie beside it while it is used."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["LOCK", "belongs"]

LOCK: Final = "-lock"
"""After the name of the ledger: what one server at a time holds."""

_ENDINGS: Final = ("", "-wal", "-shm", "-journal", LOCK)
"""The middle three are SQLite's."""


def belongs(path: Path, ledger: Path) -> bool:
    """Whether `path` is the ledger, or one of the files beside it, by whatever link. Neither has to be there."""
    # They lie beside the file that a link leads to. Beside the link they would be looked for, so those are refused too.
    homes = {ledger.absolute(), Path(os.path.realpath(ledger))}
    return any(_same(path, home.with_name(home.name + ending)) for home in homes for ending in _ENDINGS)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        # One that is not there yet is the other if it would lie in the same place.
        return os.path.realpath(one) == os.path.realpath(other)
