"""A set of integers, kept as the intervals it consists of."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

from pyerlcoin.coin.unit import Unit

__all__ = ["IntervalSet"]


class IntervalSet:
    """Integers as sorted, disjoint intervals that do not touch: neighbours are merged.

    A look-up costs the logarithm of the number of intervals. A change moves the intervals above it, which is a
    copy of pointers: with a million intervals well under a millisecond.
    """

    __slots__ = ("_firsts", "_lasts")

    def __init__(self, units: Iterable[Unit] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for unit in units:
            self.add(unit)

    def __iter__(self) -> Iterator[Unit]:
        """The intervals, ascending."""
        return map(Unit, self._firsts, self._lasts)

    def __len__(self) -> int:
        """How many intervals there are (see `size` for integers)."""
        return len(self._firsts)

    def __contains__(self, n: int) -> bool:
        at = bisect_right(self._firsts, n) - 1
        return at >= 0 and n <= self._lasts[at]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, IntervalSet):
            return NotImplemented
        return self._firsts == other._firsts and self._lasts == other._lasts

    __hash__ = None  # type: ignore[assignment]  # it changes, so it has no hash

    def __repr__(self) -> str:
        return f"IntervalSet({', '.join(map(str, self))})"

    @property
    def size(self) -> int:
        """How many integers there are."""
        return sum(self._lasts) - sum(self._firsts) + len(self._firsts)

    def covers(self, unit: Unit) -> bool:
        """Whether every integer of `unit` is in the set."""
        at = bisect_right(self._firsts, unit.first) - 1
        return at >= 0 and unit.last <= self._lasts[at]

    def add(self, unit: Unit) -> None:
        """Every integer of `unit` is in the set from now on."""
        low = bisect_left(self._lasts, unit.first - 1)
        high = bisect_right(self._firsts, unit.last + 1)
        first, last = unit.first, unit.last
        if low < high:
            first = min(first, self._firsts[low])
            last = max(last, self._lasts[high - 1])
        self._firsts[low:high] = [first]
        self._lasts[low:high] = [last]

    def remove(self, unit: Unit) -> None:
        """No integer of `unit` is in the set from now on."""
        low, high = self._touched(unit)
        if low == high:
            return
        first, last = self._firsts[low], self._lasts[high - 1]
        left, right = first < unit.first, unit.last < last
        self._firsts[low:high] = [first] * left + [unit.last + 1] * right
        self._lasts[low:high] = [unit.first - 1] * left + [last] * right

    def cut(self, unit: Unit) -> list[Unit]:
        """The parts of `unit` that are in the set, ascending; they are not from now on."""
        low, high = self._touched(unit)
        parts = [Unit(max(unit.first, self._firsts[at]), min(unit.last, self._lasts[at])) for at in range(low, high)]
        self.remove(unit)
        return parts

    def gaps(self, unit: Unit) -> list[Unit]:
        """The parts of `unit` that are not in the set, ascending."""
        low, high = self._touched(unit)
        gaps: list[Unit] = []
        begin = unit.first
        for at in range(low, high):
            if begin < self._firsts[at]:
                gaps.append(Unit(begin, self._firsts[at] - 1))
            begin = self._lasts[at] + 1
        if begin <= unit.last:
            gaps.append(Unit(begin, unit.last))
        return gaps

    def _touched(self, unit: Unit) -> tuple[int, int]:
        """The slice of intervals that share an integer with `unit`."""
        return bisect_left(self._lasts, unit.first), bisect_right(self._firsts, unit.last)
