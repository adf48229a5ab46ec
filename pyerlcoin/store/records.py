"""What the ledger looks up: coins and hand-outs on disk, and those on their way there."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial

from pyerlcoin.coin.facts import CoinAccepted, Fact, HandedOut
from pyerlcoin.coin.records import Found, Undo
from pyerlcoin.store.fresh import Fresh
from pyerlcoin.store.integers import from_column, to_column

__all__ = ["DiskRecords"]


class DiskRecords:
    """`pyerlcoin.coin.Records` for the thread that asks the ledger. Holds only what is not on disk yet."""

    def __init__(self, connection: sqlite3.Connection, turn: AbstractContextManager[object]) -> None:
        self._db = connection
        self._turn = turn
        self._coins: dict[int, Found] = {}
        self._handed: dict[int, HandedOut] = {}
        self._written: deque[Sequence[Fact]] = deque()
        highest = connection.execute("SELECT n FROM coin ORDER BY n DESC LIMIT 1").fetchone()
        self._fresh = Fresh(-1 if highest is None else from_column(highest[0]))
        self.asked = 0
        """How often the disk was asked whose coin an integer is."""

    def written(self, facts: Sequence[Fact]) -> None:
        """These are on disk. The one method that another thread may call."""
        self._written.append(facts)

    def finder(self, n: int) -> Found | None:
        if n in self._fresh:
            return None
        self._settle()
        found = self._coins.get(n)
        if found is not None:
            return found
        self.asked += 1
        query = "SELECT miner.name, coin.count FROM coin JOIN miner ON miner.id = coin.miner WHERE n = ?"
        with self._turn:
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
        with self._turn:
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
            for fact in self._written.popleft():
                if isinstance(fact, CoinAccepted):
                    self._coins.pop(fact.n, None)
                elif isinstance(fact, HandedOut):
                    self._handed.pop(id(fact), None)
