from functools import partial

from pyerlcoin.coin.journal import Journal


def test_rollback_takes_back_latest_first() -> None:
    journal, said = Journal(), list[int]()
    for n in range(3):
        journal.record(partial(said.append, n))
    journal.rollback()
    assert said == [2, 1, 0]
    journal.rollback()
    assert said == [2, 1, 0]


def test_what_is_kept_stays() -> None:
    journal, values = Journal(), {"a": 1}
    journal.put(values, "a", 2)
    mark = journal.mark
    journal.put(values, "a", 3)
    journal.put(values, "b", 4)
    journal.keep(mark)
    journal.keep(mark)
    journal.rollback()
    assert values == {"a": 2}
    assert journal.mark == mark


def test_marks_grow_over_keeps_and_hold_no_more_than_they_must() -> None:
    journal, values = Journal(), dict[int, int]()
    for n in range(10):
        journal.put(values, n, n)
        assert journal.mark == n + 1
        journal.keep(journal.mark)
    journal.keep(99)
    assert journal.mark == 10
    journal.rollback()
    assert len(values) == 10


def test_a_new_key_that_is_undone_leaves_the_order() -> None:
    journal, values = Journal(), {"a": 1, "b": 2}
    journal.put(values, "c", 3)
    journal.put(values, "a", 9)
    journal.rollback()
    assert list(values.items()) == [("a", 1), ("b", 2)]
