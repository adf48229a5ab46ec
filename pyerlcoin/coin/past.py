"""What a ledger has to know to go on where another one, of the same game, ended."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

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
    nodes: dict[str, str] = {}
    coins: dict[str, tuple[int, int, float | None]] = {}
    open_units = _OpenUnits()
    for fact in facts:
        match fact:
            case Registered() | Resumed():
                nodes[fact.name] = fact.node
            case CoinAccepted():
                coins[fact.name] = (fact.count, fact.worth, fact.at)
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
    miners = [PastMiner(name, node, *coins.get(name, (0, 0, None))) for name, node in nodes.items()]
    return Past(first, frontier, workload, tuple(miners), tuple(open_units.units))


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
