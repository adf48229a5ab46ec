"""When the calls of a node time out, with one timer of the event loop for all of them.

Nearly every call is answered long before its deadline, and a timer of asyncio's for each would cost more than what the
call sends: so a deadline is an entry in a heap, and that of a finished call is forgotten with many others at once.
"""

from __future__ import annotations

import asyncio
from heapq import heapify, heappop, heappush
from typing import Final, Protocol

__all__ = ["Deadlines", "Expiring"]

_SLACK: Final = 64
"""Finished entries that may stay, besides one for each that still waits."""


class Expiring(Protocol):
    """What has a deadline."""

    @property
    def over(self) -> bool:
        """Whether it has ended already, so that its deadline means nothing."""

    def expire(self) -> None:
        """Its deadline has come. Must not raise."""


class Deadlines:
    """Deadlines by `loop.time()`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heap: list[tuple[float, int, Expiring]] = []
        self._added = 0  # of two at the same time the first added is the first to expire
        self._over = 0
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, when: float, what: Expiring) -> None:
        """Expire `what` at `when`, unless it is over by then. Once it is over, expired or not, call `ended` once."""
        self._added += 1
        heappush(self._heap, (when, self._added, what))
        if self._timer is None or when < self._timer.when():
            self._arm()

    def ended(self) -> None:
        """One that was added is over."""
        self._over += 1
        if self._over > _SLACK and 2 * self._over > len(self._heap):
            self._heap = [entry for entry in self._heap if not entry[2].over]
            heapify(self._heap)
            self._over = 0
            self._arm()

    def close(self) -> None:
        """Nothing expires any more."""
        self._heap.clear()
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._heap:
            self._timer = self._loop.call_at(self._heap[0][0], self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._heap and (self._heap[0][2].over or self._heap[0][0] <= now):
            what = heappop(self._heap)[2]
            self._over -= 1  # of those in the heap; `ended` was called for this one, or will be
            if not what.over:
                what.expire()
        self._arm()
