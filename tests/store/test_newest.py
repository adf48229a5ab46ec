from __future__ import annotations

from pathlib import Path

from pyerlcoin.coin.facts import CoinAccepted
from pyerlcoin.store.newest import newest
from pyerlcoin.store.reading import Reading
from pyerlcoin.store.store import Store
from tests.support.games import commit, open_store

FIRST = 10**30


def played(path: Path) -> None:
    """Ann finds ten coins, one a second from 1001 on, whose integers no column holds as such."""
    with Store.open(path, b"games", zeros=0, first=FIRST, workload=10, now=1000.0) as store:
        commit(store, store.ledger.hello(0, "ann@h", "Ann", 1000.0).facts)
        for k in range(1, 11):
            commit(store, store.ledger.coin(0, "ann@h", "Ann", FIRST + k - 1, 1000.0 + k).facts)


def test_the_last_ones_are_told_as_they_came(tmp_path: Path) -> None:
    played(tmp_path / "x")
    with Reading(tmp_path / "x") as reading:
        coins = [fact for fact in reading.facts() if isinstance(fact, CoinAccepted)]
        assert [coin.n for coin in coins] == [FIRST + k for k in range(10)]
        assert newest(reading, 3) == coins[-3:]
        assert newest(reading, 100) == coins


def test_those_before_a_moment_are_there_too(tmp_path: Path) -> None:
    played(tmp_path / "x")
    with Reading(tmp_path / "x") as reading:
        worths = [coin.worth for coin in newest(reading, 2, (1004.0, 1009.0, 900.0))]
        assert worths == [2, 3, 7, 8, 9, 10]


def test_a_new_ledger_has_none(tmp_path: Path) -> None:
    open_store(tmp_path / "x").close()
    with Reading(tmp_path / "x") as reading:
        assert newest(reading, 12, (5.0,)) == []
