"""What the ledger looks up and does not keep itself: every coin there is, and what was handed to whom.

Both grow for as long as the game lasts, so they belong on disk; here is the interface, and one that is in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeAlias

from pyerlcoin.coin.facts import CoinAccepted, HandedOut
from pyerlcoin.coin.intervals import IntervalSet
from pyerlcoin.coin.unit import Unit

__all__ = ["Found", "MemoryRecords", "Records", "Undo"]

Undo: TypeAlias = Callable[[], object]
"""Takes a change back. Changes are undone in the reverse of their order, or not at all."""


@dataclass(slots=True)
class Found:
    """Who told a coin first, and the how-manieth it was for them."""

    name: str
    count: int


class Records(Protocol):
    """Coins and hand-outs, including those that are not on disk yet."""

    def finder(self, n: int) -> Found | None:
        """Whose coin `n` is, if it is anybody's yet."""

    def was_handed(self, name: str, n: int) -> bool:
        """Whether `n` was ever in a unit that was handed to `name`."""

    def note(self, fact: CoinAccepted | HandedOut) -> Undo:
        """The other two answer with this fact in mind from now on, until the returned call takes it back."""


class MemoryRecords:
    """Records of a game that ends with its process."""

    def __init__(self) -> None:
        self._coins: dict[int, Found] = {}
        self._handed: dict[str, IntervalSet] = {}

    def finder(self, n: int) -> Found | None:
        return self._coins.get(n)

    def was_handed(self, name: str, n: int) -> bool:
        handed = self._handed.get(name)
        return handed is not None and n in handed

    def note(self, fact: CoinAccepted | HandedOut) -> Undo:
        if isinstance(fact, CoinAccepted):
            self._coins[fact.n] = Found(fact.name, fact.count)
            return partial(self._coins.__delitem__, fact.n)
        handed = self._handed.setdefault(fact.name, IntervalSet())
        new = handed.gaps(fact.unit)
        handed.add(fact.unit)
        return partial(self._unhand, handed, new)

    @staticmethod
    def _unhand(handed: IntervalSet, units: list[Unit]) -> None:
        for unit in units:
            handed.remove(unit)
