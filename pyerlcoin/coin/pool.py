"""Units that wait to be handed out again."""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pyerlcoin.coin.unit import Unit

__all__ = ["Cut", "Pool", "Waiting"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A unit without a holder.

    `name`, `node`: who held it; None once a part of it went to somebody else. `holder`: the very process, whose `done`
    may still come; None after a restart. `until`: the time until which it waits for that name on that node alone;
    None: it is anybody's. `since`: when the former holder was given it.
    """

    unit: Unit
    name: str | None = None
    node: str | None = None
    holder: Hashable | None = None
    until: float | None = None
    since: float = 0.0


class Cut(NamedTuple):
    """A unit for somebody: `taken` is what it was made of, and `rest` what of that goes on waiting."""

    unit: Unit
    taken: list[Waiting]
    rest: Waiting | None


class Pool:
    """Waiting units, disjoint. `add` and `remove` take each other back."""

    def __init__(self) -> None:
        self._units: dict[int, Waiting] = {}
        self._free: list[int] = []
        self._of_name: dict[str, list[int]] = {}
        self._former: dict[tuple[Hashable, str], Waiting] = {}
        self._graces: list[tuple[float, int]] = []
        self.integers = 0
        """How many integers wait."""

    def __iter__(self) -> Iterator[Waiting]:
        """All of them, in no order."""
        return iter(self._units.values())

    def add(self, waiting: Waiting) -> None:
        """`waiting` waits from now on."""
        first = waiting.unit.first
        self._units[first] = waiting
        self.integers += waiting.unit.size
        if waiting.until is None:
            insort(self._free, first)
        else:
            heapq.heappush(self._graces, (waiting.until, first))
        if waiting.name is not None:
            insort(self._of_name.setdefault(waiting.name, []), first)
            if waiting.holder is not None:
                self._former[waiting.holder, waiting.name] = waiting

    def remove(self, waiting: Waiting) -> None:
        """`waiting`, which waits, does not any more."""
        first = waiting.unit.first
        del self._units[first]
        self.integers -= waiting.unit.size
        if waiting.until is None:
            _discard(self._free, first)
        if waiting.name is not None:
            firsts = self._of_name[waiting.name]
            _discard(firsts, first)
            if not firsts:
                del self._of_name[waiting.name]
            if waiting.holder is not None:
                del self._former[waiting.holder, waiting.name]

    def former(self, holder: Hashable, name: str) -> Waiting | None:
        """The unit that this very process held under `name`, if nobody was given any of it since."""
        return self._former.get((holder, name))

    def own(self, holder: Hashable, name: str, node: str, *, free: bool) -> Waiting | None:
        """The unit that waits for `name` on `node`: the one this very process held, else the lowest.

        With `free` also one that could go to anybody by now, as long as nobody was given any of it.
        """

        def suits(waiting: Waiting) -> bool:
            return free if waiting.until is None else waiting.node == node

        former = self._former.get((holder, name))
        if former is not None and suits(former):
            return former
        return next(filter(suits, map(self._units.__getitem__, self._of_name.get(name, ()))), None)

    def cut(self, size: int) -> Cut | None:
        """At most `size` of the lowest integers that are anybody's, in a row.

        Neither they nor the rest wait any more: `add` the rest.
        """
        if not self._free:
            return None
        taken = [self._units[self._free[0]]]
        first = taken[0].unit.first
        bound = first + size - 1
        while (last := taken[-1].unit.last) < bound:
            neighbour = self._units.get(last + 1)
            if neighbour is None or neighbour.until is not None:
                break
            taken.append(neighbour)
        for waiting in taken:
            self.remove(waiting)
        if last <= bound:
            return Cut(Unit(first, last), taken, None)
        return Cut(Unit(first, bound), taken, Waiting(Unit(bound + 1, last)))

    def next_deadline(self) -> float | None:
        """No grace ends before; one may end then."""
        return self._graces[0][0] if self._graces else None

    def overdue(self, now: float) -> list[Waiting]:
        """The units whose grace is over. They wait for their name until they are removed."""
        overdue: dict[int, Waiting] = {}
        while self._graces and self._graces[0][0] <= now:
            until, first = heapq.heappop(self._graces)
            waiting = self._units.get(first)
            if waiting is not None and waiting.until == until:
                overdue[first] = waiting
        return list(overdue.values())


def _discard(firsts: list[int], first: int) -> None:
    del firsts[bisect_left(firsts, first)]
