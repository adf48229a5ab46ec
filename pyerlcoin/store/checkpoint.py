"""Who moves the write-ahead log into the ledger's file, so that a commit need not wait for the disk.

With `synchronous = NORMAL` a commit only writes to the log, and the system takes that as fast as memory; what waits
for the platter is the checkpoint, which SQLite does in the commit of every thousandth page (sqlite.org/wal.html, 2.2
and 3). Here a thread does it, through a connection of its own; PASSIVE, it holds up neither who writes nor who reads.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path
from typing import Final

from pyerlcoin.store.db import MEMORY, connect

__all__ = ["Checkpointer"]

log = logging.getLogger(__name__)

_LOG_BYTES: Final = 4 * 1024 * 1024
"""A log of this size is moved: about SQLite's own thousand pages."""

_COMMITS: Final = 64
"""Between two looks at the log's size."""


class Checkpointer:
    """For the one connection that writes the ledger at `path`. For a ledger in memory there is nothing to do."""

    def __init__(self, connection: sqlite3.Connection, path: Path | str) -> None:
        self._path = path
        self._log = Path(f"{path}-wal")
        self._commits = 0
        self._due = threading.Event()
        self._closed = False
        self.done = 0
        """Checkpoints so far."""
        self._thread: threading.Thread | None = None
        if path != MEMORY:
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            self._thread = threading.Thread(target=self._work, name="ledger checkpoints", daemon=True)
            self._thread.start()

    def look(self) -> None:
        """After each commit: have the log moved when it is long."""
        self._commits += 1
        if self._commits % _COMMITS or self._thread is None:
            return
        try:
            size = self._log.stat().st_size
        except OSError:
            return
        if size > _LOG_BYTES:
            self._due.set()

    def close(self) -> None:
        """End the thread. What is in the log is as good as in the file: whoever opens it finds both."""
        self._closed = True
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        try:
            connection = connect(self._path, write=True)
        except sqlite3.Error as error:
            log.warning("the ledger's log will only grow: %s", error)
            return
        try:
            while self._due.wait() and not self._closed:
                self._due.clear()
                try:
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                    self.done += 1
                except sqlite3.Error as error:
                    log.warning("the ledger's log cannot be moved into its file now: %s", error)
        finally:
            connection.close()
