"""How coins and speed went over time, in a bounded number of steps."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

__all__ = ["POINTS", "WIDTH", "History"]

POINTS: Final = 240
"""The most steps kept: one for each few pixels of a chart. When they are full, two and two become one."""

WIDTH: Final = 5.0
"""Seconds of a step at first: 20 minutes fit before the first halving, 11 hours at two and a half minutes a step."""


@dataclass(slots=True)
class _Step:
    hashes: float = 0.0
    coins: dict[str, int] = field(default_factory=dict)

    def absorb(self, other: _Step) -> None:
        self.hashes += other.hashes
        for name, coins in other.coins.items():
            self.coins[name] = self.coins.get(name, 0) + coins


class History:
    """Steps of `width` seconds from `start` on. What came before `start` counts from the beginning.

    Never more than `points` steps, each with one number per miner that found something in it: bounded however long
    the evening is. `at` may go back a little; what is older than `start` is added to what was there at the start.
    Of the speed before `watched` nothing is known, though coins are.
    """

    def __init__(self, start: float, *, watched: float = -math.inf, width: float = WIDTH, points: int = POINTS) -> None:
        if width <= 0 or points < 2:
            raise ValueError("a history needs a width and two points")
        self.start = start
        self.width = width
        self._watched = watched
        self._points = points
        self._before = _Step()
        self._steps: list[_Step] = []
        self._slowest = 0.0

    def coins(self, at: float, name: str, coins: int) -> None:
        """`name` found that many at that moment."""
        step = self._step(at)
        step.coins[name] = step.coins.get(name, 0) + coins

    def hashes(self, at: float, hashes: int, seconds: float) -> None:
        """That many integers were searched in the `seconds` up to `at`. They are spread evenly over that time."""
        # The slowest unit lately: one that took longer counts at once, and is forgotten over a hundred quicker ones.
        self._slowest = max(seconds, self._slowest * 0.97)
        begin = at - seconds
        steps = self._steps
        if steps and begin >= self.start + (len(steps) - 1) * self.width and at < self.start + len(steps) * self.width:
            # Nearly every unit: begun and finished within the newest step.
            steps[-1].hashes += hashes
            return
        begin = max(begin, self.start)
        if at <= begin:
            self._step(at).hashes += hashes
            return
        self._step(at)
        left, right = self._index(begin), self._index(at)
        for index in range(left, right + 1):
            since = max(begin, self.start + index * self.width)
            until = min(at, self.start + (index + 1) * self.width)
            self._steps[index].hashes += hashes * (until - since) / (at - begin)

    def totals(self, names: list[str], until: float) -> tuple[list[int], dict[str, list[int]]]:
        """At the end of each step up to `until`: all coins so far, and those of each of `names`."""
        every = sum(self._before.coins.values())
        mine = {name: self._before.coins.get(name, 0) for name in names}
        total: list[int] = []
        each: dict[str, list[int]] = {name: [] for name in names}
        for step in self._until(until):
            every += sum(step.coins.values())
            total.append(every)
            for name in names:
                mine[name] += step.coins.get(name, 0)
                each[name].append(mine[name])
        return total, each

    def rates(self, until: float) -> list[float | None]:
        """Hashes per second in each step that is over and known; None for those before anybody watched.

        What is searched right now is told only when its unit is finished, so the last steps, for as long as a unit
        takes, would show a fall that never was: they are left out.
        """
        known = until - self._slowest
        return [
            step.hashes / self.width if self.start + index * self.width >= self._watched else None
            for index, step in enumerate(self._until(until))
            if self.start + (index + 1) * self.width <= known
        ]

    def _until(self, until: float) -> list[_Step]:
        self._step(max(until, self.start))
        return self._steps[: self._index(until) + 1] if until >= self.start else []

    def _index(self, at: float) -> int:
        return int((at - self.start) // self.width)

    def _step(self, at: float) -> _Step:
        """The step of that moment, made if need be."""
        if at < self.start:
            return self._before
        while self._index(at) >= self._points:
            self._halve()
        while len(self._steps) <= self._index(at):
            self._steps.append(_Step())
        return self._steps[self._index(at)]

    def _halve(self) -> None:
        for left, right in zip(self._steps[::2], self._steps[1::2], strict=False):
            left.absorb(right)
        self._steps = self._steps[::2]
        self.width *= 2
