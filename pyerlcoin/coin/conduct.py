"""Who is mostly wrong, and is therefore answered more slowly."""

from __future__ import annotations

from typing import Final

__all__ = ["Conduct"]

_MEMORY: Final = 64
"""Coins after which the older half of what is remembered counts half: a bug that was mended is soon forgotten."""

_ENOUGH: Final = 10
"""Coins before which nobody is judged: after a change of secret an honest miner has a few wrong ones on their way."""


class Conduct:
    """Right and wrong coins of one miner."""

    __slots__ = ("_right", "_wrong", "rejected")

    def __init__(self) -> None:
        self._right = 0
        self._wrong = 0
        self.rejected = 0
        """Everything of it that was refused."""

    def right(self) -> None:
        """It told a coin."""
        self._right = right = self._right + 1
        if right + self._wrong >= _MEMORY:
            self._fade()

    def wrong(self) -> None:
        """It told something that is no coin of its own."""
        self._wrong = wrong = self._wrong + 1
        if wrong + self._right >= _MEMORY:
            self._fade()

    @property
    def mostly_wrong(self) -> bool:
        """Whether more than half of its coins were none."""
        return self._right + self._wrong >= _ENOUGH and self._wrong > self._right

    def _fade(self) -> None:
        self._right //= 2
        self._wrong //= 2
