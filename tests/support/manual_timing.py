"""A clock that stands still until a test moves it, and the wait for what the event loop still has to do."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable

from tests.support.clock import UNIT

__all__ = ["ManualTiming", "turns", "until"]


class _Handle:
    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class ManualTiming:
    """Stands for the machine's clock: `now`, and `later` callbacks that only `advance` runs."""

    def __init__(self, now: float = 1_000.0) -> None:
        self._now = now
        self._due: list[tuple[float, int, Callable[[], None], _Handle]] = []
        self._tie = itertools.count()

    def now(self) -> float:
        return self._now

    def later(self, delay: float, callback: Callable[[], None]) -> _Handle:
        handle = _Handle()
        heapq.heappush(self._due, (self._now + delay, next(self._tie), callback, handle))
        return handle

    def delays(self) -> list[float]:
        """How far off each callback is that is not cancelled, nearest first."""
        return sorted(at - self._now for at, _, _, handle in self._due if not handle.cancelled)

    def advance(self, seconds: float) -> None:
        """Let time pass, with whatever comes due."""
        end = self._now + seconds
        while self._due and self._due[0][0] <= end:
            at, _, callback, handle = heapq.heappop(self._due)
            self._now = max(self._now, at)
            if not handle.cancelled:
                callback()
        self._now = end


async def until(condition: Callable[[], object]) -> None:
    """Let the event loop run until `condition` is true. Everything it waits for must already be under way."""
    async with asyncio.timeout(20 * UNIT):
        while not condition():  # noqa: ASYNC110 - there is no one event: the loop has to go round
            await asyncio.sleep(0)


async def turns(count: int = 20) -> None:
    """Let the event loop go round so often: enough for all that is under way, where nothing is to come of it."""
    for _ in range(count):
        await asyncio.sleep(0)
