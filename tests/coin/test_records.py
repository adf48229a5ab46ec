from pyerlcoin.coin.facts import CoinAccepted, HandedOut
from pyerlcoin.coin.records import Found, MemoryRecords, Records
from pyerlcoin.coin.unit import Unit


def handed(name: str, first: int, last: int) -> HandedOut:
    return HandedOut(0.0, Unit(first, last), name, "n@h", "new")


def test_a_coin_is_found_with_its_count_until_undone() -> None:
    records: Records = MemoryRecords()
    assert records.finder(7) is None
    undo = records.note(CoinAccepted(0.0, 7, "Ann", 3, 9))
    assert records.finder(7) == Found("Ann", 3)
    undo()
    assert records.finder(7) is None


def test_ranges_are_each_name_s_own() -> None:
    records = MemoryRecords()
    records.note(handed("Ann", 1, 10))
    assert records.was_handed("Ann", 1)
    assert records.was_handed("Ann", 10)
    assert not records.was_handed("Ann", 11)
    assert not records.was_handed("Bob", 5)


def test_undo_takes_back_only_what_was_new() -> None:
    records = MemoryRecords()
    records.note(handed("Ann", 3, 5))
    undo = records.note(handed("Ann", 1, 10))
    undo()
    assert [n for n in range(12) if records.was_handed("Ann", n)] == [3, 4, 5]
