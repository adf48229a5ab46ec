from pathlib import Path

from pyerlcoin.coin.past import Open
from pyerlcoin.coin.unit import Unit
from pyerlcoin.store.export import ExportedMiner, export
from pyerlcoin.store.reading import Reading
from tests.support.games import SECRET, commit, open_store, play


def test_everything_is_in_it(tmp_path: Path) -> None:
    with open_store(tmp_path / "x") as store:
        play(store)
        with Reading(tmp_path / "x") as reading:
            whole = export(reading)
            coins = list(whole.coins)
    assert (whole.secret, whole.zeros, whole.first, whole.frontier, whole.workload) == (SECRET, 0, 1, 41, 4)
    assert [(coin.n, coin.name, coin.count, coin.worth) for coin in coins] == [
        (3, "Ann", 1, 1),
        (12, "Bob", 1, 2),
        (25, "Cleo", 1, 3),
    ]
    assert whole.finished == [Unit(1, 20)]
    assert whole.open == [
        Open(Unit(21, 24), "Bob", "bob@h"),
        Open(Unit(25, 28), "Cleo", "elsewhere@h"),
        Open(Unit(31, 40), "Ann", "ann@h"),
    ]
    assert whole.returned == [Open(Unit(29, 30), None, None)]
    assert whole.miners == [
        ExportedMiner("Ann", "ann@h", 1, 1001.0, 1001.0, 10),
        ExportedMiner("Bob", "bob@h", 1, 1001.0, 1002.0, 10),
        ExportedMiner("Cleo", "elsewhere@h", 1, 1001.0, 1022.0, 0),
    ]
    assert len(whole.refused) == 2


def test_a_unit_that_waits_whole_for_its_miner_is_returned_and_not_open(tmp_path: Path) -> None:
    with open_store(tmp_path / "x") as store:
        commit(store, store.ledger.hello(1, "ann@h", "Ann", 1001.0).facts)
        commit(store, store.ledger.down(1, 1002.0))
        with Reading(tmp_path / "x") as reading:
            whole = export(reading)
    assert (whole.open, whole.returned) == ([], [Open(Unit(1, 10), "Ann", "ann@h")])


def test_of_nothing(tmp_path: Path) -> None:
    open_store(tmp_path / "x").close()
    with Reading(tmp_path / "x") as reading:
        whole = export(reading)
        coins = list(whole.coins)
    assert (whole.frontier, coins, whole.finished, whole.open, whole.miners) == (1, [], [], [], [])
