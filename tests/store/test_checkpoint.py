import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pyerlcoin.store.checkpoint import LOG_BYTES, Checkpointer
from pyerlcoin.store.db import MEMORY, connect
from tests.support.games import PATIENCE, commit, open_store


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(tmp_path / "x", write=True)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("CREATE TABLE t (x)")
    yield connection
    connection.close()


class Watched(Checkpointer):
    """Says when the thread waits for the next time."""

    def __init__(self, connection: sqlite3.Connection, path: Path | str) -> None:
        self.idle = threading.Semaphore(0)
        super().__init__(connection, path)
        event, idle = self._due, self.idle

        class Due(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:
                idle.release()
                return super().wait(timeout)

        self._due = Due()
        # The thread may wait for the first one already.
        event.set()


def test_a_long_log_is_moved_into_the_file(db: sqlite3.Connection, tmp_path: Path) -> None:
    checkpointer = Watched(db, tmp_path / "x")
    assert checkpointer.idle.acquire(timeout=PATIENCE)
    before = checkpointer.done
    for _ in range(64):
        db.execute("INSERT INTO t VALUES (zeroblob(100000))")
        checkpointer.look()
    assert checkpointer.idle.acquire(timeout=PATIENCE)
    assert checkpointer.done == before + 1
    assert (tmp_path / "x").stat().st_size > 6_000_000
    # The next commit begins the log anew, and what looks at its size next finds it short.
    assert (tmp_path / "x-wal").stat().st_size > 6_000_000
    db.execute("INSERT INTO t VALUES (1)")
    assert (tmp_path / "x-wal").stat().st_size == LOG_BYTES
    for _ in range(64):
        db.execute("INSERT INTO t VALUES (1)")
        checkpointer.look()
    checkpointer.close()
    assert checkpointer.done == before + 1


OFTEN, LONG = 1 << 18, 1 << 20
"""Sizes that a log in a test has after a moment."""

LOOK = 64 * 3 * 4_120
"""More than the log grows by between two looks: of each commit here two pages, seldom a third, with their heads."""


def log_of(db: sqlite3.Connection) -> Path:
    return Path(db.execute("PRAGMA database_list").fetchone()[2] + "-wal")


def test_commits_without_a_break_keep_the_log_short(db: sqlite3.Connection, tmp_path: Path) -> None:
    checkpointer = Checkpointer(db, tmp_path / "x", often=OFTEN, long=LONG)
    log, longest = log_of(db), 0
    for _ in range(6_000):
        db.execute("INSERT INTO t VALUES (1)")
        checkpointer.look()
        longest = max(longest, log.stat().st_size)
    # The thread may be at it twice, before and after the log is long, and who writes ahead of it by two each time.
    assert longest < 5 * LONG + 4 * LOOK
    checkpointer.close()
    assert db.execute("SELECT count(*) FROM t").fetchone() == (6_000,)


class Between(Checkpointer):
    """Something is committed during each move of the thread: after what it moves, and before it is done."""

    def _move(self, connection: sqlite3.Connection) -> bool:
        if connection is self._writer:
            return super()._move(connection)
        with closing(connect(self._path, write=False)) as reader:
            # While this reads, the log cannot begin anew: no more than during the move.
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM t LIMIT 1").fetchone()
            moved = super()._move(connection)
            self._writer.execute("INSERT INTO t VALUES (2)")
            return moved

    def look(self) -> None:
        super().look()
        assert self._idle.wait(PATIENCE)


def grow(db: sqlite3.Connection, checkpointer: Between, size: int) -> None:
    """Commit until the log is of this size."""
    log = log_of(db)
    while log.stat().st_size < size:
        db.execute("INSERT INTO t VALUES (1)")
        checkpointer.look()


def turn(db: sqlite3.Connection, checkpointer: Between, looks: int = 1) -> None:
    """Commit until the log's size was looked at so often."""
    for _ in range(64 * looks):
        db.execute("INSERT INTO t VALUES (1)")
        checkpointer.look()


def test_who_writes_moves_the_end_of_a_long_log(db: sqlite3.Connection, tmp_path: Path) -> None:
    checkpointer = Between(db, tmp_path / "x", often=OFTEN, long=LONG)
    log = log_of(db)
    grow(db, checkpointer, LONG)
    assert checkpointer.done > 1
    assert checkpointer.finished == 0
    for n in range(1, 4):
        before = checkpointer.done
        while checkpointer.finished < n:
            turn(db, checkpointer)
            assert log.stat().st_size < LONG + OFTEN + 2 * LOOK
        assert before < checkpointer.done
        turn(db, checkpointer)
        assert log.stat().st_size < OFTEN + 2 * LOOK
    checkpointer.close()


def test_while_somebody_reads_who_writes_does_not_try_in_vain(db: sqlite3.Connection, tmp_path: Path) -> None:
    checkpointer = Between(db, tmp_path / "x", often=OFTEN, long=LONG)
    reader = connect(tmp_path / "x", write=False)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM t").fetchone() == (0,)
    grow(db, checkpointer, 4 * LONG)
    assert checkpointer.finished == 0
    assert OFTEN * checkpointer.done <= 5 * LONG, "nor the thread at each look"
    assert reader.execute("SELECT count(*) FROM t").fetchone() == (0,)
    reader.execute("COMMIT")
    # A reader that came after the last commit is in nobody's way, but for the log's beginning anew.
    while checkpointer.finished < 1:
        turn(db, checkpointer)
    reader.execute("BEGIN")
    count = reader.execute("SELECT count(*) FROM t").fetchone()
    turn(db, checkpointer)
    assert log_of(db).stat().st_size < OFTEN + 2 * LOOK
    grow(db, checkpointer, 2 * LONG)
    assert checkpointer.finished == 1
    assert reader.execute("SELECT count(*) FROM t").fetchone() == count
    reader.close()
    while checkpointer.finished < 2:
        turn(db, checkpointer)
    turn(db, checkpointer)
    assert log_of(db).stat().st_size < OFTEN + 2 * LOOK
    checkpointer.close()


def test_who_writes_waits_for_a_thread_that_falls_far_behind(db: sqlite3.Connection, tmp_path: Path) -> None:
    waits = threading.Event()

    class Slow(Checkpointer):
        """Its disk takes nothing until somebody waits for it."""

        def _move(self, connection: sqlite3.Connection) -> bool:
            if connection is not self._writer:
                assert waits.wait(PATIENCE)
            return super()._move(connection)

    class Idle(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.set()
            return super().wait(timeout)

    checkpointer = Slow(db, tmp_path / "x", often=OFTEN, long=LONG)
    checkpointer._idle = Idle()
    checkpointer._idle.set()
    log = log_of(db)
    while not waits.is_set():
        db.execute("INSERT INTO t VALUES (1)")
        checkpointer.look()
        assert log.stat().st_size < 2 * LONG + OFTEN + 3 * LOOK
    assert log.stat().st_size > 2 * LONG
    assert checkpointer.done >= 1
    checkpointer.close()


def test_what_cannot_be_moved_is_said_and_refuses_no_commit(
    db: sqlite3.Connection, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpointer = Between(db, tmp_path / "x", often=OFTEN, long=LONG)
    grow(db, checkpointer, LONG)
    # Within a transaction that writes SQLite moves nothing.
    db.execute("BEGIN IMMEDIATE")
    with caplog.at_level(logging.WARNING):
        assert not checkpointer._move(db)
    db.execute("COMMIT")
    assert "cannot be moved" in caplog.text
    checkpointer.close()


def test_a_short_log_is_left_alone(db: sqlite3.Connection, tmp_path: Path) -> None:
    checkpointer = Checkpointer(db, tmp_path / "x")
    for _ in range(1_000):
        db.execute("INSERT INTO t VALUES (1)")
        checkpointer.look()
        if (tmp_path / "x-wal").stat().st_size > 3_000_000:
            break
    checkpointer.close()
    assert checkpointer.done == 0


def test_in_memory_there_is_nothing_to_do() -> None:
    connection = connect(MEMORY, write=True)
    checkpointer = Checkpointer(connection, MEMORY)
    for _ in range(100):
        checkpointer.look()
    checkpointer.close()
    connection.close()
    assert checkpointer.done == 0


def test_no_commit_waits_for_a_checkpoint_of_sqlite_s_own(tmp_path: Path) -> None:
    with open_store(tmp_path / "x") as store:
        assert store._writer._db.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)
        commit(store, store.ledger.hello(1, "a@h", "Ann", 1001.0).facts)
    with open_store(tmp_path / "x", durability="full", now=2000.0) as store:
        assert store._writer._db.execute("PRAGMA wal_autocheckpoint").fetchone() == (1000,)
        assert store._writer._db.execute("PRAGMA journal_size_limit").fetchone() == (LOG_BYTES,)


def test_a_file_that_is_gone_is_said_and_ends_nothing(
    db: sqlite3.Connection, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        checkpointer = Checkpointer(db, tmp_path / "no folder" / "x")
        for _ in range(100):
            checkpointer.look()
        checkpointer.close()
    assert "will only grow" in caplog.text
