from __future__ import annotations

import pytest

from pyerlcoin.web.words import coins_of, grouped, rate, scaled


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0 H/s"),
        (0.25, "0.25 H/s"),
        (7.0, "7 H/s"),
        (999.4, "999 H/s"),
        (999.6, "1 kH/s"),
        (1234.0, "1.23 kH/s"),
        (999_600.0, "1 MH/s"),
        (74_330_000.0, "74.3 MH/s"),
        (2.5e20, "250 EH/s"),
        (1e21, "1.00e+03 EH/s"),
        (1.7e308, "1.70e+290 EH/s"),
    ],
)
def test_three_digits_and_a_prefix(value: float, shown: str) -> None:
    assert rate(value) == shown


def test_never_four_digits_where_there_is_a_prefix_left() -> None:
    for power in range(18):
        for digits in (1.0, 9.995, 9.9951, 9.9999):
            number, _ = scaled(digits * 10**power)
            assert float(number) < 1000, (digits, power)


def test_whole_numbers_and_coins() -> None:
    assert grouped(1234567) == "1,234,567"
    assert [coins_of(number) for number in (0, 1, 1000)] == ["0 coins", "1 coin", "1,000 coins"]
