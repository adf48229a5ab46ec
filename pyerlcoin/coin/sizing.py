"""How large a unit is: fixed for all, or sized by each miner's measured speed.

A unit on `auto` should last about `TARGET` seconds from its being handed out to its `done`. The time it took holds an
overhead besides the search (the network, the queue, the start of a kernel), which for a fast miner's first units is
nearly all of it. So the shortest time seen is taken for overhead, up to `OVERHEAD`, and at most three quarters of what
a unit took are. A miner of 10 GH/s is thus sized right after three units, and one of 1 kH/s from the first on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeGuard

__all__ = [
    "AUTO",
    "FIRST_SIZE",
    "LARGEST_AUTO",
    "LARGEST_WORKLOAD",
    "OVERHEAD",
    "SHORTEST",
    "TARGET",
    "Pace",
    "Workload",
    "is_workload",
]

AUTO: Final = "auto"
"""The workload that sizes units by speed."""

Workload: TypeAlias = int | Literal["auto"]
"""How many integers a unit has, or `AUTO`."""

TARGET: Final = 1.0
"""Seconds a unit on `auto` should last: a lost one costs little, and a call a second costs nothing."""

FIRST_SIZE: Final = 1_000
"""The first unit of a miner whose speed is not known: one second at 1 kH/s, slower than any machine that mines."""

LARGEST_AUTO: Final = 10**11
"""The most that a measured speed is believed: ten seconds at 10 GH/s."""

LARGEST_WORKLOAD: Final = 10**15
"""The largest workload that can be set: a day at 10 GH/s. Anybody may set it, so it has to end somewhere."""

OVERHEAD: Final = 0.05
"""The most seconds that are taken for overhead. Within a settled unit of one second they err by 5 %."""

SHORTEST: Final = 0.001
"""A shorter time is taken for this one: no clock and no network tells them apart. It bounds a step up to 4,000-fold."""


def is_workload(value: object) -> TypeGuard[Workload]:
    """Whether `value` can be set as a workload: `AUTO`, or an int (no bool) from 1 to `LARGEST_WORKLOAD`."""
    if isinstance(value, int):
        return not isinstance(value, bool) and 1 <= value <= LARGEST_WORKLOAD
    return isinstance(value, str) and value == AUTO


@dataclass(frozen=True, slots=True)
class Pace:
    """What is known of a miner's speed: the `size` its next unit should have, and the `overhead` seen, in seconds."""

    size: int = FIRST_SIZE
    overhead: float | None = None

    def after(self, size: int, seconds: float) -> Pace:
        """The pace once a unit of `size` integers, as it was issued, took `seconds`."""
        took = max(seconds, SHORTEST)
        search = max(took - (self.overhead or 0.0), took / 4)
        overhead = min(took, OVERHEAD if self.overhead is None else self.overhead)
        return Pace(min(max(int(size * (TARGET / search)), 1), LARGEST_AUTO), overhead)
