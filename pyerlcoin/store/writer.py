"""Facts into rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from pyerlcoin.coin.facts import (
    CoinAccepted,
    Fact,
    Finished,
    HandedOut,
    Left,
    Registered,
    Rejected,
    Resumed,
    Returned,
    WorkloadChanged,
)
from pyerlcoin.coin.unit import Unit
from pyerlcoin.store.db import atomic
from pyerlcoin.store.integers import from_column, to_column
from pyerlcoin.store.places import PLACE_EVERY, place

__all__ = ["Writer"]

_COINS: Final = 128
"""In one statement. Each takes the interpreter's lock from who serves the callers, and waits to get it."""
_SEQ: Final = "SELECT max(seq, coalesce((SELECT seq FROM coin ORDER BY worth DESC LIMIT 1), 0)) FROM written"
"""The number of the latest fact: where only coins were told, nothing but the coins says so."""
_COIN: Final = [
    "INSERT INTO coin (worth, seq, at, n, miner, count) VALUES " + ", ".join(["(?, ?, ?, ?, ?, ?)"] * rows)  # noqa: S608  # nothing but question marks
    for rows in range(_COINS + 1)
]
_REJECTED: Final = (
    "INSERT INTO rejected VALUES (?, ?, ?, 1, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET count = count + 1, last_at = excluded.last_at, message = excluded.message"
)


class Writer:
    """Writes facts through `connection`, which nobody else writes through."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._miners: dict[str, int] = {}
        self._nodes: dict[str, int] = {}
        self._seq = 0
        self._unsure = True
        self._unplaced = 0
        self.alone = 0
        """Commits that were one statement."""
        self.placed = 0
        """How many coins of the ledger are placed, from the first one on."""

    def write(self, facts: Sequence[Fact]) -> None:
        """All of `facts`, or none of them and `sqlite3.Error`."""
        if not facts:
            return
        if self._unsure:
            self._forget()
        end = self._seq + len(facts)
        self._unsure = True
        try:
            if len(facts) <= _COINS and all(type(fact) is CoinAccepted for fact in facts):
                # One statement is a transaction by itself; and each statement lets go of the interpreter's lock, which
                # then has to be had again.
                self._write(facts)
                self.alone += 1
            else:
                with atomic(self._db):
                    self._write(facts)
                    self._db.execute("UPDATE written SET seq = ?", (end,))
        except sqlite3.Error:
            # An error may come after everything is written for good. Then it is, whatever the error says.
            with suppress(sqlite3.Error):
                self._forget()
                if self._seq == end:
                    return
            raise
        self._unsure = False

    def tidy(self) -> None:
        """Place the coins, when enough are not. Raises `sqlite3.Error`, and can be called again then."""
        if self._unplaced >= PLACE_EVERY:
            with atomic(self._db):
                placed = place(self._db)
            self.placed, self._unplaced = placed, 0

    def started(self, at: float, accept: str) -> None:
        """A server begins: no process holds anything, and all coins are placed. Must be within `atomic`."""
        self.placed = place(self._db)
        self._forget()
        self._seq += 1
        self._db.execute("INSERT INTO started VALUES (?, ?, ?)", (self._seq, at, accept))
        self._db.execute("UPDATE open_unit SET held = 0")
        self._db.execute("UPDATE written SET seq = ?", (self._seq,))

    def _forget(self) -> None:
        """What is remembered may have been taken back: see what is there."""
        self._miners.clear()
        self._nodes.clear()
        self._seq = self._db.execute(_SEQ).fetchone()[0]
        self._unsure = False

    def _write(self, facts: Sequence[Fact]) -> None:
        execute = self._db.execute
        coins: list[object] = []
        row: tuple[object, ...]
        for fact in facts:
            self._seq = seq = self._seq + 1
            match fact:
                case CoinAccepted():
                    miner = self._miner(fact.name)
                    coins += (fact.worth, seq, fact.at, to_column(fact.n), miner, fact.count)
                case HandedOut():
                    miner, node = self._miner(fact.name), self._node(fact.node)
                    first, last = to_column(fact.unit.first), to_column(fact.unit.last)
                    row = (seq, fact.at, first, last, miner, node, fact.origin)
                    execute("INSERT INTO handed_out VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                    if fact.origin != "new":
                        self._cut(fact.unit)
                    execute("INSERT INTO open_unit VALUES (?, ?, ?, ?, 1)", (first, last, miner, node))
                    self._reach(miner, fact.unit)
                case Finished():
                    first, last = to_column(fact.unit.first), to_column(fact.unit.last)
                    row = (seq, fact.at, first, last, self._miner(fact.name), self._node(fact.node), fact.seconds)
                    execute("INSERT INTO finished VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                    execute("DELETE FROM open_unit WHERE first = ?", (first,))
                case Returned():
                    first, last = to_column(fact.unit.first), to_column(fact.unit.last)
                    row = (seq, fact.at, first, last, self._miner(fact.name), self._node(fact.node), fact.reason)
                    execute("INSERT INTO returned VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                    execute("UPDATE open_unit SET held = 0 WHERE first = ?", (first,))
                case Registered():
                    row = (seq, fact.at, fact.name, self._node(fact.node))
                    execute("INSERT INTO miner (seq, at, name, node) VALUES (?, ?, ?, ?)", row)
                case Resumed() | Left():
                    what = "resumed" if isinstance(fact, Resumed) else "left"
                    row = (seq, fact.at, self._miner(fact.name), self._node(fact.node), what)
                    execute("INSERT INTO presence VALUES (?, ?, ?, ?, ?)", row)
                case WorkloadChanged():
                    workload = fact.workload if isinstance(fact.workload, str) else to_column(fact.workload)
                    execute("INSERT INTO workload VALUES (?, ?, ?)", (seq, fact.at, workload))
                case Rejected():
                    miner = 0 if fact.name is None else self._miner(fact.name)
                    row = (miner, self._node(fact.node), fact.reason, fact.at, fact.at, fact.message)
                    execute(_REJECTED, row)
        self._unplaced += len(coins) // 6
        for at in range(0, len(coins), 6 * _COINS):
            some = coins[at : at + 6 * _COINS]
            execute(_COIN[len(some) // 6], some)

    def _cut(self, unit: Unit) -> None:
        """Nothing of `unit` is open any more; what is left over of another unit is nobody's."""
        found = self._overlap("SELECT first, last FROM open_unit WHERE first <= ? ORDER BY first DESC", (), unit)
        for other in found:
            self._db.execute("DELETE FROM open_unit WHERE first = ?", (to_column(other.first),))
            rests = [(other.first, unit.first - 1), (unit.last + 1, other.last)]
            self._db.executemany(
                "INSERT INTO open_unit VALUES (?, ?, NULL, NULL, 0)",
                [(to_column(first), to_column(last)) for first, last in rests if first <= last],
            )

    def _reach(self, miner: int, unit: Unit) -> None:
        """`unit` was handed to `miner`; its ranges stay disjoint, and neighbours are merged."""
        around = Unit(max(0, unit.first - 1), unit.last + 1)
        query = "SELECT first, last FROM reach WHERE miner = ? AND first <= ? ORDER BY first DESC"
        found = self._overlap(query, (miner,), around)
        first, last = unit.first, unit.last
        for other in found:
            if other.covers(unit):
                return
            first, last = min(first, other.first), max(last, other.last)
        if len(found) == 1 and found[0].first == first:
            self._db.execute(
                "UPDATE reach SET last = ? WHERE miner = ? AND first = ?", (to_column(last), miner, to_column(first))
            )
            return
        self._db.executemany(
            "DELETE FROM reach WHERE miner = ? AND first = ?", [(miner, to_column(other.first)) for other in found]
        )
        self._db.execute("INSERT INTO reach VALUES (?, ?, ?)", (miner, to_column(first), to_column(last)))

    def _overlap(self, query: str, keys: tuple[int, ...], unit: Unit) -> list[Unit]:
        """Of disjoint ranges, latest first, those that share an integer with `unit`."""
        found: list[Unit] = []
        for row in self._db.execute(query, (*keys, to_column(unit.last))):
            other = Unit(from_column(row[0]), from_column(row[1]))
            if other.last < unit.first:
                break
            found.append(other)
        return found

    def _miner(self, name: str) -> int:
        id_ = self._miners.get(name)
        if id_ is None:
            id_ = self._db.execute("SELECT id FROM miner WHERE name = ?", (name,)).fetchone()[0]
            self._miners[name] = id_
        return id_

    def _node(self, name: str) -> int:
        id_ = self._nodes.get(name)
        if id_ is None:
            self._db.execute("INSERT INTO node (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
            id_ = self._db.execute("SELECT id FROM node WHERE name = ?", (name,)).fetchone()[0]
            self._nodes[name] = id_
        return id_
