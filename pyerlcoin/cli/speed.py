"""How fast a miner is: over the last ten seconds, minute and quarter of an hour, and in all."""

from __future__ import annotations

from collections import deque
from typing import Final

__all__ = ["WINDOWS", "Speed"]

WINDOWS: Final = (10.0, 60.0, 900.0)
"""Seconds; what miners have shown since there are any."""


class Speed:
    """Rates from samples of a number that only grows. Keeps one sample a second, so memory stays level."""

    def __init__(self, now: float) -> None:
        self._samples: deque[tuple[float, int]] = deque([(now, 0)])
        self._began = now

    def sample(self, now: float, total: int) -> None:
        """The number was `total` at `now`."""
        # The newest sample gives way to the next, unless it is a second younger than the one before it: then it stays.
        if len(self._samples) > 1 and self._samples[-1][0] - self._samples[-2][0] < 1.0:
            self._samples.pop()
        self._samples.append((now, total))
        # One sample older than the widest window stays, as its beginning.
        while len(self._samples) > 2 and self._samples[1][0] <= now - WINDOWS[-1]:
            self._samples.popleft()

    def overall(self) -> float:
        """Per second, since the beginning."""
        now, total = self._samples[-1]
        return total / (now - self._began) if now > self._began else 0.0

    def over(self, seconds: float) -> float:
        """Per second, over the last `seconds` or as long as there are samples.

        Where nothing was sampled at the beginning of that time, the number is taken to have grown evenly there.
        """
        now, total = self._samples[-1]
        begin = max(now - seconds, self._samples[0][0])
        if now <= begin:
            return 0.0
        later = now, total
        for earlier in reversed(self._samples):
            if earlier[0] <= begin:
                break
            later = earlier
        part = (begin - earlier[0]) / (later[0] - earlier[0])
        return (total - earlier[1] - part * (later[1] - earlier[1])) / (now - begin)
