from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.cli.text import count, counted, duration, rate, shown


@given(st.text(), st.integers(1, 100))
def test_foreign_text_is_harmless_and_short(text: str, most: int) -> None:
    plain = shown(text, most)
    assert plain.isprintable()
    assert len(plain) <= most


@pytest.mark.parametrize("evil", ["\x1b[31m", "a\nb", "\u202eabc", "\x07", "\u200f", "\ud800"])
def test_what_moves_a_terminal_is_replaced(evil: str) -> None:
    assert "\N{REPLACEMENT CHARACTER}" in shown(evil)


def test_ordinary_text_is_left_alone() -> None:
    assert shown("Zoë 🦀 O'Neill") == "Zoë 🦀 O'Neill"


@pytest.mark.parametrize(
    ("per_second", "text"),
    [
        (0.0, "0 H/s"),
        (999.4, "999 H/s"),
        (1_500.0, "1.5 kH/s"),
        (12_345_678.0, "12.3 MH/s"),
        (2e9, "2 GH/s"),
        (999_600.0, "1 MH/s"),
        (999_400.0, "999 kH/s"),
        (5e15, "5 PH/s"),
    ],
)
def test_rates(per_second: float, text: str) -> None:
    assert rate(per_second) == text


def test_counts() -> None:
    assert count(1_234_567) == "1,234,567"
    assert count(10**40) == "about 10^40"
    assert [counted(number, "coin") for number in (0, 1, 2_000)] == ["0 coins", "1 coin", "2,000 coins"]


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.9, "59 s"), (187, "3:07 min"), (7500, "2:05 h")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
