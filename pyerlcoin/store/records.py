"""What the ledger looks up: coins and hand-outs on disk, and those on their way there."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Sequence
from functools import partial

from pyerlcoin.coin.facts import CoinAccepted, Fact, HandedOut
from pyerlcoin.coin.records import Found, Undo
from pyerlcoin.store.fresh import Fresh
from pyerlcoin.store.integers import from_column, to_column

__all__ = ["DiskRecords"]


class DiskRecords:
    """`pyerlcoin.coin.Records` for the thread that asks the ledger.

    Holds only what is not on disk yet, and coins that are not placed yet. All are when it is made.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._coins: dict[int, Found] = {}
        self._handed: dict[int, HandedOut] = {}
        self._unplaced: deque[CoinAccepted] = deque()  # of those, the ones that are on disk
        self._written: deque[tuple[Sequence[Fact], int]] = deque()
        highest = connection.execute("SELECT n FROM place ORDER BY n DESC LIMIT 1").fetchone()
        self._fresh = Fresh(-1 if highest is None else from_column(highest[0]))
        self.asked = 0
        """How often the disk was asked whose coin an integer is."""

    def written(self, facts: Sequence[Fact], placed: int) -> None:
        """These are on disk, and the first `placed` coins of the ledger placed. The one method for another thread."""
        self._written.append((facts, placed))

    def finder(self, n: int) -> Found | None:
        if n in self._fresh:
            return None
        self._settle()
        found = self._coins.get(n)
        if found is not None:
            return found
        self.asked += 1
        query = (
            "SELECT miner.name, coin.count FROM place JOIN coin ON coin.worth = place.worth"
            " JOIN miner ON miner.id = coin.miner WHERE place.n = ?"
        )
        row = self._db.execute(query, (to_column(n),)).fetchone()
        return None if row is None else Found(row[0], row[1])

    def was_handed(self, name: str, n: int) -> bool:
        self._settle()
        if any(fact.name == name and n in fact.unit for fact in self._handed.values()):
            return True
        query = (
            "SELECT last FROM reach WHERE miner = (SELECT id FROM miner WHERE name = ?) AND first <= ?"
            " ORDER BY first DESC LIMIT 1"
        )
        row = self._db.execute(query, (name, to_column(n))).fetchone()
        return row is not None and n <= from_column(row[0])

    def note(self, fact: CoinAccepted | HandedOut) -> Undo:
        self._settle()
        if isinstance(fact, CoinAccepted):
            self._coins[fact.n] = Found(fact.name, fact.count)
            self._fresh.told(fact.n)
            return partial(self._coins.pop, fact.n, None)
        self._handed[id(fact)] = fact
        self._fresh.handed_out(fact.unit)
        return partial(self._unhand, fact)

    def _unhand(self, fact: HandedOut) -> None:
        self._handed.pop(id(fact), None)
        self._fresh.forget()

    def _settle(self) -> None:
        while self._written:
            facts, placed = self._written.popleft()
            for fact in facts:
                if type(fact) is CoinAccepted:
                    self._unplaced.append(fact)
                elif type(fact) is HandedOut:
                    self._handed.pop(id(fact), None)
            while self._unplaced and self._unplaced[0].worth <= placed:
                self._coins.pop(self._unplaced.popleft().n, None)
