import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyerlcoin.errors import ExitCode, LedgerUnusable
from pyerlcoin.store.db import MEMORY, atomic, connect, in_words, is_at_rest


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(MEMORY, write=True)
    connection.execute("CREATE TABLE t (n UNIQUE)")
    yield connection
    connection.close()


def values(db: sqlite3.Connection) -> list[int]:
    return [n for (n,) in db.execute("SELECT n FROM t ORDER BY n")]


def insert(db: sqlite3.Connection, n: int) -> None:
    db.execute("INSERT INTO t VALUES (?)", (n,))


def test_all_of_it(db: sqlite3.Connection) -> None:
    with atomic(db):
        insert(db, 1)
        insert(db, 2)
    assert db.in_transaction is False
    assert values(db) == [1, 2]


def test_or_nothing(db: sqlite3.Connection) -> None:
    insert(db, 1)
    with pytest.raises(sqlite3.IntegrityError), atomic(db):
        db.execute("INSERT INTO t SELECT n + 1 FROM t UNION ALL SELECT n FROM t")
    assert not db.in_transaction
    assert values(db) == [1]


def fail(db: sqlite3.Connection, n: int, then: str | None = None) -> None:
    with atomic(db):
        insert(db, n)
        if then is not None:
            db.execute(then)
        raise KeyError


def test_a_part_may_fail_alone(db: sqlite3.Connection) -> None:
    with atomic(db):
        insert(db, 1)
        with pytest.raises(KeyError):
            fail(db, 2)
        with atomic(db):
            insert(db, 3)
    assert values(db) == [1, 3]


def test_the_first_error_comes_out_although_it_was_taken_back_already(db: sqlite3.Connection) -> None:
    with pytest.raises(KeyError):
        fail(db, 1, "ROLLBACK")
    assert values(db) == []


def test_reading_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        connect(tmp_path / "none", write=False)
    assert list(tmp_path.iterdir()) == []


def test_a_path_may_have_any_characters(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=ro&b#c%20 d"
    connect(path, write=True).close()
    assert path.exists()


def test_a_path_need_not_be_text(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    connect(path, write=True).close()
    assert path.exists()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_NOTADB, "is damaged or no ledger at all"),
        (sqlite3.SQLITE_CORRUPT, "is damaged or no ledger at all"),
        (sqlite3.SQLITE_FULL, "the disk is full"),
        (sqlite3.SQLITE_READONLY, "right to write"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "right to write"),
        (sqlite3.SQLITE_CANTOPEN, "cannot be opened"),
        (sqlite3.SQLITE_BUSY, "in use by another process"),
        (sqlite3.SQLITE_IOERR, "cannot be used (odd)"),
        (None, "cannot be used (odd)"),
    ],
)
def test_errors_in_words(code: int | None, words: str) -> None:
    error = sqlite3.OperationalError("odd")
    if code is not None:
        error.sqlite_errorcode = code
    said = in_words("x.ledger", error)
    assert isinstance(said, LedgerUnusable)
    assert said.exit_code is ExitCode.LEDGER_UNUSABLE
    assert words in str(said)
    assert "x.ledger" in str(said)


def test_at_rest_is_what_is_all_in_its_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "x")
    db = connect(tmp_path / "link", write=True)
    db.execute("PRAGMA journal_mode = WAL")
    assert is_at_rest(tmp_path / "x")
    db.execute("CREATE TABLE t (n)")
    assert not is_at_rest(tmp_path / "x")
    assert not is_at_rest(tmp_path / "link")
    db.close()
    assert is_at_rest(tmp_path / "link")
    assert not is_at_rest(tmp_path / ("n" * 300))


def test_who_reads_what_is_at_rest_leaves_nothing_beside_it(tmp_path: Path) -> None:
    db = connect(tmp_path / "x", write=True)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE t (n)")
    db.close()
    db = connect(tmp_path / "x", write=False, at_rest=True)
    assert db.execute("SELECT count(*) FROM t").fetchone() == (0,)
    with pytest.raises(sqlite3.OperationalError):
        insert(db, 1)
    db.close()
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_an_empty_log_has_nothing_that_the_file_lacks(tmp_path: Path) -> None:
    connect(tmp_path / "x", write=True).close()
    (tmp_path / "x-wal").touch()
    assert is_at_rest(tmp_path / "x")
    (tmp_path / "x-wal").write_bytes(b"1")
    assert not is_at_rest(tmp_path / "x")
