"""How fast a miner is, by what it finished lately."""

from __future__ import annotations

from typing import Final

__all__ = ["WINDOW", "RateWindow"]

WINDOW: Final = 60
"""Seconds that "lately" is: long enough to be steady, short enough to see a miner stop."""

_BRIEFEST: Final = 0.001
"""No rate is taken over less: a unit of no measurable time would be of infinite speed."""


class RateWindow:
    """Hashes per second over the last minute, in at most a few buckets more than it has seconds.

    A unit's integers are spread evenly over the time it took. One that took longer than the window stands
    for as long as it took.
    """

    def __init__(self) -> None:
        self._buckets: dict[int, float] = {}
        self._begun: float | None = None
        self._last = (0.0, 0.0, 0.0)
        self._summed: tuple[int, float] | None = None

    def add(self, at: float, size: int, seconds: float) -> None:
        """A unit of `size` integers, begun `seconds` before, was finished at `at`."""
        hashes = float(size)
        start = at - seconds
        if self._begun is None:
            self._begun = start
        self._last = at, hashes, seconds
        self._summed = None
        buckets = self._buckets
        end = int(at)
        for second in range(max(int(start), end - WINDOW), end):
            buckets[second] = buckets.get(second, 0.0) + hashes * (second + 1 - max(start, second)) / seconds
        part = (at - max(start, end)) / seconds if seconds > 0 else 1.0
        buckets[end] = buckets.get(end, 0.0) + hashes * part
        if len(buckets) > 2 * WINDOW:
            self._buckets = {second: value for second, value in buckets.items() if second >= end - WINDOW}

    def rate(self, now: float) -> float:
        """Hashes per second."""
        if self._begun is None:
            return 0.0
        at, hashes, seconds = self._last
        if seconds > WINDOW and now - at <= seconds:
            return hashes / seconds
        since = int(now) - WINDOW
        if self._summed is None or self._summed[0] != since:
            # Asked again in the same second, as by who looks at all miners in a loop, it is still that.
            self._summed = since, sum(value for second, value in self._buckets.items() if second > since)
        return self._summed[1] / max(min(now - self._begun, now - since - 1), _BRIEFEST)
