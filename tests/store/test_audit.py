import sqlite3
from pathlib import Path

import pytest

from pyerlcoin.store.audit import Audit, audit
from pyerlcoin.store.reading import Reading
from pyerlcoin.store.store import Store
from tests.support.games import commit, open_store, play


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with open_store(tmp_path / "x") as store:
        play(store)
    return tmp_path / "x"


def audited(path: Path) -> Audit:
    with Reading(path) as reading:
        return audit(reading)


def test_a_clean_one(path: Path) -> None:
    assert audited(path) == Audit(coins=3, miners=3, units=6, finished=20, found=[])
    assert audited(path).clean


def test_an_empty_one(tmp_path: Path) -> None:
    open_store(tmp_path / "x").close()
    assert audited(tmp_path / "x").clean


def test_one_that_took_coins_from_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with open_store(path, accept="any") as store:
        commit(store, [*store.ledger.hello(1, "a@h", "Ann", 0.0).facts])
        commit(store, store.ledger.coin(1, "a@h", "Ann", 10**30, 0.0).facts)
    open_store(path).close()
    assert audited(path).clean


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("UPDATE game SET zeros = 30", "coin 3 of Ann is none"),
        ("UPDATE coin SET n = 15 WHERE n = 3", "coin 15 of Ann is in no unit that was handed to Ann"),
        ("UPDATE coin SET count = 7 WHERE n = 12", "coin 12 of Bob is its 7., but it has 1"),
        ("DELETE FROM coin WHERE n = 12", "coin 25 of Cleo is the 3. of the wallet, but 2 are there"),
        ("DELETE FROM finished WHERE first = 1", "a restart would not find the game as it happened"),
        ("UPDATE finished SET last = 12 WHERE first = 1", "Ann finished 1-12, which it did not have"),
        ("UPDATE finished SET first = 11, last = 20", "although some of it was finished before"),
        ("UPDATE returned SET last = 25", "Cleo gave back 21-25, which it did not have"),
        ("DELETE FROM handed_out WHERE first = 11", "the next integer was 11"),
        ("DELETE FROM handed_out WHERE last = 30", "29-30 were handed out and are neither finished nor open"),
        ("UPDATE handed_out SET origin = 'own' WHERE first = 31", "was not handed out before"),
        ("UPDATE handed_out SET first = 5, last = 5, origin = 'own' WHERE first = 31", "some of it was finished"),
        ("UPDATE open_unit SET last = 23 WHERE first = 21", "a restart would not find the game as it happened"),
        ("DELETE FROM open_unit WHERE first = 31", "a restart would not find the game as it happened"),
        ("UPDATE reach SET last = 99", "what is looked up as handed out is not what was handed out"),
        ("UPDATE miner SET node = 77 WHERE name = 'Ann'", "names a node that is not there"),
        ("UPDATE miner SET seq = 99 WHERE name = 'Bob'", "Bob was given 11-20 and is no miner"),
    ],
)
def test_what_is_wrong_is_found(path: Path, change: str, sentence: str) -> None:
    db = sqlite3.connect(path)
    with db:
        assert db.execute(change).rowcount > 0
    db.close()
    result = audited(path)
    assert not result.clean
    assert any(sentence in found for found in result.found), result.found


def test_a_coin_that_counts_twice(path: Path) -> None:
    db = sqlite3.connect(path)
    with db:
        db.execute("UPDATE coin SET n = 3 WHERE n = 12")
    db.close()
    assert "coin 3 of Bob counts twice, also for Ann" in audited(path).found
    # A server starts all the same: which of the two is right is for people to say.
    Store.open(path, b"games", zeros=0, now=2000.0).close()
    assert "coin 3 of Bob counts twice, also for Ann" in audited(path).found


@pytest.mark.parametrize(
    "change",
    ["DELETE FROM place WHERE n = 3", "UPDATE place SET worth = 2 WHERE n = 3", "INSERT INTO place VALUES (4, 1)"],
)
def test_a_coin_that_is_not_found_by_its_integer(path: Path, change: str) -> None:
    Store.open(path, b"games", zeros=0, now=2000.0).close()
    assert audited(path).clean
    db = sqlite3.connect(path)
    with db:
        db.execute(change)
    db.close()
    assert audited(path).found == ["a coin is not found by its integer"]


def test_damage_of_the_file_itself(path: Path) -> None:
    """One byte of an index: the row that it names is another."""
    db = sqlite3.connect(path)
    size = db.execute("PRAGMA page_size").fetchone()[0]
    page = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'presence_of_miner'").fetchone()[0]
    db.close()
    content = bytearray(path.read_bytes())
    content[page * size - 1] ^= 0x40
    path.write_bytes(content)
    assert any("the file is damaged" in found for found in audited(path).found)


def test_a_store_that_opens_it_would_say_nothing_but_the_audit_does(path: Path) -> None:
    db = sqlite3.connect(path)
    with db:
        db.execute("UPDATE coin SET n = 4 WHERE n = 3")
    db.close()
    Store.open(path, b"games", zeros=0, now=2000.0).close()
    assert audited(path).clean, "4 was handed to Ann too"
