from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.coin.unit import Unit
from pyerlcoin.store.fresh import MOST_UNITS, Fresh


def test_what_is_above_the_highest_told_coin_of_a_unit_is_new() -> None:
    fresh = Fresh(-1)
    fresh.handed_out(Unit(1, 10))
    fresh.handed_out(Unit(11, 20))
    assert [n for n in range(30) if n in fresh] == list(range(1, 21))
    fresh.told(13)
    fresh.told(12)
    assert [n for n in range(30) if n in fresh] == [*range(1, 11), *range(14, 21)]
    fresh.told(10)
    fresh.told(25)
    assert [n for n in range(30) if n in fresh] == list(range(14, 21))


def test_a_unit_where_coins_may_be_already_is_not_fresh() -> None:
    fresh = Fresh(15)
    fresh.handed_out(Unit(11, 20))
    fresh.handed_out(Unit(21, 30))
    fresh.told(35)
    fresh.handed_out(Unit(31, 40))
    fresh.handed_out(Unit(41, 50))
    assert [n for n in range(60) if n in fresh] == [*range(21, 31), *range(41, 51)]


def test_a_returned_unit_adds_nothing() -> None:
    fresh = Fresh(-1)
    fresh.handed_out(Unit(1, 10))
    fresh.handed_out(Unit(11, 20))
    fresh.told(5)
    fresh.handed_out(Unit(1, 10))
    fresh.handed_out(Unit(20, 25))
    assert [n for n in range(30) if n in fresh] == [*range(6, 21)]


def test_what_is_taken_back_is_forgotten() -> None:
    fresh = Fresh(-1)
    fresh.handed_out(Unit(1, 10))
    fresh.forget()
    assert 1 not in fresh
    fresh.handed_out(Unit(1, 5))
    assert 5 in fresh
    assert 6 not in fresh


def test_only_so_many_units_are_remembered() -> None:
    fresh = Fresh(-1)
    for n in range(3 * MOST_UNITS):
        fresh.handed_out(Unit(n, n))
    assert MOST_UNITS // 2 <= len(fresh) <= MOST_UNITS
    assert 3 * MOST_UNITS - 1 in fresh
    assert 0 not in fresh


@given(
    st.lists(
        st.one_of(st.integers(1, 6).map(lambda size: ("unit", size)), st.integers(0, 60).map(lambda n: ("coin", n)))
    )
)
def test_no_told_coin_is_ever_fresh(steps: list[tuple[str, int]]) -> None:
    fresh, told, frontier = Fresh(-1), set[int](), 0
    for kind, value in steps:
        if kind == "unit":
            fresh.handed_out(Unit(frontier, frontier + value - 1))
            frontier += value
        else:
            fresh.told(value)
            told.add(value)
        assert not any(n in fresh for n in told)
        assert not any(n in fresh for n in range(frontier, 70))
