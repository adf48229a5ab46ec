import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyerlcoin.coin.facts import CoinAccepted, Registered
from pyerlcoin.coin.records import Found
from pyerlcoin.store import schema
from pyerlcoin.store.db import MEMORY, atomic, connect
from pyerlcoin.store.places import place
from pyerlcoin.store.reading import Reading
from pyerlcoin.store.writer import Writer
from tests.support.games import open_store, play


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(MEMORY, write=True)
    with atomic(connection):
        schema.migrate(connection)
    yield connection
    connection.close()


def coins(first: int, count: int) -> list[CoinAccepted]:
    """Of Ann, from the highest integer down; `first` is the worth of the first one."""
    return [CoinAccepted(0.0, 10**30 - worth, "Ann", worth, worth) for worth in range(first, first + count)]


def test_coins_are_placed_behind_those_that_were(db: sqlite3.Connection) -> None:
    writer = Writer(db)
    writer.write([Registered(0.0, "Ann", "ann@h"), *coins(1, 5)])
    assert db.execute("SELECT count(*) FROM place").fetchone() == (0,)
    for now in (5, 5, 8):
        writer.write(coins(6, 3) if now == 8 else [])
        with atomic(db):
            assert place(db) == now
        # In the order of their integers, which is not that of the coins.
        assert db.execute("SELECT worth FROM place ORDER BY n DESC").fetchall() == [(n,) for n in range(1, now + 1)]
        assert db.execute("SELECT worth FROM latest_coin").fetchall() == [(now,)]


def test_the_writer_places_them_when_they_are_enough(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyerlcoin.store.writer.PLACE_EVERY", 10)
    writer = Writer(db)
    writer.write([Registered(0.0, "Ann", "ann@h"), *coins(1, 9)])
    writer.tidy()
    assert writer.placed == 0
    writer.write(coins(10, 1))
    writer.tidy()
    assert writer.placed == 10
    assert db.execute("SELECT count(*) FROM place").fetchone() == (10,)


def test_the_writer_places_them_no_oftener_than_that(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    placed: list[int] = []

    def counted(connection: sqlite3.Connection) -> int:
        placed.append(place(connection))
        return placed[-1]

    monkeypatch.setattr("pyerlcoin.store.writer.PLACE_EVERY", 10)
    monkeypatch.setattr("pyerlcoin.store.writer.place", counted)
    writer = Writer(db)
    writer.write([Registered(0.0, "Ann", "ann@h")])
    for worth in range(1, 26):
        writer.write(coins(worth, 1))
        writer.tidy()
    assert placed == [10, 20]


def test_a_start_places_all_of_them(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with open_store(path) as store:
        play(store)
    with Reading(path) as reading:
        before = reading.past()
        assert reading.connection.execute("SELECT count(*) FROM place").fetchone() == (0,)
    with open_store(path) as store:
        assert store.ledger._records.finder(12) == Found("Bob", 1)
    with Reading(path) as reading:
        assert reading.connection.execute("SELECT count(*) FROM place").fetchone() == (3,)
        assert [miner.coins for miner in reading.past().miners] == [miner.coins for miner in before.miners] == [1, 1, 1]


def test_a_ledger_of_before_there_were_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    db = connect(path, write=True)
    with monkeypatch.context() as patch, atomic(db):
        patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        schema.migrate(db)
        db.execute("INSERT INTO game VALUES (1, ?, 0, 1, 10, 0.0)", (b"games",))
        db.execute("INSERT INTO node (name) VALUES ('ann@h')")
        db.execute("INSERT INTO miner (seq, at, name, node) VALUES (1, 0.0, 'Ann', 1)")
        db.execute("INSERT INTO coin (worth, seq, at, n, miner, count) VALUES (1, 2, 0.0, 7, 1, 1)")
        db.execute("UPDATE written SET seq = 2")
    db.close()
    with open_store(path) as store:
        assert store.ledger.worth() == 1
        assert store.ledger._records.finder(7) == Found("Ann", 1)
