from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.web.history import History

MOMENTS = st.floats(0, 100_000, allow_nan=False)


def test_coins_add_up_step_by_step() -> None:
    history = History(100.0, width=10.0)
    history.coins(101.0, "Alice", 1)
    history.coins(112.0, "Bob", 2)
    history.coins(139.0, "Alice", 3)
    total, each = history.totals(["Alice", "Bob"], 139.0)
    assert total == [1, 3, 3, 6]
    assert each == {"Alice": [1, 1, 1, 4], "Bob": [0, 2, 2, 2]}


def test_what_came_before_the_start_is_there_from_the_first_step() -> None:
    history = History(100.0, width=10.0)
    history.coins(5.0, "Alice", 7)
    assert history.totals(["Alice"], 105.0) == ([7], {"Alice": [7]})


def test_a_unit_counts_over_all_the_time_it_took() -> None:
    history = History(0.0, width=10.0)
    history.hashes(30.0, 3000, 30.0)
    history.hashes(60.0, 10, 1.0)
    assert history.rates(90.0)[:3] == pytest.approx([100.0, 100.0, 100.0])


def test_steps_that_running_units_will_still_fill_are_not_told() -> None:
    history = History(0.0, width=10.0)
    for end in (20.0, 40.0, 60.0):
        history.hashes(end, 2000, 20.0)
    assert history.rates(65.0) == pytest.approx([100.0] * 4)


def test_a_time_before_the_start_is_no_mistake() -> None:
    history = History(100.0)
    assert history.totals([], 50.0) == ([], {})
    history.hashes(90.0, 5, 1.0)
    assert history.rates(200.0)[0] == 0.0


@pytest.mark.parametrize(("width", "points"), [(0.0, 10), (1.0, 1)])
def test_a_history_needs_room(width: float, points: int) -> None:
    with pytest.raises(ValueError, match="width"):
        History(0.0, width=width, points=points)


@given(st.lists(st.tuples(MOMENTS, st.sampled_from("ABC"), st.integers(1, 9))), st.integers(2, 20))
def test_no_coin_is_lost_however_often_steps_are_joined(found: list[tuple[float, str, int]], points: int) -> None:
    history = History(0.0, width=1.0, points=points)
    for at, name, coins in found:
        history.coins(at, name, coins)
    total, each = history.totals(list("ABC"), 100_000.0)
    assert len(total) <= points
    assert total == sorted(total)
    assert total[-1] == sum(coins for _, _, coins in found)
    for name in "ABC":
        assert each[name][-1] == sum(coins for _, who, coins in found if who == name)


@given(st.lists(st.tuples(MOMENTS, st.integers(1, 10**9), st.floats(0, 5_000)), max_size=20), st.integers(2, 20))
def test_no_hash_is_lost_either(units: list[tuple[float, int, float]], points: int) -> None:
    history = History(0.0, width=1.0, points=points)
    for at, size, seconds in units:
        history.hashes(at, size, seconds)
    searched = sum((rate or 0.0) * history.width for rate in history.rates(1e12))
    assert searched == pytest.approx(sum(size for _, size, _ in units))
