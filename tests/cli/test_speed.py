from __future__ import annotations

import pytest

from pyerlcoin.cli.speed import WINDOWS, Speed


def test_each_window_has_its_own_rate() -> None:
    speed, total = Speed(0.0), 0
    for second in range(1, 1001):
        total += 100 if second <= 900 else 1000
        speed.sample(float(second), total)
    assert speed.over(10.0) == pytest.approx(1000.0)
    assert speed.over(60.0) == pytest.approx(1000.0)
    assert speed.overall() == pytest.approx(190.0)
    assert speed.over(900.0) == pytest.approx((800 * 100 + 100 * 1000) / 900, rel=0.01)


def test_a_picture_four_times_a_second_has_windows_too() -> None:
    speed, total = Speed(0.0), 0
    for tick in range(1, 4001):
        total += 25 if tick <= 2000 else 250
        speed.sample(tick * 0.25, total)
    assert speed.over(10.0) == pytest.approx(1000.0)
    assert speed.over(60.0) == pytest.approx(1000.0)
    assert speed.overall() == pytest.approx(550.0)
    assert speed.over(900.0) == pytest.approx((400 * 100 + 500 * 1000) / 900)


@pytest.mark.parametrize("stopped", [5.0, 30.0, 3600.0, 86400.0])
def test_a_process_that_was_stopped_for_a_while_was_slow_and_then_is_as_fast_as_ever(stopped: float) -> None:
    speed, now, total = Speed(0.0), 0.0, 0
    for _ in range(400):
        now, total = now + 0.25, total + 25
        speed.sample(now, total)
    now += stopped  # Ctrl-Z, and fg: nothing was searched, nothing sampled
    for tick in range(1, 400):
        now, total = now + 0.25, total + 25
        speed.sample(now, total)
        for window in WINDOWS:
            assert 0.0 <= speed.over(window) <= 100.0 + 1e-6
        if tick > 40:
            assert speed.over(10.0) == pytest.approx(100.0)


def test_before_a_window_is_full_it_is_what_there_is() -> None:
    speed = Speed(0.0)
    assert speed.over(10.0) == 0.0
    assert speed.overall() == 0.0
    speed.sample(2.0, 500)
    assert speed.over(900.0) == pytest.approx(250.0)


def test_many_samples_a_second_keep_memory_level() -> None:
    speed = Speed(0.0)
    for tick in range(1, 20_001):
        speed.sample(tick * 0.25, tick * 25)
    assert len(speed._samples) < 2_000
    assert speed.over(60.0) == pytest.approx(100.0, rel=0.05)
