"""Who moves the write-ahead log into the ledger's file, so that a commit need not wait for the disk.

With `synchronous = NORMAL` a commit only writes to the log, and the system takes that as fast as memory; what waits
for the platter is the checkpoint, which SQLite does in the commit of every thousandth page (sqlite.org/wal.html, 2.2
and 3). Here a thread does it, through a connection of its own; PASSIVE, it holds up neither who writes nor who reads.

But the log begins anew only in a commit that finds all of it moved, and while commits come during each move none ever
does. So when it is long, and the thread has just moved nearly all, who writes moves the rest itself: nothing can come
in between. Nor does the log begin anew while somebody reads at an earlier moment; the thread sees that, and who writes
does not try until it can succeed.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path
from typing import Final

from pyerlcoin.store.db import MEMORY, connect

__all__ = ["LOG_BYTES", "Checkpointer"]

log = logging.getLogger(__name__)

LOG_BYTES: Final = 4 * 1024 * 1024
"""A log that has grown by so much is moved: about SQLite's own thousand pages. And what is left of a longer file when
the log in it begins anew."""

LONG: Final = 8 * LOG_BYTES
"""Of a log of this size who writes moves the last part."""

_AHEAD: Final = 2
"""Times that size, by which a log may grow while the thread is at it. From there on who writes waits: the disk takes
less than comes."""

_COMMITS: Final = 64
"""Between two looks at the log's size."""


class Checkpointer:
    """For the one connection that writes the ledger at `path`. For a ledger in memory there is nothing to do."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path | str, *, often: int = LOG_BYTES, long: int = LONG
    ) -> None:
        """A log is moved whenever it has grown by `often` bytes, and begins anew soon after it has `long`."""
        self._writer = connection
        self._path = path
        self._log = Path(f"{path}-wal")
        self._often = often
        self._long = long
        self._ahead = _AHEAD * long
        self._commits = 0
        self._size = 0
        """Of the log when the thread was last asked to move it."""
        self._all_moved = False
        """Whether the thread moved everything that was there when it began. Only read while it is idle."""
        self._due = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._closed = False
        self.done = 0
        """Checkpoints of the thread so far."""
        self.finished = 0
        """Checkpoints of who writes so far."""
        self._thread: threading.Thread | None = None
        if path != MEMORY:
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            connection.execute(f"PRAGMA journal_size_limit = {often}")
            self._thread = threading.Thread(target=self._work, name="ledger checkpoints", daemon=True)
            self._thread.start()

    def look(self) -> None:
        """After each commit, from who writes: have the log moved when it is long."""
        self._commits += 1
        if self._commits % _COMMITS or self._thread is None or not self._thread.is_alive():
            return
        try:
            size = self._log.stat().st_size
        except OSError:
            return
        if not self._idle.is_set():
            if size <= self._size + self._ahead:
                return
            self._idle.wait()
        if size < self._size:
            # It has begun anew meanwhile.
            self._size = 0
        if self._all_moved and self._size > self._long:
            self._all_moved = False
            self._move(self._writer)
            self.finished += 1
        elif size > self._size + self._often:
            self._size = size
            self._all_moved = False
            self._idle.clear()
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
                self._all_moved = self._move(connection)
                self.done += 1
                self._idle.set()
        finally:
            self._idle.set()
            connection.close()

    def _move(self, connection: sqlite3.Connection) -> bool:
        """Whether all is moved that was there at the beginning: not what somebody reads at an earlier moment."""
        try:
            busy, there, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            log.warning("the ledger's log cannot be moved into its file now: %s", error)
            return False
        return not busy and there == moved
