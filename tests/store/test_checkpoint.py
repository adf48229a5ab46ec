import logging
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyerlcoin.store.checkpoint import Checkpointer
from pyerlcoin.store.db import MEMORY, connect
from tests.support.games import PATIENCE, commit, open_store


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(tmp_path / "x", write=True)
    connection.execute("PRAGMA journal_mode = WAL")
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
    # The next commit begins the log anew.
    size = (tmp_path / "x-wal").stat().st_size
    db.execute("INSERT INTO t VALUES (1)")
    assert (tmp_path / "x-wal").stat().st_size == size
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


def test_a_file_that_is_gone_is_said_and_ends_nothing(
    db: sqlite3.Connection, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        checkpointer = Checkpointer(db, tmp_path / "no folder" / "x")
        for _ in range(100):
            checkpointer.look()
        checkpointer.close()
    assert "will only grow" in caplog.text
