"""The newest coins of a ledger, without reading all the others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from pyerlcoin.coin.facts import CoinAccepted
from pyerlcoin.store.integers import from_column
from pyerlcoin.store.reading import Reading

__all__ = ["newest"]


def newest(reading: Reading, count: int, edges: Sequence[float] = ()) -> list[CoinAccepted]:
    """The last `count` coins of all, and the last `count` that came before each of `edges`; each once, oldest first."""
    found: dict[int, CoinAccepted] = {}
    for before in (math.inf, *edges):
        for at, n, name, how_many, worth in reading.connection.execute(_QUERY, (before, count)):
            found[worth] = CoinAccepted(at, from_column(n), name, how_many, worth)
    return [found[worth] for worth in sorted(found)]


_QUERY: Final = """
    SELECT t.at, t.n, m.name, t.count, t.worth
    FROM coin t JOIN miner m ON m.id = t.miner
    WHERE t.at < ?
    ORDER BY t.worth DESC LIMIT ?
"""
