"""What a ledger has to know to go on where another one, of the same game, ended."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pyerlcoin.coin.facts import CoinAccepted, Fact, Finished, HandedOut, Registered, Resumed, WorkloadChanged
from pyerlcoin.coin.sizing import Workload
from pyerlcoin.coin.unit import Unit

__all__ = ["Open", "Past", "PastMiner", "replay"]


@dataclass(frozen=True, slots=True)
class PastMiner:
    """A name. Its latest coin was the `last_coin`-th in the wallet (0: it has none), and came at `last_coin_at`."""

    name: str
    node: str
    coins: int = 0
    last_coin: int = 0
    last_coin_at: float | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """A unit that was handed out and not finished, and whose it was; None once a part of it went to somebody else."""

    unit: Unit
    name: str | None
    node: str | None


@dataclass(frozen=True, slots=True)
class Past:
    """The state of a game. Miners in the order in which they registered; open units ascending and disjoint."""

    first: int
    frontier: int
    workload: Workload
    miners: tuple[PastMiner, ...] = ()
    open: tuple[Open, ...] = ()


def replay(first: int, workload: Workload, facts: Iterable[Fact]) -> Past:
    """The past that a game, which began with `first` and `workload`, has after all its facts."""
    frontier = first
    miners: dict[str, PastMiner] = {}
    open_units = _OpenUnits()
    for fact in facts:
        match fact:
            case Registered():
                miners[fact.name] = PastMiner(fact.name, fact.node)
            case Resumed():
                miners[fact.name] = replace(miners[fact.name], node=fact.node)
            case CoinAccepted():
                miners[fact.name] = replace(
                    miners[fact.name], coins=fact.count, last_coin=fact.worth, last_coin_at=fact.at
                )
            case HandedOut():
                frontier = max(frontier, fact.unit.last + 1)
                open_units.take(fact.unit)
                open_units.add(Open(fact.unit, fact.name, fact.node))
            case Finished():
                open_units.take(fact.unit)
            case WorkloadChanged():
                workload = fact.workload
            case _:
                pass
    return Past(first, frontier, workload, tuple(miners.values()), tuple(open_units.units))


class _OpenUnits:
    """Open units, ascending and disjoint."""

    def __init__(self) -> None:
        self.units: list[Open] = []

    def add(self, unit: Open) -> None:
        """`unit`, of which nothing is open, is open from now on."""
        self.units.insert(bisect_left(self.units, unit.unit.first, key=_first), unit)

    def take(self, unit: Unit) -> None:
        """Nothing of `unit` is open from now on; a piece left over of another is nobody's."""
        low = bisect_left(self.units, unit.first, key=_last)
        high = bisect_right(self.units, unit.last, key=_first)
        rests: list[Open] = []
        for other in self.units[low:high]:
            if other.unit.first < unit.first:
                rests.append(Open(Unit(other.unit.first, unit.first - 1), None, None))
            if unit.last < other.unit.last:
                rests.append(Open(Unit(unit.last + 1, other.unit.last), None, None))
        self.units[low:high] = rests


def _first(unit: Open) -> int:
    return unit.unit.first


def _last(unit: Open) -> int:
    return unit.unit.last
