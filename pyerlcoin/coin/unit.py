"""A unit of work: the integers from one to another, both included."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Unit"]


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """The integers from `first` to `last`, both included; never empty. Raises `ValueError` for an empty one."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("a unit has at least one integer")

    @property
    def size(self) -> int:
        """How many integers it has; any size, so not `len()`."""
        return self.last - self.first + 1

    def __contains__(self, n: int) -> bool:
        return self.first <= n <= self.last

    def covers(self, other: Unit) -> bool:
        """Whether every integer of `other` is in it."""
        return self.first <= other.first and other.last <= self.last

    def __str__(self) -> str:
        return f"{self.first}-{self.last}" if self.first != self.last else str(self.first)
