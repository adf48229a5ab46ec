"""The rules of the game: who holds which unit, which coin counts, what is refused.

No request raises, whatever a peer sent. Each changes the ledger at once, and returns its answer with the facts that say
what changed. How a driver keeps "no reply is sent that the disk does not know of":

1. It hands the facts of everything that arrived in one turn to the store, with `mark()` taken after the last of them,
   and holds the replies back; meanwhile it may go on asking the ledger.
2. Once they are on disk it says `keep(mark)` and sends those replies.
3. When the disk refuses, it says `rollback(now)`: everything that was not kept is undone, as if never asked, and
   each of those callers is told `{:error, …}`. The facts that `rollback` returns (of processes and times that ended
   meanwhile, which cannot be undone) go into the next turn. Between `undo()` and that it tells how the game stands on
   the disk, for those who asked only this.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from functools import partial
from typing import Final, Literal, NamedTuple, TypeAlias

from pyerlcoin.coin.answers import Counted, Outcome, Refusal, Welcome, Work, WorkloadSet
from pyerlcoin.coin.coin import MAX_ZEROS, ZEROS, is_coin
from pyerlcoin.coin.conduct import Conduct
from pyerlcoin.coin.facts import (
    CoinAccepted,
    Fact,
    Finished,
    Left,
    Reason,
    Registered,
    Rejected,
    Resumed,
    WorkloadChanged,
)
from pyerlcoin.coin.journal import Journal
from pyerlcoin.coin.leases import Lease
from pyerlcoin.coin.limits import Limits, read_name
from pyerlcoin.coin.owners import Owners
from pyerlcoin.coin.past import Past
from pyerlcoin.coin.progress import MinerProgress, Progress
from pyerlcoin.coin.rates import RateWindow
from pyerlcoin.coin.records import MemoryRecords, Records, Undo
from pyerlcoin.coin.sizing import AUTO, LARGEST_WORKLOAD, Pace, Workload, is_workload
from pyerlcoin.coin.unit import Unit
from pyerlcoin.coin.units import Units
from pyerlcoin.errors import WrongUsage

__all__ = ["GRACE", "SLOW_BY", "Accept", "Ledger"]

Accept: TypeAlias = Literal["handed", "any"]
"""Where a coin counts: inside a range that was handed to its miner, or anywhere."""

GRACE: Final = 10.0
"""Seconds a unit waits for its own name: a miner that lost its connection is back in a few."""

SLOW_BY: Final = 1.0
"""Seconds by which a wrong coin of a miner that is mostly wrong is answered later; callers give up after five."""


class _Miner(NamedTuple):
    """A name: the node that owns it, its coins, and how fast its latest unit was done. See `PastMiner`."""

    node: str
    pace: Pace
    coins: int = 0
    last_coin: int = 0
    last_coin_at: float | None = None


class Ledger:
    """One game: one secret, one number of zeros, one frontier.

    `holder` is the process that asks: any hashable value, equal for the same process. `node` is the name of its node.
    `name` and `n` are what the peer sent, whatever that is. `now` is in seconds since the epoch, on a clock that
    never runs backwards.

    `accept="handed"` counts a coin only inside a range that was handed to its name, `"any"` anywhere. `grace`: seconds
    a unit waits for its own name on its own node once its holder is down. `lease`: seconds without a sign of life after
    which a unit is anybody's although its holder is up; None: never. `past`: where a game that goes on stands;
    `first` and `workload` are then its own, no process lives, and its open units wait for their names from `now` on.

    Raises `WrongUsage` when secret, zeros, first or workload cannot be meant.
    """

    def __init__(
        self,
        secret: bytes,
        *,
        zeros: int = ZEROS,
        first: int = 1,
        workload: Workload = 1,
        accept: Accept = "handed",
        grace: float = GRACE,
        lease: float | None = None,
        limits: Limits | None = None,
        slow_by: float = SLOW_BY,
        records: Records | None = None,
        past: Past | None = None,
        now: float = 0.0,
    ) -> None:
        self.limits = limits or Limits()
        self._beyond = 10**self.limits.digits
        _check_game(secret, zeros, first, workload, self.limits)
        self.secret = secret
        self.zeros = zeros
        self.accept = accept
        self._slow_by = slow_by
        self._records: Records = MemoryRecords() if records is None else records
        self._journal = Journal()
        self._owners = Owners()
        self._miners: dict[str, _Miner] = {}
        self._names_of_node: dict[str, int] = {}
        self._now = now

        # What follows is about the present, not about the game: it is not undone, and not on disk.
        self._ended: deque[tuple[int, Hashable]] = deque()
        self._unkept: deque[tuple[int, Finished]] = deque()
        self._seen: dict[str, float] = {}
        self._rates: dict[str, RateWindow] = {}
        self._conducts: dict[str, Conduct] = {}
        self._board: list[tuple[str, int]] | None = None

        past = past or Past(first, first, workload)
        self._units = Units(self._journal, past, grace, lease, now)
        self._workload: Workload = past.workload
        self._worth = 0
        for miner in past.miners:
            self._miners[miner.name] = _Miner(miner.node, Pace(), miner.coins, miner.last_coin, miner.last_coin_at)
            self._names_of_node[miner.node] = self._names_of_node.get(miner.node, 0) + 1
            self._worth += miner.coins

    def __repr__(self) -> str:
        return f"Ledger({self.first}..{self.frontier}, miners={len(self._miners)}, worth={self._worth})"

    @property
    def first(self) -> int:
        """The lowest integer of the game."""
        return self._units.first

    @property
    def frontier(self) -> int:
        """The lowest integer that was never handed out."""
        return self._units.frontier

    @property
    def workload(self) -> Workload:
        """The size of units, or `AUTO`."""
        return self._workload

    # The requests of the contract.

    def hello(self, holder: Hashable, node: str, name: object, now: float) -> Outcome[Welcome | Refusal]:
        """A new name, or one whose process is gone, gets the secret and a unit: its own again if that still waits.

        A name is taken while the process that said hello for it lives; on another node, while any process there holds
        a unit under it. That keeps a stranger from taking over a name whose miners only changed their first process.
        """
        facts: list[Fact] = []
        now = self._tick(now, facts)
        known = read_name(name, self.limits)
        if known is None:
            return self._refuse(facts, now, None, node, Reason.NAME_INVALID, self._what_names_are())
        miner = self._miners.get(known)
        if miner is None:
            refusal = self._no_room(node)
            if refusal is not None:
                return self._refuse(facts, now, None, node, Reason.TOO_MANY_NAMES, refusal)
            self._journal.put(self._miners, known, _Miner(node, Pace()))
            self._journal.put(self._names_of_node, node, self._names_of_node.get(node, 0) + 1)
            facts.append(Registered(now, known, node))
            self._board = None
        else:
            held = self._units.leases(known)
            if known in self._owners or (held and miner.node != node):
                message = f"'{known}' is already registered"
                return self._refuse(facts, now, known, node, Reason.NAME_TAKEN, message)
            if len(held) >= self.limits.units_per_name and self._units.lease(holder, known) is None:
                return self._refuse(facts, now, known, node, Reason.TOO_MANY_UNITS, self._holds_enough(known))
            self._move(known, miner, node)
            facts.append(Resumed(now, known, node))
        self._owners.add(known, holder)
        self._journal.record(partial(self._owners.remove, known))
        self._seen[known] = now
        lease = self._units.lease(holder, known)
        if lease is None:
            unit = self._hand_out(holder, node, known, self._miners[known].pace, now, facts, free=True)
        else:
            self._units.touch(holder, known, now)
            unit = lease.unit
        return Outcome(Welcome(self.secret, self._work(unit)), tuple(facts), watch=True)

    def done(self, holder: Hashable, node: str, name: object, now: float) -> Outcome[Work | Refusal]:
        """Finishes the unit that this very process holds, or held if all of it still waits; then hands one out."""
        facts: list[Fact] = []
        now = self._tick(now, facts)
        known = self._known(facts, now, node, name)
        if isinstance(known, Outcome):
            return known
        pace = self._finish(holder, known, now, facts)
        self._seen[known] = now
        if len(self._units.leases(known)) >= self.limits.units_per_name:
            return self._refuse(facts, now, known, node, Reason.TOO_MANY_UNITS, self._holds_enough(known))
        unit = self._hand_out(holder, node, known, pace, now, facts, free=False)
        return Outcome(self._work(unit), tuple(facts), watch=True)

    def coin(self, holder: Hashable, node: str, name: object, n: object, now: float) -> Outcome[Counted | Refusal]:
        """Counts a coin once, for a miner to whom its range was handed. Told again by the same miner, it gets the
        very same answer: the count it got the first time. Who tells another's, in a range that was handed to both,
        did nothing wrong: it is refused, and nothing of that is noted.
        """
        facts: list[Fact] = []
        now = self._tick(now, facts)
        known = self._known(facts, now, node, name)
        if isinstance(known, Outcome):
            return known
        self._seen[known] = now
        lease = self._units.lease(holder, known)
        if lease is not None:
            self._units.touch(holder, known, now)
        if not isinstance(n, int) or isinstance(n, bool) or not 0 <= n < self._beyond:
            message = f"a coin is an integer from 0 up, of at most {self.limits.digits} digits"
            return self._wrong(facts, now, known, node, Reason.INTEGER_INVALID, message)
        if not is_coin(self.secret, n, self.zeros):
            return self._wrong(facts, now, known, node, Reason.VERIFICATION_FAILED, "verification failed")
        found = self._records.finder(n)
        if found is not None:
            if found.name == known:
                return Outcome(Counted(found.count), tuple(facts))
            message = "that coin counts for another miner already"
            if self._handed(lease, known, n):
                # Another began this unit, and how far it came nobody knows: who goes on with it meets its coins.
                return Outcome(Refusal(Reason.COIN_TAKEN, message), tuple(facts))
            return self._wrong(facts, now, known, node, Reason.COIN_TAKEN, message)
        if self.accept != "any" and not self._handed(lease, known, n):
            message = f"that integer is in no unit that was handed to '{known}'"
            return self._wrong(facts, now, known, node, Reason.FOREIGN_RANGE, message)
        self._conduct(known).right()
        miner = self._miners[known]
        fact = CoinAccepted(now, n, known, miner.coins + 1, self._worth + 1)
        undo = self._records.note(fact)
        self._journal.record(partial(self._count, undo, known, miner, self._worth))
        self._count(None, known, _Miner(miner.node, miner.pace, fact.count, fact.worth, now), fact.worth)
        facts.append(fact)
        return Outcome(Counted(fact.count), tuple(facts))

    def set_workload(self, workload: object, now: float, node: str = "") -> Outcome[WorkloadSet | Refusal]:
        """Units that are handed out from now on have this size, or are sized by speed."""
        facts: list[Fact] = []
        now = self._tick(now, facts)
        if not is_workload(workload):
            message = f"a workload is an integer from 1 to {LARGEST_WORKLOAD}, or {AUTO}"
            return self._refuse(facts, now, None, node, Reason.WORKLOAD_INVALID, message)
        if workload != self._workload:
            self._journal.record(partial(setattr, self, "_workload", self._workload))
            self._workload = workload
            facts.append(WorkloadChanged(now, workload))
        return Outcome(WorkloadSet(workload), tuple(facts))

    def leaderboard(self) -> list[tuple[str, int]]:
        """Names and coins, most coins first; of equals, who got there first; of those without, who came first."""
        if self._board is None:
            ranked = sorted(self._miners.items(), key=lambda item: (-item[1].coins, item[1].last_coin))
            self._board = [(name, miner.coins) for name, miner in ranked]
        return list(self._board)

    def worth(self) -> int:
        """The coins in the wallet."""
        return self._worth

    def progress(self, now: float) -> Progress:
        """How the game stands. Rates are of what was kept."""
        miners = [self._progress_of(name, self._miners[name], now) for name, _ in self.leaderboard()]
        finished = self._units.finished
        # Nobody finishes so many, but anybody can set a workload and ask until the quotient is beyond every float.
        expected = finished / 16**self.zeros if finished.bit_length() < 1000 else float("inf")
        return Progress(
            first=self.first,
            frontier=self._units.frontier,
            finished=finished,
            open=self._units.held,
            returned=self._units.waiting,
            coins=self._worth,
            expected_coins=expected,
            luck=self._worth / expected if expected else None,
            hashes_per_second=sum(miner.hashes_per_second for miner in miners),
            workload=self._workload,
            miners=miners,
        )

    # Time, and the life of processes.

    def down(self, holder: Hashable, now: float) -> list[Fact]:
        """The process is gone, or its node, or the connection: its units wait for their names, which are free again."""
        facts: list[Fact] = []
        now = self._tick(now, facts)
        before = len(facts)
        facts += self._units.down(holder, now)
        for name in list(self._owners.names(holder)):
            self._owners.remove(name)
            self._journal.record(partial(self._owners.add, name, holder))
            facts.append(Left(now, name, self._miners[name].node))
        if len(facts) > before:
            self._ended.append((self._journal.mark, holder))
        return facts

    def expire(self, now: float) -> list[Fact]:
        """End what ends by time alone. Every request does so first; a driver only has to when there are none."""
        facts: list[Fact] = []
        self._tick(now, facts)
        return facts

    def next_deadline(self) -> float | None:
        """When to call `expire` next; nothing ends by time before. None: nothing will."""
        return self._units.next_deadline()

    # What is on disk.

    def mark(self) -> int:
        """The place after everything that was asked so far; grows."""
        return self._journal.mark

    def keep(self, mark: int) -> None:
        """Everything before `mark` is on disk, and will not be undone. Without it memory grows."""
        self._journal.keep(mark)
        while self._ended and self._ended[0][0] <= mark:
            self._ended.popleft()
        while self._unkept and self._unkept[0][0] <= mark:
            fact = self._unkept.popleft()[1]
            self._rates.setdefault(fact.name, RateWindow()).add(fact.at, fact.unit.size, fact.seconds)

    def undo(self) -> None:
        """Undo everything that was not kept: it stands as the disk has it. To be asked only how, until `rollback`."""
        self._unkept.clear()
        self._journal.rollback()
        self._board = None
        for of_name in (self._seen, self._conducts):
            for name in of_name.keys() - self._miners.keys():
                del of_name[name]

    def rollback(self, now: float) -> list[Fact]:
        """Undo everything that was not kept. What ended by time, and processes that did, end anew: their facts."""
        self.undo()
        ended = [holder for _, holder in self._ended]
        self._ended.clear()
        facts = self.expire(now)
        for holder in ended:
            facts += self.down(holder, now)
        return facts

    # How it is done.

    def _tick(self, now: float, facts: list[Fact]) -> float:
        """End what ends by time, and say what time it is: not before it last was."""
        self._now = now = max(now, self._now)
        self._units.expire(now, facts)
        return now

    def _known(self, facts: list[Fact], now: float, node: str, name: object) -> str | Outcome[Refusal]:
        """The name of a miner that asks from the node which owns it, or why not."""
        if type(name) is str and name in self._miners:
            known = name  # it was looked at when it was registered
        else:
            read = read_name(name, self.limits)
            if read is None:
                return self._refuse(facts, now, None, node, Reason.NAME_INVALID, self._what_names_are())
            known = read
        miner = self._miners.get(known)
        if miner is None:
            return self._refuse(facts, now, None, node, Reason.UNKNOWN_MINER, f"unknown miner '{known}'")
        if miner.node != node:
            message = f"'{known}' is registered on another node"
            return self._refuse(facts, now, known, node, Reason.OTHER_NODE, message)
        return known

    def _handed(self, lease: Lease | None, name: str, n: int) -> bool:
        """Whether `n` is in what the process holds, `lease`, or was ever handed to `name`."""
        return (lease is not None and n in lease.unit) or self._records.was_handed(name, n)

    def _count(self, undo: Undo | None, name: str, miner: _Miner, worth: int) -> None:
        """Set what a coin changes, or set it back."""
        if undo is not None:
            undo()
        self._miners[name] = miner
        self._worth = worth
        self._board = None

    def _finish(self, holder: Hashable, name: str, now: float, facts: list[Fact]) -> Pace:
        """Finish what `holder` has under `name`, if anything. The pace of its next unit."""
        miner = self._miners[name]
        pace = miner.pace
        fact: Finished | None
        lease = self._units.lease(holder, name)
        if lease is None:
            fact = self._units.finish_late(holder, name, miner.node, now)
        else:
            fact = self._units.finish(lease, now)
            pace = lease.pace.after(fact.unit.size, fact.seconds) if lease.timed else lease.pace
            self._journal.put(self._miners, name, miner._replace(pace=pace))
        if fact is not None:
            facts.append(fact)
            self._unkept.append((self._journal.mark, fact))
        return pace

    def _hand_out(
        self, holder: Hashable, node: str, name: str, pace: Pace, now: float, facts: list[Fact], *, free: bool
    ) -> Unit:
        size = pace.size if self._workload == AUTO else self._workload
        fact = self._units.hand_out(holder, node, name, pace, size, now, free=free)
        self._journal.record(self._records.note(fact))
        facts.append(fact)
        return fact.unit

    def _move(self, name: str, miner: _Miner, node: str) -> None:
        if miner.node == node:
            return
        self._journal.put(self._names_of_node, miner.node, self._names_of_node[miner.node] - 1)
        self._journal.put(self._names_of_node, node, self._names_of_node.get(node, 0) + 1)
        self._journal.put(self._miners, name, miner._replace(node=node, pace=Pace()))

    def _work(self, unit: Unit) -> Work:
        return Work(unit, bare=self._workload == 1 and unit.size == 1)

    def _refuse(
        self, facts: list[Fact], now: float, name: str | None, node: str, reason: Reason, message: str
    ) -> Outcome[Refusal]:
        facts.append(Rejected(now, name, node, reason, message))
        if name is not None and self._miners[name].node == node:
            self._conduct(name).rejected += 1
        return Outcome(Refusal(reason, message), tuple(facts))

    def _wrong(
        self, facts: list[Fact], now: float, name: str, node: str, reason: Reason, message: str
    ) -> Outcome[Refusal]:
        """Refuse a coin of a miner on its own node; a miner that is mostly wrong is told so, and slowed."""
        conduct = self._conduct(name)
        conduct.wrong()
        slow = conduct.mostly_wrong
        if slow:
            message += f"; most coins that '{name}' tells are wrong, so it is answered {self._slow_by:g} s later"
        outcome = self._refuse(facts, now, name, node, reason, message)
        outcome.delay = self._slow_by if slow else 0.0
        return outcome

    def _conduct(self, name: str) -> Conduct:
        conduct = self._conducts.get(name)
        if conduct is None:
            conduct = self._conducts[name] = Conduct()
        return conduct

    def _no_room(self, node: str) -> str | None:
        if len(self._miners) >= self.limits.names:
            return f"{self.limits.names} names are registered, and there is no room for more"
        if self._names_of_node.get(node, 0) >= self.limits.names_per_node:
            return f"{self.limits.names_per_node} names are registered on {node}, and it may have no more"
        return None

    def _what_names_are(self) -> str:
        return f"a name is UTF-8 text of 1 to {self.limits.name_bytes} bytes"

    def _holds_enough(self, name: str) -> str:
        return f"'{name}' holds {self.limits.units_per_name} units already, and may hold no more"

    def _progress_of(self, name: str, miner: _Miner, now: float) -> MinerProgress:
        held = self._units.leases(name)
        rates, conduct = self._rates.get(name), self._conducts.get(name)
        return MinerProgress(
            name=name,
            node=miner.node,
            coins=miner.coins,
            share=miner.coins / self._worth if self._worth else 0.0,
            hashes_per_second=rates.rate(now) if rates else 0.0,
            open=sum(lease.unit.size for lease in held),
            last_coin_at=miner.last_coin_at,
            quiet_since=self._seen.get(name),
            present=name in self._owners or bool(held),
            rejected=conduct.rejected if conduct else 0,
        )


def _check_game(secret: bytes, zeros: int, first: int, workload: Workload, limits: Limits) -> None:
    try:
        secret.decode()
    except UnicodeDecodeError:
        raise WrongUsage("the secret is not UTF-8, and no Elixir worker could write it: choose another") from None
    if not 0 <= zeros <= MAX_ZEROS:
        raise WrongUsage(f"the number of zeros is from 0 to {MAX_ZEROS}, not {zeros}")
    if not 0 <= first < 10 ** (limits.digits - 1):
        raise WrongUsage(f"the first integer is from 0 up, and has fewer than {limits.digits} digits")
    if not is_workload(workload):
        raise WrongUsage(f"the workload is an integer from 1 to {LARGEST_WORKLOAD}, or {AUTO}")
