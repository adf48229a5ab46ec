"""Integers that are nobody's coin yet, known without asking the disk.

Miners tell the coins of a unit mostly in ascending order, so for each unit the highest one says almost everything: all
above it are new. Asking SQLite instead lets go of the interpreter's lock, and a writer at work may hold that for
milliseconds: in a profile it was the largest part of a request.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from pyerlcoin.coin.unit import Unit

__all__ = ["MOST_UNITS", "Fresh"]

MOST_UNITS: Final = 4096
"""Units that are remembered: when there are so many, the older half is forgotten. Some 100 bytes each, and as a miner
holds few at a time, more than a thousand miners find theirs."""


class Fresh:
    """What was handed out for the first time since the start, and how far coins have been told of it.

    `highest` is the highest coin there is, -1 for none.
    """

    def __init__(self, highest: int) -> None:
        self._highest = highest
        # Side by side, ascending: where a unit begins, where it ends, and from where on nothing of it was told.
        self._first: list[int] = []
        self._last: list[int] = []
        self._untold: list[int] = []

    def __len__(self) -> int:
        return len(self._first)

    def handed_out(self, unit: Unit) -> None:
        """From here on every coin of `unit` will be `told`."""
        # Where "any" coin is accepted some may be there already; and a returned unit lies below the latest ones.
        if unit.first <= self._highest or (self._last and unit.first <= self._last[-1]):
            return
        if len(self._first) >= MOST_UNITS:
            for column in (self._first, self._last, self._untold):
                del column[: MOST_UNITS // 2]
        self._first.append(unit.first)
        self._last.append(unit.last)
        self._untold.append(unit.first)

    def told(self, n: int) -> None:
        """`n` is somebody's coin, or was before that was undone: the disk is asked about it then."""
        self._highest = max(self._highest, n)
        place = bisect_right(self._first, n) - 1
        if place >= 0 and self._untold[place] <= n <= self._last[place]:
            self._untold[place] = n + 1

    def forget(self) -> None:
        """A unit was taken back, and may be handed out in another shape."""
        for column in (self._first, self._last, self._untold):
            column.clear()

    def __contains__(self, n: int) -> bool:
        """Whether `n` is nobody's coin for sure. False says nothing."""
        place = bisect_right(self._first, n) - 1
        return place >= 0 and self._untold[place] <= n <= self._last[place]
