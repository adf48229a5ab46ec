"""Where every integer below the frontier is: finished, in the hands of a process, or waiting; exactly one of them."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import replace
from functools import partial
from typing import Literal

from pyerlcoin.coin.facts import Fact, Finished, HandedOut, Returned
from pyerlcoin.coin.journal import Journal
from pyerlcoin.coin.leases import Lease, Leases
from pyerlcoin.coin.past import Past
from pyerlcoin.coin.pool import Pool, Waiting
from pyerlcoin.coin.sizing import Pace
from pyerlcoin.coin.unit import Unit

__all__ = ["Units"]


class Units:
    """Units on their way: from the frontier to a process, back when that is gone, to the next, and out when finished.

    Each change is recorded in `journal`, and returns its fact or appends it to `facts`.
    """

    def __init__(self, journal: Journal, past: Past, grace: float, lease: float | None, now: float) -> None:
        self._journal = journal
        self._grace = grace
        self._leases = Leases(lease)
        self._pool = Pool()
        self.first = past.first
        self.frontier = past.frontier
        for unit in past.open:
            until = None if unit.name is None else now + grace
            self._pool.add(Waiting(unit.unit, unit.name, unit.node, until=until))

    @property
    def held(self) -> int:
        """How many integers processes hold."""
        return self._leases.integers

    @property
    def waiting(self) -> int:
        """How many integers wait to be handed out again."""
        return self._pool.integers

    @property
    def finished(self) -> int:
        """How many integers are finished: the others below the frontier."""
        return self.frontier - self.first - self.held - self.waiting

    def lease(self, holder: Hashable, name: str) -> Lease | None:
        """What `holder` holds under `name`."""
        return self._leases.get(holder, name)

    def leases(self, name: str) -> Collection[Lease]:
        """Everything that is held under `name`."""
        return self._leases.of_name(name)

    def touch(self, holder: Hashable, name: str, now: float) -> None:
        """`holder` gave a sign of life."""
        self._leases.touch(holder, name, now)

    def next_deadline(self) -> float | None:
        """When to call `expire` next; nothing ends by time before. None: nothing will."""
        lease, grace = self._leases.next_deadline(), self._pool.next_deadline()
        if lease is None or grace is None:
            return grace if lease is None else lease
        return min(lease, grace)

    def expire(self, now: float, facts: list[Fact]) -> None:
        """Silent holders lose their units to anybody, and so do names whose grace is over."""
        # Asked on every request, and mostly nothing has ended.
        lease, grace = self._leases.next_deadline(), self._pool.next_deadline()
        if (lease is None or now < lease) and (grace is None or now < grace):
            return
        facts.extend(self._give_back(lease, None, now, "lease") for lease in self._leases.silent(now))
        for waiting in self._pool.overdue(now):
            self._unpool(waiting)
            self._enpool(replace(waiting, until=None))

    def down(self, holder: Hashable, now: float) -> list[Fact]:
        """What `holder` holds waits, for its name on its node first."""
        leases = list(self._leases.of_holder(holder))
        return [self._give_back(lease, now + self._grace, now, "down") for lease in leases]

    def finish(self, lease: Lease, now: float) -> Finished:
        """`lease` was searched."""
        self._unlease(lease)
        return Finished(now, lease.unit, lease.name, lease.node, now - lease.at)

    def finish_late(self, holder: Hashable, name: str, node: str, now: float) -> Finished | None:
        """What `holder` once held under `name` was searched, if nobody was given any of it meanwhile."""
        waiting = self._pool.former(holder, name)
        if waiting is None:
            return None
        self._unpool(waiting)
        return Finished(now, waiting.unit, name, node, now - waiting.since)

    def hand_out(
        self, holder: Hashable, node: str, name: str, pace: Pace, size: int, now: float, *, free: bool
    ) -> HandedOut:
        """Its own unit if one waits, else at most `size` integers: those that anybody may have, else new ones.

        Its own is one that waits for `name` on `node`, and with `free` also one that could go to anybody by now.
        """
        own = self._pool.own(holder, name, node, free=free)
        if own is not None:
            self._unpool(own)
            fact = HandedOut(now, own.unit, name, node, "own")
        else:
            returned = self._cut(size)
            if returned is not None:
                fact = HandedOut(now, returned, name, node, "returned")
            else:
                fact = HandedOut(now, self._advance(size), name, node, "new")
        lease = Lease(fact.unit, holder, name, node, now, pace, timed=own is None)
        self._leases.add(lease, now)
        self._journal.record(partial(self._leases.remove, lease))
        return fact

    def _cut(self, size: int) -> Unit | None:
        cut = self._pool.cut(size)
        if cut is None:
            return None
        for waiting in cut.taken:
            self._journal.record(partial(self._pool.add, waiting))
        if cut.rest is not None:
            self._enpool(cut.rest)
        return cut.unit

    def _advance(self, size: int) -> Unit:
        unit = Unit(self.frontier, self.frontier + size - 1)
        self._journal.record(partial(setattr, self, "frontier", self.frontier))
        self.frontier = unit.last + 1
        return unit

    def _give_back(self, lease: Lease, until: float | None, now: float, reason: Literal["down", "lease"]) -> Returned:
        self._unlease(lease)
        self._enpool(Waiting(lease.unit, lease.name, lease.node, lease.holder, until, lease.at))
        return Returned(now, lease.unit, lease.name, lease.node, reason)

    def _unlease(self, lease: Lease) -> None:
        sign = self._leases.remove(lease)
        self._journal.record(partial(self._leases.add, lease, sign))

    def _enpool(self, waiting: Waiting) -> None:
        self._pool.add(waiting)
        self._journal.record(partial(self._pool.remove, waiting))

    def _unpool(self, waiting: Waiting) -> None:
        self._pool.remove(waiting)
        self._journal.record(partial(self._pool.add, waiting))
