from __future__ import annotations

import pytest

from pyerlcoin.cli.speed import Speed


def test_each_window_has_its_own_rate() -> None:
    speed, total = Speed(0.0), 0
    for second in range(1, 1001):
        total += 100 if second <= 900 else 1000
        speed.sample(float(second), total)
    assert speed.over(10.0) == pytest.approx(1000.0)
    assert speed.over(60.0) == pytest.approx(1000.0)
    assert speed.overall() == pytest.approx(190.0)
    assert speed.over(900.0) == pytest.approx((800 * 100 + 100 * 1000) / 900, rel=0.01)


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
