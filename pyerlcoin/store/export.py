"""All of a ledger, as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pyerlcoin.coin.facts import CoinAccepted, Finished, Registered
from pyerlcoin.coin.intervals import IntervalSet
from pyerlcoin.coin.past import Open
from pyerlcoin.coin.sizing import Workload
from pyerlcoin.coin.unit import Unit
from pyerlcoin.store.reading import Reading, Refused

__all__ = ["Export", "ExportedMiner", "export"]


@dataclass(frozen=True, slots=True)
class ExportedMiner:
    """One name. Times are seconds since the epoch; `finished` is how many integers it finished."""

    name: str
    node: str
    coins: int
    registered_at: float
    last_coin_at: float | None
    finished: int


@dataclass(frozen=True, slots=True)
class Export:
    """All of a game. `finished` is sorted, merged and disjoint; `open` and `returned` are sorted and disjoint.

    `coins` are in the order in which they were accepted, `miners` in that of the leaderboard. `open` are the units that
    processes held when the ledger was last written. There may be millions of coins, so they are read as they are gone
    through, once, while the reading is open.
    """

    secret: bytes
    zeros: int
    first: int
    frontier: int
    workload: Workload
    coins: Iterator[CoinAccepted]
    finished: list[Unit]
    open: list[Open]
    returned: list[Open]
    miners: list[ExportedMiner]
    refused: list[Refused]


def export(reading: Reading) -> Export:
    """Everything that `reading` holds."""
    finished = IntervalSet()
    integers: dict[str, int] = {}
    for fact in reading.each(Finished):
        finished.add(fact.unit)
        integers[fact.name] = integers.get(fact.name, 0) + fact.unit.size
    registered = {fact.name: fact.at for fact in reading.each(Registered)}
    past, held = reading.past(), reading.held()
    return Export(
        secret=reading.game.secret,
        zeros=reading.game.zeros,
        first=past.first,
        frontier=past.frontier,
        workload=past.workload,
        coins=reading.each(CoinAccepted),
        finished=list(finished),
        open=[unit for unit in past.open if unit.unit.first in held],
        returned=[unit for unit in past.open if unit.unit.first not in held],
        miners=[
            ExportedMiner(
                miner.name,
                miner.node,
                miner.coins,
                registered[miner.name],
                miner.last_coin_at,
                integers.get(miner.name, 0),
            )
            for miner in sorted(past.miners, key=lambda miner: (-miner.coins, miner.last_coin))
        ],
        refused=reading.refused(),
    )
