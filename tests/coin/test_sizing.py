import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.coin.sizing import AUTO, FIRST_SIZE, LARGEST_AUTO, LARGEST_WORKLOAD, Pace, is_workload


@pytest.mark.parametrize("value", [1, 100, LARGEST_WORKLOAD, AUTO])
def test_what_can_be_set(value: object) -> None:
    assert is_workload(value)


@pytest.mark.parametrize("value", [0, -1, LARGEST_WORKLOAD + 1, True, False, 1.0, "1", "", b"auto", None, [1], {}])
def test_what_cannot_be_set(value: object) -> None:
    assert not is_workload(value)


def lasts(rate: float, overhead: float, units: int) -> list[float]:
    """How long each unit of a miner lasts that searches `rate` integers a second."""
    pace, times = Pace(), []
    for _ in range(units):
        size = pace.size
        times.append(overhead + size / rate)
        pace = pace.after(size, times[-1])
    return times


@given(
    rate=st.floats(3, 10).map(lambda exponent: 10.0**exponent),
    overhead=st.floats(0, 0.01),
)
def test_right_after_three_units_at_any_speed_from_1_khs_to_10_ghs(rate: float, overhead: float) -> None:
    times = lasts(rate, overhead, 20)
    assert all(0.5 <= seconds <= 2 for seconds in times[3:])
    assert all(seconds <= 4 for seconds in times)


def test_the_first_unit_is_small() -> None:
    assert Pace().size == FIRST_SIZE == 1000


@given(st.floats(0.2, 5))
def test_a_change_of_speed_is_followed(factor: float) -> None:
    pace = Pace(10**6, 0.001)
    for _ in range(3):
        pace = pace.after(pace.size, 0.001 + pace.size / (10**6 * factor))
    assert 0.5 <= pace.size / (10**6 * factor) <= 2


def test_a_unit_counts_as_it_was_issued() -> None:
    """A workload of 10 seconds was set; the speed is that of its own size, not of the size that was due."""
    assert Pace(10, 0.0).after(10_000_000, 10.0).size == 1_000_000


@pytest.mark.parametrize("seconds", [0.0, -5.0, 1e-9])
def test_no_measurable_time_makes_a_bounded_step(seconds: float) -> None:
    assert Pace().after(1000, seconds).size <= 4_000_000
    assert Pace(LARGEST_AUTO, 0.0).after(LARGEST_AUTO, seconds).size == LARGEST_AUTO


def test_a_very_long_time_leaves_one_integer() -> None:
    assert Pace().after(1, 1e12).size == 1
