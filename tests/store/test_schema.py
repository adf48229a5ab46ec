import sqlite3
from collections.abc import Iterator

import pytest

from pyerlcoin.store import schema
from pyerlcoin.store.db import MEMORY, atomic, connect


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(MEMORY, write=True)
    yield connection
    connection.close()


def test_every_migration_is_applied_once_and_its_name_kept(db: sqlite3.Connection) -> None:
    assert schema.applied(db) == []
    for _ in range(2):
        with atomic(db):
            schema.migrate(db)
    assert schema.applied(db) == [name for name, _ in schema.MIGRATIONS]
    assert schema.unknown(db) == []


def test_the_header_says_what_the_file_is(db: sqlite3.Connection) -> None:
    with atomic(db):
        schema.migrate(db)
    assert db.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION_ID,)


def test_a_newer_one_is_seen(db: sqlite3.Connection) -> None:
    with atomic(db):
        schema.migrate(db)
        db.execute("INSERT INTO migration (name) VALUES ('of tomorrow')")
    assert schema.unknown(db) == ["of tomorrow"]


def test_one_that_fails_leaves_nothing(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", (("good", "CREATE TABLE a (x)"), ("bad", "CREATE TABLE b (x); NONSENSE")))
    with pytest.raises(sqlite3.OperationalError), atomic(db):
        schema.migrate(db)
    assert db.execute("SELECT name FROM sqlite_schema").fetchall() == []


@pytest.mark.parametrize(
    ("statement", "blank"),
    [
        ("SELECT 1", True),
        ("CREATE TABLE diary (day)", False),
        ("PRAGMA application_id = 7", False),
        ("PRAGMA user_version = 7", False),
    ],
)
def test_what_is_nobody_s(db: sqlite3.Connection, statement: str, blank: bool) -> None:
    db.execute(statement)
    assert schema.is_blank(db) is blank
