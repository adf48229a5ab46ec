"""SQLite as this project uses it: connections, transactions, and its errors in a person's words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from pyerlcoin.errors import LedgerUnusable

__all__ = ["MEMORY", "atomic", "connect", "damaged", "in_words", "is_at_rest"]

MEMORY = ":memory:"
"""The path of a ledger that ends with its process."""


def connect(path: Path | str, *, write: bool, at_rest: bool = False) -> sqlite3.Connection:
    """A connection without implied transactions, which any one thread at a time may use. With `write` it creates the
    file. With `at_rest` it reads the file alone, and neither makes nor heeds what lies beside it. Raises
    `sqlite3.Error`.
    """
    if path == MEMORY:
        uri = "file::memory:"
    else:
        uri = f"file:{quote(os.fsencode(Path(path).absolute()))}?mode={'rwc' if write else 'ro'}"
        if at_rest:
            uri += "&immutable=1"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def is_at_rest(path: Path | str) -> bool:
    """Whether all of the ledger is in its file, as after an end in good order: its log is empty, or there is none."""
    try:
        return os.stat(f"{os.path.realpath(path)}-wal").st_size == 0
    except FileNotFoundError:
        return True
    except OSError:
        return False


@contextmanager
def atomic(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing. Within another it is a part of that one, which may fail alone.

    The error that comes out is the first one, whatever the taking back says.
    """
    outer = not connection.in_transaction
    connection.execute("BEGIN IMMEDIATE" if outer else "SAVEPOINT part")
    try:
        yield
        connection.execute("COMMIT" if outer else "RELEASE part")
    except BaseException:
        # SQLite may have taken it back by itself, as it does when the disk is full.
        with suppress(sqlite3.Error):
            if outer:
                connection.execute("ROLLBACK")
            else:
                connection.execute("ROLLBACK TO part")
                connection.execute("RELEASE part")
        raise


def damaged(path: Path | str) -> LedgerUnusable:
    """The one sentence about a file in which SQLite finds no sense."""
    return LedgerUnusable(f"{path} is damaged or no ledger at all: keep the file, and name another with --ledger")


def in_words(path: Path | str, error: sqlite3.Error) -> LedgerUnusable:
    """The one sentence about an error of the ledger at `path`."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return damaged(path)
        case sqlite3.SQLITE_FULL:
            said = "cannot be written, the disk is full: make room, or name another with --ledger"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            said = "cannot be written: give this user the right to write the file and its folder"
        case sqlite3.SQLITE_CANTOPEN:
            said = "cannot be opened: look at its folder and at this user's rights there"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            said = "is in use by another process: end that, or name another with --ledger"
        case _:
            said = f"cannot be used ({error})"
    return LedgerUnusable(f"the ledger {path} {said}")
