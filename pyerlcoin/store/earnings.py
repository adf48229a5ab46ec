"""How the coins came, summed over stretches of time: enough for a curve, however many coins there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pyerlcoin.store.reading import Reading

__all__ = ["Earning", "earnings"]


@dataclass(frozen=True, slots=True)
class Earning:
    """`coins` that `name` found within one stretch; the last of them at `at`, the `last_coin`-th in the wallet."""

    at: float
    name: str
    coins: int
    last_coin: int


def earnings(reading: Reading, since: float, step: float, edges: Sequence[float] = ()) -> Iterator[Earning]:
    """The coins from `since` on in stretches of `step` seconds, ordered by their last coin.

    No stretch reaches over one of `edges`: what is before and what is from that moment on is never one sum. One row
    for each miner and stretch, whatever the number of coins.
    """
    cuts = ", t.at >= ?" * len(edges)
    rows = reading.connection.execute(_QUERY.format(cuts=cuts), (since, since, step, *edges))
    return (Earning(*row) for row in rows)


_QUERY: Final = """
    SELECT max(t.at), m.name, count(*), max(t.worth)
    FROM coin t JOIN miner m ON m.id = t.miner
    WHERE t.at >= ?
    GROUP BY t.miner, CAST((t.at - ?) / ? AS INTEGER){cuts}
    ORDER BY max(t.worth)
"""
