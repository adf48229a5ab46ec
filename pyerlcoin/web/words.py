"""Numbers as people read them on a picture; the page has the same in its own language."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["coins_of", "grouped", "rate", "scaled"]

_PREFIXES: Final = ("", "k", "M", "G", "T", "P", "E")


def scaled(value: float) -> tuple[str, str]:
    """1234567.0 -> ("1.23", "M"): three digits that count, and the prefix of the unit. `value` is finite, from 0 up."""
    if value <= 0:
        return "0", ""
    power = min(max(math.floor(math.log10(value) / 3), 0), len(_PREFIXES) - 1)
    shown = value / 1000**power
    if shown >= 999.5 and power < len(_PREFIXES) - 1:
        power += 1
        shown = value / 1000**power
    return (f"{shown:.3g}" if shown < 999.5 else f"{shown:.2e}"), _PREFIXES[power]


def rate(per_second: float) -> str:
    """1234567.0 -> `1.23 MH/s`."""
    number, prefix = scaled(per_second)
    return f"{number} {prefix}H/s"


def grouped(number: float) -> str:
    """12345678 -> `12,345,678`: a whole number with its thousands apart."""
    return f"{number:,.0f}"


def coins_of(number: int) -> str:
    """`1 coin`, `2 coins`."""
    return f"{grouped(number)} {'coin' if number == 1 else 'coins'}"
