from __future__ import annotations

from pathlib import Path

from pyerlcoin.coin.facts import CoinAccepted
from pyerlcoin.store.earnings import Earning, earnings
from pyerlcoin.store.reading import Reading
from tests.support.games import commit, open_store, play


def played(path: Path) -> None:
    """Ann finds 3 and 15 (which is not hers), Bob 12, Cleo 25; then Ann finds ten more, one a second."""
    with open_store(path) as store:
        play(store)
        for k in range(4, 10):
            commit(store, store.ledger.coin(0, "ann@h", "Ann", k, 1100.0 + k).facts)


def test_every_coin_is_in_one_sum(tmp_path: Path) -> None:
    played(tmp_path / "x")
    with Reading(tmp_path / "x") as reading:
        coins = [fact for fact in reading.facts() if isinstance(fact, CoinAccepted)]
        for step in (0.5, 3.0, 1000.0):
            rows = list(earnings(reading, 0.0, step))
            assert sum(row.coins for row in rows) == len(coins)
            assert [row.last_coin for row in rows] == sorted(row.last_coin for row in rows)
            for name in {fact.name for fact in coins}:
                mine = [fact for fact in coins if fact.name == name]
                assert sum(row.coins for row in rows if row.name == name) == len(mine)
                last = [row for row in rows if row.name == name][-1]
                assert (last.at, last.last_coin) == (mine[-1].at, mine[-1].worth)


def test_what_is_older_is_left_out(tmp_path: Path) -> None:
    played(tmp_path / "x")
    with Reading(tmp_path / "x") as reading:
        assert list(earnings(reading, 1104.0, 100.0)) == [Earning(1109.0, "Ann", 6, reading_worth(reading))]
        assert list(earnings(reading, 1108.0, 100.0)) == [Earning(1109.0, "Ann", 2, reading_worth(reading))]


def test_no_sum_reaches_over_an_edge(tmp_path: Path) -> None:
    played(tmp_path / "x")
    with Reading(tmp_path / "x") as reading:
        rows = list(earnings(reading, 1104.0, 100.0, [1106.0, 1108.0]))
        assert [(row.at, row.coins) for row in rows] == [(1105.0, 2), (1107.0, 2), (1109.0, 2)]


def reading_worth(reading: Reading) -> int:
    return sum(miner.coins for miner in reading.past().miners)
