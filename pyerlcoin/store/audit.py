"""Does a ledger keep the server's promises? Every coin is hashed again and everything that happened is gone through.

Nothing is taken from the tables that follow from the facts: they are compared with the facts in the end,
unless those make no sense themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyerlcoin.coin.coin import is_coin
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
from pyerlcoin.coin.intervals import IntervalSet
from pyerlcoin.coin.past import replay
from pyerlcoin.coin.unit import Unit
from pyerlcoin.store.integers import from_column
from pyerlcoin.store.reading import Reading, Started

__all__ = ["Audit", "audit"]


@dataclass(slots=True)
class Audit:
    """What was gone through, and what was found: one sentence for each broken promise, none in a clean ledger."""

    coins: int = 0
    miners: int = 0
    units: int = 0
    finished: int = 0
    """Integers."""
    found: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether every promise was kept."""
        return not self.found


def audit(reading: Reading) -> Audit:
    """Go through all of `reading`."""
    game = reading.game
    auditor = _Auditor(game.secret, game.zeros, game.first)
    for _, happened in reading.history():
        if isinstance(happened, Started):
            auditor.anywhere = auditor.anywhere or happened.accept == "any"
        else:
            auditor.hear(happened)
    result = auditor.conclude()
    result.found += _damage(reading)
    if result.clean:
        result.found += _derived(reading, auditor)
    return result


class _Auditor:
    def __init__(self, secret: bytes, zeros: int, first: int) -> None:
        self._secret = secret
        self._zeros = zeros
        self._first = self._frontier = first
        self._nodes: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._told: dict[int, str] = {}
        self.handed: dict[str, IntervalSet] = {}
        self._finished = IntervalSet()
        self._open: dict[int, tuple[Unit, str | None]] = {}
        self._result = Audit()
        self.anywhere = False
        """Whether coins counted outside the ranges of their miners, at any time."""

    def hear(self, fact: Fact) -> None:
        """The next thing that happened."""
        match fact:
            case Registered():
                self._nodes[fact.name] = fact.node
                self._result.miners += 1
            case Resumed():
                self._nodes[fact.name] = fact.node
            case HandedOut():
                self._hand_out(fact)
            case Finished():
                self._finish(fact)
            case Returned():
                if self._open.get(fact.unit.first) != (fact.unit, fact.name):
                    self._found(f"{fact.name} gave back {fact.unit}, which it did not have")
            case CoinAccepted():
                self._coin(fact)
            case Left() | WorkloadChanged() | Rejected():
                pass

    def conclude(self) -> Audit:
        """What there is to say once everything was heard."""
        accounted = IntervalSet(self._finished)
        for unit, _ in self._open.values():
            accounted.add(unit)
        if self._frontier > self._first:
            for gap in accounted.gaps(Unit(self._first, self._frontier - 1)):
                self._found(f"the integers {gap} were handed out and are neither finished nor open")
        self._result.finished = self._finished.size
        return self._result

    def _found(self, sentence: str) -> None:
        self._result.found.append(sentence)

    def _hand_out(self, fact: HandedOut) -> None:
        self._result.units += 1
        unit = fact.unit
        if fact.name not in self._nodes:
            self._found(f"{fact.name} was given {unit} and is no miner")
        if self._finished.gaps(unit) != [unit]:
            self._found(f"{unit} was handed out to {fact.name} although some of it was finished")
        if fact.origin == "new":
            if unit.first != self._frontier:
                self._found(f"{unit} was handed out as new, but the next integer was {self._frontier}")
            self._frontier = max(self._frontier, unit.last + 1)
        elif unit.last >= self._frontier:
            self._found(f"{unit} was handed out again, but was not handed out before")
        for other, _ in [piece for piece in self._open.values() if _share(piece[0], unit)]:
            del self._open[other.first]
            for first, last in ((other.first, unit.first - 1), (unit.last + 1, other.last)):
                if first <= last:
                    self._open[first] = (Unit(first, last), None)
        self._open[unit.first] = (unit, fact.name)
        self.handed.setdefault(fact.name, IntervalSet()).add(unit)

    def _finish(self, fact: Finished) -> None:
        if self._open.pop(fact.unit.first, None) != (fact.unit, fact.name):
            self._found(f"{fact.name} finished {fact.unit}, which it did not have")
        if self._finished.gaps(fact.unit) != [fact.unit]:
            self._found(f"{fact.unit} was finished by {fact.name} although some of it was finished before")
        self._finished.add(fact.unit)

    def _coin(self, fact: CoinAccepted) -> None:
        self._result.coins += 1
        coin = f"coin {fact.n} of {fact.name}"
        if not is_coin(self._secret, fact.n, self._zeros):
            self._found(f"{coin} is none: its digest does not start with {self._zeros} zeros")
        if fact.n in self._told:
            self._found(f"{coin} counts twice, also for {self._told[fact.n]}")
        self._told[fact.n] = fact.name
        if fact.worth != self._result.coins:
            self._found(f"{coin} is the {fact.worth}. of the wallet, but {self._result.coins} are there")
        count = self._counts[fact.name] = self._counts.get(fact.name, 0) + 1
        if fact.count != count:
            self._found(f"{coin} is its {fact.count}., but it has {count}")
        handed = self.handed.get(fact.name)
        if not self.anywhere and (handed is None or fact.n not in handed):
            self._found(f"{coin} is in no unit that was handed to {fact.name}")


_MISPLACED = """
    SELECT (SELECT count(*) FROM place) <> (SELECT worth FROM placed) OR EXISTS (
        SELECT 1 FROM coin LEFT JOIN place ON place.n = coin.n
        WHERE coin.worth <= (SELECT worth FROM placed) AND place.worth IS NOT coin.worth)
"""


def _share(one: Unit, other: Unit) -> bool:
    return one.first <= other.last and other.first <= one.last


def _damage(reading: Reading) -> list[str]:
    """What SQLite itself finds."""
    said = [row[0] for row in reading.connection.execute("PRAGMA integrity_check")]
    found = [f"the file is damaged: {what}" for what in said if what != "ok"]
    found += [
        f"a row of {row[0]} names a {row[2]} that is not there"
        for row in reading.connection.execute("PRAGMA foreign_key_check")
    ]
    return found


def _derived(reading: Reading, auditor: _Auditor) -> list[str]:
    """The state that a restart would find, against the facts."""
    found: list[str] = []
    game = reading.game
    if reading.past() != replay(game.first, game.workload, reading.facts()):
        found.append("a restart would not find the game as it happened")
    reach: dict[str, list[Unit]] = {}
    query = "SELECT miner.name, first, last FROM reach JOIN miner ON miner.id = reach.miner ORDER BY miner.id, first"
    for name, first, last in reading.connection.execute(query):
        reach.setdefault(name, []).append(Unit(from_column(first), from_column(last)))
    if reading.connection.execute(_MISPLACED).fetchone()[0]:
        found.append("a coin is not found by its integer")
    if reach != {name: list(ranges) for name, ranges in auditor.handed.items()}:
        found.append("what is looked up as handed out is not what was handed out")
    return found
