import itertools
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.coin.intervals import IntervalSet
from pyerlcoin.coin.unit import Unit

UNITS = st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda pair: Unit(pair[0], pair[0] + pair[1]))
STEPS = st.lists(st.tuples(st.sampled_from(["add", "remove", "cut"]), UNITS), max_size=30)


def integers(units: list[Unit]) -> set[int]:
    return {n for unit in units for n in range(unit.first, unit.last + 1)}


def well_formed(intervals: IntervalSet) -> bool:
    units = list(intervals)
    return all(left.last + 1 < right.first for left, right in itertools.pairwise(units))


@given(STEPS, UNITS)
def test_it_does_what_a_set_of_integers_does(steps: list[tuple[str, Unit]], probe: Unit) -> None:
    intervals, naive = IntervalSet(), set[int]()
    for verb, unit in steps:
        members = integers([unit])
        if verb == "add":
            intervals.add(unit)
            naive |= members
        elif verb == "remove":
            intervals.remove(unit)
            naive -= members
        else:
            parts = intervals.cut(unit)
            assert integers(parts) == naive & members
            assert parts == sorted(parts)
            naive -= members
        assert well_formed(intervals)
    assert integers(list(intervals)) == naive
    assert intervals.size == len(naive)
    assert [n for n in range(80) if n in intervals] == sorted(naive)
    assert intervals.covers(probe) == (integers([probe]) <= naive)
    gaps = intervals.gaps(probe)
    assert integers(gaps) == integers([probe]) - naive
    assert all(left.last + 1 < right.first for left, right in itertools.pairwise(gaps))


@given(st.permutations([Unit(n, n) for n in range(10)]))
def test_the_order_of_adding_does_not_matter(units: list[Unit]) -> None:
    assert IntervalSet(units) == IntervalSet([Unit(0, 9)])
    assert len(IntervalSet(units)) == 1


def test_integers_of_any_size() -> None:
    intervals = IntervalSet([Unit(10**50, 10**60)])
    intervals.remove(Unit(10**55, 10**55))
    assert list(intervals) == [Unit(10**50, 10**55 - 1), Unit(10**55 + 1, 10**60)]
    assert intervals.size == 10**60 - 10**50


def test_equality_and_text() -> None:
    intervals = IntervalSet([Unit(1, 2), Unit(7, 7)])
    assert intervals != IntervalSet([Unit(1, 2)])
    assert intervals != [Unit(1, 2), Unit(7, 7)]
    assert repr(intervals) == "IntervalSet(1-2, 7)"


def test_a_million_intervals_are_counted_not_walked() -> None:
    """Each look at a large set compares a few integers: counted, since a clock would tell of the machine."""
    compared = 0

    class Counted(int):
        def __lt__(self, other: int) -> bool:
            nonlocal compared
            compared += 1
            return int.__lt__(self, other)

    intervals = IntervalSet(Unit(n, n) for n in range(0, 200_000, 2))
    looks: list[Callable[[], object]] = [
        lambda: Counted(100_000) in intervals,
        lambda: intervals.covers(Unit(Counted(100_000), 100_000)),
        lambda: intervals.gaps(Unit(Counted(100_000), Counted(100_004))),
    ]
    for look in looks:
        compared = 0
        look()
        assert 0 < compared < 60
