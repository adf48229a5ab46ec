import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.coin.rates import WINDOW, RateWindow


def test_nothing_finished_is_no_speed() -> None:
    assert RateWindow().rate(100.0) == 0.0


@given(st.floats(0.01, 200), st.floats(1e3, 1e10), st.floats(0, 1e9), st.integers(1, 40))
def test_a_steady_miner_has_its_speed(seconds: float, speed: float, start: float, units: int) -> None:
    rates, now = RateWindow(), start
    for _ in range(units):
        now += seconds
        rates.add(now, int(speed * seconds), seconds)
    assert rates.rate(now) == pytest.approx(speed, rel=0.05)


def test_a_miner_that_stops_fades_within_the_window() -> None:
    rates = RateWindow()
    for second in range(120):
        rates.add(1000.0 + second, 500, 1.0)
    assert rates.rate(1119.0) == pytest.approx(500, rel=0.05)
    assert 0 < rates.rate(1150.0) < 300
    assert rates.rate(1119.0 + WINDOW + 1) == 0.0


def test_a_unit_longer_than_the_window_stands_for_as_long_as_it_took() -> None:
    rates = RateWindow()
    rates.add(10_000.0, 1_000_000, 1000.0)
    assert rates.rate(10_900.0) == 1000.0
    assert rates.rate(11_001.0) == 0.0


def test_a_unit_of_no_time_has_a_finite_speed() -> None:
    rates = RateWindow()
    rates.add(50.0, 10, 0.0)
    assert rates.rate(50.0) == pytest.approx(10_000)


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(0, 10**12), st.floats(0, 80), st.booleans())))
def test_asking_changes_nothing(units: list[tuple[float, int, float, bool]]) -> None:
    asked, now = RateWindow(), 1000.0
    told: list[tuple[float, int, float]] = []
    for later, size, seconds, finished in units:
        now += later
        if finished:
            told.append((now, size, seconds))
            asked.add(*told[-1])
        unasked = RateWindow()
        for unit in told:
            unasked.add(*unit)
        assert asked.rate(now) == unasked.rate(now)


def test_memory_is_bounded() -> None:
    rates = RateWindow()
    for second in range(100_000):
        rates.add(second / 3, 1, 0.3)
        assert len(rates._buckets) <= 2 * WINDOW + 2
