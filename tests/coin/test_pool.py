from pyerlcoin.coin.pool import Pool, Waiting
from pyerlcoin.coin.unit import Unit


def free(first: int, last: int, name: str | None = "Ann", holder: object = None) -> Waiting:
    return Waiting(Unit(first, last), name, "a@h", holder)


def reserved(first: int, last: int, until: float, holder: object = None, node: str = "a@h") -> Waiting:
    return Waiting(Unit(first, last), "Ann", node, holder, until)


def pool(*units: Waiting) -> Pool:
    made = Pool()
    for unit in units:
        made.add(unit)
    return made


def test_the_lowest_that_are_anybody_s_go_first_cut_to_size() -> None:
    waiting = pool(free(50, 59), free(1, 10))
    cut = waiting.cut(4)
    assert cut is not None
    assert cut.unit == Unit(1, 4)
    assert cut.taken == [free(1, 10)]
    assert cut.rest == Waiting(Unit(5, 10))
    assert waiting.integers == 10


def test_neighbours_are_put_together() -> None:
    waiting = pool(free(1, 3), free(4, 4, "Bob"), free(5, 9, None), free(11, 12))
    cut = waiting.cut(6)
    assert cut is not None
    assert (cut.unit, cut.rest) == (Unit(1, 6), Waiting(Unit(7, 9)))
    assert len(cut.taken) == 3
    waiting.add(Waiting(Unit(7, 9)))
    cut = waiting.cut(100)
    assert cut is not None
    assert (cut.unit, cut.rest) == (Unit(7, 9), None)
    cut = waiting.cut(2)
    assert cut is not None
    assert (cut.unit, cut.rest) == (Unit(11, 12), None)
    assert waiting.cut(1) is None


def test_what_waits_for_its_name_is_nobody_else_s() -> None:
    waiting = pool(free(1, 3), reserved(4, 6, 10.0))
    cut = waiting.cut(100)
    assert cut is not None
    assert cut.unit == Unit(1, 3)
    assert waiting.cut(100) is None
    assert waiting.own(1, "Bob", "a@h", free=True) is None
    assert waiting.own(1, "Ann", "b@h", free=True) is None
    assert waiting.own(1, "Ann", "a@h", free=False) == reserved(4, 6, 10.0)


def test_own_prefers_the_very_process_then_the_lowest() -> None:
    waiting = pool(reserved(7, 9, 10.0, 3), reserved(4, 6, 10.0, 2), free(1, 3, holder=1))
    assert waiting.own(3, "Ann", "a@h", free=False) == reserved(7, 9, 10.0, 3)
    assert waiting.own(9, "Ann", "a@h", free=False) == reserved(4, 6, 10.0, 2)
    assert waiting.own(9, "Ann", "a@h", free=True) == free(1, 3, holder=1)
    assert waiting.own(1, "Ann", "a@h", free=False) == reserved(4, 6, 10.0, 2)


def test_the_former_holder_is_remembered_as_long_as_it_waits() -> None:
    unit = free(1, 3, holder=1)
    waiting = pool(unit)
    assert waiting.former(1, "Ann") == unit
    assert waiting.former(1, "Bob") is None
    waiting.remove(unit)
    assert waiting.former(1, "Ann") is None
    assert list(waiting) == []


def test_graces_end_in_their_order() -> None:
    one, two = reserved(1, 3, 10.0), reserved(4, 6, 5.0)
    waiting = pool(one, two)
    assert waiting.next_deadline() == 5.0
    assert waiting.overdue(4.9) == []
    assert waiting.overdue(5.0) == [two]
    waiting.remove(one)
    assert waiting.overdue(99.0) == []
    assert waiting.next_deadline() is None
    assert set(waiting) == {two}


def test_one_that_was_taken_back_and_forth_is_overdue_once() -> None:
    unit = reserved(1, 3, 10.0)
    waiting = pool(unit)
    waiting.remove(unit)
    waiting.add(unit)
    assert waiting.overdue(10.0) == [unit]


def test_one_that_was_taken_and_waits_again_is_overdue_by_its_new_time_alone() -> None:
    unit, again = reserved(1, 3, 10.0), reserved(1, 3, 15.0)
    waiting = pool(unit)
    waiting.remove(unit)
    waiting.add(again)
    assert waiting.overdue(10.0) == []
    assert waiting.overdue(15.0) == [again]
