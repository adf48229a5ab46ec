"""One server for one ledger."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pyerlcoin.store.files import LOCK

__all__ = ["take_lock"]


def take_lock(path: Path) -> sqlite3.Connection:
    """Hold the ledger at `path` against other servers until the returned connection is closed, or this process ends.

    The lock is SQLite's own, on an empty file beside the ledger: it works where SQLite works, and no kill leaves it
    behind. Raises `sqlite3.Error`, for a server that holds it with the code `SQLITE_BUSY`.
    """
    lock = sqlite3.connect(f"{path}{LOCK}", timeout=0, isolation_level=None, check_same_thread=False)
    try:
        # Nothing is ever written; a journal on disk would only be left behind by a kill.
        lock.execute("PRAGMA journal_mode = MEMORY")
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error:
        lock.close()
        raise
    return lock
