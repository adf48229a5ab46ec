import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyerlcoin.coin.facts import CoinAccepted, Finished, HandedOut, Reason, Registered, Rejected
from pyerlcoin.coin.unit import Unit
from pyerlcoin.store import schema
from pyerlcoin.store.db import MEMORY, atomic, connect
from pyerlcoin.store.integers import to_column
from pyerlcoin.store.writer import Writer


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(MEMORY, write=True)
    with atomic(connection):
        schema.migrate(connection)
    yield connection
    connection.close()


class Faulty:
    """A connection whose statement `when` is followed by an error, `before` or after it is done."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.when = ""
        self.before = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    def execute(self, statement: str, *values: Any) -> Any:
        hit = bool(self.when) and statement.startswith(self.when)
        if not (hit and self.before):
            result = self._db.execute(statement, *values)
        if hit:
            self.when = ""
            raise sqlite3.OperationalError("disk I/O error")
        return result


def names(db: sqlite3.Connection) -> list[str]:
    return [name for (name,) in db.execute("SELECT name FROM miner ORDER BY id")]


def seqs(db: sqlite3.Connection) -> list[int]:
    return [seq for (seq,) in db.execute("SELECT seq FROM miner ORDER BY id")]


def ranges(db: sqlite3.Connection, table: str) -> list[tuple[int, int]]:
    return list(db.execute(f"SELECT first, last FROM {table} ORDER BY first"))


def out(first: int, last: int, origin: Any = "new") -> HandedOut:
    return HandedOut(0.0, Unit(first, last), "Ann", "a@h", origin)


ANN = Registered(0.0, "Ann", "a@h")


def test_facts_are_numbered_through_all_tables(db: sqlite3.Connection) -> None:
    writer = Writer(db)
    writer.write([ANN, out(1, 10), Registered(0.0, "Bob", "a@h")])
    writer.write([])
    writer.write([Registered(0.0, "Cleo", "a@h")])
    assert seqs(db) == [1, 3, 4]
    assert db.execute("SELECT seq FROM written").fetchone() == (4,)
    Writer(db).write([Registered(0.0, "Dan", "a@h")])
    assert seqs(db) == [1, 3, 4, 5]


def test_ranges_of_one_miner_are_merged(db: sqlite3.Connection) -> None:
    writer = Writer(db)
    writer.write([ANN, out(1, 10), out(11, 20), out(31, 40)])
    assert ranges(db, "reach") == [(1, 20), (31, 40)]
    writer.write([out(5, 8, "returned"), out(15, 33, "returned")])
    assert ranges(db, "reach") == [(1, 40)]
    writer.write([out(61, 70), out(51, 60, "returned"), out(0, 0, "returned")])
    assert ranges(db, "reach") == [(0, 40), (51, 70)]


def test_a_piece_of_open_units_leaves_the_rest_to_nobody(db: sqlite3.Connection) -> None:
    writer = Writer(db)
    writer.write([ANN, out(1, 10), out(11, 20), out(21, 30), out(5, 24, "returned")])
    assert list(db.execute("SELECT first, last, miner, held FROM open_unit")) == [
        (1, 4, None, 0),
        (5, 24, 1, 1),
        (25, 30, None, 0),
    ]
    writer.write([Finished(0.0, Unit(5, 24), "Ann", "a@h", 1.0)])
    assert ranges(db, "open_unit") == [(1, 4), (25, 30)]


def test_refusals_are_counted_and_the_latest_is_kept(db: sqlite3.Connection) -> None:
    writer = Writer(db)
    writer.write([ANN])
    for n in range(3):
        writer.write([Rejected(float(n), "Ann", "a@h", Reason.COIN_TAKEN, f"message {n}")])
        writer.write([Rejected(float(n), None, "b@h", Reason.NAME_INVALID, "no name")])
    rows = list(db.execute("SELECT miner, reason, count, first_at, last_at, message FROM rejected"))
    assert rows == [(0, "name invalid", 3, 0.0, 2.0, "no name"), (1, "coin of another miner", 3, 0.0, 2.0, "message 2")]


def test_nothing_of_what_fails_is_there_nor_remembered(db: sqlite3.Connection) -> None:
    writer = Writer(db)
    with pytest.raises(sqlite3.IntegrityError):
        writer.write([ANN, out(1, 10), ANN])
    with pytest.raises(OverflowError):
        writer.write([ANN, CoinAccepted(0.0, -1, "Ann", 1, 1)])
    assert names(db) == []
    writer.write([Registered(0.0, "Bob", "b@h"), ANN])
    assert seqs(db) == [1, 2]
    assert db.execute("SELECT n.name FROM miner JOIN node n ON n.id = node WHERE miner.name = 'Ann'").fetchone() == (
        "a@h",
    )


def test_an_error_before_the_commit_is_a_failure(db: sqlite3.Connection) -> None:
    faulty: Any = Faulty(db)
    writer = Writer(faulty)
    faulty.when = "COMMIT"
    with pytest.raises(sqlite3.OperationalError):
        writer.write([ANN])
    assert names(db) == []
    writer.write([ANN])
    assert seqs(db) == [1]


def test_an_error_after_the_commit_is_none(db: sqlite3.Connection) -> None:
    """What is on disk must not be told to be undone."""
    faulty: Any = Faulty(db)
    writer = Writer(faulty)
    faulty.when, faulty.before = "COMMIT", False
    writer.write([ANN])
    writer.write([Registered(0.0, "Bob", "b@h")])
    assert seqs(db) == [1, 2]


def test_a_disk_that_cannot_even_be_read_is_looked_at_again_at_the_next_write(db: sqlite3.Connection) -> None:
    class Gone(Faulty):
        def execute(self, statement: str, *values: Any) -> Any:
            if self.when:
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(statement, *values)

    gone: Any = Gone(db)
    writer = Writer(gone)
    writer.write([ANN])
    gone.when = "always"
    with pytest.raises(sqlite3.OperationalError):
        writer.write([Registered(0.0, "Bob", "b@h")])
    gone.when = ""
    writer.write([Registered(0.0, "Bob", "b@h")])
    assert seqs(db) == [1, 2]


def test_a_start_leaves_nothing_held(db: sqlite3.Connection, tmp_path: Path) -> None:
    writer = Writer(db)
    writer.write([ANN, out(1, 10)])
    with atomic(db):
        writer.started(5.0, "any")
    assert list(db.execute("SELECT held FROM open_unit")) == [(0,)]
    assert list(db.execute("SELECT * FROM started")) == [(3, 5.0, "any")]


@pytest.mark.parametrize("coins", [1, 63, 64, 65, 200])
def test_many_coins_at_once(db: sqlite3.Connection, coins: int) -> None:
    writer = Writer(db)
    writer.write([Registered(0.0, "Ann", "a@h")])
    facts = [CoinAccepted(float(n), 2**62 * n, "Ann", n, n) for n in range(1, coins + 1)]
    writer.write(facts)
    rows = db.execute("SELECT at, n, count, worth, seq FROM coin ORDER BY worth").fetchall()
    assert rows == [(fact.at, to_column(fact.n), fact.count, fact.worth, fact.worth + 1) for fact in facts]


def test_coins_alone_are_one_statement(db: sqlite3.Connection) -> None:
    statements: list[str] = []
    writer = Writer(db)
    writer.write([Registered(0.0, "Ann", "ann@h")])
    assert writer.alone == 0
    writer.write([CoinAccepted(0.0, 1, "Ann", 1, 1)])
    db.set_trace_callback(statements.append)
    writer.write([CoinAccepted(1.0, n, "Ann", n, n) for n in range(2, 50)])
    db.set_trace_callback(None)
    assert writer.alone == 2
    assert [statement.split()[0] for statement in statements] == ["INSERT"]
    # What comes after them has the numbers after theirs, also for a writer that begins.
    Writer(db).write([Registered(2.0, "Bob", "bob@h")])
    assert db.execute("SELECT seq FROM miner WHERE name = 'Bob'").fetchone() == (51,)
    assert db.execute("SELECT max(seq) FROM coin").fetchone() == (50,)


def test_coins_alone_that_fail_are_not_there(db: sqlite3.Connection) -> None:
    writer = Writer(db)
    writer.write([Registered(0.0, "Ann", "ann@h"), CoinAccepted(0.0, 1, "Ann", 1, 1)])
    with pytest.raises(sqlite3.Error):
        writer.write([CoinAccepted(0.0, 2, "Ann", 2, 2), CoinAccepted(0.0, 3, "Ann", 3, 1)])
    assert db.execute("SELECT n FROM coin").fetchall() == [(1,)]
    writer.write([CoinAccepted(0.0, 2, "Ann", 2, 2)])
    assert db.execute("SELECT n, seq FROM coin").fetchall() == [(1, 2), (2, 3)]


def test_coins_that_are_more_than_one_statement_are_all_there_or_none(db: sqlite3.Connection) -> None:
    writer = Writer(db)
    writer.write([Registered(0.0, "Ann", "ann@h")])
    facts = [CoinAccepted(0.0, n, "Ann", n, n) for n in range(1, 201)]
    with pytest.raises(sqlite3.Error):
        writer.write([*facts, facts[-1]])
    assert db.execute("SELECT count(*) FROM coin").fetchone() == (0,)
    writer.write(facts)
    assert db.execute("SELECT count(*), max(seq) FROM coin").fetchone() == (200, 201)
