"""A whole evening in a moment: a real ledger, simulated miners that really search, simulated time, and its board."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

from pyerlcoin.coin.answers import Outcome, Refusal, Welcome, Work
from pyerlcoin.coin.coin import digest_hex
from pyerlcoin.coin.facts import Fact
from pyerlcoin.coin.ledger import Ledger
from pyerlcoin.coin.past import Past
from pyerlcoin.coin.sizing import Workload
from pyerlcoin.coin.unit import Unit
from pyerlcoin.web.board import Board
from pyerlcoin.web.schedule import Schedule

__all__ = ["SECRET", "START", "Evening"]

SECRET = b"Serun+u"
START = 1_700_000_000.0


@dataclass(slots=True)
class _Miner:
    name: str
    speed: float
    unit: Unit | None = None


@dataclass(slots=True)
class Evening:
    """Miners by name and hashes per second. Each searches what it is given, tells its coins, and asks for more."""

    miners: dict[str, float]
    zeros: int = 2
    workload: Workload = 200
    start: float = START
    schedule: Schedule = field(default_factory=Schedule)
    now: float = field(init=False)
    ledger: Ledger = field(init=False)
    board: Board = field(init=False)
    facts: list[Fact] = field(init=False, default_factory=list)
    _due: list[tuple[float, int, _Miner]] = field(init=False, default_factory=list)
    _joined: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.now = self.start
        self.ledger = Ledger(SECRET, zeros=self.zeros, workload=self.workload, now=self.start)
        self.board = Board(
            Past(1, 1, self.workload),
            zeros=self.zeros,
            digest=lambda n: digest_hex(SECRET, n),
            now=self.start,
            schedule=self.schedule,
        )
        for name, speed in self.miners.items():
            self.join(name, speed)

    def join(self, name: str, speed: float) -> None:
        """One more says hello."""
        miner = _Miner(name, speed)
        outcome = self.ledger.hello(name, f"node@{name!r}", name, self.now)
        self.tell(outcome.facts)
        self._take(miner, outcome)

    def leave(self, name: str) -> None:
        """Its process ends."""
        self._due = [entry for entry in self._due if entry[2].name != name]
        heapq.heapify(self._due)
        self.tell(self.ledger.down(name, self.now))

    def stall(self, name: str) -> None:
        """It falls silent, with its unit in its hands."""
        self._due = [entry for entry in self._due if entry[2].name != name]
        heapq.heapify(self._due)

    def run(self, seconds: float) -> None:
        """Time goes by."""
        until = self.now + seconds
        while self._due and self._due[0][0] <= until:
            self.now, _, miner = heapq.heappop(self._due)
            self._finish(miner)
        self.now = until
        self.tell(self.ledger.expire(until))
        self.board.progress(self.ledger.progress(until))

    def tell(self, facts: Iterable[Fact]) -> None:
        """As the server's events do, once the facts are kept."""
        self.ledger.keep(self.ledger.mark())
        for fact in facts:
            self.facts.append(fact)
            self.board.fact(fact)

    def _finish(self, miner: _Miner) -> None:
        node = f"node@{miner.name!r}"
        assert miner.unit is not None
        zeros = "0" * self.zeros
        for n in range(miner.unit.first, miner.unit.last + 1):
            if hashlib.md5(b"%b%d" % (SECRET, n)).hexdigest().startswith(zeros):
                self.tell(self.ledger.coin(miner.name, node, miner.name, n, self.now).facts)
        outcome = self.ledger.done(miner.name, node, miner.name, self.now)
        self.tell(outcome.facts)
        self._take(miner, outcome)

    def _take(self, miner: _Miner, outcome: Outcome[Welcome | Refusal] | Outcome[Work | Refusal]) -> None:
        answer = outcome.answer
        if isinstance(answer, Refusal):
            return
        miner.unit = answer.work.unit if isinstance(answer, Welcome) else answer.unit
        self._joined += 1
        heapq.heappush(self._due, (self.now + miner.unit.size / miner.speed, self._joined, miner))
