"""Whatever is asked in whatever order, the ledger answers as the naive model does: the machine that asks."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pyerlcoin.coin.answers import Counted, Outcome, Refusal, Welcome, Work
from pyerlcoin.coin.coin import is_coin
from pyerlcoin.coin.facts import CoinAccepted, Fact, HandedOut
from pyerlcoin.coin.ledger import Ledger
from pyerlcoin.coin.past import replay
from pyerlcoin.coin.records import MemoryRecords
from tests.support.ledger_model import Model

__all__ = ["FIRST_WORKLOAD", "SECRET", "Rules"]

SECRET = b"model"
COINS = {n for n in range(2000) if is_coin(SECRET, n, 1)}
FIRST_WORKLOAD = 3

PIDS = st.sampled_from(["a1", "a2", "a3", "b1", "b2"])
NAMES = st.sampled_from(["Ann", "Bob"])


def plain(outcome: Outcome[Any]) -> tuple[object, ...]:
    answer = outcome.answer
    if isinstance(answer, Refusal):
        return "error", answer.reason.value
    if isinstance(answer, Counted):
        return "ok", answer.count
    work = answer.work if isinstance(answer, Welcome) else answer
    assert isinstance(work, Work)
    return "ok", work.unit.first, work.unit.last


class Rules(RuleBasedStateMachine):
    """`kept` is what the disk knows: the model and the facts of the last commit."""

    @initialize(grace=st.sampled_from([0.0, 10.0]), lease=st.sampled_from([7.0, 40.0]))
    def begin(self, grace: float, lease: float) -> None:
        self.now = 0.0
        self.grace, self.lease = grace, lease
        self.ledger = self.start(None)
        self.model = Model(COINS, grace, lease, workload=FIRST_WORKLOAD)
        self.kept = self.model.copy()
        self.facts: list[Fact] = []
        """What is kept."""
        self.new: list[Fact] = []
        """What happened since."""

    def start(self, kept: list[Fact] | None) -> Ledger:
        """The ledger, at first (None) and when it knows what was kept. For a store to do otherwise."""
        if kept is None:
            return Ledger(SECRET, zeros=1, workload=FIRST_WORKLOAD, grace=self.grace, lease=self.lease)
        records = MemoryRecords()
        for fact in kept:
            if isinstance(fact, CoinAccepted | HandedOut):
                records.note(fact)
        past = replay(1, FIRST_WORKLOAD, kept)
        return Ledger(SECRET, zeros=1, grace=self.grace, lease=self.lease, records=records, past=past, now=self.now)

    def write(self, facts: list[Fact]) -> None:
        """The disk takes `facts`. For a store to do."""

    def refuse(self, facts: list[Fact]) -> None:
        """The disk does not take `facts`. For a store to do."""

    def heard(self, outcome: Outcome[Any], expected: tuple[object, ...]) -> None:
        self.new += outcome.facts
        assert plain(outcome) == expected

    @rule(pid=PIDS, name=NAMES)
    def hello(self, pid: str, name: str) -> None:
        outcome = self.ledger.hello(pid, Model.nodes_of_pid(pid), name, self.now)
        self.heard(outcome, self.model.hello(pid, name, self.now))

    @rule(pid=PIDS, name=NAMES)
    def done(self, pid: str, name: str) -> None:
        outcome = self.ledger.done(pid, Model.nodes_of_pid(pid), name, self.now)
        self.heard(outcome, self.model.done(pid, name, self.now))

    @rule(pid=PIDS, name=NAMES, data=st.data())
    def coin(self, pid: str, name: str, data: st.DataObject) -> None:
        below = [n for n in sorted(COINS) if n < self.model.frontier + 20]
        n = data.draw(st.sampled_from([*below, 1, 2, self.model.frontier]))
        self.tell(pid, name, n)

    def tell(self, pid: str, name: str, n: int) -> None:
        before = dict(self.model.rejected)
        outcome = self.ledger.coin(pid, Model.nodes_of_pid(pid), name, n, self.now)
        self.heard(outcome, self.model.coin(pid, name, n, self.now))
        assert not outcome.delay or self.model.rejected != before, "nobody is slowed for what is not held against it"

    @precondition(lambda self: self.model.held)
    @rule(pid=PIDS, data=st.data())
    def another_goes_on_with_what_is_told_of_already(self, pid: str, data: st.DataObject) -> None:
        (gone, former), (first, last) = data.draw(st.sampled_from(sorted(self.model.held.items())))
        found = [n for n in sorted(COINS) if first <= n <= last]
        for n in found:
            self.tell(gone, former, n)
        self.down(gone)
        self.time_goes_by(41.0)
        name = "Bob" if former == "Ann" else "Ann"
        self.hello(pid, name)
        for n in found:
            self.tell(pid, name, n)

    @rule(pid=PIDS)
    def down(self, pid: str) -> None:
        self.new += self.ledger.down(pid, self.now)
        self.model.down(pid, self.now)
        self.model.ended.append(pid)

    @rule(seconds=st.sampled_from([0.5, 3.0, 10.0, 41.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def expiry(self) -> None:
        self.new += self.ledger.expire(self.now)
        self.model.tick(self.now)
        deadline = self.ledger.next_deadline()
        assert deadline is None or deadline > self.now
        if any(piece.until is not None for piece in self.model.waiting) or self.model.held:
            assert deadline is not None

    @rule(size=st.integers(1, 9))
    def workload(self, size: int) -> None:
        self.new += self.ledger.set_workload(size, self.now).facts
        self.model.tick(self.now)
        self.model.workload = size

    @rule()
    def commit(self) -> None:
        self.write(self.new)
        self.ledger.keep(self.ledger.mark())
        self.facts += self.new
        self.new = []
        self.model.ended = []
        self.kept = self.model.copy()

    @rule()
    def commit_fails(self) -> None:
        self.refuse(self.new)
        ended, rejected = self.model.ended, self.model.rejected
        self.new = self.ledger.rollback(self.now)
        self.model = self.kept.copy()
        self.model.rejected = {name: count for name, count in rejected.items() if name in self.model.nodes}
        self.model.tick(self.now)
        for pid in ended:
            self.model.down(pid, self.now)
        self.model.ended = ended

    @rule()
    def restart(self) -> None:
        """Kill -9: what was not committed is gone, and so is every process."""
        self.ledger = self.start(self.facts)
        self.model = self.kept.copy()
        self.model.restart(self.now)
        self.kept = self.model.copy()
        self.new = []

    @invariant()
    def every_integer_below_the_frontier_is_finished_or_held_or_waits_and_only_one_of_them(self) -> None:
        model, ledger = self.model, self.ledger
        places = [n for first, last in model.held.values() for n in range(first, last + 1)]
        places += [n for piece in model.waiting for n in range(piece.first, piece.last + 1)]
        places += model.finished
        assert sorted(places) == list(range(1, model.frontier))
        progress = ledger.progress(self.now)
        assert progress.frontier == model.frontier
        assert progress.finished == len(model.finished)
        assert progress.open == sum(last - first + 1 for first, last in model.held.values())
        assert progress.returned == sum(piece.last - piece.first + 1 for piece in model.waiting)

    @invariant()
    def the_facts_tell_the_same(self) -> None:
        past = replay(1, FIRST_WORKLOAD, [*self.facts, *self.new])
        unfinished = {n for piece in past.open for n in range(piece.unit.first, piece.unit.last + 1)}
        assert set(range(1, past.frontier)) - unfinished == self.model.finished
        assert (past.frontier, past.workload) == (self.model.frontier, self.model.workload)
        assert {(miner.name, miner.node) for miner in past.miners} == set(self.model.nodes.items())

    @invariant()
    def what_is_held_against_a_miner_is_its_own_doing(self) -> None:
        told = {miner.name: miner.rejected for miner in self.ledger.progress(self.now).miners if miner.rejected}
        assert told == self.model.rejected

    @invariant()
    def the_board_is_right(self) -> None:
        assert self.ledger.leaderboard() == self.model.leaderboard()
        assert self.ledger.worth() == len(self.model.wallet)
