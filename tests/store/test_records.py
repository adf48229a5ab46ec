from pathlib import Path

import pytest

from pyerlcoin.coin.facts import CoinAccepted, HandedOut
from pyerlcoin.coin.records import Found, Records
from pyerlcoin.coin.unit import Unit
from pyerlcoin.store.records import DiskRecords
from tests.support.games import commit, open_store, play, unit_of


def records_of(store: object) -> DiskRecords:
    records = store._records  # type: ignore[attr-defined]  # what the ledger was given
    assert isinstance(records, DiskRecords)
    return records


@pytest.mark.parametrize("where", ["file", ":memory:"])
def test_what_is_on_disk_is_found(tmp_path: Path, where: str) -> None:
    with open_store(tmp_path / "x" if where == "file" else where) as store:
        play(store)
        records: Records = records_of(store)
        assert records.finder(3) == Found("Ann", 1)
        assert records.finder(25) == Found("Cleo", 1)
        assert records.finder(4) is None
        assert [n for n in range(60) if records.was_handed("Ann", n)] == [*range(1, 11), *range(31, 41)]
        assert [n for n in range(60) if records.was_handed("Bob", n)] == [*range(11, 25)]
        assert not records.was_handed("Nobody", 3)


def test_what_is_on_its_way_is_found_until_it_is_undone(tmp_path: Path) -> None:
    with open_store(tmp_path / "x") as store:
        records = records_of(store)
        undo_coin = records.note(CoinAccepted(0.0, 7, "Ann", 1, 1))
        undo_unit = records.note(HandedOut(0.0, Unit(1, 10), "Ann", "a@h", "new"))
        assert records.finder(7) == Found("Ann", 1)
        assert records.was_handed("Ann", 10)
        assert not records.was_handed("Bob", 10)
        undo_unit()
        undo_coin()
        assert records.finder(7) is None
        assert not records.was_handed("Ann", 10)


def test_memory_holds_only_what_is_on_its_way_or_not_placed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyerlcoin.store.writer.PLACE_EVERY", 3)
    with open_store(tmp_path / "x") as store:
        play(store)
        records = records_of(store)
        records.finder(0)
        assert (list(records._coins), records._handed) == ([3, 12, 25], {})
        # The third coin had them placed, which the next commit tells.
        commit(store, store.ledger.set_workload(5, 2000.0).facts)
        assert records.finder(3) == Found("Ann", 1)
        assert records.asked > 0
        assert len(records._coins) == 0
        outcome = store.ledger.done(0, "ann@h", "Ann", 2000.0)
        assert len(records._handed) == 1
        commit(store, outcome.facts)
        assert records.was_handed("Ann", unit_of(outcome).last)
        assert len(records._handed) == 0


def test_a_new_coin_of_a_new_unit_does_not_ask_the_disk(tmp_path: Path) -> None:
    with open_store(tmp_path / "x") as store:
        records = records_of(store)
        unit = Unit(1000, 1999)
        undo = records.note(HandedOut(0.0, unit, "Ann", "ann@h", "new"))
        for count, n in enumerate((1000, 1003, 1999), 1):
            assert records.finder(n) is None
            records.note(CoinAccepted(0.0, n, "Ann", count, count))
        assert records.asked == 0
        assert records.finder(1003) == Found("Ann", 2)
        assert records.finder(1001) is None
        assert records.asked == 1
        undo()
        assert records.finder(1500) is None
        assert records.asked == 2


def test_coins_of_an_earlier_run_are_not_taken_for_new(tmp_path: Path) -> None:
    with open_store(tmp_path / "x") as store:
        play(store)
    with open_store(tmp_path / "x") as store:
        records = records_of(store)
        records.note(HandedOut(0.0, Unit(0, 40), "Ann", "ann@h", "returned"))
        assert records.finder(3) == Found("Ann", 1)
        assert records.finder(25) == Found("Cleo", 1)
