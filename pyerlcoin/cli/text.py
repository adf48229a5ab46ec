"""Numbers and foreign text as a person sees them."""

from __future__ import annotations

from typing import Final

__all__ = ["count", "counted", "duration", "rate", "shown"]

_UNITS: Final = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def shown(text: str, most: int = 64) -> str:
    """A peer's text, harmless in a terminal: no control character, no direction mark, and not without end."""
    plain = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def rate(per_second: float) -> str:
    """Hashes per second, with three digits that count: `12.3 MH/s`."""
    for size, letter in _UNITS:
        if per_second >= 0.9995 * size:  # which three digits round up to it
            return f"{per_second / size:.3g} {letter}H/s"
    return f"{per_second:.0f} H/s"


def count(number: int) -> str:
    """An integer with its thousands apart; a long one shortened, as nobody reads forty digits."""
    return f"{number:,}" if abs(number) < 10**30 else f"about 10^{(number.bit_length() - 1) * 0.30103:.0f}"


def counted(number: int, noun: str) -> str:
    """`1 coin`, `2,000 coins`: for nouns that take an s."""
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"


def duration(seconds: float) -> str:
    """`42 s`, `3:07 min` or `2:05 h`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02} h"
