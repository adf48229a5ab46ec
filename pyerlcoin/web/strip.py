"""The working front: which integers are finished, in whose hands, returned, untouched."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pyerlcoin.coin.intervals import IntervalSet
from pyerlcoin.coin.unit import Unit

__all__ = ["CELLS", "Segment", "State", "Strip", "Window"]

CELLS: Final = 160
"""The most segments in one picture of the front: more than a projector's pixels would tell apart."""

_MARGIN: Final = 10
"""One part in so many of the window shows what is finished before the front, and what is untouched after it."""


class State(StrEnum):
    """What has become of an integer."""

    FINISHED = "finished"
    OPEN = "open"
    RETURNED = "returned"
    UNTOUCHED = "untouched"


@dataclass(frozen=True, slots=True)
class Segment:
    """The integers from `first` to `last`, both included, that are (nearly) all the same. `name`: in whose hands."""

    first: int
    last: int
    state: State
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Segments side by side, without a gap, from the lowest integer shown to the highest."""

    first: int
    last: int
    segments: tuple[Segment, ...]
    exact: bool
    """Whether each segment is a unit as it is; else the strip was cut into cells, each with what fills most of it."""


class Strip:
    """Follows the units from hand to hand. Holds only those that are open or returned; the rest is finished.

    `returned` are those that wait already, and `frontier` the lowest integer that was never handed out.
    """

    def __init__(self, first: int, frontier: int, returned: Iterable[Unit] = ()) -> None:
        self.first = first
        self.frontier = frontier
        self._open: dict[int, tuple[int, str]] = {}
        self._returned = IntervalSet(returned)

    def hand_out(self, unit: Unit, name: str) -> None:
        """A unit is in the hands of `name`, new or again."""
        if unit.last >= self.frontier:
            self.frontier = unit.last + 1
        else:
            self._returned.remove(unit)
        self._open[unit.first] = (unit.last, name)

    def finish(self, unit: Unit) -> None:
        """A unit was searched, whether its holder still had it or had lost it."""
        if self._open.pop(unit.first, None) is None:
            self._returned.remove(unit)

    def give_back(self, unit: Unit) -> None:
        """A unit waits to be handed out again."""
        self._open.pop(unit.first, None)
        self._returned.add(unit)

    def window(self, cells: int = CELLS) -> Window:
        """The front, from a little before the lowest unfinished integer to a little after the highest handed out."""
        units = [Segment(first, last, State.OPEN, name) for first, (last, name) in self._open.items()]
        units += [Segment(unit.first, unit.last, State.RETURNED) for unit in self._returned]
        units.sort(key=lambda unit: unit.first)
        low = units[0].first if units else self.frontier
        margin = max(1, (self.frontier - low if units else self.frontier - self.first) // (_MARGIN - 2))
        first = max(self.first, low - margin)
        last = self.frontier + margin - 1
        if 2 * len(units) + 2 <= cells:
            return Window(first, last, tuple(self._fill(units, first, last)), exact=True)
        return Window(first, last, tuple(self._cells(units, first, last, cells)), exact=False)

    def _fill(self, units: list[Segment], first: int, last: int) -> list[Segment]:
        """The units, with what is finished between them and what is untouched after them."""
        filled: list[Segment] = []
        at = first
        for unit in units:
            if at < unit.first:
                filled.append(Segment(at, unit.first - 1, State.FINISHED))
            filled.append(unit)
            at = unit.last + 1
        if at < self.frontier:
            filled.append(Segment(at, self.frontier - 1, State.FINISHED))
        filled.append(Segment(max(at, self.frontier), last, State.UNTOUCHED))
        return filled

    def _cells(self, units: list[Segment], first: int, last: int, cells: int) -> list[Segment]:
        """At most `cells` segments of equal width; each is what most of its integers are, and equal ones are joined."""
        span = last - first + 1
        edges = [first + span * i // cells for i in range(cells + 1)]
        weights: list[dict[tuple[State, str | None], int]] = [{} for _ in range(cells)]
        for segment in self._fill(units, first, last):
            index = bisect_right(edges, segment.first) - 1
            while index < cells and edges[index] <= segment.last:
                inside = min(segment.last + 1, edges[index + 1]) - max(segment.first, edges[index])
                key = (segment.state, segment.name)
                weights[index][key] = weights[index].get(key, 0) + inside
                index += 1
        joined: list[Segment] = []
        for index, weight in enumerate(weights):
            if not weight:
                continue  # fewer integers than cells
            state, name = max(weight, key=lambda key: weight[key])
            if joined and (joined[-1].state, joined[-1].name) == (state, name):
                joined[-1] = Segment(joined[-1].first, edges[index + 1] - 1, state, name)
            else:
                joined.append(Segment(edges[index], edges[index + 1] - 1, state, name))
        return joined
