"""Units in the hands of processes."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Hashable
from dataclasses import dataclass
from typing import Final

from pyerlcoin.coin.sizing import Pace
from pyerlcoin.coin.unit import Unit

__all__ = ["Lease", "Leases"]

_SPARE: Final = 64
"""Deadlines of leases that are over, beside as many as there are others: fewer are not worth the going through."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A unit that `holder`, a process of `name` on `node`, was given at `at`.

    `timed` is False for a unit that was given again: the time until it is done says nothing about speed.
    """

    unit: Unit
    holder: Hashable
    name: str
    node: str
    at: float
    pace: Pace
    timed: bool


class Leases:
    """At most one lease for each holder and name. `seconds` of silence end one; None: no silence does."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._of_name: dict[str, dict[Hashable, Lease]] = {}
        self._of_holder: dict[Hashable, dict[str, Lease]] = {}
        self._signs: dict[tuple[Hashable, str], float] = {}
        self._deadlines: list[tuple[float, int, Lease]] = []
        self._tie = 0
        self.integers = 0
        """How many integers are held."""

    def get(self, holder: Hashable, name: str) -> Lease | None:
        """What `holder` holds under `name`."""
        of_name = self._of_name.get(name)
        return None if of_name is None else of_name.get(holder)

    def of_name(self, name: str) -> Collection[Lease]:
        """Everything that is held under `name`."""
        return self._of_name.get(name, {}).values()

    def of_holder(self, holder: Hashable) -> Collection[Lease]:
        """Everything that `holder` holds, under whatever names."""
        return self._of_holder.get(holder, {}).values()

    def add(self, lease: Lease, sign: float) -> None:
        """`lease` is held from now on; the last sign of life of its holder was at `sign`."""
        self._of_name.setdefault(lease.name, {})[lease.holder] = lease
        self._of_holder.setdefault(lease.holder, {})[lease.name] = lease
        self.integers += lease.unit.size
        if self._seconds is not None:
            self._signs[lease.holder, lease.name] = sign
            self._push(sign + self._seconds, lease)

    def remove(self, lease: Lease) -> float:
        """`lease`, which is held, is not any more. The time of the last sign of life."""
        of_name, of_holder = self._of_name[lease.name], self._of_holder[lease.holder]
        del of_name[lease.holder], of_holder[lease.name]
        if not of_name:
            del self._of_name[lease.name]
        if not of_holder:
            del self._of_holder[lease.holder]
        self.integers -= lease.unit.size
        return self._signs.pop((lease.holder, lease.name), lease.at)

    def touch(self, holder: Hashable, name: str, now: float) -> None:
        """`holder` gave a sign of life."""
        if (holder, name) in self._signs:
            self._signs[holder, name] = now

    def next_deadline(self) -> float | None:
        """No lease ends before; one may end then."""
        return self._deadlines[0][0] if self._deadlines else None

    def silent(self, now: float) -> list[Lease]:
        """The leases whose holders gave no sign of life for too long. They are held until they are removed."""
        silent: dict[tuple[Hashable, str], Lease] = {}
        while self._seconds is not None and self._deadlines and self._deadlines[0][0] <= now:
            lease = heapq.heappop(self._deadlines)[2]
            if not self._is_held(lease):
                continue
            deadline = self._signs[lease.holder, lease.name] + self._seconds
            if deadline > now:
                self._push(deadline, lease)
            else:
                silent[lease.holder, lease.name] = lease
        return list(silent.values())

    def _push(self, deadline: float, lease: Lease) -> None:
        self._tie += 1
        heapq.heappush(self._deadlines, (deadline, self._tie, lease))
        if len(self._deadlines) > 2 * len(self._signs) + _SPARE:
            # Where a lease lasts an hour and a unit a second, thousands for each miner would be kept until their time.
            # One that was put back has several: the earliest will do.
            latest_first = sorted(self._deadlines, reverse=True)
            self._deadlines = list({id(each[2]): each for each in latest_first if self._is_held(each[2])}.values())
            heapq.heapify(self._deadlines)

    def _is_held(self, lease: Lease) -> bool:
        return self.get(lease.holder, lease.name) is lease
