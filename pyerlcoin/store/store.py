"""The ledger on disk, for the one server that writes it.

`Store.open` gives the ledger as the file has it; `commit` writes what the ledger said happened. How they go together
is in `pyerlcoin.coin.ledger`: replies wait for their commit; `keep` follows one that succeeded, `rollback` another.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Literal, Self, TypeAlias

from pyerlcoin.coin.answers import ASK_AGAIN
from pyerlcoin.coin.facts import Fact
from pyerlcoin.coin.ledger import GRACE, Accept, Ledger
from pyerlcoin.coin.limits import Limits
from pyerlcoin.coin.sizing import Workload
from pyerlcoin.errors import LedgerUnusable
from pyerlcoin.store import schema
from pyerlcoin.store.checkpoint import LOG_BYTES, Checkpointer
from pyerlcoin.store.db import MEMORY, atomic, connect, damaged, in_words, is_at_rest
from pyerlcoin.store.integers import to_column
from pyerlcoin.store.lock import take_lock
from pyerlcoin.store.reading import Game, check, game_of, past_of
from pyerlcoin.store.records import DiskRecords
from pyerlcoin.store.writer import Writer

__all__ = ["Durability", "NotWritten", "Store"]

log = logging.getLogger(__name__)

Durability: TypeAlias = Literal["normal", "full"]
"""What an acknowledged fact survives: `normal` any end of the process; `full` also that of the machine's power."""


class NotWritten(LedgerUnusable):
    """A commit failed, and nothing of it is on disk. Its text is for the callers; the next may succeed."""

    def __init__(self, cause: object) -> None:
        super().__init__(cause)
        self.cause = cause

    def __str__(self) -> str:
        return f"the server could not write its ledger ({self.cause}), {ASK_AGAIN}"


class Store:
    """A ledger file in use. Made by `open`; a context manager that closes it."""

    def __init__(
        self,
        path: Path | str,
        ledger: Ledger,
        records: DiskRecords,
        writer: Writer,
        checkpointer: Checkpointer | None,
        resources: ExitStack,
    ) -> None:
        """With a `checkpointer` commits wait for no disk, and are done where they are asked for; else in a thread."""
        self.path = path
        self.ledger = ledger
        self._records = records
        self._writer = writer
        self._checkpointer = checkpointer
        self._resources = resources
        self._closed = False
        self._jobs: SimpleQueue[tuple[Sequence[Fact], Future[None]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        if checkpointer is None:
            # A daemon, so that a server that ends without closing ends all the same: what it acknowledged is on disk.
            self._thread = threading.Thread(target=self._work, name="ledger writer", daemon=True)
            self._thread.start()

    @classmethod
    def open(
        cls,
        path: Path | str,
        secret: bytes,
        *,
        zeros: int = 5,
        first: int | None = None,
        workload: Workload | None = None,
        accept: Accept = "handed",
        grace: float = GRACE,
        lease: float | None = None,
        limits: Limits | None = None,
        durability: Durability = "normal",
        now: float,
    ) -> Self:
        """The ledger at `path`, made if there is none yet; `":memory:"` is one that ends with this process.

        `first` and `workload` are by default those of the file, and 1 in a new one; a `workload` that differs from the
        file's changes it. The other arguments are those of `Ledger`. The caller's thread is the one that may use
        `ledger` afterwards. Blocks on the disk.

        Raises `LedgerUnusable` when the file belongs to another secret, number of zeros or first integer, when it
        is damaged, a newer program's or no ledger, or in use, or when it cannot be written; it is then unchanged.
        Raises `WrongUsage` as `Ledger` does.
        """
        workload_at_first: Workload = 1 if workload is None else workload
        game = Game(secret, zeros, 1 if first is None else first, workload_at_first, now)
        Ledger(secret, zeros=zeros, first=game.first, workload=game.workload, limits=limits)
        # SQLite follows a link, so its log is beside what the link names; our lock has to be there, too.
        file = path if path == MEMORY else Path(os.path.realpath(path))
        with ExitStack() as resources:
            try:
                if isinstance(file, Path):
                    _look_first(Path(path), game, first)
                    resources.callback(take_lock(file).close)
                connection = connect(file, write=True)
                resources.callback(connection.close)
                if not schema.is_blank(connection):
                    # Once more, as who writes sees it: what another program was killed in has been taken back by now.
                    check(path, connection)
                _prepare(connection, durability)
                with atomic(connection):
                    schema.migrate(connection)
                    game = _begin(connection, game)
                    writer = Writer(connection)
                    writer.started(now, accept)
                checkpointer, reader = None, connection
                if durability == "normal" or path == MEMORY:
                    checkpointer = Checkpointer(connection, file)
                    resources.callback(checkpointer.close)
                else:
                    # Here SQLite itself begins the log anew, but would leave the file as long as it once was.
                    connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
                    reader = connect(file, write=False)
                    resources.callback(reader.close)
                records = DiskRecords(reader)
                ledger = Ledger(
                    secret,
                    zeros=zeros,
                    accept=accept,
                    grace=grace,
                    lease=lease,
                    limits=limits,
                    records=records,
                    past=past_of(connection, game),
                    now=now,
                )
                if workload is not None:
                    writer.write(ledger.set_workload(workload, now).facts)
                    ledger.keep(ledger.mark())
            except sqlite3.Error as error:
                raise in_words(path, error) from error
            return cls(path, ledger, records, writer, checkpointer, resources.pop_all())

    def commit(self, facts: Sequence[Fact]) -> Future[None]:
        """Write `facts`, all or none. The future ends with `NotWritten` when none is written.

        Waits for no disk: with `full` durability the future ends later, in another thread; else it has ended by then.
        The next commit may come only after the end of this one: what follows a failed one would stand on what is not
        there.
        """
        future: Future[None] = Future()
        if self._closed:
            future.set_exception(NotWritten("it is closed"))
        elif self._thread is not None:
            self._jobs.put((facts, future))
        else:
            self._write(facts, future)
        return future

    def close(self) -> None:
        """Finish what was committed, and let go of the file. Idempotent. Blocks on the disk."""
        if self._closed:
            return
        self._closed = True
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._write(*job)

    def _write(self, facts: Sequence[Fact], future: Future[None]) -> None:
        try:
            self._writer.write(facts)
        except sqlite3.Error as error:
            future.set_exception(NotWritten(error))
        except Exception as error:  # whoever writes has to live, and the callers need an answer
            log.exception("a commit failed for another reason than the disk")
            future.set_exception(NotWritten(error))
        else:
            self._records.written(facts, self._writer.placed)
            future.set_result(None)
            self._tidy()

    def _tidy(self) -> None:
        # What fails here is tried again: nothing of the game waits for it.
        try:
            self._writer.tidy()
        except sqlite3.Error as error:
            log.debug("coins are placed later: %s", error)
        if self._checkpointer is not None:
            self._checkpointer.look()


def _look_first(path: Path, game: Game, first: int | None) -> None:
    """Refuse a file that is not this game's before anything of it is changed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        found_there = path.exists()
        new = not found_there or path.stat().st_size == 0
    except OSError as error:
        raise LedgerUnusable(f"the ledger {path} cannot be opened ({error.strerror}): name another place") from error
    if found_there and not path.is_file():
        raise LedgerUnusable(f"the ledger {path} is no file: name another place")
    if new:
        return
    # At rest, as who only reads may not take back what a first start that was killed had begun to write.
    connection = connect(path, write=False, at_rest=is_at_rest(path))
    try:
        if schema.is_blank(connection):
            # The log is begun before the tables are: a first start that failed or was killed in between leaves this.
            return
        check(path, connection)
        # Reads the whole file, a third of a second for a million coins: better now than in the middle of the evening.
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise damaged(path)
        found = game_of(connection)
    finally:
        connection.close()
    another = "start the server as it was started then, or name another file with --ledger"
    if found.secret != game.secret:
        raise LedgerUnusable(f"the ledger {path} belongs to another secret: {another}")
    if found.zeros != game.zeros:
        raise LedgerUnusable(f"the ledger {path} belongs to coins of {found.zeros} zeros, not {game.zeros}: {another}")
    if first is not None and found.first != first:
        raise LedgerUnusable(f"the ledger {path} began at another integer than this first one: {another}")


def _prepare(connection: sqlite3.Connection, durability: Durability) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    # NORMAL writes the log at each commit and leaves its way to the platter to the system (sqlite.org/wal.html, 2.2).
    connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'full' else 'NORMAL'}")
    # What takes back half a statement of many rows; on disk it would be a file for each (sqlite.org/tempfiles.html).
    connection.execute("PRAGMA temp_store = MEMORY")


def _begin(connection: sqlite3.Connection, game: Game) -> Game:
    """The game of the file, which is `game` in a new one."""
    if connection.execute("SELECT count(*) FROM game").fetchone()[0]:
        return game_of(connection)
    workload = game.workload if isinstance(game.workload, str) else to_column(game.workload)
    row = (game.secret, game.zeros, to_column(game.first), workload, game.at)
    connection.execute("INSERT INTO game VALUES (1, ?, ?, ?, ?, ?)", row)
    return game
